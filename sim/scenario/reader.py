"""Reading files that name other files: relative places, missing ones, cycles, and the content that the digest covers.

The reader in charge is found through a context variable, because file models are checked inside pydantic, which hands nothing on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from sim.files import Document, FileErrors, Problem, Refused
from sim.files.source import read_text
from sim.files.words import nearest

__all__ = ["Reader", "reading"]

T = TypeVar("T")

MAX_DATA = 16 << 20  # bytes of a recording: a year of minutes is 10 MB
_CURRENT: ContextVar[Reader] = ContextVar("seatrial_reader")


def reading() -> Reader:
    """The reader in charge."""
    return _CURRENT.get()


class Reader:
    """One reading of a file and all that it names. `problems` and `sources` fill up; `contents` are hashes of data and code files."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.sources: dict[str, str] = {}
        self.contents: set[str] = set()
        self._open: list[tuple[Path, Path]] = []  # (as written, resolved), outermost first

    @contextmanager
    def charge(self) -> Iterator[Reader]:
        """Be in charge for a while."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)

    @property
    def folder(self) -> Path:
        """The folder of the file being read; references are relative to it."""
        return self._open[-1][0].parent if self._open else Path()

    @contextmanager
    def opened(self, path: Path) -> Iterator[Path]:
        """Read `path`: what it names is relative to it, and may not name it again."""
        self._open.append((path, path.resolve()))
        try:
            yield path
        finally:
            self._open.pop()

    def locate(self, reference: str) -> Path:
        """The file that a reference means. Raises Refused where there is none, or where it would be read inside itself."""
        if "\0" in reference or len(reference) > 1000:
            raise Refused("this is no path", "write e.g. ./policies/canary.yaml")
        path = Path(os.path.normpath(self.folder / reference))
        try:
            found = path.exists()
        except OSError:
            found = False
        if not found:
            raise Refused(f"there is no file {reference}", self._nearby(path))
        self._circle(path)
        return path

    def follow(self, path: Path, read: Callable[[Path], T]) -> T | None:
        """What `read` makes of a file that another one names; None after noting what is wrong with it."""
        try:
            with self.opened(path):
                return read(path)
        except FileErrors as errors:
            self.take(errors)
            return None

    def data(self, reference: str) -> tuple[str, str]:
        """(text, name) of a data file; its content goes into the digest. Raises Refused and FileErrors."""
        path = self.locate(reference)
        text = read_text(path, str(path), MAX_DATA)
        self.cover(text.encode())
        return text, str(path)

    def cover(self, content: bytes) -> None:
        """Let the digest depend on this content."""
        self.contents.add(hashlib.sha256(content).hexdigest())

    def take(self, errors: FileErrors) -> None:
        """Note what is wrong with a file, and go on."""
        self.problems += errors.problems
        self.sources |= errors.sources

    def add(self, document: Document, *problems: Problem) -> None:
        self.problems += problems
        self.sources[document.file] = document.text

    def check(self) -> None:
        """Raise FileErrors with all that was found, each problem once."""
        if self.problems:
            raise FileErrors(dict.fromkeys(self.problems), self.sources)

    def _circle(self, path: Path) -> None:
        resolved = path.resolve()
        chain = [str(shown) for shown, known in self._open]
        for index, (_, known) in enumerate(self._open):
            if known == resolved:
                raise Refused(
                    f"files name each other in a circle: {' -> '.join([*chain[index:], str(path)])}",
                    "remove one of the references",
                )

    def _nearby(self, path: Path) -> str:
        remedy = "paths are relative to the file that names them"
        try:
            names = sorted(entry.name for entry in path.parent.iterdir())
        except OSError:
            return remedy
        guess = nearest(path.name, names[:1000])
        return f"did you mean {guess}?" if guess else remedy
