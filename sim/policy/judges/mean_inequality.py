"""`mean_inequality`, a negative control: any excess of the canary's mean over the baseline's fails.

A healthy canary fails about every second window. Depends on this window alone. Source: judges.md section 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar, Literal

from sim.policy.judges.base import (
    Arm,
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    nodata,
    require_one_of,
    require_rules,
)

__all__ = ["MeanInequality", "MeanInequalityLook"]


@dataclass(frozen=True, slots=True)
class MeanInequality:
    """Compares the means of one metric's samples, or the error rates when no metric is named.

    >>> from sim.policy.judges import Arm, Window
    >>> MeanInequality().start(seed=0, truth=None).look(Window(0, 60, 0.5, Arm(1000, 11), Arm(1000, 10))).verdict
    'fail'
    """

    name: ClassVar[str] = "mean_inequality"
    sequential: ClassVar[bool] = False

    metric: str = ""
    direction: Literal["increase", "decrease", "either"] = "increase"
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require_one_of("direction", self.direction, "increase", "decrease", "either")
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> MeanInequalityLook:
        """A look that keeps nothing."""
        return MeanInequalityLook(self)


class MeanInequalityLook:
    """Judges each window alone."""

    __slots__ = ("judge",)

    def __init__(self, judge: MeanInequality) -> None:
        self.judge = judge

    def look(self, window: Window) -> Finding:
        """fail when the means differ in the configured direction, pass otherwise."""
        j = self.judge
        if isinstance(pair := arms(window, j.on_nodata), Finding):
            return pair
        canary, baseline = (self._mean(arm) for arm in pair)
        if canary is None or baseline is None:
            return nodata(j.on_nodata, f"no samples of {j.metric}")
        label = "High" if canary > baseline else "Low" if canary < baseline else "Pass"
        failed = (label == "High" and j.direction != "decrease") or (label == "Low" and j.direction != "increase")
        text = f"{label}: canary mean {canary:g}, baseline mean {baseline:g}"
        return finding(
            "fail" if failed else "pass", text, statistic=canary, threshold=baseline, requests=window.canary.requests
        )

    def _mean(self, arm: Arm) -> float | None:
        if not self.judge.metric:
            return arm.bad / arm.requests
        values = [v for name, samples in arm.points if name == self.judge.metric for v in samples if isfinite(v)]
        return sum(values) / len(values) if values else None
