"""`gst`: a group-sequential test of canary errors, with a fixed number of planned looks and alpha spent over them.

A look is taken at the first window that reaches the next planned share of the requests, and its limit is computed for
the requests really seen, so an unplanned spacing keeps alpha. Depends on cumulative counts and the order of looks.
Source: judges.md section 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import floor, inf, sqrt
from typing import ClassVar, Literal

from sim.policy.judges.base import (
    AtEnd,
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    require,
    require_one_of,
    require_ratio,
    require_rules,
)
from sim.policy.judges.fixed import two_proportion_z
from sim.policy.judges.spending import Inside, boundary, spend_obrien_fleming, spend_pocock, stay

__all__ = ["GroupSequential", "GroupSequentialLook"]

_SPENDING = {"obrien_fleming": spend_obrien_fleming, "pocock": spend_pocock}


@dataclass(frozen=True, slots=True)
class GroupSequential:
    """Fails when the pooled z statistic crosses its limit at a look; decides at `planned_requests` canary requests.

    At the last look, with a `margin` (a difference of error rates): passes when the upper bound of the difference is
    below it, else inconclusive; without one `at_end` decides. One-sided for harm unless `two_sided`. A decision is
    final.

    >>> from sim.policy.judges import Arm, Window
    >>> look = GroupSequential(planned_requests=2000, looks=2).start(seed=0, truth=None)
    >>> [look.look(Window(0, 60, 0.5, Arm(500, bad), Arm(500, 5))).verdict for bad in (5, 7, 30, 40)]
    ['continue', 'continue', 'continue', 'fail']
    """

    name: ClassVar[str] = "gst"
    sequential: ClassVar[bool] = True

    planned_requests: int = 10_000
    looks: int = 5
    alpha: float = 0.05
    spending: Literal["obrien_fleming", "pocock"] = "obrien_fleming"
    two_sided: bool = False
    margin: float | None = None
    at_end: AtEnd = "inconclusive"
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require(self.planned_requests >= 1, f"planned_requests must be at least 1, got {self.planned_requests}")
        require(1 <= self.looks <= 100, f"looks must lie in 1..100, got {self.looks}; one per rollout step is usual")
        require_ratio("alpha", self.alpha)
        require_one_of("spending", self.spending, *_SPENDING)
        if self.margin is not None:
            require_ratio("margin", self.margin)
        require_rules(self.on_nodata, self.at_end)

    def start(self, seed: int, truth: Truth | None) -> GroupSequentialLook:
        """Nothing spent yet."""
        return GroupSequentialLook(self)


@lru_cache(maxsize=1024)
def _at(times: tuple[float, ...], spending: str, alpha: float, two_sided: bool) -> tuple[float, Inside]:
    """(limit of the last look, who is inside after it) for looks at these times; runs that look alike share it."""
    if not times:
        return inf, Inside()
    spend, inside = _SPENDING[spending], _at(times[:-1], spending, alpha, two_sided)[1]
    spent = spend(times[-2], alpha) if len(times) > 1 else 0.0
    limit = boundary(inside, times[-1], spend(times[-1], alpha) - spent, two_sided=two_sided)
    return limit, stay(inside, times[-1], -limit if two_sided else -inf, limit)


class GroupSequentialLook:
    """Cumulative counts and the information at the looks taken so far."""

    __slots__ = ("counts", "decided", "judge", "taken", "times")

    def __init__(self, judge: GroupSequential) -> None:
        self.judge = judge
        self.counts = [0, 0, 0, 0]  # canary bad, canary, baseline bad, baseline
        self.times: tuple[float, ...] = ()
        self.taken = 0
        self.decided: Finding | None = None

    def look(self, window: Window) -> Finding:
        """continue between looks, fail at a crossing, and a decision at the last look."""
        if self.decided is not None:
            return self.decided
        if isinstance(pair := arms(window, self.judge.on_nodata), Finding):
            return pair
        for i, arm in enumerate(pair):
            self.counts[2 * i] += arm.bad
            self.counts[2 * i + 1] += arm.requests
        j, requests = self.judge, self.counts[1]
        due = min(j.looks, floor(requests * j.looks / j.planned_requests + 1e-9))
        if due <= self.taken:
            return finding(
                "continue", f"{requests} of {j.planned_requests} canary requests, next look not due", requests=requests
            )
        self.taken = due
        return self._test(min(1.0, requests / j.planned_requests))

    def _test(self, t: float) -> Finding:
        j, counts = self.judge, self.counts
        self.times = (*self.times, t)
        limit = _at(self.times, j.spending, j.alpha, j.two_sided)[0]
        z = two_proportion_z(*counts)
        numbers = {"statistic": z, "threshold": limit, "information": t, "requests": counts[1]}
        text = f"z = {z:.3f}, limit {limit:.3f} at {t:.3f} of the planned requests ({counts[1]} canary requests)"
        if z >= limit or (j.two_sided and z <= -limit):
            self.decided = finding("fail", text, **numbers)
        elif t >= 1.0:
            self.decided = self._end(limit, text, numbers)
        return self.decided or finding("continue", text, **numbers)

    def _end(self, limit: float, text: str, numbers: dict[str, float]) -> Finding:
        """The last look without a crossing."""
        margin, (cb, c, bb, b) = self.judge.margin, self.counts
        if margin is None:
            return finding(self.judge.at_end, f"{text}, last look (at_end: {self.judge.at_end})", **numbers)
        rates = cb / c, bb / b
        error = sqrt(rates[0] * (1.0 - rates[0]) / c + rates[1] * (1.0 - rates[1]) / b)
        upper = rates[0] - rates[1] + limit * error
        text = f"error rates differ by at most {upper:.5f}, margin {margin:g}; {text}"
        return finding("pass" if upper < margin else "inconclusive", text, **numbers)
