"""The account of an import: every field of every document, and how it was read.

A remark speaks for all that stands below its place, unless a nearer one speaks; what no remark speaks for was read exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sim.files import Document
from sim.files.nodes import Node, Place
from sim.files.words import Path
from sim.manifests.report import Remark, Status

__all__ = ["account_of"]

_WEIGHT: dict[Status, int] = {"exact": 0, "ignored": 1, "approximated": 2, "not yet": 3, "rejected": 4}
Said = Mapping[tuple[str, int, int, str], Remark]


def account_of(documents: Iterable[Document], report: Iterable[Remark]) -> Iterator[Remark]:
    """One remark for each scalar (and each empty list or object), in the order of the documents."""
    said: dict[tuple[str, int, int, str], Remark] = {}
    for remark in report:
        key = (remark.file, remark.line, remark.column, remark.path)
        if key not in said or _WEIGHT[remark.status] > _WEIGHT[said[key].status]:
            said[key] = remark
    for document in documents:
        yield from _fields(document, document.root, (), document.root.place, ("exact", ""), said)


def _fields(
    document: Document, node: Node, path: Path, key: Place, above: tuple[Status, str], said: Said
) -> Iterator[Remark]:
    name = document.named(path)
    found = [one for place in (key, node.place) if (one := said.get((document.file, *place, name))) is not None]
    nearest = max(found, key=lambda one: _WEIGHT[one.status], default=None)
    if nearest is not None:
        above = (nearest.status, nearest.text if nearest.status != "exact" or not node.children else "")
    if node.children:
        pairs = node.children.items() if isinstance(node.children, dict) else enumerate(node.children)
        for part, child in pairs:
            yield from _fields(document, child, (*path, part), node.keys.get(str(part), child.place), above, said)
    elif path[: len(document.below)] == document.below:  # not what was put around a fragment
        yield Remark(document.file, *key, name, *above)
