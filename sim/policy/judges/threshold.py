"""`threshold`: the naive judge. Absolute limits on one window, as in most rollout manifests; no error guarantee.

`allowed` is the whole decision on error counts: it depends on this window's (requests, bad) alone and is monotone in
bad, so the engine may tabulate it. The closed forms below it are judges.md section 3 (end) and V12.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, isnan, lgamma, log, sqrt
from typing import ClassVar

from sim.policy.judges.base import (
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    gap,
    nodata,
    require,
    require_ratio,
    require_rules,
)
from sim.policy.judges.histogram import quantile
from sim.policy.special import binomial_at_least

__all__ = ["Threshold", "allowed", "fail_probability", "fail_probability_poisson", "rollback_probability"]


def allowed(max_error_rate: float, requests: int) -> int:
    """Most bad requests that still pass: floor(rate * n), with section 3's slack against 0.29 * 100 < 29."""
    return floor(max_error_rate * requests + 1e-9)


def fail_probability(requests: int, p: float, max_error_rate: float) -> float:
    """Chance that a window of exactly `requests` requests, each bad with probability p, fails."""
    return binomial_at_least(allowed(max_error_rate, requests) + 1, requests, p)


def fail_probability_poisson(mean: float, p: float, max_error_rate: float) -> float:
    """The same for a Poisson number of requests, over mean +- 12 standard deviations (empty does not fail)."""
    lowest, highest = max(1, floor(mean - 12.0 * sqrt(mean))), floor(mean + 12.0 * sqrt(mean)) + 30
    return sum(
        exp(n * log(mean) - mean - lgamma(n + 1)) * fail_probability(n, p, max_error_rate)
        for n in range(lowest, highest + 1)
    )


def rollback_probability(checks: int, failures: int, q: float) -> float:
    """Chance that at least `failures` of `checks` independent checks fail, each with chance q."""
    return binomial_at_least(failures, checks, q)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Fails a window when too many requests are bad, or slow, or when the canary is `max_ratio` times worse.

    Limits that are None are not checked. Fewer than `min_requests` canary requests count as no data. `max_latency`
    (seconds) is held against the `quantile` of the latency buckets. `max_ratio` compares error rates and needs a
    baseline.

    >>> from sim.policy.judges import Arm, Window
    >>> look = Threshold(max_error_rate=0.01).start(seed=0, truth=None)
    >>> look.look(Window(0, 60, 0.05, Arm(requests=600, bad=6))).verdict
    'pass'
    >>> print(look.look(Window(60, 120, 0.05, Arm(requests=600, bad=7))).reason)
    7 of 600 canary requests bad, allowed 6 (max_error_rate 0.01)
    """

    name: ClassVar[str] = "threshold"
    sequential: ClassVar[bool] = False

    max_error_rate: float | None = 0.01
    max_latency: float | None = None
    quantile: float = 0.99
    max_ratio: float | None = None
    min_requests: int = 1
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        limits = (self.max_error_rate, self.max_latency, self.max_ratio)
        require(
            any(limit is not None for limit in limits),
            "a threshold checks nothing: set max_error_rate, max_latency or max_ratio",
        )
        if self.max_error_rate is not None:
            require_ratio("max_error_rate", self.max_error_rate, closed=True)
        for field, limit in (("max_latency", self.max_latency), ("max_ratio", self.max_ratio)):
            require(limit is None or limit > 0, f"{field} must be positive, got {limit}; leave it out to check nothing")
        require_ratio("quantile", self.quantile)
        require(self.min_requests >= 1, f"min_requests must be at least 1, got {self.min_requests}")
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> ThresholdLook:
        """A look that keeps nothing: every window is judged alone."""
        return ThresholdLook(self)


class ThresholdLook:
    """Runs the configured checks in order; the first that does not pass is the answer."""

    __slots__ = ("judge",)

    def __init__(self, judge: Threshold) -> None:
        self.judge = judge

    def look(self, window: Window) -> Finding:
        """pass, fail or inconclusive about this window."""
        j = self.judge
        if (missing := gap(window, j.on_nodata)) is not None:
            return missing
        n = window.canary.requests
        if n < j.min_requests:
            return nodata(j.on_nodata, f"{n} canary requests, min_requests {j.min_requests}")
        answers = [check(window) for check in (self._errors, self._latency, self._ratio)]
        made = [answer for answer in answers if answer is not None]
        return next((answer for answer in made if answer.verdict != "pass"), made[0])

    def _errors(self, window: Window) -> Finding | None:
        limit, arm = self.judge.max_error_rate, window.canary
        if limit is None:
            return None
        most = allowed(limit, arm.requests)
        reason = f"{arm.bad} of {arm.requests} canary requests bad, allowed {most} (max_error_rate {limit:g})"
        return finding(
            "fail" if arm.bad > most else "pass", reason, statistic=arm.bad, threshold=most, requests=arm.requests
        )

    def _latency(self, window: Window) -> Finding | None:
        j, counts = self.judge, window.canary.latency
        if j.max_latency is None:
            return None
        value = quantile(j.quantile, counts, window.bounds) if counts else float("nan")
        if isnan(value):
            return nodata(j.on_nodata, "no latency of the canary")
        numbers = {"statistic": value, "threshold": j.max_latency, "requests": sum(counts)}
        text = f"p{100 * j.quantile:g} of {sum(counts)} canary latencies {value:g} s, max_latency {j.max_latency:g} s"
        above = sum(counts) - counts[-1] < j.quantile * sum(counts)
        if above and j.max_latency >= window.bounds[-1]:
            return finding(
                "inconclusive",
                f"{text}; the buckets end at {window.bounds[-1]:g} s, add a bound above max_latency",
                **numbers,
            )
        return finding("fail" if value > j.max_latency else "pass", text, **numbers)

    def _ratio(self, window: Window) -> Finding | None:
        j = self.judge
        if j.max_ratio is None:
            return None
        if isinstance(pair := arms(window, j.on_nodata), Finding):
            return pair
        c, b = pair
        rate, limit = c.bad / c.requests, j.max_ratio * b.bad / b.requests
        text = (
            f"canary error rate {rate:g} of {c.requests}, baseline {b.bad / b.requests:g} of {b.requests}, "
            f"max_ratio {j.max_ratio:g}"
        )
        failed = c.bad * b.requests > j.max_ratio * b.bad * c.requests * (1 + 1e-12)
        return finding("fail" if failed else "pass", text, statistic=rate, threshold=limit, requests=c.requests)
