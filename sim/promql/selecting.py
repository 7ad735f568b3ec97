"""Selectors: the newest sample of each series before a time, and windows of samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.promql.errors import EvaluationError
from sim.promql.evaluate import Evaluation
from sim.promql.labels import Labels
from sim.promql.profiles import LOOKBACK
from sim.promql.series import MISSING, SAMPLE, Block
from sim.promql.tree import At, Select
from sim.promql.values import Bools, Floats, Vector

__all__ = ["Window", "concatenated", "reference", "sampled", "select", "windows"]

MAX_COLUMNS = 1_000_000  # in all windows of one function; some seconds of work


def reference(evaluation: Evaluation, at: At | None, offset: int) -> NDArray[np.int64]:
    """int64 [K], ms: the times that a selector looks at when the query is evaluated at `evaluation.times`."""
    if at is None:
        return evaluation.times - offset
    if at.time is not None:
        return np.full(len(evaluation.times), at.time - offset, np.int64)
    top = evaluation.top if len(evaluation.top) == len(evaluation.times) else evaluation.top[:1]
    return np.broadcast_to(top - offset, evaluation.times.shape)


def select(evaluation: Evaluation, node: Select) -> Vector:
    return sampled(evaluation, node)[0]


def sampled(evaluation: Evaluation, node: Select) -> tuple[Vector, Floats]:
    """The instant vector, and the times of its samples (ms, [S, K, R])."""
    times = reference(evaluation, node.at, node.offset)
    blocks = evaluation.store.select(node.selector)
    pieces = [_newest(evaluation, block, times) for block in blocks]
    shape = (len(times), evaluation.replications)
    labels = concatenated(evaluation, node, tuple(block.labels for block in blocks))
    if len(pieces) == 1:
        values, present, stamps = pieces[0]
        return Vector(labels, values, present), stamps
    if not pieces:
        return Vector(labels, np.empty((0, *shape))), np.empty((0, *shape))
    values = np.concatenate([piece[0] for piece in pieces])
    stamps = np.concatenate([piece[2] for piece in pieces])
    if all(piece[1] is None for piece in pieces):
        return Vector(labels, values), stamps
    masks = [np.ones(piece[0].shape, bool) if piece[1] is None else piece[1] for piece in pieces]
    return Vector(labels, values, np.concatenate(masks)), stamps


def concatenated(evaluation: Evaluation, node: object, parts: tuple[tuple[Labels, ...], ...]) -> tuple[Labels, ...]:
    """One tuple of labels for several blocks; the same object for the same blocks."""
    if len(parts) == 1:
        return parts[0]
    return evaluation.plan(node, parts, lambda: tuple(labels for part in parts for labels in part))


def _newest(evaluation: Evaluation, block: Block, times: NDArray[np.int64]) -> tuple[Floats, Bools | None, Floats]:
    """Values, presence and sample times [S, K, R] of the newest samples not older than the look-back.

    Source: promql/engine.go, vectorSelectorSingle (v2.42.0: a sample exactly as old as the look-back counts; 3.0: not).
    """
    shape = (len(block.labels), len(times), evaluation.replications)
    evaluation.spend(len(block.labels))
    oldest = times - LOOKBACK + evaluation.profile.left_open
    index = np.searchsorted(block.times, times, side="right") - 1
    if block.marks is not None:
        return _newest_marked(block, index, oldest, shape)
    there = index >= 0
    index = np.maximum(index, 0)
    if not len(block.times):
        return np.zeros(shape), np.zeros(shape, bool), np.zeros(shape)
    stamps = block.times[index]
    there &= stamps >= oldest
    values = np.broadcast_to(block.columns(index), shape)
    present = None if there.all() else np.broadcast_to(there[None, :, None], shape)
    return values, present, np.broadcast_to(stamps[None, :, None].astype(float), shape)


def _newest_marked(
    block: Block, index: NDArray[np.intp], oldest: NDArray[np.int64], shape: tuple[int, int, int]
) -> tuple[Floats, Bools, Floats]:
    """Step by step back in time, until every lane has its newest sample or nothing is left in the look-back."""
    values, stamps = np.zeros(shape), np.zeros(shape)
    present, open_ = np.zeros(shape, bool), np.ones(shape, bool)
    lanes = np.arange(len(index))
    while True:
        lanes = lanes[(index[lanes] >= 0) & (block.times[np.maximum(index[lanes], 0)] >= oldest[lanes])]
        if not len(lanes):
            return values, present, stamps
        at = index[lanes]
        marks = block.marked(at)
        found = (marks != MISSING) & open_[:, lanes]
        values[:, lanes] = np.where(found, block.columns(at), values[:, lanes])
        stamps[:, lanes] = np.where(found, block.times[at][None, :, None], stamps[:, lanes])
        present[:, lanes] |= found & (marks == SAMPLE)
        open_[:, lanes] &= ~found
        index = index.copy()
        index[lanes] -= 1
        lanes = lanes[open_[:, lanes].any(axis=(0, 2))]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The samples of one block in one range, staleness markers and missing ones left out, packed to the front.

    values: [S, W, R]. times: float64 ms, [1, W, 1] or [S, W, R]. count: how many are real; an int for all, or int [S, R].
    start, end: the bounds of the range, now: the time of evaluation, ms. range: its length in ms.
    """

    values: Floats
    times: Floats
    count: int | NDArray[np.intp]
    start: int
    end: int
    now: int
    range: int

    @property
    def width(self) -> int:
        return int(self.values.shape[1])

    def enough(self, least: int) -> bool | Bools:
        """Whether there are at least so many samples, [S, R] or for all."""
        return self.count >= least

    def pick(self, of: Floats, back: int) -> Floats:
        """`of` ([., W, .], like values or times) at the sample `back` from the end, [., .]."""
        if isinstance(self.count, int):
            return of[:, self.count - 1 - back]
        at = np.maximum(self.count - 1 - back, 0)[:, None, :]
        return np.take_along_axis(np.broadcast_to(of, self.values.shape), at, axis=1)[:, 0]


def windows(evaluation: Evaluation, block: Block, times: NDArray[np.int64], range: int) -> list[Window | None]:
    """The window of each time: (t - range, t] in 3.x, [t - range, t] in 2.x; None where it is empty for all."""
    first = np.searchsorted(block.times, times - range, side="right" if evaluation.profile.left_open else "left")
    last = np.searchsorted(block.times, times, side="right")
    if int((last - first).sum()) > MAX_COLUMNS:
        raise EvaluationError(
            f"windows of more than {MAX_COLUMNS:,} samples of each series; give the subquery a longer step"
        )
    return [
        _window(block, int(low), int(high), int(end), int(now), range) if low < high else None
        for low, high, end, now in zip(first, last, times, evaluation.times, strict=True)
    ]


def _window(block: Block, low: int, high: int, end: int, now: int, range: int) -> Window | None:
    at = slice(low, high)
    values, times = block.columns(at), block.times[at].astype(float)[None, :, None]
    if block.marks is None:
        return Window(values, times, high - low, end - range, end, now, range)
    there = block.marked(at) == SAMPLE
    columns = there.any(axis=(0, 2))
    if there.shape[0] == there.shape[2] == 1 or bool(there[:, columns].all()):
        if not columns.any():
            return None
        values, times = values[:, columns], times[:, columns]
        return Window(values, times, int(columns.sum()), end - range, end, now, range)
    there = np.broadcast_to(there, values.shape)
    order = np.argsort(~there, axis=1, kind="stable")
    packed = np.take_along_axis(values, order, axis=1)
    stamps = np.take_along_axis(np.broadcast_to(times, values.shape), order, axis=1)
    return Window(packed, stamps, there.sum(axis=1), end - range, end, now, range)
