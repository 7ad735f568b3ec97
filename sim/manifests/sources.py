"""Where documents come from: files, folders, standard input, or documents that are read already; and the objects in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sim.files import Document, FileErrors, read_documents
from sim.files.nodes import Node
from sim.files.scalars import Dialect
from sim.files.source import STDIN, standard_input
from sim.manifests.fields import Findings
from sim.manifests.fragments import part_of, whole

__all__ = ["Source", "gather", "objects"]

Source = str | Path | Document
_ENDINGS = (".yaml", ".yml", ".json")


def gather(sources: Source | Iterable[Source], findings: Findings) -> list[Document]:
    """All documents of a set, in order; what is wrong with a file is kept in `findings`, and the others are read."""
    documents: list[Document] = []
    for source in [sources] if isinstance(sources, str | Path | Document) else sources:
        documents.extend([source] if isinstance(source, Document) else _read(source, findings))
    findings.sources.update({document.file: document.text for document in documents})
    return documents


def objects(document: Document, part: str = "") -> Iterator[Document]:
    """The objects of one document: those of a List (`kubectl get -o yaml`), the whole of a fragment, else the document itself.

    `part` is what a fragment is part of (`--as`); it is told by its content without it. PolicyError if there is no such part.
    """
    items = document.root.child("items") if document.kind_hint.endswith("List") else None
    if items is not None and isinstance(items.children, list):
        for item in items.children:
            yield from objects(Document(document.file, document.text, document.dialect, item), part)
        return
    found = part_of(document, part) if document.kind_hint == "unknown" and _unmarked(document.root) else None
    yield document if found is None else whole(_as_kubernetes(document), found)


def _as_kubernetes(document: Document) -> Document:
    """The same document, its scalars read as those of the object that it is part of."""
    if document.dialect != "own" or not document.ambiguous:
        return document
    again = read_documents(document.text, document.file, dialect="kubernetes")
    return next(one for one in again if one.root.place == document.root.place)


def _unmarked(root: Node) -> bool:
    """Neither a file of ours nor an object of Kubernetes, however broken."""
    value = root.value
    return not isinstance(value, dict) or not {"seatrial", "apiVersion", "kind"} & value.keys()


def _read(source: str | Path, findings: Findings) -> Iterator[Document]:
    if source == "-":
        try:
            yield from _documents(standard_input(), STDIN, findings)
        except FileErrors as errors:
            findings.problems.extend(errors.problems)
        return
    path = Path(source)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file == path or (file.suffix in _ENDINGS and file.is_file()):
            yield from _documents(file, str(file), findings)


def _documents(source: Path | str, name: str, findings: Findings) -> list[Document]:
    try:
        return read_documents(source, name, dialect=_dialect(source))
    except FileErrors as errors:
        findings.problems.extend(errors.problems)
        findings.sources.update(errors.sources)
        return []


def _dialect(source: Path | str) -> Dialect | None:
    """A text that begins with a brace is JSON (`kubectl get -o json`)."""
    return "json" if isinstance(source, str) and source.lstrip().startswith("{") else None
