"""From the value of a whole tree to the answers that callers see, one per time."""

from __future__ import annotations

import numpy as np

from sim.promql.evaluate import Evaluation
from sim.promql.ranges import blocks_of
from sim.promql.selecting import Window, windows
from sim.promql.series import Block
from sim.promql.tree import Node, Range, Subquery
from sim.promql.values import Answer, Failure, Scalar, String, Vector

__all__ = ["answers"]


def answers(evaluation: Evaluation, tree: Node) -> list[Answer]:
    if isinstance(tree, (Range, Subquery)):
        return _matrix(evaluation, tree)
    value = evaluation.value(tree)
    return [_answer(evaluation, value, k) for k in range(len(evaluation.times))]


def _answer(evaluation: Evaluation, value: Scalar | String | Vector, k: int) -> Answer:
    failures = _failures(evaluation, k)
    wide = evaluation.replications
    match value:
        case String(text):
            return Answer(
                "string", values=np.empty((0, wide)), present=np.empty((0, wide), bool), text=text, failures=failures
            )
        case Scalar(values):
            line = np.broadcast_to(values, (len(evaluation.times), wide))[k : k + 1]
            return Answer("scalar", ((),), line, np.ones((1, wide), bool), failures=failures)
    shape = (len(value.labels), wide)
    present = np.ones(shape, bool) if value.present is None else np.broadcast_to(value.present[:, k], shape)
    order = None if value.order is None else np.broadcast_to(value.order[:, k], shape)
    return Answer("vector", value.labels, np.broadcast_to(value.values[:, k], shape), present, "", failures, order)


def _failures(evaluation: Evaluation, k: int) -> tuple[Failure, ...]:
    shape = (len(evaluation.times), evaluation.replications)
    masks = [(problem, np.broadcast_to(where, shape)[k]) for problem, where in evaluation.failures]
    return tuple(Failure(problem, where) for problem, where in masks if where.any())


def _matrix(evaluation: Evaluation, tree: Range | Subquery) -> list[Answer]:
    """One row per sample, series by series: what an instant query of a range vector lists."""
    blocks, times = blocks_of(evaluation, tree)
    found = [windows(evaluation, block, times, tree.range) for block in blocks]
    return [_rows(evaluation, blocks, [ws[k] for ws in found], k) for k in range(len(times))]


def _rows(evaluation: Evaluation, blocks: list[Block], found: list[Window | None], k: int) -> Answer:
    labels, values, present = [], [], []
    for block, window in zip(blocks, found, strict=True):
        if window is None:
            continue
        for row, one in enumerate(block.labels):
            labels += [one] * window.width
            values.append(window.values[row])
            count = window.count if isinstance(window.count, int) else window.count[row]
            present.append(np.broadcast_to(np.arange(window.width)[:, None] < count, window.values[row].shape))
    wide = evaluation.replications
    return Answer(
        "matrix",
        tuple(labels),
        np.concatenate(values) if values else np.empty((0, wide)),
        np.concatenate(present) if present else np.empty((0, wide), bool),
        failures=_failures(evaluation, k),
    )


def failure(problem: str, replications: int) -> Answer:
    """All replications fail for the same reason."""
    everywhere = np.ones(replications, bool)
    empty = np.empty((0, replications))
    return Answer("vector", (), empty, empty.astype(bool), failures=(Failure(problem, everywhere),))
