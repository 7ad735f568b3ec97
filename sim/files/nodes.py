"""A value together with where it stands: the tree behind a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from sim.files.words import Path

Place = tuple[int, int]  # line and column, from 1
Children: TypeAlias = "dict[str, Node] | list[Node] | None"


class Node:
    """One YAML node. `size` counts the nodes below with every alias expanded; 0 while the node is still open.

    `plain` is the text of an ambiguous scalar (`scalars.resolve`); `odd_keys` are keys that the dialect changed.
    """

    __slots__ = ("children", "column", "keys", "line", "odd_keys", "plain", "size", "value")

    def __init__(self, value: Any, line: int, column: int, children: Children = None) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.children = children
        self.keys: dict[str, Place] = {}
        self.odd_keys: dict[str, str] = {}
        self.plain: str | None = None
        self.size = 1 if children is None else 0

    @property
    def place(self) -> Place:
        return self.line, self.column

    def child(self, part: str | int) -> Node | None:
        """The node under a key or an index, or None."""
        children = self.children
        if isinstance(children, dict):
            return children.get(part) if isinstance(part, str) else None
        if isinstance(children, list) and isinstance(part, int) and 0 <= part < len(children):
            return children[part]
        return None


def find(root: Node, path: Path) -> Node | None:
    """The node at a path, or None."""
    node: Node | None = root
    for part in path:
        node = node.child(part) if node is not None else None
    return node


def ambiguous(root: Node) -> Iterator[tuple[Path, str]]:
    """Every scalar and key that readers disagree about, with its path, in the order of the document."""
    pending: list[tuple[Path, Node]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if node.plain is not None:
            yield path, node.plain
        for key, text in node.odd_keys.items():
            yield (*path, key), text
        if node.children:
            pairs = node.children.items() if isinstance(node.children, dict) else enumerate(node.children)
            pending.extend(reversed([((*path, part), child) for part, child in pairs]))
