"""Policies whose batch arithmetic is the world's own: rolling update and recreate (Kubernetes `Deployment`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.policy.commands import Apply, Command, Finish, Promote
from sim.policy.deadline import Deadline, check_deadline
from sim.policy.events import Event, Human, Interrupted, NewRevision, PodsReady, Resized, Started
from sim.policy.notes import Note
from sim.policy.scale import bounds
from sim.policy.voice import Voice, undone

__all__ = ["Rolling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """Replace pods batch by batch, or all at once (`recreate`). Times are seconds; defaults: Kubernetes `Deployment`.

    Nothing is measured. The progress deadline only marks the rollout Degraded: a `Deployment` never rolls back by itself. An abort is
    an undo: the stable revision is applied again. `paused`: it begins when a person resumes; a pause in the middle is not followed.
    """

    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_ready: float = 0.0
    recreate: bool = False
    progress_deadline: float = 600.0
    paused: bool = False

    def __post_init__(self) -> None:
        bounds(1, self.max_surge, self.max_unavailable)
        check_deadline(self.progress_deadline, self.min_ready)

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


class _Machine:
    """Applies one revision and watches its pods come (delivery-systems.md section 5)."""

    def __init__(self, policy: Rolling, emit: Callable[[Command | Note], None]) -> None:
        self._policy = policy
        self._voice = Voice(emit)
        self._deadline = Deadline(policy.progress_deadline)
        self._replicas, self._revision, self._stable = 1, 2, 1
        self._pods = PodsReady(0, 0)
        self._held = policy.paused
        self._taken_back: Finish | None = None  # the end of an update that is being undone

    def handle(self, at: float, event: Event) -> None:
        match event:
            case Started():
                self._start(at, event)
            case PodsReady():
                self._see(at, event)
            case Human("resume" | "promote") if self._held:
                self._held = False
                self._apply(at, self._revision if self._taken_back is None else self._stable, self._taken_back)
            case Human("abort"):
                self._undo(at, Finish("aborted", "undone by a person"))
            case Human("retry") if self._taken_back is not None and self._revision != self._stable:
                self._apply(at, self._revision, None)
            case Interrupted(cause):
                self._undo(at, Finish("aborted", cause))
            case NewRevision(revision) if revision != self._revision:
                self._supersede(at, revision)
            case Resized(replicas) if replicas != self._replicas:
                self._resize(at, replicas)
        self._voice.settle(at, self._status)

    @property
    def wakes_at(self) -> float | None:
        return None if self._held or self._voice.finished or self._deadline.passed else self._deadline.due

    def _start(self, at: float, event: Started) -> None:
        self._replicas, self._revision, self._stable = event.replicas, event.revision, event.stable
        self._pods = PodsReady(event.replicas, 0)
        back = event.revision == event.stable
        end = Finish("promoted", f"revision {event.revision} is stable already") if back else None
        self._apply(at, event.revision, end)

    def _supersede(self, at: float, revision: int) -> None:
        if self._revision != self._stable:  # what was new is older by now
            self._pods = PodsReady(self._pods.stable, 0, self._pods.canary + self._pods.older)
        self._revision = revision
        self._apply(at, revision, undone(revision) if revision == self._stable else None)

    def _resize(self, at: float, replicas: int) -> None:
        finished, self._replicas = self._voice.finished, replicas
        self._apply(at, self._revision if self._taken_back is None else self._stable, self._taken_back)
        if finished:  # a finished rollout only takes the new size on
            self._voice.finished = True

    def _apply(self, at: float, revision: int, taken_back: Finish | None) -> None:
        policy, self._taken_back = self._policy, taken_back
        allowed = bounds(self._replicas, policy.max_surge, policy.max_unavailable)
        self._deadline.progress(at)
        self._voice.reopen()
        if not self._held:
            self._voice.say(Apply(revision, allowed.surge, allowed.unavailable, policy.min_ready, policy.recreate))

    def _undo(self, at: float, end: Finish) -> None:
        if self._taken_back is None and not self._voice.finished:
            self._apply(at, self._stable, end)

    def _see(self, at: float, pods: PodsReady) -> None:
        """Progress is more pods of the wanted revision, or more that are ready, or fewer of the others."""
        before, ready, self._pods = self._split(), self._pods.ready, pods
        mine, others = self._split()
        if mine > before[0] or others < before[1] or pods.ready > ready:
            self._deadline.progress(at)

    def _split(self) -> tuple[int, int]:
        """Available pods of the wanted revision, and all others."""
        pods = self._pods
        if self._taken_back is not None:
            return pods.stable, pods.canary + pods.older
        return pods.canary, pods.stable + pods.older

    def _status(self, at: float) -> None:
        if not self._voice.finished and self._split() == (self._replicas, 0):
            self._end()
        if self._voice.finished:
            self._voice.enter(("Healthy", ""))
        elif self._held:
            self._voice.enter(("Paused", "DeploymentPaused"), waits=True)
        elif self._deadline.passed or at >= self._deadline.due:
            self._deadline.passed = True
            self._voice.enter(("Degraded", "ProgressDeadlineExceeded"))
        else:
            undoing = self._taken_back is not None
            self._voice.enter(("Progressing", "undoing" if undoing else "more replicas need to be updated"))

    def _end(self) -> None:
        if self._taken_back is not None:
            self._voice.end(self._taken_back)
            return
        self._stable, self._pods = self._revision, PodsReady(self._replicas, 0)
        self._voice.say(Promote(self._revision))
        self._voice.end(Finish("promoted", "updated"))
