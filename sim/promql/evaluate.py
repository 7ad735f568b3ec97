"""One evaluation of a tree: which module computes which node, label work remembered, failures collected."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.promql.errors import EvaluationError
from sim.promql.profiles import Profile
from sim.promql.series import Store
from sim.promql.tree import Aggregate, Binary, Call, Negate, Node, Number, Select, Text
from sim.promql.values import Answer, Bools, Scalar, String, Value, Vector

if TYPE_CHECKING:
    from sim.promql.query import Query

__all__ = ["Evaluation", "evaluate"]

T = TypeVar("T")

MAX_SAMPLES = 50_000_000  # numbers in one array
MAX_STEPS = 100_000  # of a subquery
MAX_PLANS = 10_000


def evaluate(query: Query, store: Store, stamps: Sequence[int]) -> list[Answer]:
    """The answers at times in ms. Floating-point warnings are off: infinities and NaN are values here."""
    from sim.promql.answers import answers, failure

    evaluation = Evaluation(query.profile, store, np.array(stamps, np.int64), query._plans)
    try:
        with np.errstate(all="ignore"):
            return answers(evaluation, query.tree)
    except EvaluationError as error:  # of all replications alike
        return [failure(str(error), store.replications)] * len(stamps)


class Evaluation:
    """The tree at K times over R replications.

    times: int64 [K], ms; in a subquery those of its steps. top: the times of the whole query. failures: (problem, mask [K or 1, R or 1]).
    """

    def __init__(self, profile: Profile, store: Store, times: NDArray[np.int64], plans: dict[Hashable, Any]) -> None:
        self.profile, self.store, self.times, self.top = profile, store, times, times
        self.inner = False  # in a subquery, whose steps are one evaluation
        self.first = int(times[0]) if len(times) else 0
        self.last = int(times[-1]) if len(times) else 0  # in a subquery its end, at or after the last step
        self.replications = store.replications
        self.failures: list[tuple[str, Bools]] = []
        self._plans = plans

    def over(self, first: int, last: int, step: int) -> Evaluation:
        """The same over the steps of a subquery (none if `first` is after `last`), with failures of its own."""
        if (last - first) // step > MAX_STEPS:
            raise EvaluationError(
                f"a subquery of more than {MAX_STEPS:,} steps; give it a longer step or a shorter range"
            )
        other = Evaluation(self.profile, self.store, np.arange(first, last + 1, step, dtype=np.int64), self._plans)
        other.top, other.inner, other.first, other.last = self.top, True, first, last
        return other

    def spend(self, series: int) -> None:
        """Refuse what would not fit, as Prometheus does (flag --query.max-samples, 50 million)."""
        if series * len(self.times) * self.replications > MAX_SAMPLES:
            raise EvaluationError(
                "query processing would load too many samples into memory in query execution; "
                f"at most {MAX_SAMPLES:,} numbers at once"
            )

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

    def plan(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What `make` gives, remembered under this key (a node) as long as its inputs are the same objects."""
        kept = self._plans.get(key)
        if (
            kept is not None
            and len(kept[0]) == len(inputs)
            and all(a is b for a, b in zip(kept[0], inputs, strict=True))
        ):
            return kept[1]  # type: ignore[no-any-return]
        made = make()
        if len(self._plans) >= MAX_PLANS:  # a store that makes new label tuples all the time
            self._plans.clear()
        self._plans[key] = (inputs, made)
        return made

    def fail(self, problem: str, where: Bools) -> None:
        """Prometheus would answer these lanes [K or 1, R or 1] with an error."""
        if len(self.times) and where.any():
            self.failures.append((problem, where))


def _number(evaluation: Evaluation, node: Number) -> Scalar:
    return Scalar(np.full((1, 1), node.value))


def _text(evaluation: Evaluation, node: Text) -> String:
    return String(node.value)


# ---- the modules of the nodes need this one, so they are imported when a node is met ----


def _select(evaluation: Evaluation, node: Select) -> Vector:
    from sim.promql.selecting import select

    return select(evaluation, node)


def _call(evaluation: Evaluation, node: Call) -> Value:
    from sim.promql.functions import call

    return call(evaluation, node)


def _aggregate(evaluation: Evaluation, node: Aggregate) -> Value:
    from sim.promql.aggregate import aggregate

    return aggregate(evaluation, node)


def _binary(evaluation: Evaluation, node: Binary) -> Value:
    from sim.promql.operators import binary

    return binary(evaluation, node)


def _negate(evaluation: Evaluation, node: Negate) -> Value:
    from sim.promql.operators import negate

    return negate(evaluation, node)


_NODES: dict[type, Callable[[Evaluation, Any], Value]] = {
    Number: _number,
    Text: _text,
    Select: _select,
    Call: _call,
    Aggregate: _aggregate,
    Binary: _binary,
    Negate: _negate,
}
