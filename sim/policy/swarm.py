"""Docker Swarm's update of a service: batches that the orchestrator makes, and a watch over the tasks that they made.

Rules (delivery-systems.md section 7; swarmkit: manager/orchestrator/update/updater.go).
1. The batches are the world's (`Update`); it tells which of the tasks made by them ended (`PodsEnded`), and when the last slot
   was taken (`BatchesDone`).
2. A task that ended before it ever ran, or at most `monitor` after it began to run, has failed. Failures over slots above
   `max_failure_ratio` set off the failure action; `continue` does not even watch.
3. pause: no further slot is taken; the service stays mixed until a person acts. rollback: the old specification comes back in
   batches of `rollback`; a rollback that fails only pauses.
4. Without a slot to take the update is completed at once. After the last slot the watch goes on for `monitor` (for delay + 1 s
   where the delay is as long), then the update is completed.
5. A person's promote on a paused update is the same specification again; an abort is `docker service rollback`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sim.policy.commands import Command, Finish, Promote, Update
from sim.policy.errors import PolicyError
from sim.policy.events import BatchesDone, Event, Human, Interrupted, NewRevision, PodsEnded, Resized, Started
from sim.policy.notes import Note
from sim.policy.voice import Voice

__all__ = ["Batches", "FailureAction", "Order", "Swarm"]

FailureAction = Literal["pause", "continue", "rollback"]
Order = Literal["stop-first", "start-first"]
_ACTIONS = ("pause", "continue", "rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """`update_config` or `rollback_config`. Times are seconds; defaults: swarmkit, api/defaults/service.go."""

    parallelism: int = 1  # 0: all at once
    delay: float = 0.0
    failure_action: FailureAction = "pause"
    monitor: float = 5.0
    max_failure_ratio: float = 0.0
    order: Order = "stop-first"

    def __post_init__(self) -> None:
        if self.parallelism < 0:
            raise PolicyError(f"parallelism is 0 (all) or more, got {self.parallelism}")
        if self.delay < 0 or self.monitor < 0:
            raise PolicyError(f"delay and monitor are 0 s or more, got {self.delay:g} and {self.monitor:g}")
        if self.failure_action not in _ACTIONS:
            raise PolicyError(f"failure_action is one of {', '.join(_ACTIONS)}, got {self.failure_action!r}")
        if not 0 <= self.max_failure_ratio <= 1:
            raise PolicyError(f"max_failure_ratio lies in 0..1, got {self.max_failure_ratio:g}")
        if self.order not in ("stop-first", "start-first"):
            raise PolicyError(f"order is stop-first or start-first, got {self.order!r}")

    @property
    def watch(self) -> float:
        """Seconds after the last slot until the update is completed."""
        return self.delay + 1.0 if self.delay >= self.monitor else self.monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Update a service of Docker Swarm."""

    update: Batches = field(default_factory=Batches)
    rollback: Batches = field(default_factory=Batches)

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


_State = Literal["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"]


class _Machine:
    def __init__(self, policy: Swarm, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._voice = policy, Voice(emit)
        self._revision, self._stable = 2, 1
        self._state: _State = "updating"
        self._message = "update in progress"
        self._failures = 0
        self._due: float | None = None  # the end of the watch after the last slot
        self._end: Finish | None = None  # how it ends once the rollback is completed

    def handle(self, at: float, event: Event) -> None:
        match event:
            case Started():
                self._revision, self._stable = event.revision, event.stable
                self._begin()
            case PodsEnded(revision, ran, slots) if revision == self._target and not self._still:
                self._count(ran, slots)
            case BatchesDone(revision, slots) if revision == self._target and not self._still:
                self._due = at + (self._batches.watch if slots else 0.0)
            case Human("abort"):
                self._go_back("rolled back by a person")
            case Human("promote") if self._state in ("paused", "rollback_paused"):
                self._again()
            case Interrupted(cause):
                self._go_back(cause)
            case NewRevision(revision) if revision != self._revision:
                self._revision, self._end = revision, None
                self._begin()
            case Resized() if not self._still:
                self._apply()
        if self._due is not None and at >= self._due:
            self._complete()
        self._voice.settle(at, self._tell)

    @property
    def wakes_at(self) -> float | None:
        return self._due

    # ---- what is going on ----

    @property
    def _back(self) -> bool:
        return self._state.startswith("rollback")

    @property
    def _still(self) -> bool:
        """Nothing moves: paused or over."""
        return self._state not in ("updating", "rollback_started")

    @property
    def _target(self) -> int:
        return self._stable if self._back else self._revision

    @property
    def _batches(self) -> Batches:
        return self._policy.rollback if self._back else self._policy.update

    def _tell(self, at: float) -> None:
        self._voice.enter((self._state, self._message), waits=self._state in ("paused", "rollback_paused"))

    # ---- turns ----

    def _begin(self) -> None:
        self._voice.reopen()
        self._enter("updating", "update in progress")
        self._apply()

    def _enter(self, state: _State, message: str) -> None:
        self._state, self._message = state, message
        self._failures, self._due = 0, None

    def _apply(self, halted: bool = False) -> None:
        batches, self._due = self._batches, None
        first = batches.order == "start-first"
        self._voice.say(Update(self._target, batches.parallelism, batches.delay, first, halted))

    def _count(self, ran: float | None, slots: int) -> None:
        batches = self._batches
        if batches.failure_action == "continue" or (ran is not None and ran > batches.monitor):
            return
        self._failures += 1
        if self._failures / slots <= batches.max_failure_ratio:
            return
        if self._back or batches.failure_action == "pause":
            self._pause()
        else:
            self._go_back("update rolled back due to failure or early termination of a task")

    def _pause(self) -> None:
        what = "rollback" if self._back else "update"
        self._apply(halted=True)
        state: _State = "rollback_paused" if self._back else "paused"
        self._enter(state, f"{what} paused due to failure or early termination of a task")

    def _again(self) -> None:
        state: _State = "rollback_started" if self._back else "updating"
        self._enter(state, "rollback in progress" if self._back else "update in progress")
        self._apply()

    def _go_back(self, why: str) -> None:
        if self._back or self._voice.finished:
            return
        self._end = Finish("aborted", why)
        self._enter("rollback_started", why)
        self._apply()

    def _complete(self) -> None:
        self._due = None
        if self._back:
            self._enter("rollback_completed", "rollback completed")
            self._voice.end(self._end or Finish("aborted", "rolled back"))
            return
        self._stable = self._revision
        self._enter("completed", "update completed")
        self._voice.say(Promote(self._revision))
        self._voice.end(Finish("promoted", "updated"))
