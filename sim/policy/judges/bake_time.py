"""`bake_time`: promote when nothing has alarmed for long enough and enough requests were seen. No error guarantee.

Depends on time, cumulative requests and each window's (requests, bad). Source: judges.md section 14 (AWS Builders'
Library, "Automating safe, hands-off deployments").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.policy.judges.base import Finding, OnNodata, Truth, Window, finding, gap, require, require_ratio, require_rules
from sim.policy.judges.threshold import allowed

__all__ = ["BakeTime", "BakeTimeLook"]


@dataclass(frozen=True, slots=True)
class BakeTime:
    """Passes after `seconds` and `min_requests` without an alarm; inconclusive if requests still lack at `max_seconds`.

    The alarm is a window with more than `max_error_rate` bad canary requests; it fails at once. None: no alarm of its
    own. `max_seconds` of None is three times `seconds`. Waiting is the point of this judge, so an empty window waits by
    default.

    >>> from sim.policy.judges import Arm, Window
    >>> look = BakeTime(seconds=120, min_requests=100).start(seed=0, truth=None)
    >>> [look.look(Window(60 * i, 60 * i + 60, 0.1, Arm(80, 0))).verdict for i in range(2)]
    ['continue', 'pass']
    """

    name: ClassVar[str] = "bake_time"
    sequential: ClassVar[bool] = True

    seconds: float = 3600.0
    min_requests: int = 100
    max_seconds: float | None = None
    max_error_rate: float | None = 0.01
    on_nodata: OnNodata = "wait"

    def __post_init__(self) -> None:
        require(self.seconds > 0, f"seconds must be positive, got {self.seconds}; one hour after one-box is usual")
        require(self.min_requests >= 0, f"min_requests must be 0 or more, got {self.min_requests}")
        longest = self.max_seconds
        require(
            longest is None or longest >= self.seconds,
            f"max_seconds must not be below seconds, got {longest} and {self.seconds}",
        )
        if self.max_error_rate is not None:
            require_ratio("max_error_rate", self.max_error_rate, closed=True)
        require_rules(self.on_nodata)

    @property
    def longest(self) -> float:
        """Seconds after which waiting for requests ends."""
        return 3.0 * self.seconds if self.max_seconds is None else self.max_seconds

    def start(self, seed: int, truth: Truth | None) -> BakeTimeLook:
        """Time runs from the first window's start."""
        return BakeTimeLook(self)


class BakeTimeLook:
    """When baking began, and the canary requests since."""

    __slots__ = ("began", "judge", "requests")

    def __init__(self, judge: BakeTime) -> None:
        self.judge, self.requests = judge, 0
        self.began: float | None = None

    def look(self, window: Window) -> Finding:
        """fail on an alarm, pass when baked, inconclusive when requests stay away, else continue."""
        j, arm = self.judge, window.canary
        self.began = window.start if self.began is None else self.began
        self.requests += arm.requests
        baked = window.end - self.began
        missing = gap(window, j.on_nodata)
        if missing is not None and missing.verdict != "continue":
            return missing
        numbers = {"statistic": baked, "threshold": j.seconds, "requests": self.requests}
        if j.max_error_rate is not None and arm.bad > allowed(j.max_error_rate, arm.requests):
            return finding(
                "fail",
                f"alarm: {arm.bad} of {arm.requests} canary requests bad, max_error_rate {j.max_error_rate:g}",
                **numbers,
            )
        text = f"baked {baked:g} of {j.seconds:g} s, {self.requests} of {j.min_requests} requests"
        if baked >= j.seconds and self.requests >= j.min_requests and self.requests > 0:
            return finding("pass", text, **numbers)
        return finding("inconclusive" if baked >= j.longest else "continue", text, **numbers)
