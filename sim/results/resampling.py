"""Deterministic resampling: bootstrap indices from raw generator words, and the studentised bootstrap.

numpy promises the words of a bit generator for ever, but not the streams of `Generator` distributions, so indices are
made here from `random_raw`. The seed depends on the number of values only: the same data give the same interval, two
policies with the same number of runs are resampled alike, and an interval of -x mirrors that of x.
Sums are numpy's pairwise `add.reduce`, never BLAS, whose rounding may depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RESAMPLES = 1000  # judges.md section 17.1 item 4
BLOCK = 1 << 16  # indices drawn at once, for the cache and for memory whatever n is; another size, other indices
KEPT = 1 << 20  # indices kept for the next caller: 8 MB
_TAG = 0x5EA7  # keeps this stream apart from every other use of the same seed numbers


def resamples(n: int, count: int = RESAMPLES) -> Iterator[Indices]:
    """Blocks of shape (rows, n) of indices into n values, `count` rows in all. Read only.

    An index is the high half of `word * n` for a 32-bit word; its bias is below n / 2^32, which is nothing here.
    """
    if n < 1:
        raise ValueError(f"resampling needs at least one value, got {n}")
    return iter(_kept(n, count)) if n * count <= KEPT else _blocks(n, count)


@lru_cache(maxsize=2)
def _kept(n: int, count: int) -> tuple[Indices, ...]:
    """The blocks, made once: a table asks for them again for every number in it."""
    blocks = tuple(_blocks(n, count))
    for block in blocks:
        block.flags.writeable = False
    return blocks


def _blocks(n: int, count: int) -> Iterator[Indices]:
    bits = np.random.PCG64(np.random.SeedSequence((_TAG, n)))
    rows = max(1, BLOCK // n)
    for start in range(0, count, rows):
        size = min(rows, count - start) * n
        words = bits.random_raw((size + 1) // 2)
        halves = np.concatenate((words & np.uint64(0xFFFFFFFF), words >> np.uint64(32)))[:size]
        yield ((halves * np.uint64(n)) >> np.uint64(32)).astype(np.intp).reshape(-1, n)


def studentised(
    n: int, statistic: Callable[[Indices], tuple[Floats, Floats]], level: float, estimate: float, error: float
) -> tuple[float, float] | None:
    """Bootstrap-t ends for `estimate` with standard error `error` (Efron and Tibshirani 1993, section 12.5).

    `statistic` maps a block of indices to the estimates and standard errors of its rows. None when so many resamples
    have no spread that an end would be infinite: the data are too sparse for this method.
    """
    parts = [statistic(block) for block in resamples(n)]
    centers = np.concatenate([center for center, _ in parts]) - estimate
    errors = np.concatenate([spread for _, spread in parts])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(centers == 0, 0.0, centers / errors)
    t.sort()
    # The k-th of B sorted values estimates the k / (B + 1) quantile; the outer neighbour on both sides.
    k = max(1, int((1 - level) / 2 * (t.size + 1)))
    low, high = float(t[k - 1]), float(t[-k])
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return estimate - high * error, estimate - low * error
