"""Confidence sequences: intervals that hold at all times at once, so that stopping on a look is no cheating.

Formulas: judges.md section 7. Pure arithmetic, cheap enough to ask after every batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from sim.results.interval import Interval, check_level, unbounded
from sim.results.means import finite

T_OPT = 1000  # runs at which the Bernoulli sequence is tightest (judges.md section 17.2)
N_STAR = 1000  # the same for means (judges.md section 17.2)
BURN_IN = 200  # runs before the asymptotic sequence may speak (judges.md section 7)


def bernoulli_sequence(successes: float, n: int, level: float = 0.95, t_opt: float = T_OPT) -> Interval:
    """Time-uniform interval for a probability after `successes` of `n` runs, by the beta-binomial mixture.

    With g = p, h = 1 - p the mixture of judges.md section 7 is the likelihood ratio of a Beta(p m, (1 - p) m) mixture
    against p, with m = max(t_opt / (2 ln(1/a) + ln(1 + 2 ln(1/a))) - 1, 0.001). `successes` may be fractional: a sum of
    values in [0, 1] is spread less than a count of the same mean, so the interval holds for their mean as well.
    """
    check_level(level)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
    if n == 0:
        return Interval(0.0, 1.0, math.nan, level, 0, "beta-binomial sequence")
    low, high = _bernoulli_ends(float(successes), n, level, t_opt)
    return Interval(low, high, successes / n, level, n, "beta-binomial sequence")


@lru_cache(maxsize=4096)
def _bernoulli_ends(k: float, n: int, level: float, t_opt: float) -> tuple[float, float]:
    limit = -math.log1p(-level)
    mass = max(t_opt / (2 * limit + math.log1p(2 * limit)) - 1, 1e-3)
    low = 0.0 if k == 0 else _edge(k, n, mass, limit)
    high = 1.0 if k == n else 1 - _edge(n - k, n, mass, limit)
    return low, high


def _edge(k: float, n: int, mass: float, limit: float) -> float:
    """The p below k/n at which the log mixture reaches `limit`; 0 when it never does."""
    outside, inside = 0.0, k / n
    for _ in range(50):
        middle = (outside + inside) / 2
        if _log_mixture(middle, k, n, mass) < limit:
            inside = middle
        else:
            outside = middle
    return outside


def _log_mixture(p: float, k: float, n: int, mass: float) -> float:
    a, b = p * mass, (1 - p) * mass
    gamma = math.lgamma
    prior = gamma(a) + gamma(b) - gamma(mass)
    posterior = gamma(a + k) + gamma(b + n - k) - gamma(mass + n)
    return posterior - prior - k * math.log(p) - (n - k) * math.log1p(-p)


def mean_sequence(
    n: int, mean: float, variance: float, level: float = 0.95, n_star: float = N_STAR, burn_in: int = BURN_IN
) -> Interval:
    """Asymptotic time-uniform interval for a mean, from the count, mean and sample variance so far.

    Waudby-Smith et al., arXiv 2103.06476, as in judges.md section 7 with N = n. Unbounded before the burn-in, and
    while nothing has varied yet: a variance of zero is no evidence of certainty (`clipped_sequence` can do better).
    """
    check_level(level)
    if variance < 0:
        raise ValueError(f"a variance cannot be negative, got {variance}")
    if n < max(burn_in, 2) or variance == 0:
        return unbounded(mean, level, n, "asymptotic sequence")
    half = math.sqrt(variance) * _radius(n, level, n_star)
    return Interval(mean - half, mean + half, mean, level, n, "asymptotic sequence")


def _radius(n: int, level: float, n_star: float) -> float:
    alpha = 1 - level
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / n_star
    grown = n * rho2 + 1
    return math.sqrt(2 * grown * math.log(math.sqrt(grown) / alpha) / (n * n * rho2))


@dataclass(frozen=True, slots=True)
class Clipped:
    """The interval of a mean after clipping, and the share of values that the bounds changed: show both."""

    interval: Interval
    share: float
    floor: float
    cap: float


def clipped_sequence(
    x: ArrayLike,
    cap: float,
    floor: float = 0.0,
    level: float = 0.95,
    n_star: float = N_STAR,
    burn_in: int = BURN_IN,
) -> Clipped:
    """Time-uniform interval for the mean of values clipped to [floor, cap], for heavy tails (judges.md section 17.2).

    Intersected with [floor, cap]. As long as nothing varies, the bounded sequence of `bernoulli_sequence` speaks,
    which needs no variance: 200 runs without a bad request do not prove that there are none.
    """
    values = finite(x)
    if not floor < cap:
        raise ValueError(f"the cap must lie above the floor, got {floor} and {cap}")
    kept = np.clip(values, floor, cap)
    n = kept.size
    if n == 0:
        return Clipped(Interval(floor, cap, math.nan, level, 0, "no runs"), 0.0, floor, cap)
    share = float(np.count_nonzero(kept != values)) / n
    variance = float(kept.var(ddof=1)) if kept.min() < kept.max() else 0.0
    mean = float(kept.mean())
    if variance == 0 and n >= burn_in:
        unit = bernoulli_sequence(n * min(1.0, max(0.0, (mean - floor) / (cap - floor))), n, level, n_star)
        ends = floor + unit.low * (cap - floor), floor + unit.high * (cap - floor)
        return Clipped(Interval(*ends, mean, level, n, "bounded sequence"), share, floor, cap)
    raw = mean_sequence(n, mean, variance, level, n_star, burn_in)
    ends = max(floor, raw.low), min(cap, raw.high)
    return Clipped(Interval(*ends, mean, level, n, raw.method), share, floor, cap)
