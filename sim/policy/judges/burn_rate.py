"""`burn_rate`: the multi-window alert on an error budget as a judge; it promises about the budget, not about errors.

Fires when the error rate over a long and over a short window both exceed factor * (1 - SLO), strictly. The budget
formulas below it are V4, V5, V6 and V8. Source: judges.md section 11 (Google SRE Workbook, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal

from sim.policy.judges.base import (
    Arm,
    Finding,
    OnNodata,
    Truth,
    Window,
    finding,
    gap,
    require,
    require_one_of,
    require_ratio,
    require_rules,
)

__all__ = [
    "PAGE", "PERIOD", "TICKET", "BurnRate", "BurnRateLook", "Pair", "budget_share", "burn", "exhausts", "factor_for",
    "fires_after", "resets_after",
]  # fmt: skip

Pair = tuple[float, float, float]  # long window, short window (seconds), burn-rate factor
PAGE: tuple[Pair, ...] = ((3600.0, 300.0, 14.4), (21600.0, 1800.0, 6.0))
TICKET: tuple[Pair, ...] = ((86400.0, 7200.0, 3.0), (259200.0, 21600.0, 1.0))
PERIOD = 30.0 * 86400.0


def burn(slo: float, error_rate: float) -> float:
    """Burn rate: how many times faster than evenly the budget is used."""
    return error_rate / (1.0 - slo)


def fires_after(slo: float, error_rate: float, window: float, factor: float) -> float:
    """Seconds from the start of a steady error rate until one window's rate crosses; infinite if it never does.

    >>> round(fires_after(slo=0.999, error_rate=1.0, window=3600, factor=14.4), 2)
    51.84
    """
    after = factor * window / burn(slo, error_rate)
    return after if after < window else inf


def resets_after(slo: float, error_rate: float, window: float, factor: float) -> float:
    """Seconds from an immediate recovery, at the moment of firing, until the rate is back; 0 if it never fired."""
    return max(0.0, window - fires_after(slo, error_rate, window, factor))


def budget_share(slo: float, error_rate: float, seconds: float, period: float = PERIOD) -> float:
    """Share of the period's error budget that a steady error rate uses in so many seconds."""
    return burn(slo, error_rate) * seconds / period


def exhausts(slo: float, error_rate: float, period: float = PERIOD) -> float:
    """Seconds until a steady error rate has used the whole budget."""
    return period / burn(slo, error_rate)


def factor_for(budget: float, window: float, period: float = PERIOD) -> float:
    """The burn rate that uses this share of the budget within the window."""
    return budget * period / window


@dataclass(frozen=True, slots=True)
class BurnRate:
    """Fails when a `page` pair fires, is inconclusive when only a `ticket` pair does, passes while no alert is active.

    Pairs are (long, short, factor) in seconds. `scope` "service" adds the baseline arm to the canary: an absolute guard
    for a canary that hurts its control. `hold` is Prometheus's `for:`: the condition must have been true at every look
    for so long. Less history than the shortest short window: continue. A window's counts are spread evenly over its
    time.

    >>> from sim.policy.judges import Arm, Window
    >>> look = BurnRate(slo=0.999).start(seed=0, truth=None)
    >>> look.look(Window(0, 300, 0.05, Arm(1000, 1))).verdict
    'pass'
    >>> look.look(Window(300, 600, 0.05, Arm(1000, 200))).verdict
    'fail'
    """

    name: ClassVar[str] = "burn_rate"
    sequential: ClassVar[bool] = False

    slo: float = 0.999
    page: tuple[Pair, ...] = PAGE
    ticket: tuple[Pair, ...] = ()
    scope: Literal["canary", "service"] = "canary"
    hold: float = 0.0
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require_ratio("slo", self.slo)
        require(bool(self.page or self.ticket), "a burn-rate judge needs at least one pair (long, short, factor)")
        for long, short, factor in (*self.page, *self.ticket):
            require(
                0 < short <= long and factor > 0,
                f"a pair is (long, short, factor) with 0 < short <= long and factor > 0, got {(long, short, factor)}",
            )
        require(self.hold >= 0, f"hold must be 0 or more seconds, got {self.hold}")
        require_one_of("scope", self.scope, "canary", "service")
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> BurnRateLook:
        """An empty history."""
        return BurnRateLook(self)


_Past = tuple[float, float, int, int]  # start, end, requests, bad


class BurnRateLook:
    """The windows of as long a time as the longest pair reads, and since when each pair's condition holds."""

    __slots__ = ("history", "judge", "since")

    def __init__(self, judge: BurnRate) -> None:
        self.judge = judge
        self.history: list[_Past] = []
        self.since: dict[Pair, float] = {}

    def look(self, window: Window) -> Finding:
        """pass, fail (page), inconclusive (ticket), or continue while there is too little history."""
        j = self.judge
        requests, bad = _counts(window.canary, window.baseline if j.scope == "service" else None)
        pairs = (*j.page, *j.ticket)
        self.history.append((window.start, window.end, requests, bad))
        self.history = [past for past in self.history if past[1] > window.end - max(long for long, _, _ in pairs)]
        firing = [pair for pair in pairs if self._fires(pair, window.end)]
        if firing:
            return self._answer(firing, window.end, requests)
        if (missing := gap(window, j.on_nodata)) is not None:
            return missing
        if window.end - self.history[0][0] < min(short for _, short, _ in pairs):
            return finding(
                "continue",
                f"{window.end - self.history[0][0]:g} s of history, shorter than every short window",
                requests=requests,
            )
        return self._answer(firing, window.end, requests)

    def _answer(self, firing: list[Pair], now: float, requests: int) -> Finding:
        j = self.judge
        pair = firing[0] if firing else (*j.page, *j.ticket)[0]
        rates, limit = [self._rate(width, now) for width in pair[:2]], pair[2] * (1.0 - j.slo)
        numbers = {
            "statistic": min(rates),
            "threshold": limit,
            "long": rates[0],
            "short": rates[1],
            "requests": requests,
        }
        text = (
            f"error rate {rates[0]:g} over {pair[0]:g} s and {rates[1]:g} over {pair[1]:g} s, "
            f"limit {limit:g} (burn rate {pair[2]:g})"
        )
        if not firing:
            return finding("pass", f"no alert: {text}", **numbers)
        return finding("fail" if pair in j.page else "inconclusive", f"alert: {text}", **numbers)

    def _fires(self, pair: Pair, now: float) -> bool:
        """Whether the condition holds now and has held for `hold`; remembers since when."""
        long, short, factor = pair
        limit = factor * (1.0 - self.judge.slo) * (1.0 + 1e-12)  # 1 - 0.999 is not exactly 0.001; equal must not fire
        enough = now - self.history[0][0] >= short
        if not (enough and self._rate(long, now) > limit and self._rate(short, now) > limit):
            self.since.pop(pair, None)
            return False
        return now - self.since.setdefault(pair, now) >= self.judge.hold

    def _rate(self, width: float, now: float) -> float:
        """Error rate over the last `width` seconds; 0 without requests."""
        requests = bad = 0.0
        for start, end, n, b in self.history:
            part = 1.0 if end <= start else min(1.0, max(0.0, (end - max(start, now - width)) / (end - start)))
            requests += part * n
            bad += part * b
        return bad / requests if requests > 0.0 else 0.0


def _counts(canary: Arm, baseline: Arm | None) -> tuple[int, int]:
    if baseline is None:
        return canary.requests, canary.bad
    return canary.requests + baseline.requests, canary.bad + baseline.bad
