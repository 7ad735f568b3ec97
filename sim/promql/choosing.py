"""topk, bottomk and count_values: aggregations whose answer keeps samples, or makes labels of values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.promql.aggregate import appearance, groups
from sim.promql.evaluate import Evaluation
from sim.promql.floats import decimal
from sim.promql.heap import chosen
from sim.promql.labels import NAME, Labels, only, put, without
from sim.promql.naming import is_label
from sim.promql.tree import Aggregate, Text
from sim.promql.values import Bools, Floats, Vector

__all__ = ["choose", "count_values"]

_INT64 = 9.223372036854775807e18  # as a float64: 2**63


def choose(evaluation: Evaluation, node: Aggregate, found: Vector) -> Vector:
    """topk and bottomk: the samples themselves, highest (lowest) first in each group, NaN only when nothing else is left."""
    assert node.param is not None
    shape = found.values.shape
    wanted = np.broadcast_to(evaluation.scalar(node.param), shape[1:])
    present = np.ones(shape, bool) if found.present is None else found.present
    _check_count(evaluation, wanted, present)
    plan = evaluation.plan(node, (found.labels,), lambda: groups(found.labels, node.names, node.without))
    kept, order = np.zeros(shape, bool), np.zeros(shape, np.intp)
    sign = 1.0 if node.op == "topk" else -1.0
    modern = evaluation.profile.modern
    for group in range(len(plan.labels)):
        rows = plan.members[plan.members[:, group] >= 0, group]
        _choose_group(rows, sign * found.values, present, wanted, kept, order, modern, found.order)
    turn = appearance(plan, found)
    order += (plan.of[:, None, None] if turn is None else turn[plan.of]) * (len(found.labels) + 1)
    return Vector(found.labels, found.values, kept, order)


def _check_count(evaluation: Evaluation, wanted: Floats, present: Bools) -> None:
    """Source: promql/engine.go: 2.x complains whatever the vector holds, 3.x only over samples, or for a number above 0."""
    wrong = ~((wanted <= _INT64) & (wanted >= -_INT64))
    if evaluation.profile.modern:
        wrong &= present.any(axis=0) & ~(wanted < 1)
    if wrong.any():
        evaluation.fail(f"Scalar value {decimal(float(wanted[wrong][0]), exponent=True)} overflows int64", wrong)


def _choose_group(
    rows: NDArray[np.intp],
    values: Floats,
    present: Bools,
    wanted: Floats,
    kept: Bools,
    order: NDArray[np.intp],
    modern: bool,
    before: NDArray[np.intp] | None,
) -> None:
    """Fill `kept` and `order` for the rows of one group; `values` with the sign that makes the largest wanted."""
    earlier = None if before is None else np.broadcast_to(before, values.shape)
    for k, r in np.argwhere(wanted >= 1):
        there = rows[present[rows, k, r]]
        if earlier is not None:
            there = there[np.argsort(earlier[there, k, r], kind="stable")]
        count = int(min(float(wanted[k, r]), float(len(there))))
        best = there[chosen(values[there, k, r].tolist(), count, modern)] if count else there
        kept[best, k, r] = True
        order[best, k, r] = np.arange(len(best))


def count_values(evaluation: Evaluation, node: Aggregate) -> Vector:
    """How many samples have each value, with the value as a label."""
    assert isinstance(node.param, Text)
    name = node.param.value
    found = evaluation.vector(node.of)
    if not is_label(name, evaluation.profile.modern):
        evaluation.fail(f'invalid label name "{name}"', np.ones((1, 1), bool))
        return Vector((), np.empty((0, *found.values.shape[1:])))
    shape = found.values.shape
    places = np.broadcast_to(np.arange(shape[0])[:, None, None] if found.order is None else found.order, shape)
    counts: dict[Labels, Floats] = {}
    first: dict[
        Labels, NDArray[np.intp]
    ] = {}  # the place of the first sample of each value: Prometheus answers in this order
    for row, labels in enumerate(found.labels):
        there = np.ones(shape[1:], bool) if found.present is None else found.present[row]
        for text, where in _values(found.values[row], there):
            key = _key(node, put(labels, name, text), name)
            counts[key] = counts.get(key, np.zeros(shape[1:])) + where
            place = np.where(where, places[row], shape[0])
            first[key] = np.minimum(first.get(key, place), place)
    if not counts:
        return Vector((), np.empty((0, *shape[1:])))
    values = np.stack(list(counts.values()))
    return Vector(tuple(counts), values, values > 0, np.stack(list(first.values())))


def _values(values: Floats, there: Bools) -> list[tuple[str, Bools]]:
    """Each value that is there, as text, and where it is."""
    out = [
        (decimal(float(value)), there & (values == value))
        for value in dict.fromkeys(values[there].tolist())
        if value == value
    ]
    nan = there & np.isnan(values)
    return [*out, ("NaN", nan)] if nan.any() else out


def _key(node: Aggregate, labels: Labels, name: str) -> Labels:
    return without(labels, (*node.names, NAME)) if node.without else only(labels, (*node.names, name))
