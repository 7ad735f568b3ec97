"""Controls that bound every other judge: always, never, at random, and with knowledge of the truth.

They do not read the data, so a window without canary requests waits by default: nothing was exposed yet.
Source: judges.md section 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sim.policy.chance import uniform
from sim.policy.errors import PolicyError
from sim.policy.judges.base import Finding, OnNodata, Truth, Verdict, Window, finding, gap, require_ratio, require_rules

__all__ = ["AlwaysPromote", "AlwaysRollback", "Oracle", "Random"]


class ConstantLook:
    """The same answer at every look."""

    __slots__ = ("reason", "rule", "verdict")

    def __init__(self, verdict: Verdict, reason: str, rule: OnNodata) -> None:
        self.verdict, self.reason, self.rule = verdict, reason, rule

    def look(self, window: Window) -> Finding:
        """The constant verdict, once there is a canary request."""
        return gap(window, self.rule) or finding(self.verdict, self.reason, requests=window.canary.requests)


@dataclass(frozen=True, slots=True)
class AlwaysPromote:
    """Passes whatever it sees: the fastest rollout, and every bad release escapes.

    >>> from sim.policy.judges import Arm, Window
    >>> AlwaysPromote().start(seed=0, truth=None).look(Window(0, 60, 0.05, Arm(10, 10))).verdict
    'pass'
    """

    name: ClassVar[str] = "always_promote"
    sequential: ClassVar[bool] = False

    on_nodata: OnNodata = "wait"

    def __post_init__(self) -> None:
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> ConstantLook:
        """A constant."""
        return ConstantLook("pass", "always_promote passes whatever it sees", self.on_nodata)


@dataclass(frozen=True, slots=True)
class AlwaysRollback:
    """Fails whatever it sees: the smallest blast radius, and no release ever arrives.

    >>> from sim.policy.judges import Arm, Window
    >>> AlwaysRollback().start(seed=0, truth=None).look(Window(0, 60, 0.05, Arm(10, 0))).verdict
    'fail'
    """

    name: ClassVar[str] = "always_rollback"
    sequential: ClassVar[bool] = False

    on_nodata: OnNodata = "wait"

    def __post_init__(self) -> None:
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> ConstantLook:
        """A constant."""
        return ConstantLook("fail", "always_rollback fails whatever it sees", self.on_nodata)


@dataclass(frozen=True, slots=True)
class Random:
    """Fails each look with the same probability, by a hash of the run's seed and the look's number.

    >>> from sim.policy.judges import Arm, Window
    >>> look = Random(probability=0.5).start(seed=3, truth=None)
    >>> [look.look(Window(0, 60, 0.05, Arm(10, 0))).verdict for _ in range(4)]
    ['pass', 'pass', 'fail', 'pass']
    """

    name: ClassVar[str] = "random"
    sequential: ClassVar[bool] = False

    probability: float = 0.05
    on_nodata: OnNodata = "wait"

    def __post_init__(self) -> None:
        require_ratio("probability", self.probability, closed=True)
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> RandomLook:
        """Look number 0."""
        return RandomLook(self, seed)


class RandomLook:
    """How many looks there were."""

    __slots__ = ("count", "judge", "seed")

    def __init__(self, judge: Random, seed: int) -> None:
        self.judge, self.seed, self.count = judge, seed, 0

    def look(self, window: Window) -> Finding:
        """fail or pass by the hash of this look's number."""
        drawn, limit = uniform(self.seed, self.judge.name, self.count), self.judge.probability
        self.count += 1
        if (missing := gap(window, self.judge.on_nodata)) is not None:
            return missing
        text = f"drew {drawn:.4f}, fails below {limit:g}"
        return finding(
            "fail" if drawn < limit else "pass", text, statistic=drawn, threshold=limit, requests=window.canary.requests
        )


@dataclass(frozen=True, slots=True)
class Oracle:
    """Knows whether the release is bad: fails at the first canary request if it is, passes at once if not.

    Only the simulator fills the truth; without it, as in real mode, `start` raises `PolicyError`.

    >>> from sim.policy.judges import Arm, Truth, Window
    >>> Oracle().start(seed=0, truth=Truth(bad=True)).look(Window(0, 60, 0.05, Arm(10, 0))).verdict
    'fail'
    """

    name: ClassVar[str] = "oracle"
    sequential: ClassVar[bool] = False

    on_nodata: OnNodata = "wait"

    def __post_init__(self) -> None:
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> ConstantLook:
        """A constant: the truth."""
        if truth is None:
            raise PolicyError(
                "the oracle needs the truth, got None: it exists in the simulator only; choose another judge"
            )
        verdict: Verdict = "fail" if truth.bad else "pass"
        return ConstantLook(verdict, f"oracle: the release is {'bad' if truth.bad else 'good'}", self.on_nodata)
