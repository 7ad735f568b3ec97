"""Arithmetic and comparisons, of scalars and of vectors with scalars; what each operator does to two numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.promql.evaluate import Evaluation
from sim.promql.gomath import power
from sim.promql.labels import NAME, Labels, without
from sim.promql.tree import Binary, Negate
from sim.promql.trigonometry import atan2
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Bools, Floats, Scalar, Value, Vector, both

__all__ = ["ARITHMETIC", "COMPARISONS", "SETS", "binary", "drops_name", "nameless", "negate"]

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": power,
    "atan2": atan2,
}
COMPARISONS: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS = ("and", "or", "unless")


def binary(evaluation: Evaluation, node: Binary) -> Value:
    from sim.promql.matching import join, unite

    left, right = evaluation.value(node.left), evaluation.value(node.right)
    match left, right:
        case Scalar(a), Scalar(b):
            return Scalar(
                COMPARISONS[node.op](a, b).astype(float) if node.op in COMPARISONS else ARITHMETIC[node.op](a, b)
            )
        case Vector(), Scalar(b):
            return _with_scalar(evaluation, node, left, b[None], swapped=False)
        case Scalar(a), Vector():
            return _with_scalar(evaluation, node, right, a[None], swapped=True)
        case Vector(), Vector():
            return unite(evaluation, node, left, right) if node.op in SETS else join(evaluation, node, left, right)
    raise AssertionError("the parser lets no strings into operators")


def _with_scalar(evaluation: Evaluation, node: Binary, vector: Vector, scalar: Floats, *, swapped: bool) -> Vector:
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    present = vector.present
    if node.op in ARITHMETIC:
        values = ARITHMETIC[node.op](left, right)
    else:
        kept = COMPARISONS[node.op](left, right)
        values = kept.astype(float) if node.bool else vector.values
        present = present if node.bool else both(present, kept)
    labels = vector.labels
    if drops_name(evaluation, node.op) or node.bool:
        labels = nameless(evaluation, node, labels)
    found = Vector(labels, values, present, vector.order)
    check(evaluation, found, SAME)
    return found


def drops_name(evaluation: Evaluation, op: str) -> bool:
    """Whether the result is another metric. In 2.x `atan2` keeps the name (shouldDropMetricName, v2.42.0)."""
    return op in ARITHMETIC and (op != "atan2" or evaluation.profile.modern)


def nameless(evaluation: Evaluation, node: object, labels: tuple[Labels, ...]) -> tuple[Labels, ...]:
    return evaluation.plan(node, (labels,), lambda: _without_name(labels))


def _without_name(labels: tuple[Labels, ...]) -> tuple[Labels, ...]:
    dropped = tuple(without(one, (NAME,)) for one in labels)
    return labels if dropped == labels else dropped


def negate(evaluation: Evaluation, node: Negate) -> Value:
    found = evaluation.value(node.of)
    if isinstance(found, Scalar):
        return Scalar(-found.values)
    assert isinstance(found, Vector)
    result = Vector(nameless(evaluation, node, found.labels), -found.values, found.present, found.order)
    check(evaluation, result, SAME, together=evaluation.inner)
    return result
