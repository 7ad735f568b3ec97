"""One evaluation of a tree: which module computes which node, label work remembered, failures collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.promql.profiles import Profile
from sim.promql.series import Store
from sim.promql.tree import Node, Number, Select, Text
from sim.promql.values import Answer, Bools, Scalar, String, Value, Vector

if TYPE_CHECKING:
    from sim.promql.query import Query

__all__ = ["Evaluation", "evaluate"]

T = TypeVar("T")


def evaluate(query: Query, store: Store, stamps: Sequence[int]) -> list[Answer]:
    """The answers at times in ms. Floating-point warnings are off: infinities and NaN are values here."""
    from sim.promql.answers import answers

    with np.errstate(all="ignore"):
        evaluation = Evaluation(query.profile, store, np.array(stamps, np.int64), query._plans)
        return answers(evaluation, query.tree)


class Evaluation:
    """The tree at K times over R replications.

    times: int64 [K], ms; in a subquery those of its steps. top: the times of the whole query. failures: (problem, [K, R] mask).
    """

    def __init__(self, profile: Profile, store: Store, times: NDArray[np.int64], plans: dict[int, Any]) -> None:
        self.profile, self.store, self.times, self.top = profile, store, times, times
        self.replications = store.replications
        self.failures: list[tuple[str, Bools]] = []
        self._plans = plans

    def at(self, times: NDArray[np.int64]) -> Evaluation:
        """The same over other times, with failures of its own."""
        other = Evaluation(self.profile, self.store, times, self._plans)
        other.top = self.top
        return other

    def value(self, node: Node) -> Value:
        return _NODES[type(node)](self, node)

    def vector(self, node: Node) -> Vector:
        found = self.value(node)
        assert isinstance(found, Vector)  # the parser has checked the types
        return found

    def scalar(self, node: Node) -> NDArray[np.float64]:
        """[K or 1, R or 1]"""
        found = self.value(node)
        assert isinstance(found, Scalar)
        return found.values

    def plan(self, node: Any, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What `make` gives, remembered for this node as long as its inputs are the same objects."""
        kept = self._plans.get(id(node))
        if (
            kept is not None
            and len(kept[0]) == len(inputs)
            and all(a is b for a, b in zip(kept[0], inputs, strict=True))
        ):
            return kept[1]  # type: ignore[no-any-return]
        made = make()
        self._plans[id(node)] = (inputs, made, node)
        return made

    def fail(self, problem: str, where: Bools) -> None:
        """Prometheus would answer these lanes [K or 1, R or 1] with an error."""
        if where.any():
            shape = (len(self.times), self.replications)
            self.failures.append((problem, np.broadcast_to(where, shape)))


def _number(evaluation: Evaluation, node: Number) -> Scalar:
    return Scalar(np.full((1, 1), node.value))


def _text(evaluation: Evaluation, node: Text) -> String:
    return String(node.value)


def _select(evaluation: Evaluation, node: Select) -> Vector:
    from sim.promql.selecting import select

    return select(evaluation, node)


def _lazy(module: str, name: str) -> Callable[[Evaluation, Any], Value]:
    """Modules are imported when a query first needs them."""

    def run(evaluation: Evaluation, node: Any) -> Value:
        import importlib

        return getattr(importlib.import_module(f"sim.promql.{module}"), name)(evaluation, node)  # type: ignore[no-any-return]

    return run


_NODES: dict[type, Callable[[Evaluation, Any], Value]] = {
    Number: _number,
    Text: _text,
    Select: _select,
}
