"""The syntax tree of a condition: frozen values, each with the 0-based offset where it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Anything that has a value."""

    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """nil, true, false, a number or a string."""

    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True, eq=False)
class Result(Node):
    """The measurement's result."""


@dataclass(frozen=True, slots=True, eq=False)
class Variable(Node):
    """A name bound by `let`; slots are numbered over the whole condition."""

    name: str
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class Pointer(Node):
    """`#`, `#index` or `#acc` inside a predicate."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Node):
    """`a < b`, or a chain `a < b <= c`: operators between operands, each operand evaluated once."""

    operators: tuple[str, ...]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Member(Node):
    """`base.key`, `base[key]`, and with `optional` the `?.` forms."""

    base: Node
    key: Node
    optional: bool


@dataclass(frozen=True, slots=True, eq=False)
class Link(Node):
    """A run of members with a `?.` in it: nil at the `?.` makes the whole run nil."""

    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Node):
    base: Node
    low: Node | None
    high: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """A function with plain arguments: a built-in or one of Argo's."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Loop(Node):
    """A built-in with a predicate: all, filter, reduce, ...; `extra` is reduce's start or sortBy's order."""

    name: str
    collection: Node
    predicate: Node | None
    extra: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Let(Node):
    slot: int
    value: Node
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class Sequence(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Conditional(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, eq=False)
class Elvis(Node):
    """`a ?: b`: a when a is true, otherwise b."""

    condition: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, eq=False)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MapOf(Node):
    """Keys and values in turn."""

    items: tuple[Node, ...]


def children(node: Node) -> Iterator[Node]:
    """The nodes right below."""
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def walk(root: Node) -> Iterator[Node]:
    """A node and all below it; without recursion, because the tree may be too deep for it."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def size(root: Node) -> int:
    """How many nodes the tree has."""
    return sum(1 for _ in walk(root))


def deepest(root: Node) -> tuple[int, Node]:
    """The depth of the tree and a node at that depth; without recursion, because the tree may be too deep for it."""
    worst, found = 0, root
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > worst:
            worst, found = depth, node
        waiting.extend((child, depth + 1) for child in children(node))
    return worst, found
