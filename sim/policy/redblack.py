"""Spinnaker's red/black and rolling red/black: a second server group, then the first one is disabled (delivery-systems.md section 8).

Rules.
1. The new group is made at the source's size (rolling: at each target percentage of it) and serves as soon as its pods are there: until
   the old one is disabled both share the traffic by what is enabled.
2. orca looks whether enough pods are up every 10 s, every 60 s after half an hour, every 120 s after an hour, and gives up after two hours.
3. Then: the delay before the clean-up, the old group (rolling: the same percentage of it) is disabled; at the end, if it is scaled down,
   another delay before that. A group that is not scaled down keeps its pods.
4. A stage that fails stops the pipeline and leaves both groups as they are; with rollback on failure the new one goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from sim.policy.commands import Command, Finish, Promote, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import Event, Human, Interrupted, NewRevision, PodsReady, Resized, Started
from sim.policy.notes import Note, StepIs
from sim.policy.voice import Voice

__all__ = ["RedBlack"]

_POLLS = ((3600.0, 120.0), (1800.0, 60.0), (0.0, 10.0))  # after so many seconds, every so many
_LIMIT = 7200.0  # seconds that orca waits for instances


@dataclass(frozen=True, slots=True, kw_only=True)
class RedBlack:
    """Times are seconds. `percentages`: the target percentages of a rolling red/black; none: red/black. `healthy`: the percentage of
    the new group that must be up (targetHealthyDeployPercentage)."""

    percentages: tuple[int, ...] = ()
    healthy: int = 100
    delay_before_disable: float = 0.0
    scale_down: bool = False
    delay_before_scale_down: float = 0.0
    rollback_on_failure: bool = False

    def __post_init__(self) -> None:
        if any(not 0 < one <= 100 for one in self.percentages) or list(self.percentages) != sorted(
            set(self.percentages)
        ):
            raise PolicyError(f"target percentages rise within 1..100, got {list(self.percentages)}")
        if not 0 <= self.healthy <= 100:
            raise PolicyError(f"targetHealthyDeployPercentage lies in 0..100, got {self.healthy}")
        if self.delay_before_disable < 0 or self.delay_before_scale_down < 0:
            raise PolicyError("delays are 0 s or more")

    @property
    def targets(self) -> tuple[int, ...]:
        """100 is appended where it is missing."""
        return self.percentages if self.percentages[-1:] == (100,) else (*self.percentages, 100)

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


_State = Literal["deploying", "waiting", "cleaning", "done", "stopped"]


class _Machine:
    def __init__(self, policy: RedBlack, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._voice = policy, Voice(emit)
        self._replicas, self._revision, self._stable = 1, 2, 1
        self._pods = PodsReady(1, 0)
        self._index = 0
        self._state: _State = "deploying"
        self._since = 0.0  # when the wait for pods began
        self._due: float | None = None  # the next look, or the end of a delay
        self._disabled = self._weight = 0.0  # percent of the old group; what the router has

    def handle(self, at: float, event: Event) -> None:
        if self._state == "cleaning" and self._due is not None and at >= self._due:
            self._clean()
        match event:
            case Started():
                self._start(at, event)
            case PodsReady():
                self._pods = event
            case Human("abort"):
                self._fail("the pipeline was cancelled")
            case Interrupted(cause):
                self._fail(cause)
            case NewRevision(revision) if revision == self._stable:
                self._go_back(revision)
            case NewRevision(revision) if revision != self._revision and self._state in ("done", "stopped"):
                self._revision = revision
                self._pods = PodsReady(self._pods.stable, 0, self._pods.canary + self._pods.older)
                self._voice.reopen()
                self._deploy(at, 0)
            case NewRevision(revision) if revision != self._revision:
                self._fail("a newer revision")
            case Resized(replicas):
                self._replicas = replicas
        self._voice.settle(at, self._pass)

    @property
    def wakes_at(self) -> float | None:
        return self._due

    def _start(self, at: float, event: Started) -> None:
        self._replicas, self._revision, self._stable = event.replicas, event.revision, event.stable
        self._pods = PodsReady(event.replicas, 0)
        self._voice.say(SetWeight(0))
        if event.revision == event.stable:
            self._state = "done"
            self._voice.end(Finish("promoted", f"revision {event.revision} is stable already"))
            return
        self._deploy(at, 0)

    # ---- passes ----

    def _pass(self, at: float) -> None:
        if self._state in ("deploying", "waiting"):
            self._share()
            if self._due is not None and at >= self._due:
                self._due = None
                self._look(at) if self._state == "deploying" else self._disable(at)
                self._voice.mark()
        words = {"deploying": "deploying the new group", "waiting": "waiting before the old one is disabled"}
        phase = {"done": "SUCCEEDED", "cleaning": "SUCCEEDED", "stopped": "TERMINAL"}.get(self._state, "RUNNING")
        self._voice.enter((phase, words.get(self._state, "")))

    def _deploy(self, at: float, index: int) -> None:
        """Make the new group as large as the step says, and look for its pods."""
        self._index, self._state, self._since, self._due = index, "deploying", at, at
        if self._policy.percentages:
            self._voice.say(StepIs(index + 1))
        self._voice.say(SetScale(self._replicas, self._wanted))

    @property
    def _wanted(self) -> int:
        return ceil(self._replicas * self._policy.targets[self._index] / 100)

    def _look(self, at: float) -> None:
        waited = at - self._since
        if self._pods.canary >= ceil(self._wanted * self._policy.healthy / 100):
            self._state, self._due = "waiting", at + self._policy.delay_before_disable
        elif waited >= _LIMIT:
            self._fail("the new group was not healthy within two hours")
        else:
            self._due = at + next(every for after, every in _POLLS if waited >= after)

    def _disable(self, at: float) -> None:
        self._disabled = float(self._policy.targets[self._index])
        self._share()
        if self._index + 1 < len(self._policy.targets):
            self._deploy(at, self._index + 1)
            return
        self._stable = self._revision
        self._voice.say(Promote(self._revision))
        self._state = "cleaning"
        least = (
            _POLLS[-1][1] if self._policy.scale_down else 0.0
        )  # until it is seen that the old group is out of service
        self._due = at + max(self._policy.delay_before_scale_down, least)
        self._voice.end(Finish("promoted", "the old group is disabled"))

    def _clean(self) -> None:
        """Once the world knows who is stable: weights are its own again, and the old group may go."""
        self._state, self._due = "done", None
        self._weigh(0.0)
        if self._policy.scale_down:
            self._voice.say(SetScale(self._replicas, 0))

    def _fail(self, why: str) -> None:
        if self._state in ("done", "cleaning", "stopped"):
            return
        self._state, self._due = "stopped", None
        if self._policy.rollback_on_failure:
            self._take_back(why)
        else:
            self._voice.end(Finish("inconclusive", f"{why}: both groups are enabled"))

    def _go_back(self, revision: int) -> None:
        """The stable revision again: its group is there, and the other one goes."""
        if self._revision == revision or self._state in ("done", "cleaning"):
            return
        self._state, self._due, self._revision = "stopped", None, revision
        self._voice.reopen()
        self._take_back(f"back to the stable revision {revision}")

    def _take_back(self, why: str) -> None:
        self._disabled = 0.0
        self._weigh(0.0)
        self._voice.say(SetScale(self._replicas, 0))
        self._voice.end(Finish("aborted", why))

    # ---- traffic: by what is enabled ----

    def _share(self) -> None:
        old = self._pods.stable * (1 - self._disabled / 100)
        total = old + self._pods.canary
        if total:
            self._weigh(round(100.0 * self._pods.canary / total, 6))

    def _weigh(self, weight: float) -> None:
        if weight != self._weight:
            self._weight = weight
            self._voice.say(SetWeight(weight))
