"""`peeking_t`, a negative control: the test for one look, done at every look.

Its false-alarm rate grows with the number of looks: 5 % becomes 14 % after 5 and 32 % after 50 (V1). Depends on
cumulative counts alone. Source: judges.md sections 5 and 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.policy.judges.base import Finding, OnNodata, Truth, Window, arms, finding, require_ratio, require_rules
from sim.policy.judges.fixed import two_proportion_z
from sim.policy.special import normal_quantile

__all__ = ["PeekingT", "PeekingTLook"]


@dataclass(frozen=True, slots=True)
class PeekingT:
    """Pooled two-proportion z-test on the counts so far, anew at every window.

    `two_sided` fails on a difference in either direction, which is the case of the published numbers.

    >>> from sim.policy.judges import Arm, Window
    >>> look = PeekingT().start(seed=0, truth=None)
    >>> [look.look(Window(0, 60, 0.5, Arm(500, bad), Arm(500, 10))).verdict for bad in (12, 30)]
    ['pass', 'fail']
    """

    name: ClassVar[str] = "peeking_t"
    sequential: ClassVar[bool] = False

    alpha: float = 0.05
    two_sided: bool = False
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require_ratio("alpha", self.alpha)
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> PeekingTLook:
        """No counts yet."""
        return PeekingTLook(self)


class PeekingTLook:
    """Cumulative counts."""

    __slots__ = ("counts", "judge", "limit")

    def __init__(self, judge: PeekingT) -> None:
        self.judge = judge
        self.counts = [0, 0, 0, 0]  # canary bad, canary, baseline bad, baseline
        self.limit = normal_quantile(1.0 - judge.alpha / (2.0 if judge.two_sided else 1.0))

    def look(self, window: Window) -> Finding:
        """fail when this look alone is significant, else pass."""
        if isinstance(pair := arms(window, self.judge.on_nodata), Finding):
            return pair
        for i, arm in enumerate(pair):
            self.counts[2 * i] += arm.bad
            self.counts[2 * i + 1] += arm.requests
        z = two_proportion_z(*self.counts)
        seen = abs(z) if self.judge.two_sided else z
        text = f"z = {z:.3f}, limit {self.limit:.3f}, after {self.counts[1]} canary requests"
        return finding(
            "fail" if seen >= self.limit else "pass", text, statistic=z, threshold=self.limit, requests=self.counts[1]
        )
