"""Functions of scalars and instant vectors, by name. Source: promql/functions.go."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sim.promql import gomath, trigonometry
from sim.promql.calendar import CALENDAR
from sim.promql.evaluate import Evaluation
from sim.promql.histogram import histogram_quantile
from sim.promql.labels import EMPTY
from sim.promql.operators import nameless
from sim.promql.ranges import RANGED, absent_labels, ranged
from sim.promql.relabel import label_join, label_replace
from sim.promql.selecting import sampled
from sim.promql.tree import Call, Select
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Floats, Scalar, Value, Vector

__all__ = ["call"]


def call(evaluation: Evaluation, node: Call) -> Value:
    if node.name in RANGED:
        return ranged(evaluation, node)
    if node.name in CALENDAR:
        return _calendar(evaluation, node)
    if node.name in _MATH:
        return _mapped(evaluation, node, _MATH[node.name])
    return _OTHERS[node.name](evaluation, node)


def _mapped(evaluation: Evaluation, node: Call, function: Callable[[Floats], Floats]) -> Vector:
    return _renamed(evaluation, node, found := evaluation.vector(node.args[0]), function(found.values))


def _renamed(evaluation: Evaluation, node: Call, found: Vector, values: Floats) -> Vector:
    """Other values, no metric name."""
    result = Vector(nameless(evaluation, node, found.labels), values, found.present, found.order)
    check(evaluation, result, SAME)
    return result


_MATH: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "acos": trigonometry.acos,
    "acosh": trigonometry.acosh,
    "asin": trigonometry.asin,
    "asinh": trigonometry.asinh,
    "atan": trigonometry.atan,
    "atanh": trigonometry.atanh,
    "ceil": np.ceil,
    "cos": trigonometry.cos,
    "cosh": trigonometry.cosh,
    "deg": lambda x: x * 180 / math.pi,
    "exp": gomath.exp,
    "floor": np.floor,
    "ln": gomath.log,
    "log10": gomath.log10,
    "log2": gomath.log2,
    "rad": lambda x: x * math.pi / 180,
    "sgn": lambda x: np.where(x < 0, -1.0, np.where(x > 0, 1.0, x)),
    "sin": trigonometry.sin,
    "sinh": trigonometry.sinh,
    "sqrt": np.sqrt,
    "tan": trigonometry.tan,
    "tanh": trigonometry.tanh,
}


def _calendar(evaluation: Evaluation, node: Call) -> Vector:
    function = CALENDAR[node.name]
    if node.args:
        return _mapped(evaluation, node, function)
    seconds = np.trunc(evaluation.times / 1000)  # Go's division of integers
    return Vector((EMPTY,), _wide(evaluation, function(seconds)[:, None]))


def _wide(evaluation: Evaluation, values: Floats) -> Floats:
    """[K or 1, R or 1] as one series [1, K, R]."""
    return np.broadcast_to(values, (1, len(evaluation.times), evaluation.replications))


def _absent(evaluation: Evaluation, node: Call) -> Vector:
    found = evaluation.vector(node.args[0])
    labels = evaluation.plan(node, (), lambda: (absent_labels(node.args[0]),))
    there = np.full((1, 1), bool(found.labels)) if found.present is None else found.present.any(axis=0)
    shape = (1, len(evaluation.times), evaluation.replications)
    return Vector(labels, np.ones(shape), np.broadcast_to(~there, shape))


def _scalar(evaluation: Evaluation, node: Call) -> Scalar:
    """The only value of a vector, NaN if it has none or several."""
    found = evaluation.vector(node.args[0])
    if found.present is None:
        return Scalar(found.values[0] if len(found.labels) == 1 else np.full((1, 1), np.nan))
    value = np.full(found.values.shape[1:], np.nan)
    for row in range(len(found.labels)):
        value = np.where(found.present[row], found.values[row], value)
    return Scalar(np.where(found.present.sum(axis=0) == 1, value, np.nan))


def _clamp(evaluation: Evaluation, node: Call) -> Vector:
    found = evaluation.vector(node.args[0])
    bounds = [evaluation.scalar(one) for one in node.args[1:]]
    low = bounds[0] if node.name != "clamp_max" else None
    high = bounds[-1] if node.name != "clamp_min" else None
    values = found.values if high is None else gomath.minimum(high, found.values)
    values = values if low is None else gomath.maximum(low, values)
    result = _renamed(evaluation, node, found, values)
    if low is None or high is None or not (high < low).any():
        return result
    allowed = ~(high < low) & np.ones(result.values.shape, bool)
    return Vector(
        result.labels, result.values, allowed if found.present is None else allowed & found.present, found.order
    )


def _round(evaluation: Evaluation, node: Call) -> Vector:
    found = evaluation.vector(node.args[0])
    inverse = 1.0 / (evaluation.scalar(node.args[1]) if len(node.args) > 1 else np.ones((1, 1)))
    return _renamed(evaluation, node, found, np.floor(found.values * inverse + 0.5) / inverse)


def _sort(evaluation: Evaluation, node: Call) -> Vector:
    """Ascending or descending, NaN last, in either case."""
    found = evaluation.vector(node.args[0])
    keys = found.values if node.name == "sort" else -found.values
    order = np.argsort(np.argsort(keys, axis=0, kind="stable"), axis=0, kind="stable")
    return Vector(found.labels, found.values, found.present, order)


def _timestamp(evaluation: Evaluation, node: Call) -> Vector:
    """Of a selector the times of its samples, of anything else that of the evaluation."""
    if isinstance(node.args[0], Select):
        found, stamps = sampled(evaluation, node.args[0])
    else:
        found = evaluation.vector(node.args[0])
        stamps = np.broadcast_to(evaluation.times[None, :, None].astype(float), found.values.shape)
    return _renamed(evaluation, node, found, stamps / 1000)


_OTHERS: dict[str, Callable[[Evaluation, Call], Value]] = {
    "absent": _absent,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "histogram_quantile": histogram_quantile,
    "label_join": label_join,
    "label_replace": label_replace,
    "pi": lambda evaluation, node: Scalar(np.full((1, 1), math.pi)),
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_desc": _sort,
    "time": lambda evaluation, node: Scalar((evaluation.times / 1000)[:, None]),
    "timestamp": _timestamp,
    "vector": lambda evaluation, node: Vector((EMPTY,), _wide(evaluation, evaluation.scalar(node.args[0]))),
}
