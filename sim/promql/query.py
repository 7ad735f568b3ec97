"""A compiled query: what it reads, and its answers over a store."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from sim.promql.parse import parse
from sim.promql.profiles import profile
from sim.promql.selectors import Selector
from sim.promql.series import Store
from sim.promql.tree import Aggregate, Binary, Call, Negate, Node, Number, Range, Select, Subquery, Text
from sim.promql.values import Answer

__all__ = ["Query", "children", "compile", "nodes"]


def compile(text: str, profile: str = "prometheus@3", *, step: float = 60.0) -> Query:
    """Read a query. PromqlError with the column if it is not one; KeyError for an unknown profile.

    `step`: seconds of subqueries without a step of their own (Prometheus: the global evaluation interval, 1m by default).
    """
    return Query(text, profile, step)


class Query:
    """One query, for any number of evaluations. Pickles as its text."""

    def __init__(self, text: str, version: str, step: float) -> None:
        self.text, self.profile, self.step = text, profile(version), step
        self.tree = parse(text, self.profile, max(1, round(step * 1000)))
        self.selectors: tuple[Selector, ...] = tuple(_selectors(self.tree))
        self._plans: dict[Hashable, Any] = {}  # label work done once: see Evaluation.plan

    @property
    def kind(self) -> str:
        """Of its answers: 'scalar', 'string', 'vector' or 'matrix'."""
        return _kind(self.tree)

    def at(self, store: Store, at: float) -> Answer:
        """The answer at one time (seconds)."""
        return self.over(store, (at,))[0]

    def over(self, store: Store, times: Sequence[float]) -> list[Answer]:
        """The answers at several times, each as `at` gives it; cheaper than one by one."""
        from sim.promql.evaluate import evaluate

        stamps = [round(time * 1000) for time in times]
        if len(stamps) > 1 and _has_subquery(self.tree):
            return [evaluate(self, store, [stamp])[0] for stamp in stamps]
        return evaluate(self, store, stamps)

    def __reduce__(self) -> Any:
        return Query, (self.text, self.profile.name, self.step)

    def __repr__(self) -> str:
        return f"Query({self.text!r}, {self.profile.name!r})"


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Range(of=of) | Subquery(of=of) | Negate(of=of):
            return (of,)
        case Call(args=args):
            return args
        case Aggregate(of=of, param=param):
            return (of,) if param is None else (param, of)
        case Binary(left=left, right=right):
            return (left, right)
    return ()


def _kind(node: Node) -> str:
    match node:
        case Number() | Call(name="scalar" | "time" | "pi"):
            return "scalar"
        case Text():
            return "string"
        case Range() | Subquery():
            return "matrix"
        case Negate(of=of):
            return _kind(of)
        case Binary(left=left, right=right):
            return "scalar" if _kind(left) == _kind(right) == "scalar" else "vector"
    return "vector"


def nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from nodes(child)


def _selectors(tree: Node) -> Iterator[Selector]:
    return (node.selector for node in nodes(tree) if isinstance(node, Select))


def _has_subquery(tree: Node) -> bool:
    """The steps of a subquery are one evaluation, so that several evaluations cannot share it."""
    return any(isinstance(node, Subquery) for node in nodes(tree))
