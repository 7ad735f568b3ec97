"""Two policies on the same runs: paired differences, and McNemar's test for what happened or did not.

Row i of both arrays is replication i under the same random numbers (judges.md section 17.1 items 1 and 2). Differences
are a - b: negative means that a is smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.policy.special import binomial_at_most, normal_quantile
from sim.results.interval import Interval, check_level
from sim.results.means import finite, mean_interval, student_interval


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean difference with its bootstrap-t (or Hall) interval, Student's beside it, and the gain from pairing.

    `variance_ratio` is Var(A - B) / (Var A + Var B): below 1 common random numbers helped, NaN when nothing varies.
    """

    difference: Interval
    student: Interval
    variance_ratio: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """Discordant pairs, exact two-sided p-value, and Tango's score interval of the difference of shares."""

    only_a: int
    only_b: int
    p_value: float
    difference: Interval


def paired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Paired:
    """Compare finite values of shape (n,) run by run; for delays that may be infinite restrict them first."""
    first, second = finite(a), finite(b)
    if first.size != second.size:
        raise ValueError(f"pairs need equal numbers of runs, got {first.size} and {second.size}")
    difference = first - second
    interval = mean_interval(difference, level)
    if difference.size < 2:
        return Paired(interval, interval, math.nan)
    apart = float(first.var(ddof=1) + second.var(ddof=1))
    ratio = float(difference.var(ddof=1)) / apart if apart > 0 else math.nan
    return Paired(interval, student_interval(difference, level), ratio)


def mcnemar(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> McNemar:
    """Compare yes-or-no outcomes of shape (n,) run by run, such as "rolled back".

    p-value: twice the smaller tail of Bin(only_a + only_b, 1/2), at most 1. The interval is Tango's (1998), the score
    interval that belongs to the test; the exact p-value is the stricter, so near 5 % the two may disagree.
    """
    first, second = _flags(a), _flags(b)
    if first.size != second.size or first.size == 0:
        raise ValueError(f"pairs need equal, positive numbers of runs, got {first.size} and {second.size}")
    check_level(level)
    only_a, only_b = int((first & ~second).sum()), int((~first & second).sum())
    low, high = tango_limits(only_a, only_b, first.size, level)
    estimate = (only_a - only_b) / first.size
    p_value = min(1.0, 2 * binomial_at_most(min(only_a, only_b), only_a + only_b, 0.5))
    return McNemar(only_a, only_b, p_value, Interval(low, high, estimate, level, first.size, "tango"))


def tango_limits(only_a: int, only_b: int, n: int, level: float) -> tuple[float, float]:
    """Differences d that the score test does not reject: |T(d)| <= z, found by bisection on each side."""
    z = normal_quantile(0.5 + level / 2)
    center = (only_a - only_b) / n
    return _crossing(only_a, only_b, n, center, -1.0, z), _crossing(only_a, only_b, n, center, 1.0, z)


def _crossing(only_a: int, only_b: int, n: int, inside: float, outside: float, z: float) -> float:
    for _ in range(60):
        middle = (inside + outside) / 2
        if abs(_score(only_a, only_b, n, middle)) <= z:
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def _score(only_a: int, only_b: int, n: int, d: float) -> float:
    """Tango's statistic for p_a - p_b = d, with the nuisance probability at its restricted maximum likelihood."""
    linear = -only_a - only_b + (2 * n - only_a + only_b) * d
    product = -only_b * d * (1 - d)
    only_b_share = (math.sqrt(max(0.0, linear * linear - 8 * n * product)) - linear) / (4 * n)
    variance = n * (2 * only_b_share + d * (1 - d))
    numerator = only_a - only_b - n * d
    if variance <= 0:
        return 0.0 if numerator == 0 else math.copysign(math.inf, numerator)
    return numerator / math.sqrt(variance)


def _flags(x: ArrayLike) -> NDArray[np.bool_]:
    values = np.asarray(x)
    if values.ndim != 1 or not np.isin(values, (0, 1)).all():
        raise ValueError("outcomes must be a flat list of true and false")
    return values.astype(np.bool_)
