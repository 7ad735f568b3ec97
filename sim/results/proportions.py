"""Intervals for a share of runs: Wilson by default, Jeffreys, Clopper-Pearson, and the rule of three.

`successes` of `n` runs; `level` two-sided. Formulas: judges.md section 17.
"""

from __future__ import annotations

import math

from sim.policy.special import beta_quantile, normal_quantile
from sim.results.interval import Interval, check_level, unbounded


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval, the default for rates (judges.md section 17); no runs give (0, 1)."""
    _check(successes, n, level)
    if n == 0:
        return Interval(0.0, 1.0, math.nan, level, 0, "wilson")
    low, high = score_limits(successes / n, n, level)
    # The algebra gives exactly 0 and 1 at the edges; rounding does not.
    return Interval(0.0 if successes == 0 else low, 1.0 if successes == n else high, successes / n, level, n, "wilson")


def score_limits(p: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's two ends for a share p of n trials; n may be an effective, fractional number."""
    z = normal_quantile(0.5 + level / 2)
    center = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def jeffreys(successes: int, n: int, level: float = 0.95) -> Interval:
    """Equal-tailed Beta(x + 1/2, n - x + 1/2) quantiles (judges.md section 17).

    The ends are the plain quantiles also at x = 0 and x = n, as judges.md V18 lists them.
    """
    _check(successes, n, level)
    a, b, tail = successes + 0.5, n - successes + 0.5, (1 - level) / 2
    estimate = successes / n if n else math.nan
    return Interval(beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b), estimate, level, n, "jeffreys")


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval: never covers less than `level`, usually more (Clopper and Pearson 1934)."""
    _check(successes, n, level)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1 - tail, successes + 1, n - successes)
    return Interval(low, high, successes / n if n else math.nan, level, n, "clopper-pearson")


def rule_of_three(n: int, level: float = 0.95) -> Interval:
    """One-sided bound for an event never seen in n runs: 1 - (1 - level)^(1/n), about 3/n at 95 %."""
    check_level(level)
    if n < 1:
        return unbounded(math.nan, level, 0, "rule of three")
    return Interval(0.0, -math.expm1(math.log(1 - level) / n), 0.0, level, n, "rule of three")


def _check(successes: int, n: int, level: float) -> None:
    check_level(level)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
