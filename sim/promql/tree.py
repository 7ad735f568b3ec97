"""The syntax tree that is evaluated: what `promql-parser` gives, without parentheses, in milliseconds, with columns."""

from __future__ import annotations

from dataclasses import dataclass

from sim.promql.selectors import Selector

__all__ = [
    "Aggregate",
    "At",
    "Binary",
    "Call",
    "Matching",
    "Negate",
    "Node",
    "Number",
    "Range",
    "Select",
    "Subquery",
    "Text",
]


@dataclass(frozen=True, slots=True)
class At:
    """The modifier `@`: a fixed time in ms, or `start()` or `end()` of the query."""

    time: int | None  # None for start() and end(), which are one time in an instant query


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    value: str


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    selector: Selector
    offset: int = 0
    at: At | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    of: Select
    range: int


@dataclass(frozen=True, slots=True, eq=False)
class Subquery:
    of: Node
    range: int
    step: int
    offset: int = 0
    at: At | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    op: str
    of: Node
    param: Node | None
    names: tuple[str, ...]
    without: bool


@dataclass(frozen=True, slots=True, eq=False)
class Negate:
    of: Node


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of an operator find each other. `many`: '' one to one, else the side ('left', 'right') that has many."""

    on: bool = False
    names: tuple[str, ...] = ()
    many: str = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    op: str
    left: Node
    right: Node
    bool: bool
    matching: Matching


Node = Number | Text | Select | Range | Subquery | Call | Aggregate | Negate | Binary
