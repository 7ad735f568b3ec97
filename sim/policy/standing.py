"""Where a canary stands: everything its machine knows and has decided, for the rules about sizes, weights and phases to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sim.policy.commands import SetWeight
from sim.policy.scale import Pods
from sim.policy.steps import ScaleCanary, Step

if TYPE_CHECKING:
    from sim.policy.canary import Canary

__all__ = ["Older", "Plan", "Standing", "gone", "see_older", "within"]

NONE = Pods(0, 0)


class Older(NamedTuple):
    """A revision that is neither stable nor new; behind a router its pods stay until `drop_at` (-inf: no delay was ever given).

    `turn` counts how often a revision was applied before it was for the last time: Argo's revision number.
    """

    revision: int
    pods: Pods
    drop_at: float
    turn: int = 0


class Plan:
    """The steps, and for each of them the weight and the `ScaleCanary` in force: the last one at or before it."""

    __slots__ = ("last", "scales", "steps", "weights")

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.steps, self.last = steps, len(steps)
        self.weights: list[float] = []
        self.scales: list[ScaleCanary | None] = []
        weight, scale = 0.0, None
        for step in steps:
            if isinstance(step, SetWeight):
                weight = step.weight
            elif isinstance(step, ScaleCanary):
                scale = None if step.match_weight else step
            self.weights.append(weight)
            self.scales.append(scale)


@dataclass(slots=True)
class Standing:
    """The state of one canary; times in seconds since the start."""

    policy: Canary
    plan: Plan
    replicas: int = 1
    revision: int = 2
    stable_revision: int = 1
    turn: int = 1  # of the new revision, and of the stable one
    stable_turn: int = 0
    stable: Pods = NONE
    canary: Pods = NONE
    older: tuple[Older, ...] = ()  # newest first
    ready: int = 0  # pods of all revisions that are ready, whether they count as available yet or not
    weight: float = 0.0
    recorded: float = 0.0  # the weight in the status of the last pass: stable's size follows that one
    routes: bool = False  # a header or mirror route is set
    behind: bool = False  # the router still points at a revision that is older by now
    returning: bool = False  # back to a stable revision that is scaled with its weight: the weight walks back
    index: int = 0
    paused_at: float | None = None  # start of the pause step's condition
    inconclusive: bool = False  # an inconclusive run's pause condition
    unsure: bool = False  # an inconclusive experiment's: it halts nothing, and another one begins
    controller_pause: bool = False  # the machine itself has paused; with no condition left, a person cleared it
    suspended: bool = False  # spec.paused
    aborted: str | None = None
    fast: bool = False  # back to a revision inside the rollback window: past all steps, without analyses
    full: bool = False  # promote in full: skip the rest
    leaving: int = 0  # available pods that this pass sends away, and pods of the new revision that it makes:
    coming: int = 0  # their ReplicaSets have not told yet
    canary_deadline: float | None = None  # after an abort: when the canary's pods go
    modern: bool = field(init=False)  # the profile is 1.10 or later

    def __post_init__(self) -> None:
        self.modern = self.policy.profile != "argo-rollouts@1.8"
        self.suspended = self.policy.paused

    @property
    def updating(self) -> bool:
        return self.revision != self.stable_revision

    @property
    def step(self) -> Step | None:
        """The current step; none while aborted and past the end."""
        return self.plan.steps[self.index] if self.index < self.plan.last and self.aborted is None else None

    @property
    def conditions(self) -> bool:
        """Whether a pause condition exists."""
        return self.paused_at is not None or self.inconclusive or self.unsure

    @property
    def halted(self) -> bool:
        """Whether no size changes and no pause begins (Argo: haltProgress)."""
        return self.suspended or self.inconclusive

    def planned(self, index: int) -> float:
        """The last weight set at or before a step; the maximum past the end, 0 after an abort."""
        if self.aborted is not None:
            return 0.0
        return self.policy.max_weight if self.full or index >= self.plan.last else self.plan.weights[index]

    def waiting_to_drop(self, at: float) -> bool:
        """Whether pods of an older revision wait for their scale-down deadline."""
        return any(entry.pods.wanted and at < entry.drop_at < inf for entry in self.older)


def gone(older: tuple[Older, ...], at: float, limit: int | None, held: int | None) -> tuple[bool, ...]:
    """Which older revisions are to have no pods now: their time is over, or `limit` newer ones wait already (Argo: scaleDownDelayHelper).

    What a service still points at (`held`) stays, and does not count; nor does what was never given a delay.
    """
    waiting = sorted((-entry.turn, index) for index, entry in enumerate(older)
                     if entry.pods.wanted and entry.revision != held and entry.drop_at != -inf)  # fmt: skip
    over = set() if limit is None else {index for _, index in waiting[limit:]}
    return tuple(entry.revision != held and (at >= entry.drop_at or index in over) for index, entry in enumerate(older))


def within(window: int, revision: int, stable: int) -> bool:
    """Whether a return to this revision is one inside the rollback window (Argo: isRollbackWithinWindow)."""
    return revision < stable and stable - revision - 1 < window


def see_older(older: tuple[Older, ...], available: int) -> tuple[Older, ...]:
    """`available` pods over all older revisions: the newest drain first, so the oldest keep what is left. Empty ones go."""
    seen: list[Older] = []
    for entry in reversed(older):
        here = min(available, entry.pods.available)
        available -= here
        if entry.pods.wanted or here:
            seen.append(entry._replace(pods=Pods(entry.pods.wanted, here)))
    return tuple(reversed(seen))
