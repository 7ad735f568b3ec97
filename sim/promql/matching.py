"""Two vectors: which samples meet, and the labels of the result. Source: promql/engine.go, VectorBinop, VectorAnd, VectorOr."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.promql.evaluate import Evaluation
from sim.promql.labels import NAME, Labels, get, labelset, only, shown, without
from sim.promql.operators import ARITHMETIC, COMPARISONS, drops_name
from sim.promql.tree import Binary, Matching
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Bools, Floats, Vector, both

__all__ = ["join", "unite"]

_MANY = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_GROUPING = "multiple matches for labels: grouping labels must ensure unique matches"


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Rows that meet, many side first, with the labels of each result; rows that must not be there at once, with the error."""

    many: NDArray[np.intp]
    one: NDArray[np.intp]
    labels: tuple[Labels, ...]
    exclusive: tuple[tuple[str, NDArray[np.intp]], ...]  # rows of the one side with the same signature
    results: tuple[tuple[str, NDArray[np.intp]], ...]  # results of which only one may be kept


def join(evaluation: Evaluation, node: Binary, left: Vector, right: Vector) -> Vector:
    how = node.matching
    many, one = (right, left) if how.many == "right" else (left, right)
    drop = drops_name(evaluation, node.op)
    plan = evaluation.plan(
        node, (left.labels, right.labels), lambda: _pairs(how, many.labels, one.labels, drop, node.bool)
    )
    _check_one_side(evaluation, plan, many, one)
    a, b = many.values[plan.many], one.values[plan.one]
    a, b = (b, a) if how.many == "right" else (a, b)
    present = both(
        None if many.present is None else many.present[plan.many],
        None if one.present is None else one.present[plan.one],
    )
    values: Floats
    if node.op in ARITHMETIC:
        values = ARITHMETIC[node.op](a, b)
    else:
        kept = COMPARISONS[node.op](a, b)
        values = kept.astype(float) if node.bool else a
        present = present if node.bool else both(present, kept)
    for problem, rows in plan.results:
        evaluation.fail(problem, _count(present, rows) > 1)
    order = None if many.order is None else many.order[plan.many]
    found = Vector(plan.labels, values, present, order)
    check(evaluation, found, SAME)
    return found


def _check_one_side(evaluation: Evaluation, plan: _Pairs, many: Vector, one: Vector) -> None:
    """Two series of one signature on the one side are an error, unless the other side is empty."""
    if plan.exclusive and len(many.labels):
        filled = np.ones((1, 1), bool) if many.present is None else many.present.any(axis=0)
        for problem, rows in plan.exclusive:
            evaluation.fail(problem, (_count(one.present, rows) > 1) & filled)


def _count(present: Bools | None, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.full((1, 1), len(rows)) if present is None else present[rows].sum(axis=0)


def _signature(how: Matching, labels: Labels) -> Labels:
    return only(labels, how.names) if how.on else without(labels, (*how.names, NAME))


def _rows(how: Matching, labels: tuple[Labels, ...]) -> dict[Labels, list[int]]:
    rows: dict[Labels, list[int]] = {}
    for row, one in enumerate(labels):
        rows.setdefault(_signature(how, one), []).append(row)
    return rows


def _pairs(how: Matching, many: tuple[Labels, ...], one: tuple[Labels, ...], drop: bool, is_bool: bool) -> _Pairs:
    ones = _rows(how, one)
    pairs = [(row, other) for row, labels in enumerate(many) for other in ones.get(_signature(how, labels), ())]
    results = tuple(_result(how, many[row], one[other], drop, is_bool) for row, other in pairs)
    side = "left" if how.many == "right" else "right"
    exclusive = tuple((_duplicate(how, side, one, rows), np.array(rows)) for rows in ones.values() if len(rows) > 1)
    alike: dict[object, list[int]] = {}
    for index, (row, _) in enumerate(pairs):
        signature = _signature(how, many[row])
        alike.setdefault((signature, results[index]) if how.many else signature, []).append(index)
    problem = _GROUPING if how.many else _MANY
    clashes = tuple((problem, np.array(rows)) for rows in alike.values() if len(rows) > 1)
    return _Pairs(
        np.array([pair[0] for pair in pairs], np.intp),
        np.array([pair[1] for pair in pairs], np.intp),
        results,
        exclusive,
        clashes,
    )


def _duplicate(how: Matching, side: str, labels: tuple[Labels, ...], rows: list[int]) -> str:
    first, second = (labels[row] for row in rows[:2])
    return (
        f"found duplicate series for the match group {shown(_signature(how, first))} on the {side} hand-side of the operation: "
        f"[{shown(second)}, {shown(first)}];many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _result(how: Matching, many: Labels, one: Labels, drop: bool, is_bool: bool) -> Labels:
    labels = without(many, (NAME,)) if drop else many
    if not how.many:
        labels = only(labels, how.names) if how.on else without(labels, how.names)
    if how.include:
        labels = labelset({**dict(labels), **{name: get(one, name) for name in how.include}})
    return without(labels, (NAME,)) if is_bool else labels


# ---- and, or, unless ----


def unite(evaluation: Evaluation, node: Binary, left: Vector, right: Vector) -> Vector:
    lefts, rights = evaluation.plan(
        node,
        (left.labels, right.labels),
        lambda: (_rows(node.matching, left.labels), _rows(node.matching, right.labels)),
    )
    if node.op == "or":
        found = _or(evaluation, node, left, right, lefts, rights)
        check(evaluation, found, SAME)
        return found
    shape = left.values.shape
    met = np.zeros(shape, bool)
    for signature, rows in lefts.items():
        if signature in rights:
            met[rows] = _any(right, rights[signature])
    present = both(left.present, met if node.op == "and" else ~met)
    return Vector(left.labels, left.values, present, left.order)


def _any(vector: Vector, rows: list[int]) -> Bools | bool:
    return True if vector.present is None else np.asarray(vector.present[rows].any(axis=0))


def _or(
    evaluation: Evaluation,
    node: Binary,
    left: Vector,
    right: Vector,
    lefts: dict[Labels, list[int]],
    rights: dict[Labels, list[int]],
) -> Vector:
    if not right.labels:
        return left
    if not left.labels:
        return right
    taken = np.zeros(right.values.shape, bool)
    for signature, rows in rights.items():
        if signature in lefts:
            taken[rows] = _any(left, lefts[signature])
    there = ~taken if right.present is None else right.present & ~taken
    labels = evaluation.plan(("or", id(node)), (left.labels, right.labels), lambda: left.labels + right.labels)
    ours = np.ones(left.values.shape, bool) if left.present is None else left.present
    order = None
    if left.order is not None or right.order is not None:
        order = np.concatenate([_order(left), len(left.labels) + _order(right)])
    wide = (len(labels), *np.broadcast_shapes(left.values.shape[1:], right.values.shape[1:]))
    values = np.concatenate([np.broadcast_to(left.values, (len(left.labels), *wide[1:])), right.values])
    present = np.concatenate([np.broadcast_to(ours, (len(left.labels), *wide[1:])), there])
    return Vector(labels, values, present, order)


def _order(vector: Vector) -> NDArray[np.intp]:
    if vector.order is not None:
        return np.broadcast_to(vector.order, vector.values.shape)
    return np.broadcast_to(np.arange(len(vector.labels))[:, None, None], vector.values.shape)
