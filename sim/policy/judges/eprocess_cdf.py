"""`eprocess.cdf`: is the canary slower anywhere in the latency distribution? Watched all the time, free of any model.

A band around each arm's empirical distribution function holds at every sample size at once. The canary is slower when
the baseline's band lies above the canary's at some latency. On a histogram only the bucket bounds are looked at: valid,
less powerful. Depends on the cumulative bucket counts of both arms alone. Source: judges.md section 9 (Howard and
Ramdas 2022; confseq `empirical_process_lil_bound`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, log, log1p, sqrt
from typing import ClassVar

from sim.policy.judges import histogram
from sim.policy.judges.base import (
    AtEnd,
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    nodata,
    require,
    require_ratio,
    require_rules,
)
from sim.policy.special import bisect

__all__ = ["EProcessCdf", "EProcessCdfLook", "band", "band_constant", "quantile_bounds"]

A = 0.85  # any A > 1/sqrt 2 is valid; this one is the authors'


def _level(eta: float, c: float) -> float:
    """Error level of the band for one geometric step eta; infinite where the formula does not hold."""
    root = A - sqrt(2.0 * (eta - 1.0) / c)
    g = 2.0 / eta * root * root
    return 4.0 * exp(-g * c) * (1.0 + 1.0 / ((g - 1.0) * log(eta))) if root > 0.0 and g > 1.0 else inf


def _best_level(c: float) -> float:
    """The level of constant c at its best eta, by golden section; the level has one minimum in eta."""
    highest = bisect(lambda eta: sqrt(eta / 2.0) + sqrt(2.0 * (eta - 1.0) / c) - A, 1.0, 2.0 * A * A)
    lo, hi, golden = 1.0, highest, (sqrt(5.0) - 1.0) / 2.0
    for _ in range(80):
        left, right = hi - golden * (hi - lo), lo + golden * (hi - lo)
        if _level(left, c) < _level(right, c):
            hi = right
        else:
            lo = left
    return _level(0.5 * (lo + hi), c)


@lru_cache(maxsize=256)
def band_constant(alpha: float) -> float:
    """The C that makes the band hold with level alpha (two-sided, at all times); costs milliseconds, so it is kept."""
    return bisect(lambda c: alpha - _best_level(c), 1.0, 200.0 + 4.0 * log(1.0 / alpha), 60)


def band(t: int, alpha: float, m: int = 100) -> float:
    """Half-width of the band after t samples; infinite before m.

    >>> band(99, 0.05), round(band(10_000, 0.05), 4)
    (inf, 0.0267)
    """
    return inf if t < m else A * sqrt((log1p(log(t / m)) + band_constant(alpha)) / t)


def quantile_bounds(q: float, shares: Sequence[float], eps: float, bounds: Sequence[float]) -> tuple[float, float]:
    """(lower, upper) bound of the q-quantile in seconds, from a band of half-width eps known at the bucket bounds only.

    The lower bound is the lower end of its bucket: where inside the bucket the quantile lies is not known.
    """
    low = next((i for i, f in enumerate(shares) if f + eps >= q), len(bounds))
    high = next((x for x, f in zip(bounds, shares, strict=True) if f - eps >= q), inf)
    return (bounds[low - 1] if low > 0 else 0.0), high


@dataclass(frozen=True, slots=True)
class EProcessCdf:
    """Fails when the canary's latency is larger in stochastic order; passes early when a quantile is within `margin`.

    alpha/2 goes to each arm. Nothing is decided before `min_samples` samples per arm. A failure is final.

    >>> from sim.policy.judges import Arm, Window
    >>> slow, fast = Arm(1000, 0, (500, 500, 0)), Arm(1000, 0, (900, 100, 0))
    >>> EProcessCdf().start(seed=0, truth=None).look(Window(0, 60, 0.5, slow, fast, bounds=(0.1, 0.5))).verdict
    'fail'
    """

    name: ClassVar[str] = "eprocess.cdf"
    sequential: ClassVar[bool] = True

    alpha: float = 0.05
    min_samples: int = 100
    margin: float | None = None
    quantile: float = 0.99
    at_end: AtEnd = "inconclusive"
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require_ratio("alpha", self.alpha)
        require_ratio("quantile", self.quantile)
        require(self.min_samples >= 1, f"min_samples must be at least 1, got {self.min_samples}")
        require(
            self.margin is None or self.margin > 0,
            f"margin must be positive seconds, got {self.margin}; leave it out for none",
        )
        require_rules(self.on_nodata, self.at_end)

    def start(self, seed: int, truth: Truth | None) -> EProcessCdfLook:
        """Two empty histograms."""
        return EProcessCdfLook(self)


class EProcessCdfLook:
    """Cumulative bucket counts of both arms."""

    __slots__ = ("baseline", "canary", "decided", "judge")

    def __init__(self, judge: EProcessCdf) -> None:
        self.judge = judge
        self.canary: tuple[int, ...] = ()
        self.baseline: tuple[int, ...] = ()
        self.decided: Finding | None = None

    def look(self, window: Window) -> Finding:
        """continue, fail, pass (with a margin), or inconclusive where this window cannot be judged."""
        if self.decided is not None:
            return self.decided
        rule = self.judge.on_nodata
        if isinstance(pair := arms(window, rule), Finding):
            return pair
        canary, baseline = pair
        if not canary.latency or not baseline.latency:
            return nodata(rule, "no latency buckets in this window")
        histogram.check(canary.latency, window.bounds)
        self.canary = histogram.add(self.canary, canary.latency)
        self.baseline = histogram.add(self.baseline, baseline.latency)
        counts = sum(self.canary), sum(self.baseline)
        if min(counts) < self.judge.min_samples:
            reason = f"{counts[0]} canary and {counts[1]} baseline latencies, min_samples {self.judge.min_samples}"
            return finding("continue", reason, requests=counts[0])
        return self._decide(window.bounds, *counts)

    def _decide(self, bounds: tuple[float, ...], canary: int, baseline: int) -> Finding:
        j = self.judge
        eps_c, eps_b = band(canary, j.alpha / 2.0, j.min_samples), band(baseline, j.alpha / 2.0, j.min_samples)
        f_c, f_b = histogram.shares(self.canary), histogram.shares(self.baseline)
        worst, at = max(((b - c, x) for b, c, x in zip(f_b, f_c, bounds, strict=True)), default=(0.0, 0.0))
        numbers = {"statistic": worst, "threshold": eps_c + eps_b, "at": at, "requests": canary}
        text = (
            f"share of requests within {at:g} s: canary {worst:.4f} below the baseline, bands {eps_c + eps_b:.4f} "
            f"({canary} and {baseline} requests)"
        )
        if worst > eps_c + eps_b:
            self.decided = finding("fail", text, **numbers)
            return self.decided
        if j.margin is None:
            return finding("continue", text, **numbers)
        high, low = (
            quantile_bounds(j.quantile, f_c, eps_c, bounds)[1],
            quantile_bounds(j.quantile, f_b, eps_b, bounds)[0],
        )
        if high - low < j.margin:
            text = (
                f"p{100 * j.quantile:g} of the canary at most {high:g} s, of the baseline at least {low:g} s, "
                f"margin {j.margin:g} s"
            )
            return finding("pass", text, **numbers)
        return finding("continue", text, **numbers)
