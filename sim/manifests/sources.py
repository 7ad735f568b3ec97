"""Where documents come from: files, folders, standard input, or documents that are read already."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from sim.files import Document, FileErrors, read_documents
from sim.manifests.fields import Findings

__all__ = ["Source", "gather"]

Source = str | Path | Document
_ENDINGS = (".yaml", ".yml", ".json")


def gather(sources: Source | Iterable[Source], findings: Findings) -> list[Document]:
    """All documents of a set, in order; what is wrong with a file is kept in `findings`, and the others are read."""
    documents: list[Document] = []
    for source in [sources] if isinstance(sources, str | Path | Document) else sources:
        documents.extend([source] if isinstance(source, Document) else _read(source, findings))
    findings.sources.update({document.file: document.text for document in documents})
    return documents


def _read(source: str | Path, findings: Findings) -> Iterator[Document]:
    if source == "-":
        yield from _documents(sys.stdin.read(), "<stdin>", findings)
        return
    path = Path(source)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file == path or (file.suffix in _ENDINGS and file.is_file()):
            yield from _documents(file, str(file), findings)


def _documents(source: Path | str, name: str, findings: Findings) -> list[Document]:
    try:
        return read_documents(source, name)
    except FileErrors as errors:
        findings.problems.extend(errors.problems)
        findings.sources.update(errors.sources)
        return []
