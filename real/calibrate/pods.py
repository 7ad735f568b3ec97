"""How long a pod takes from its command until the policy is told that it is ready: lognormal from the times themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log, sqrt

from real.calibrate.rates import chi_square
from sim.results.interval import Interval
from sim.results.means import t_quantile

__all__ = ["Starts", "starts"]

_SHORTEST = 0.001  # seconds
_LEAST = 0.001  # sigma: equal times are equal to their grain


@dataclass(frozen=True, slots=True)
class Starts:
    """`median` and `sigma` with their exact normal-theory intervals. `p99`: below it the next pod stays with 99%, the doubt about both
    numbers included: median x exp(t sigma sqrt(1 + 1/n)), Student's t with n - 1 degrees of freedom (prediction interval)."""

    median: Interval
    sigma: Interval
    p99: float


def starts(seconds: Sequence[float], level: float = 0.95) -> Starts | None:
    """None: fewer than two pods tell nothing of how their times are spread."""
    n = len(seconds)
    if n < 2:
        return None
    logs = [log(max(one, _SHORTEST)) for one in seconds]
    mean = fsum(logs) / n
    sigma = max(sqrt(fsum((one - mean) ** 2 for one in logs) / (n - 1)), _LEAST)
    half = t_quantile(0.5 + level / 2, n - 1) * sigma / sqrt(n)
    tail = (1 - level) / 2
    low, high = (sigma * sqrt((n - 1) / chi_square(q, n - 1)) for q in (1 - tail, tail))
    p99 = exp(mean + t_quantile(0.99, n - 1) * sigma * sqrt(1 + 1 / n))
    return Starts(
        Interval(exp(mean - half), exp(mean + half), exp(mean), level, n, "student on logarithms"),
        Interval(low, high, sigma, level, n, "chi-square"),
        p99,
    )
