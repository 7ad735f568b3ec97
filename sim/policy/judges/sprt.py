"""`sprt`: Wald's sequential probability ratio test on bad requests, against a known rate or against a baseline.

Depends on cumulative counts alone (per window where the weight changes) and is monotone in bad, so the engine may
tabulate it. Checked after every window; overshoot makes it conservative. Source: judges.md section 6 (Wald 1945), V13.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, log1p
from typing import ClassVar

from sim.policy.judges.base import (
    Arm,
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    gap,
    require,
    require_one_of,
    require_ratio,
    require_rules,
)
from sim.policy.judges.split import MISMATCH, Split, mismatch, share

__all__ = ["Sprt", "SprtLook", "alternative", "average_samples", "bounds", "first_clean", "increment", "worse_share"]


def alternative(p0: float, ratio: float) -> float:
    """p1: the bad rate that must not be missed."""
    return min(p0 * ratio, 0.999)


def worse_share(rho: float, ratio: float) -> float:
    """The canary's share of the errors when its error rate is `ratio` times the baseline's."""
    return rho * ratio / (rho * ratio + 1.0 - rho)


def bounds(alpha: float, beta: float) -> tuple[float, float]:
    """(B, A): pass at or below B, fail at or above A.

    >>> [round(x, 6) for x in bounds(0.05, 0.05)]
    [-2.944439, 2.944439]
    """
    return log(beta / (1.0 - alpha)), log((1.0 - beta) / alpha)


def increment(n: int, bad: int, p0: float, p1: float) -> float:
    """Log likelihood ratio of `bad` among n."""
    return bad * log(p1 / p0) + (n - bad) * (log1p(-p1) - log1p(-p0))


def average_samples(p0: float, p1: float, alpha: float, beta: float) -> tuple[float, float]:
    """Wald's approximate mean sample sizes under p0 and under p1; the real ones exceed them by the overshoot."""
    low, high = bounds(alpha, beta)
    drift = [p * log(p1 / p0) + (1.0 - p) * (log1p(-p1) - log1p(-p0)) for p in (p0, p1)]
    return ((1.0 - alpha) * low + alpha * high) / drift[0], (beta * low + (1.0 - beta) * high) / drift[1]


def first_clean(p0: float, p1: float, alpha: float, beta: float) -> int:
    """The smallest number of requests without a single error that passes."""
    return ceil(bounds(alpha, beta)[0] / (log1p(-p1) - log1p(-p0)))


@dataclass(frozen=True, slots=True)
class Sprt:
    """Tests the bad rate p0 against `ratio` times p0; fails or passes with error rates alpha and beta.

    With `p0: null` the rate is unknown: then only errors count, and each is the canary's with chance rho (see split.py)
    or more. Not decided after `max_requests` canary requests: inconclusive. A decision is final.

    >>> from sim.policy.judges import Arm, Window
    >>> Sprt(p0=0.01).start(seed=0, truth=None).look(Window(0, 60, 0.05, Arm(291, 0))).verdict
    'pass'
    """

    name: ClassVar[str] = "sprt"
    sequential: ClassVar[bool] = True

    p0: float | None = 0.01
    ratio: float = 2.0
    alpha: float = 0.05
    beta: float = 0.05
    max_requests: int | None = None
    split: Split = "rest"
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        for field, value in (("p0", self.p0), ("alpha", self.alpha), ("beta", self.beta)):
            if value is not None:
                require_ratio(field, value)
        require(self.ratio > 1, f"ratio must be above 1, got {self.ratio}; 2 looks for twice the bad rate")
        require(
            self.p0 is None or self.p0 < 0.999,
            f"p0 must be below 0.999, got {self.p0}; the alternative is capped there",
        )
        require(self.alpha + self.beta < 1, f"alpha + beta must be below 1, got {self.alpha} + {self.beta}")
        require(
            self.max_requests is None or self.max_requests > 0,
            f"max_requests must be positive, got {self.max_requests}",
        )
        require_one_of("split", self.split, "rest", "equal", "requests")
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> SprtLook:
        """Log likelihood ratio 0."""
        return SprtLook(self)


class SprtLook:
    """The log likelihood ratio so far."""

    __slots__ = ("decided", "judge", "requests", "total")

    def __init__(self, judge: Sprt) -> None:
        self.judge, self.total, self.requests = judge, 0.0, 0
        self.decided: Finding | None = None

    def look(self, window: Window) -> Finding:
        """pass, fail, continue, or inconclusive where this window cannot be judged."""
        if self.decided is not None:
            return self.decided
        if (problem := self._take(window)) is not None:
            return problem
        self.requests += window.canary.requests
        return self._decide()

    def _take(self, window: Window) -> Finding | None:
        """Add this window's log likelihood ratio, or say why not."""
        p0, rule = self.judge.p0, self.judge.on_nodata
        if p0 is None:
            pair = arms(window, rule)
            return pair if isinstance(pair, Finding) else self._compare(window.weight, *pair)
        if (missing := gap(window, rule)) is not None:
            return missing
        self.total += increment(window.canary.requests, window.canary.bad, p0, alternative(p0, self.judge.ratio))
        return None

    def _compare(self, weight: float, c: Arm, b: Arm) -> Finding | None:
        """The conditional test: only errors count, each is the canary's with chance rho or more."""
        rho = share(self.judge.split, weight, c.requests, b.requests)
        if not 0.0 < rho < 1.0:
            return finding("inconclusive", f"canary share {rho:g} leaves nothing to compare with", requests=c.requests)
        if (off := mismatch(c.requests, b.requests, rho)) > MISMATCH:
            reason = (
                f"the canary should get {rho:g} of the requests, and is {off:.1f} standard deviations off; set split"
            )
            return finding("inconclusive", reason, statistic=off, threshold=MISMATCH, requests=c.requests)
        self.total += increment(c.bad + b.bad, c.bad, rho, worse_share(rho, self.judge.ratio))
        return None

    def _decide(self) -> Finding:
        j = self.judge
        low, high = bounds(j.alpha, j.beta)
        numbers = {"statistic": self.total, "threshold": high, "lower": low, "requests": self.requests}
        text = f"log likelihood ratio {self.total:.3f} in {low:.3f}..{high:.3f} after {self.requests} canary requests"
        if self.total >= high:
            self.decided = finding("fail", text, **numbers)
        elif self.total <= low:
            self.decided = finding("pass", text, **numbers)
        elif j.max_requests is not None and self.requests >= j.max_requests:
            self.decided = finding("inconclusive", f"{text}, max_requests {j.max_requests}", **numbers)
        return self.decided or finding("continue", text, **numbers)
