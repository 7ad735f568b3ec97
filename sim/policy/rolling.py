"""Policies whose batch arithmetic is the world's own: rolling update and recreate (Kubernetes `Deployment`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.policy.commands import Apply, Command, Finish, Promote
from sim.policy.errors import PolicyError
from sim.policy.events import Event, Human, Interrupted, NewRevision, PodsReady, Resized, Started
from sim.policy.notes import Note, PhaseIs
from sim.policy.scale import bounds

__all__ = ["Rolling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """Replace pods batch by batch, or all at once (`recreate`). Times are seconds; defaults: Kubernetes `Deployment`.

    Nothing is measured. The progress deadline only marks the rollout Degraded: a `Deployment` never rolls back by itself. An abort is an
    undo: the stable revision is applied again.
    """

    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_ready: float = 0.0
    recreate: bool = False
    progress_deadline: float = 600.0

    def __post_init__(self) -> None:
        bounds(1, self.max_surge, self.max_unavailable)
        if self.min_ready < 0:
            raise PolicyError(f"minReadySeconds is 0 or more, got {self.min_ready:g}")
        if not self.progress_deadline > self.min_ready:
            raise PolicyError(f"the progress deadline must exceed minReadySeconds, got {self.progress_deadline:g}")

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


class _Machine:
    def __init__(self, policy: Rolling, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._emit = policy, emit
        self._replicas, self._revision, self._stable = 1, 2, 1
        self._pods = PodsReady(0, 0)
        self._progressed: float | None = None
        self._phase: tuple[str, str] = ("", "")
        self._undone = ""
        self._finished = False

    def handle(self, at: float, event: Event) -> None:
        match event:
            case Started():
                self._replicas, self._revision, self._stable = event.replicas, event.revision, event.stable
                self._pods = PodsReady(event.replicas, 0)
                self._apply(at, event.revision)
            case PodsReady():
                if event != self._pods:
                    self._pods, self._progressed = event, at
            case Human("abort"):
                self._undo(at, "undone by a person")
            case Human("retry") if self._undone:
                self._undone = ""
                self._apply(at, self._revision)
            case Interrupted(cause):
                self._undo(at, cause)
            case NewRevision(revision):
                self._revision, self._undone = revision, ""
                self._apply(at, revision)
            case Resized(replicas):
                self._replicas = replicas
                self._apply(at, self._stable if self._undone else self._revision)
        self._status(at)

    @property
    def wakes_at(self) -> float | None:
        if self._finished or self._progressed is None:
            return None
        return self._progressed + self._policy.progress_deadline

    def _apply(self, at: float, revision: int) -> None:
        allowed = bounds(self._replicas, self._policy.max_surge, self._policy.max_unavailable)
        self._progressed, self._finished = at, False
        self._emit(Apply(revision, allowed.surge, allowed.unavailable, self._policy.min_ready, self._policy.recreate))

    def _undo(self, at: float, cause: str) -> None:
        if not self._undone and not self._finished:
            self._undone = cause
            self._apply(at, self._stable)

    def _status(self, at: float) -> None:
        pods, wanted = self._pods, self._replicas
        mine, others = (pods.stable, pods.canary) if self._undone else (pods.canary, pods.stable)
        done = mine == wanted and others == 0 and pods.older == 0
        if done and not self._finished and self._progressed is not None:
            self._finished = True
            if self._undone:
                self._emit(Finish("aborted", self._undone))
            else:
                self._stable = self._revision
                self._pods = PodsReady(pods.canary, 0)
                self._emit(Promote(self._revision))
                self._emit(Finish("promoted", "updated"))
        late = self._progressed is not None and at >= self._progressed + self._policy.progress_deadline
        if self._finished:
            self._become("Healthy", "")
        elif late:
            self._progressed = None  # said once; only progress starts the clock again
            self._become("Degraded", "ProgressDeadlineExceeded")
        elif self._progressed is not None:
            self._become("Progressing", "undoing" if self._undone else "more replicas need to be updated")

    def _become(self, phase: str, reason: str) -> None:
        if (phase, reason) != self._phase:
            self._phase = (phase, reason)
            self._emit(PhaseIs(phase, reason))
