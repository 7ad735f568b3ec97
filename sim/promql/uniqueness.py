"""No two samples of a vector may have the same labels: where an evaluation fails for it, and where series are merged."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.promql.evaluate import Evaluation
from sim.promql.labels import Labels
from sim.promql.values import Vector

__all__ = ["SAME", "check", "merged"]

SAME = "vector cannot contain metrics with the same labelset"


def check(evaluation: Evaluation, found: Vector, problem: str, *, together: bool = False) -> None:
    """Fail in lanes where two present samples have the same labels; with `together` at whatever times of the evaluation."""
    for rows in _repeated(evaluation, found.labels):
        there: Any = np.ones((len(rows), 1, 1), bool) if found.present is None else found.present[rows]
        if together:
            there = there.any(axis=1, keepdims=True)
        evaluation.fail(problem, there.sum(axis=0) > 1)


def merged(evaluation: Evaluation, found: Vector) -> Vector:
    """One series per label set: samples of equal labels at different times belong together."""
    groups = _repeated(evaluation, found.labels)
    if not groups:
        return found
    kept = [row for row in range(len(found.labels)) if not any(row in rows[1:] for rows in groups)]
    values = found.values.copy()
    present = np.ones(values.shape, bool) if found.present is None else found.present.copy()
    for first, *others in groups:
        for row in others:
            values[first] = np.where(present[row], values[row], values[first])
            present[first] |= present[row]
    return Vector(tuple(found.labels[row] for row in kept), values[kept], present[kept])


def _repeated(evaluation: Evaluation, labels: tuple[Labels, ...]) -> list[list[int]]:
    """Rows with equal labels, for each label set that is there more than once."""
    return evaluation.plan(("repeated", id(labels)), (labels,), lambda: _groups(labels))


def _groups(labels: tuple[Labels, ...]) -> list[list[int]]:
    rows: dict[Labels, list[int]] = {}
    for row, one in enumerate(labels):
        rows.setdefault(one, []).append(row)
    return [group for group in rows.values() if len(group) > 1]
