"""Latency from bucket counts: a quantile as Prometheus computes it, and the shares at the bucket bounds.

`counts` are per bucket, one more than `bounds`; the last bucket holds everything above the last bound.
Source of the interpolation: Prometheus documentation, `histogram_quantile()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import nan

from sim.policy.errors import WorldError

__all__ = ["add", "check", "quantile", "shares"]


def check(counts: Sequence[int], bounds: Sequence[float]) -> None:
    """Raise `WorldError` unless there is one count per bucket."""
    if len(counts) != len(bounds) + 1:
        raise WorldError(
            f"a histogram has one count per bound and one above the last, "
            f"got {len(counts)} counts for {len(bounds)} bounds"
        )


def add(total: Sequence[int], counts: Sequence[int]) -> tuple[int, ...]:
    """The sum of two histograms over the same bounds; an empty `total` is zero."""
    if not total:
        return tuple(counts)
    if len(total) != len(counts):
        raise WorldError(f"histograms add up over the same bounds, got {len(total)} and {len(counts)} buckets")
    return tuple(a + b for a, b in zip(total, counts, strict=True))


def quantile(q: float, counts: Sequence[int], bounds: Sequence[float]) -> float:
    """The q-quantile, linear inside its bucket; NaN without requests.

    A quantile in the last bucket answers the last bound: all that is known is that the true one is not smaller.

    >>> quantile(0.5, (10, 10, 0), (0.1, 0.3))
    0.1
    >>> quantile(0.75, (10, 10, 0), (0.1, 0.3))
    0.2
    """
    check(counts, bounds)
    total = sum(counts)
    if total == 0 or not bounds:
        return nan
    rank, before = q * total, 0
    for i, count in enumerate(counts[:-1]):
        if before + count >= rank:
            lower = bounds[i - 1] if i > 0 else min(0.0, bounds[0])
            return lower + (bounds[i] - lower) * ((rank - before) / count if count else 1.0)
        before += count
    return bounds[-1]


def shares(counts: Sequence[int]) -> tuple[float, ...]:
    """F(x) at every bound: the share of requests at or below it."""
    total = sum(counts)
    return tuple(c / total for c in list(accumulate(counts))[:-1])
