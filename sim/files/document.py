"""A document: plain values, and the line and column of each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from sim.files.errors import FileErrors, Problem
from sim.files.kinds import OWN, kind_of
from sim.files.nodes import Node, Place, ambiguous, find
from sim.files.scalars import Dialect
from sim.files.source import MAX_BYTES, check_text, read_text
from sim.files.tree import MAX_NODES, build
from sim.files.words import Path, dotted

_MANIFEST = (re.compile("^apiVersion:", re.MULTILINE), re.compile("^kind:", re.MULTILINE))


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One YAML or JSON document. `value` is for reading only: aliases share objects.

    `below` is the path at which the file's own text stands, when it was put into a whole object to be read (a fragment):
    places are told without it. `faults` of writing are those that leave its structure clear; `errors` and `validate` raise
    them with all others.
    """

    file: str
    text: str
    dialect: Dialect
    root: Node
    below: Path = ()
    faults: tuple[Problem, ...] = ()

    @property
    def value(self) -> Any:
        """Plain dict, list, str, int, float, bool or None."""
        return self.root.value

    @property
    def kind_hint(self) -> str:
        """What the content says it is: see `kinds.kind_of`."""
        return kind_of(self.root.value)

    @property
    def ambiguous(self) -> tuple[tuple[Path, str], ...]:
        """(path, text) of every plain scalar and key on whose meaning YAML readers differ (`scalars`)."""
        return tuple(ambiguous(self.root))

    def line_of(self, path: Path) -> Place:
        """Line and column, from 1, of the value at a path; of the nearest value above if there is none."""
        while (node := find(self.root, path)) is None:
            path = path[:-1]
        return node.place

    def key_of(self, path: Path) -> Place:
        """Line and column of the key a path ends in; of the value where it ends in a list's item or nowhere."""
        parent = find(self.root, path[:-1]) if path else None
        place = parent.keys.get(str(path[-1])) if parent is not None else None
        return place or self.line_of(path)

    def problem(self, path: Path, problem: str, remedy: str, *, key: bool = False) -> Problem:
        """A problem at a path of this document, for checks that a model cannot make."""
        place = self.key_of(path) if key else self.line_of(path)
        return Problem(self.file, *place, self.named(path), problem, remedy)

    def named(self, path: Path) -> str:
        """A path as the file's author knows it."""
        return dotted(path[len(self.below) :])

    def errors(self, *problems: Problem) -> FileErrors:
        """The error to raise for problems of this document."""
        return FileErrors((*self.faults, *problems), {self.file: self.text})


def read_documents(
    source: FilePath | str,
    name: str = "",
    *,
    dialect: Dialect | None = None,
    max_bytes: int = MAX_BYTES,
    max_nodes: int = MAX_NODES,
    defer: bool = False,
) -> list[Document]:
    """Every document of a file (a Path) or of a text (a str) that is not empty; `name` is what errors call it.

    Without `dialect`: 'json' for a name that ends so, 'kubernetes' for a text with `apiVersion:` and `kind:` in its
    first column, else 'own'. Raises FileErrors with all that is wrong, and nothing else; with `defer` what leaves the structure
    clear (a duplicate key, say) is kept in the first document's `faults`, for a caller that goes on to `validate`.
    """
    name = name or _name(source)
    text = read_text(source, name, max_bytes) if isinstance(source, FilePath) else check_text(source, name, max_bytes)
    dialect = dialect or _dialect(text, name)
    roots, problems, whole = build(text, name, dialect, max_nodes)
    if problems and not (defer and whole and roots):
        raise FileErrors(problems, {name: text})
    return [
        Document(name, text, dialect, root, faults=() if index else tuple(problems)) for index, root in enumerate(roots)
    ]


def read_document(
    source: FilePath | str,
    name: str = "",
    *,
    dialect: Dialect | None = None,
    max_bytes: int = MAX_BYTES,
    defer: bool = False,
) -> Document:
    """The only document of a file or text; FileErrors if there is none or more than one."""
    documents = read_documents(source, name, dialect=dialect, max_bytes=max_bytes, defer=defer)
    if len(documents) == 1:
        return documents[0]
    if documents:
        second = documents[1]
        raise second.errors(second.problem((), "a second document", "keep one document in a file of this kind"))
    raise FileErrors([Problem(name or _name(source), 1, 1, "", "holds no value", f"begin with 'seatrial: {OWN[0]}'")])


def _name(source: FilePath | str) -> str:
    return str(source) if isinstance(source, FilePath) else "<text>"


def _dialect(text: str, name: str) -> Dialect:
    if name.endswith(".json"):
        return "json"
    return "kubernetes" if all(key.search(text) for key in _MANIFEST) else "own"
