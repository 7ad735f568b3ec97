"""Flagger's canary as a policy: one fixed loop, run at every tick (delivery-systems.md section 4; Flagger 1.41).

The kind follows from the fields, as in Flagger: `match` with iterations is an A/B test, iterations alone are
blue/green, else the weight rises. `sim.policy.scheduler` is the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.policy.commands import Command, Query
from sim.policy.errors import PolicyError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.notes import Note
from sim.policy.scale import bounds
from sim.policy.scheduler import Scheduler

__all__ = ["HOOKS", "Check", "Flagger", "Hook", "HookType"]

HookType = Literal[
    "confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion", "post-rollout",
    "rollback", "event",
]  # fmt: skip
HOOKS: tuple[HookType, ...] = (
    "confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion", "post-rollout",
    "rollback", "event",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook; the driver answers at once, and silence is a no. An `event` hook is only told, never asked.

    `load`: requests/s that it sends to the canary for as long as the analysis goes on, as a load test does.
    """

    name: str
    type: HookType = "rollout"
    load: float = 0.0

    def __post_init__(self) -> None:
        if self.type not in HOOKS:
            raise PolicyError(f"webhook {self.name}: the type is one of {', '.join(HOOKS)}, got {self.type!r}")


@dataclass(frozen=True, slots=True)
class Check:
    """One metric of a tick: it fails outside [low, high], both ends allowed, or if there is no number (section 4.4).

    `query` None is a metric that Flagger does not know and has no query for: it always fails. `whole` cuts the value
    and its bounds to whole numbers first, as Flagger does with the milliseconds of request-duration.
    """

    name: str
    query: Query | None
    low: float | None = None
    high: float | None = None
    whole: bool = False
    template: str = ""

    def assess(self, answer: Answer) -> tuple[object, bool, str]:
        """(value, passed, why)."""
        match answer:
            case Value(list() | tuple() as series) if series:
                return self._number(series[-1])  # of several series the last one counts
            case Value([] | () | None) | Absent():
                return None, False, "no values found"
            case Value(value):
                return self._number(value)
            case NotANumber():
                return math.nan, False, "the value is not a number"
            case Failed(reason):
                return None, False, reason or "the query failed"

    def _number(self, value: object) -> tuple[object, bool, str]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return value, False, f"{value!r} is not a number"
        if math.isnan(value):
            return value, False, "the value is not a number"
        low, high, seen = self.low, self.high, float(value)
        if self.whole:
            low, high, seen = _cut(low), _cut(high), _cut(seen) or 0.0
        if low is not None and seen < low:
            return value, False, f"{value:g} < {low:g}"
        if high is not None and seen > high:
            return value, False, f"{value:g} > {high:g}"
        return value, True, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagger:
    """Times are seconds, weights and thresholds percent, as Flagger writes them; defaults: section 4.1.

    `checks` in the order in which Flagger runs them. `router` False is its provider `kubernetes`: no weights at all.
    The first tick comes `first_tick` seconds after the change (None: a whole interval, the change just missed one).
    `canary_replicas` None: as many as the primary. `max_surge`, `max_unavailable` and `min_ready` are the target
    Deployment's, for the primary's own roll. `session_affinity` is the life of Flagger's cookie, for the world to
    route by.
    """

    interval: float = 60.0
    threshold: int = 1
    ceiling: int = 100  # Flagger: maxWeight
    step_weight: int = 0
    step_weights: tuple[int, ...] = ()
    step_weight_promotion: int = 0
    iterations: int = 0
    match: tuple[str, ...] = ()
    mirror: bool = False
    mirror_weight: float = 100.0
    checks: tuple[Check, ...] = ()
    hooks: tuple[Hook, ...] = ()
    skip_analysis: bool = False
    suspend: bool = False
    router: bool = True
    canary_replicas: int | None = None
    progress_deadline: float = 600.0
    primary_ready: int = 100
    canary_ready: int = 100
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_ready: float = 0.0
    session_affinity: float | None = None
    first_tick: float | None = None

    def __post_init__(self) -> None:
        if not self.interval >= 10:
            raise PolicyError(f"Flagger ticks every 10 s or slower, got an interval of {self.interval:g} s")
        if self.threshold < 1:
            raise PolicyError(f"threshold is 1 failed check or more, got {self.threshold}")
        if self.iterations < 0 or self.step_weight < 0 or self.step_weight_promotion < 0:
            raise PolicyError("iterations, stepWeight and stepWeightPromotion are 0 or more")
        if not 0 < self.ceiling <= 100:
            raise PolicyError(f"maxWeight lies in 1..100, got {self.ceiling}")
        if self.canary_replicas is not None and self.canary_replicas < 1:
            raise PolicyError(
                f"a canary needs 1 pod or more, got {self.canary_replicas}; leave it out for the primary's size"
            )
        if self.first_tick is not None and self.first_tick < 0:
            raise PolicyError(f"the first tick comes 0 s or more after the change, got {self.first_tick:g}")
        if not self.router and not self.iterations:
            raise PolicyError("without a router Flagger tests blue/green: give iterations (its own default is 10)")
        bounds(1, self.max_surge, self.max_unavailable)

    @property
    def kind(self) -> Literal["canary", "a/b", "blue/green"]:
        if not self.iterations:
            return "canary"
        return "a/b" if self.match and self.router else "blue/green"

    @property
    def load(self) -> float:
        """Requests/s of its load tests, where no weight brings users to the canary."""
        return sum(hook.load for hook in self.hooks) if self.iterations else 0.0

    @property
    def promotes_at(self) -> int:
        """The weight at or above which the canary is promoted; a list of steps wins over maxWeight (section 4.1)."""
        return min(100, self.step_weights[-1]) if self.step_weights else self.ceiling

    def increment(self, weight: int) -> int:
        """How far the canary's weight goes up from `weight`; 0 for a plan that never advances (section 4.3)."""
        if self.step_weight > 0 or not self.step_weights:
            return self.step_weight
        room = 100 - weight
        if room == 0:
            return 1
        if weight == 0:
            return min(room, self.step_weights[0])
        for here, following in zip(self.step_weights, self.step_weights[1:], strict=False):
            if here == weight:
                return min(room, following - weight)
        return room

    def machine(self, emit: Callable[[Command | Note], None]) -> Scheduler:
        return Scheduler(self, emit)


def _cut(value: float | None) -> float | None:
    return None if value is None else float(math.trunc(value))
