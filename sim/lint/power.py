"""How often a threshold stops a release whose requests fail with a given chance: exact, from the requests that each look sees.

One look of n requests fails with chance q = P(Bin(n, p) > k), k = floor(rate * n) (judges.md section 3). A run stops the release when
more than `limit` of its looks fail; looks count as independent, which they are where their windows do not overlap. The release is
stopped when one of its runs does. The smallest regression that is seen is the p at which that happens in POWER of all releases.
Argo's looks are a number that is given: their failures are binomial. Flagger's `repeat`: a failed check is made again until it passes,
so the failures before the passes that the plan needs are negative binomial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p

from sim.policy.judges.threshold import fail_probability

__all__ = ["OFTEN", "POWER", "Looks", "Run", "of_100", "smallest", "stopped"]

POWER = 0.8  # the usual convention of power analysis (Cohen 1988)
OFTEN = 0.01  # false rollbacks per release from which on lint speaks
_STEPS = 30  # halvings: far below the two digits that are shown
_MOST = 1000  # failed checks: at Flagger's shortest interval nearly 3 hours of them; a higher threshold is taken for this one


@dataclass(frozen=True, slots=True)
class Looks:
    """`count` looks of a run that see `requests` each; `repeat`: that many must pass."""

    requests: int
    count: int
    repeat: bool = False

    def failures(self, k: int, q: float) -> float:
        """Chance that exactly k of them fail, each with chance q. In logarithms: the number of ways alone may be beyond a float."""
        passed = self.count if self.repeat else self.count - k
        if passed < 0 or (q == 0 and k) or (q == 1 and passed):
            return 0.0
        ways = (
            lgamma(passed + k + (0 if self.repeat else 1)) - lgamma(k + 1) - lgamma(passed + (0 if self.repeat else 1))
        )
        return exp(ways + (k * log(q) if k else 0.0) + (passed * log1p(-q) if passed else 0.0))


Run = tuple[Looks, ...]


def stopped(runs: Sequence[Run], rate: float, limit: int, p: float) -> float:
    """Chance that a release is stopped whose requests fail with chance `p`; `limit` -1 never stops."""
    if limit < 0:
        return 0.0
    passed = 1.0
    for run in runs:
        passed *= _at_most(run, rate, limit, p)
    return 1.0 - passed


@lru_cache(maxsize=4096)
def smallest(runs: tuple[Run, ...], rate: float, limit: int) -> float | None:
    """The smallest failure rate at which POWER of all releases are stopped; None if there is none."""
    if stopped(runs, rate, limit, 1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if stopped(runs, rate, limit, middle) >= POWER else (middle, high)
    return high


def of_100(share: float) -> str:
    """Of 100, with two digits that mean something and never an exponent for a whole number."""
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.2g}"


def _at_most(run: Run, rate: float, limit: int, p: float) -> float:
    """Chance that at most `limit` looks of a run fail: the failures at each size of look, convolved."""
    import numpy as np

    if limit >= sum(looks.count for looks in run) and not any(looks.repeat for looks in run):
        return 1.0
    most = min(limit, _MOST)
    chances = np.ones(1)
    for looks in run:
        q = fail_probability(looks.requests, p, rate)
        chances = np.convolve(chances, [looks.failures(k, q) for k in range(most + 1)])[: most + 1]
    return min(1.0, float(chances.sum()))
