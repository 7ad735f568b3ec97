"""Exact Poisson counts from raw 64-bit words by inverse transform, at a cost that hardly depends on the mean.

One word gives one count, and a larger word never gives a smaller count, whatever the mean: equal words at different
means are common random numbers (design.md section 3). Rejection samplers lose that.

A table holds `last[k]`, the largest word that still gives `first + k`: `floor(CDF * 2^64) - 1`; the final entry is
2^64 - 1. Values in a tail below 2^-64 do not occur. The table is built with IEEE additions, multiplications and
divisions only, in a fixed order (`np.add.accumulate` and `np.multiply.accumulate` are sequential by definition), so its
bytes depend neither on the CPU nor on the C library. `exp` and `lgamma` are not needed: the weights are relative to the
mode and divided by their sum.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.engine.cells import Cells, Columns, Counts, Raw, Table
from sim.engine.memo import Memo

LIMIT = 1e10  # largest mean: 2,000,000 requests/s in one window of 80 minutes. That table takes 48 MB.
CACHE_BYTES = 64_000_000


class PoissonTable(Table):
    """Counts with a Poisson distribution of the given mean, one per raw word.

    >>> PoissonTable(3.0).draw_one(1 << 63)      # the median
    3
    """

    def __init__(self, mean: float) -> None:
        self.mean = _checked(mean)
        super().__init__(*_thresholds(self.mean))


_ALONE = 64  # words that are searched one by one


class Plan:
    """Expected counts per window and cell, `means[W, C]` or any shape, made ready to draw from."""

    def __init__(self, means: NDArray[np.float64]) -> None:
        distinct, which = np.unique(means, return_inverse=True)
        self.cells = Cells([tables(mean) for mean in distinct.tolist()])
        self.which: NDArray[np.intp] = which.reshape(means.shape)

    @cached_property
    def columns(self) -> Columns:
        """The tables of one row of words."""
        return self.cells.columns(self.which)

    @property
    def nbytes(self) -> int:
        return self.cells.nbytes + 4 * self.which.nbytes

    def draw(self, raw: Raw) -> Counts:
        """Counts int64[..., W, C] for words `raw[..., W, C]`."""
        if raw.shape[raw.ndim - self.which.ndim :] != self.which.shape:
            raise ValueError(f"words {raw.shape} must end in the shape of the means {self.which.shape}")
        if raw.shape == self.which.shape:
            return self.cells.draw(raw, self.which)
        return self.cells.draw_columns(raw, self.columns)

    def fill(self, raw: Raw, out: Counts) -> None:
        """Counts for words `raw[W, R, C]` of W windows with these means `[C]`, into `out` of the same shape."""
        self.cells.fill(raw.swapaxes(1, 2), self.columns, out.swapaxes(1, 2))

    def add(self, raw: Raw, sums: Counts) -> None:
        """The same, added over the windows to `sums[R, C]`."""
        self.cells.add(raw.swapaxes(1, 2), self.columns, sums.T)


def tables(mean: float) -> PoissonTable:
    """The table of a mean, kept among the most recently used ones (`CACHE_BYTES`)."""
    return _TABLES.get(float(mean), mean)


def plan(means: ArrayLike) -> Plan:
    """The plan of these means, kept among the most recently used ones (`CACHE_BYTES`)."""
    array = np.ascontiguousarray(means, np.float64)
    return _PLANS.get((array.shape, array.tobytes()), array)


def draw_cells(raw: Raw, means: ArrayLike) -> Counts:
    """int64[R, W, C]: counts for the words `raw[R, W, C]` at expected counts `means[W, C]` (or `[R, W, C]`)."""
    array = np.asarray(means, np.float64)
    if raw.size <= _ALONE and array.shape == raw.shape[raw.ndim - array.ndim :]:
        # A part of a window of one replication: its means are met once, and deserve no guide.
        wide = np.broadcast_to(array, raw.shape)
        drawn = [tables(mean).draw_one(word) for mean, word in zip(wide.flat, raw.ravel().tolist(), strict=True)]
        return np.array(drawn, np.int64).reshape(raw.shape)
    return plan(array).draw(raw)


def draw_windows(raw: Raw, means: NDArray[np.float64]) -> Counts:
    """int64[W, R, C]: counts for the words `raw[W, R, C]` at expected counts `means[W, C]` (or `[W, R, C]`)."""
    if means.ndim == raw.ndim:
        return draw_cells(raw, means)
    if raw.shape[1] == 1:  # one replication: all windows in one search
        return draw_cells(raw[:, 0], means)[:, None]
    out = np.empty_like(raw, np.int64)
    for start, stop in _alike(means):
        plan(means[start]).fill(raw[start:stop], out[start:stop])
    return out


def add_windows(raw: Raw, means: NDArray[np.float64], sums: Counts) -> None:
    """Add to `sums[R, C]` what `draw_windows` gives, over all windows."""
    if means.ndim == raw.ndim or raw.shape[1] == 1:
        sums += draw_windows(raw, means).sum(axis=0)
        return
    for start, stop in _alike(means):
        plan(means[start]).add(raw[start:stop], sums)


def _alike(means: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Runs [start, stop) of windows with equal means: they are drawn together."""
    changes = (np.flatnonzero((means[1:] != means[:-1]).any(axis=1)) + 1).tolist()
    return list(pairwise([0, *changes, len(means)]))


def _checked(mean: float) -> float:
    mean = float(mean)
    if not 0.0 <= mean <= LIMIT:
        remedy = "use shorter windows" if mean > LIMIT else "rates and durations must be numbers of at least 0"
        raise ValueError(f"the mean of a Poisson count must lie in [0, {LIMIT:g}], got {mean}; {remedy}")
    return mean


def _thresholds(mean: float) -> tuple[int, Raw]:
    """(first value, for each value the largest word that gives it)."""
    mode = int(mean)
    reach = int(10.0 * math.sqrt(mean)) + 60  # each tail beyond is below 2^-70 at every mean up to LIMIT (Chernoff)
    down = np.arange(mode, max(0, mode - reach), -1, dtype=np.float64)
    up = np.arange(mode + 1, mode + reach, dtype=np.float64)
    below = np.multiply.accumulate(down / mean)[::-1] if mode else down  # w[k-1] = w[k] k / mean, w[mode] = 1
    above = np.multiply.accumulate(mean / up)[::-1]  # w[k] = w[k-1] mean / k
    cdf, tail = np.add.accumulate(below), np.add.accumulate(above)[::-1]  # from the ends: each tail keeps its precision
    total = 1.0 + float(tail[0]) + (float(cdf[-1]) if mode else 0.0)
    lower, upper = cdf / total * 2.0**64, tail / total * 2.0**64
    lower, upper = lower[lower >= 1.0], upper[upper >= 1.0]
    last = np.empty(lower.size + upper.size + 1, np.uint64)
    last[: lower.size] = lower.astype(np.uint64) - np.uint64(1)
    last[lower.size : -1] = np.uint64((1 << 64) - 1) - np.ceil(upper).astype(np.uint64)
    last[-1] = (1 << 64) - 1
    return mode - lower.size, last


# Memos of pure functions: they change the time of an answer, never the answer.
_TABLES = Memo(PoissonTable, CACHE_BYTES)
_PLANS = Memo(Plan, CACHE_BYTES)
