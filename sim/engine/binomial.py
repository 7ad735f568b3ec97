"""Exact binomial counts from raw 64-bit words by inverse transform: the outcomes of a number of requests that is given.

The counterpart of `tables.py` for arrivals that are not random: the same interface, the same rules. A larger word never
gives a smaller count; `last[k]` is the largest word that still gives `first + k`; values in a tail below 2^-64 do not
occur; only IEEE sums, products and quotients in a fixed order make the table, so its bytes depend on nothing else.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.engine.cells import Counts, Raw, Table
from sim.engine.memo import Memo

__all__ = ["BinomialTable", "binomials", "split"]

LIMIT = 10**10  # trials, as for the mean of a Poisson count
CACHE_BYTES = 64_000_000


class BinomialTable(Table):
    """Successes in `trials` trials of chance `p`, one count per raw word.

    >>> BinomialTable(10, 0.5).draw_one(1 << 63)
    5
    """

    def __init__(self, trials: int, p: float) -> None:
        self.trials, self.p = _checked(trials, p)
        super().__init__(*_thresholds(self.trials, self.p))

    def draw(self, raw: Raw) -> Counts:
        """Counts of the shape of `raw`."""
        if raw.size < self.last.size:  # making the guide costs more than searching without it
            return self.first + np.searchsorted(self.last, raw, "left")
        return super().draw(raw)


def binomials(trials: int, p: float) -> BinomialTable:
    """The table of these parameters, kept among the most recently used ones (`CACHE_BYTES`)."""
    return _TABLES.get((int(trials), float(p)), trials, p)


def split(raw: Raw, trials: int, expected: NDArray[np.float64]) -> Counts:
    """int64[R, C]: `trials` requests dealt to cells with chances in proportion to `expected[C]`, for the words `raw[R,
    C]`.

    A multinomial count as binomial ones: each cell takes its part of what the cells after it left over, the last cell
    first. Cells are laid out from many requests to few, so that few different numbers are left over and few tables are
    made. Each cell has its own word, the first one needs none.
    """
    counts = np.zeros(raw.shape, np.int64)
    left = np.full(len(raw), trials, np.int64)
    upto = np.add.accumulate(expected)
    for cell in range(len(expected) - 1, 0, -1):
        if expected[cell] > 0.0:
            p = min(1.0, float(expected[cell] / upto[cell]))
            for number in np.unique(left).tolist():
                rows = np.flatnonzero(left == number)
                counts[rows, cell] = binomials(number, p).draw(raw[rows, cell])
            left -= counts[:, cell]
    counts[:, 0] += left
    return counts


def _checked(trials: int, p: float) -> tuple[int, float]:
    trials, p = int(trials), float(p)
    if not 0 <= trials <= LIMIT:
        raise ValueError(
            f"the trials of a binomial count must lie in [0, {LIMIT:g}], got {trials}; use shorter windows"
        )
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"the chance of a binomial count must lie in [0, 1], got {p}")
    return trials, p


def _thresholds(trials: int, p: float) -> tuple[int, Raw]:
    """(first value, for each value the largest word that gives it)."""
    if trials == 0 or p in (0.0, 1.0):
        return (trials if p == 1.0 else 0), np.array([(1 << 64) - 1], np.uint64)
    mode = min(trials, int((trials + 1) * p))
    reach = int(10.0 * math.sqrt(trials * p * (1.0 - p))) + 60  # each tail beyond is below 2^-70 (Bernstein)
    odds = p / (1.0 - p)
    down = np.arange(mode, max(0, mode - reach), -1, dtype=np.float64)
    up = np.arange(mode + 1, min(trials, mode + reach) + 1, dtype=np.float64)
    below = np.multiply.accumulate(down / ((trials - down + 1.0) * odds))[
        ::-1
    ]  # w[k-1] = w[k] k / ((n - k + 1) odds), w[mode] = 1
    above = np.multiply.accumulate((trials - up + 1.0) * odds / up)[::-1]  # w[k] = w[k-1] (n - k + 1) odds / k
    cdf, tail = np.add.accumulate(below), np.add.accumulate(above)[::-1]  # from the ends: each tail keeps its precision
    total = 1.0 + (float(tail[0]) if tail.size else 0.0) + (float(cdf[-1]) if cdf.size else 0.0)
    lower, upper = cdf / total * 2.0**64, tail / total * 2.0**64
    lower, upper = lower[lower >= 1.0], upper[upper >= 1.0]
    last = np.empty(lower.size + upper.size + 1, np.uint64)
    last[: lower.size] = lower.astype(np.uint64) - np.uint64(1)
    last[lower.size : -1] = np.uint64((1 << 64) - 1) - np.ceil(upper).astype(np.uint64)
    last[-1] = (1 << 64) - 1
    return mode - lower.size, last


# A memo of a pure function: it changes the time of an answer, never the answer.
_TABLES = Memo(BinomialTable, CACHE_BYTES)
