"""Times that differ from one to the next (starts of pods, changes of traffic, queries): the lognormal that predicts the next one.

A run shows few of them, and the next run meets another load; so what is written is no best fit but the prediction of one more, with the
doubt about median and spread in it. The spread has a conjugate prior, as if EARLIER times had been seen to spread by a sigma of USUAL.
Then the logarithm of the next time is Student's, with f = EARLIER + n - 1 degrees of freedom, around the mean of the n logarithms, with
the scale s sqrt(1 + 1/n), where f s^2 = EARLIER USUAL^2 + (n - 1) s_n^2 (Gelman et al., Bayesian Data Analysis, 2013, section 3.2, with a
prior of no weight on the mean). The lognormal that is written has its median and its 99th percentile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log, sqrt

from sim.results.interval import Interval
from sim.results.means import t_quantile

__all__ = ["EARLIER", "USUAL", "Delay", "delay"]

EARLIER = 4
USUAL = 0.5  # sigma of the logarithm of latencies and starts: the lower end of 0.5 to 1 in judges.md section 18
_SHORTEST = 0.001  # seconds; what took less took that


@dataclass(frozen=True, slots=True)
class Delay:
    """`median` with its interval; below `p99` the next one stays with 99%."""

    median: Interval
    p99: float


def delay(seconds: Sequence[float], level: float = 0.95) -> Delay | None:
    """None: nothing was seen."""
    n = len(seconds)
    if not n:
        return None
    logs = [log(max(one, _SHORTEST)) for one in seconds]
    mean = fsum(logs) / n
    freedom = EARLIER + n - 1
    s = sqrt((EARLIER * USUAL**2 + fsum((one - mean) ** 2 for one in logs)) / freedom)
    half = t_quantile(0.5 + level / 2, freedom) * s / sqrt(n)
    median = Interval(exp(mean - half), exp(mean + half), exp(mean), level, n, "student on logarithms")
    return Delay(median, exp(mean + t_quantile(0.99, freedom) * s * sqrt(1 + 1 / n)))
