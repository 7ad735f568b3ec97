"""The Mann-Whitney location interval of Kayenta: by how much the canary's values lie above the baseline's.

Inverts the rank-sum test with continuity correction: the interval holds every shift that the test would not reject.
Source: judges.md section 4.3, steps 2, 7 and 9 (kayenta-mannwhitney; R's `wilcox.test`, normal approximation).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, sqrt

from sim.policy.judges.zeroin import zeroin
from sim.policy.special import normal_quantile

__all__ = ["Shift", "cles", "mean", "percentile", "rank_sum", "shift_interval", "trim"]


@dataclass(frozen=True, slots=True)
class Shift:
    """Estimate and interval of the shift from control to experiment. `lower` may exceed `upper` in tiny units."""

    lower: float
    upper: float
    estimate: float


def rank_sum(x: Sequence[float], y: Sequence[float]) -> float:
    """The sum of the ranks of x among x and y; tied values share their average rank."""
    ys, m = sorted(y), len(x)
    before = sum([bisect_left(ys, v) + bisect_right(ys, v) for v in x]) / 2
    return before + m * (m + 1) / 2  # ties within x cancel out in the sum


class _Statistic:
    """W(mu): the standardised rank sum of x - mu against y. Non-increasing in mu, by steps.

    Counts pairs instead of ranking: the rank sum less m(m+1)/2 is the number of pairs with x - mu above y, ties half.
    """

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        self.x, self.y = sorted(x), sorted(y)

    def __call__(self, mu: float) -> float:
        m, n, y = len(self.x), len(self.y), self.y
        shifted = [v - mu for v in self.x]
        pairs = sum([bisect_left(y, v) + bisect_right(y, v) for v in shifted]) / 2
        r = pairs - m * n / 2
        correction = 0.5 if r > 0 else -0.5 if r < 0 else 0.0
        pooled = shifted + y
        ties = 0 if len(set(pooled)) == m + n else sum(t**3 - t for t in Counter(pooled).values())
        sigma = sqrt((m * n / 12) * ((m + n + 1) - ties / ((m + n) * (m + n - 1))))
        if sigma == 0.0:
            raise ArithmeticError(f"all {m + n} values are tied at shift {mu}: no variance to standardise with")
        return (r - correction) / sigma


def shift_interval(x: Sequence[float], y: Sequence[float], confidence: float = 0.98) -> Shift:
    """Interval and estimate of x over y. Raises `ArithmeticError` when all values tie at an end of the bracket.

    >>> shift_interval([11.0, 12.0, 13.0, 14.0], [1.0, 2.0, 3.0, 4.0]).lower >= 7
    True
    """
    w = _Statistic(x, y)
    lo, hi = min(x) - max(y), max(x) - min(y)
    at_lo, at_hi = w(lo), w(hi)
    zn = normal_quantile((1.0 - confidence) / 2.0)

    def root(zq: float) -> float:
        if at_lo - zq <= 0.0:
            return lo
        return hi if at_hi - zq >= 0.0 else zeroin(lambda mu: w(mu) - zq, lo, hi, at_lo - zq, at_hi - zq)

    lower, upper = root(-zn), root(zn)
    # The estimate takes no shortcut at the ends; an end is the answer only where W is exactly 0 there.
    return Shift(lower, upper, zeroin(w, lo, hi, at_lo, at_hi))


def mean(values: Sequence[float]) -> float:
    """The mean in two passes, as commons-math: m0 = sum/n, then m0 + sum(x - m0)/n."""
    first = _sum(values) / len(values)
    return first + _sum([v - first for v in values]) / len(values)


def _sum(values: Sequence[float]) -> float:
    """Left to right: `sum` compensates its rounding from Python 3.12 on, which upstream does not."""
    total = 0.0
    for v in values:
        total += v
    return total


def cles(x: Sequence[float], y: Sequence[float]) -> float:
    """Common-language effect size: the chance that x exceeds y, ties half (Vargha and Delaney 2000)."""
    m, n = len(x), len(y)
    return (2 * rank_sum(x, y) - m * (m + 1)) / (2 * m * n)


def percentile(values: Sequence[float], p: float) -> float:
    """Rule R-7: position 1 + (n - 1) p in the sorted values, linear in between.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.25)
    1.75
    """
    ordered = sorted(values)
    position = 1.0 + (len(ordered) - 1) * p
    i = floor(position)
    if i >= len(ordered):
        return ordered[-1]
    return ordered[i - 1] + (position - i) * (ordered[i] - ordered[i - 1])


def trim(values: Sequence[float], factor: float) -> tuple[float, ...]:
    """`values` without outliers: beyond factor * interquartile range and outside the 1st..99th percentile."""
    if not values:
        return ()
    p25, p75 = percentile(values, 0.25), percentile(values, 0.75)
    lo = min(percentile(values, 0.01), p25 - factor * (p75 - p25))
    hi = max(percentile(values, 0.99), p75 + factor * (p75 - p25))
    return tuple(v for v in values if lo <= v <= hi)
