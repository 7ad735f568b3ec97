"""Blue-green: the new revision stands complete beside the stable one, then the active service switches (delivery-systems.md section 2.14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from sim.policy.analysis import Analysis
from sim.policy.commands import Command, Finish, Promote, SetScale, Switch
from sim.policy.errors import PolicyError
from sim.policy.events import Event, Human, Interrupted, Measured, NewRevision, PodsReady, Resized, Started, Terminated
from sim.policy.judges.base import Truth
from sim.policy.notes import Note, PhaseIs
from sim.policy.runs import AnalysisRun
from sim.policy.scale import Pods

__all__ = ["BlueGreen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreen:
    """Switch all traffic at once. Times are seconds; defaults are Argo's (utils/defaults/defaults.go).

    `auto_promotion` False waits for a person before the switch; `auto_promotion_after` waits that long. `preview_replicas` keeps the
    preview small until then. `scale_down_delay` None: 30 s, or with a post-promotion analysis until it is Successful. The abort
    delay None keeps the new pods for ever.
    """

    pre: Analysis | None = None
    post: Analysis | None = None
    auto_promotion: bool = True
    auto_promotion_after: float = 0.0
    preview_replicas: int | None = None
    scale_down_delay: float | None = None
    abort_scale_down_delay: float | None = 30.0
    preview: bool = True
    progress_deadline: float = 600.0
    progress_deadline_abort: bool = False
    on_inconclusive: Literal["pause", "abort"] = "pause"

    def __post_init__(self) -> None:
        if self.auto_promotion_after < 0:
            raise PolicyError(f"autoPromotionSeconds is 0 or more, got {self.auto_promotion_after:g}")
        if self.preview_replicas is not None and self.preview_replicas < 1:
            raise PolicyError(f"previewReplicaCount is 1 or more, got {self.preview_replicas}; leave it out for the full size")

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


class _Machine:
    """Passes as in `Program`: sizes, pause, active service, analysis, status; all sizes may change in one pass."""

    def __init__(self, policy: BlueGreen, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._out = policy, emit
        self._changes = 0
        self._ids = count(1)
        self._seed, self._truth = 0, None  # type: int, Truth | None
        self._replicas, self._revision, self._stable_revision = 1, 2, 1
        self._active, self._preview = 1, 1
        self._stable, self._new, self._older = Pods(0, 0), Pods(0, 0), Pods(0, 0)
        self._runs: dict[str, AnalysisRun] = {}
        self._paused_at: float | None = None
        self._pause_over = False
        self._inconclusive = False
        self._checkpoint = False
        self._aborted: str | None = None
        self._full = self._suspended = self._finished = self._timed_out = False
        self._older_deadline: float | None = None
        self._new_deadline: float | None = None
        self._progressed = 0.0
        self._phase: tuple[str, str] = ("", "")

    def handle(self, at: float, event: Event) -> None:
        match event:
            case Started():
                self._seed, self._truth, self._replicas = event.seed, event.truth, event.replicas
                self._revision, self._stable_revision = event.revision, event.stable
                self._active = self._preview = event.stable
                self._stable = Pods(event.replicas, event.replicas)
                self._progressed = at
                self._preview = event.revision if self._policy.preview else event.stable
                self._emit(Switch(self._active, self._preview))
            case PodsReady(stable, canary, older):
                if stable > self._stable.available or canary > self._new.available:
                    self._progressed, self._timed_out = at, False
                self._stable = replace(self._stable, available=stable)
                self._new = replace(self._new, available=canary)
                self._older = replace(self._older, available=older)
            case Measured(id, answer):
                any(run.answer(at, id, answer) for run in self._open())
            case Terminated(kind) if kind in self._runs:
                self._runs[kind].terminate()
            case Human(action):
                self._obey(at, action)
            case Interrupted(cause):
                self._abort(at, cause)
            case NewRevision(revision) if revision != self._revision:
                self._supersede(at, revision)
            case Resized(replicas):
                self._replicas = replicas
        for run in self._open():
            run.poll(at)
        for _ in range(1000):
            if not self._pass(at):
                return
        raise PolicyError(f"the rollout does not settle at {at:g} s; last phase {self._phase}")

    @property
    def wakes_at(self) -> float | None:
        return min(self._due(), default=None)

    def _due(self) -> Iterator[float]:
        for run in self._open():
            if run.wakes_at is not None:
                yield run.wakes_at
        if self._paused_at is not None and self._policy.auto_promotion:
            yield self._paused_at + self._policy.auto_promotion_after
        for deadline in (self._older_deadline, self._new_deadline):
            if deadline is not None:
                yield deadline
        if self._timed():
            yield self._progressed + self._policy.progress_deadline

    # ---- events ----

    def _obey(self, at: float, action: str) -> None:
        if action == "promote":
            self._pause_over = self._pause_over or self._paused_at is not None
            self._paused_at, self._inconclusive = None, False
            self._runs = {kind: run for kind, run in self._runs.items() if run.phase != "Inconclusive"}
        elif action == "promote-full":
            self._full, self._aborted, self._paused_at, self._inconclusive = True, None, None, False
        elif action == "abort":
            self._abort(at, "")
        elif action == "retry" and self._aborted is not None:
            self._reset(at)
        elif action in ("pause", "resume"):
            self._suspended = action == "pause"

    def _supersede(self, at: float, revision: int) -> None:
        if self._updating:
            self._older = Pods(self._older.wanted + self._new.wanted, self._older.available + self._new.available)
            self._older_deadline = at
        self._revision, self._new = revision, Pods(0, 0)
        self._reset(at)
        self._point(self._active, revision)

    def _reset(self, at: float) -> None:
        for run in self._open():
            run.terminate()
        self._runs = {}
        self._aborted, self._paused_at, self._new_deadline = None, None, None
        self._pause_over = self._inconclusive = self._checkpoint = self._full = self._timed_out = self._finished = False
        self._progressed = at

    # ---- one pass ----

    def _pass(self, at: float) -> bool:
        before = self._changes
        if not self._suspended:
            self._scale(at)
            self._pause(at)
            self._switch(at)
            self._analyse(at)
            self._deadline(at)
        self._report()
        return self._changes != before

    @property
    def _updating(self) -> bool:
        return self._revision != self._stable_revision

    def _saturated(self) -> bool:
        wanted = self._wanted_new()
        return self._new.wanted == wanted == self._new.available

    def _wanted_new(self) -> int:
        small = self._policy.preview_replicas
        if small is None or self._checkpoint or self._full or self._active == self._revision:
            return self._replicas
        return min(small, self._replicas)

    def _scale(self, at: float) -> None:
        if self._inconclusive:
            return
        new = self._wanted_new() if self._updating else 0
        if self._updating and self._aborted is not None:
            new = self._kept_new(at)
        older = self._older.wanted
        if self._older_deadline is not None and at >= self._older_deadline:
            older, self._older_deadline = 0, None
        sizes = (self._replicas, new, older)
        if sizes != (self._stable.wanted, self._new.wanted, self._older.wanted):
            self._stable = replace(self._stable, wanted=sizes[0])
            self._new = replace(self._new, wanted=sizes[1])
            self._older = replace(self._older, wanted=sizes[2])
            self._progressed = at
            self._emit(SetScale(*sizes))

    def _kept_new(self, at: float) -> int:
        """After an abort the new pods stay for the abort delay, counted from the moment the active service is back."""
        delay = self._policy.abort_scale_down_delay
        if delay is None or self._active == self._revision or self._new.wanted == 0:
            return self._new.wanted
        if self._new_deadline is None:
            self._new_deadline = at + delay
        if at < self._new_deadline:
            return self._new.wanted
        self._new_deadline = None
        return 0

    def _pause(self, at: float) -> None:
        policy = self._policy
        if not self._updating or self._aborted is not None or self._full or self._active == self._revision:
            return
        if self._paused_at is not None and policy.auto_promotion and at >= self._paused_at + policy.auto_promotion_after:
            self._paused_at, self._pause_over = None, True
            self._changes += 1
        waits = not policy.auto_promotion or policy.auto_promotion_after > 0
        if waits and not self._pause_over and self._paused_at is None and self._saturated() and self._passed("pre"):
            self._paused_at = at
            self._changes += 1

    def _switch(self, at: float) -> None:
        if self._aborted is not None:
            if self._active != self._stable_revision:
                self._point(self._stable_revision, self._preview)
            return
        if not self._updating or self._inconclusive or not self._saturated() or self._active == self._revision:
            return
        waits = not self._policy.auto_promotion or self._policy.auto_promotion_after > 0
        if not self._full and not (self._passed("pre") and (self._pause_over or not waits)):
            return
        if self._wanted_new() < self._replicas:
            self._checkpoint = True
            self._changes += 1
            return
        self._point(self._revision, self._preview)

    def _analyse(self, at: float) -> None:
        if not self._updating or self._aborted is not None or self._full:
            for run in self._open():
                run.terminate()
        elif not self._inconclusive and self._saturated():
            switched = self._active == self._revision
            for kind, analysis, wanted in (("pre", self._policy.pre, not switched), ("post", self._policy.post, switched)):
                if analysis is not None and wanted and kind not in self._runs:
                    run = AnalysisRun(analysis, kind, 0, self._seed, self._truth, self._emit, lambda: next(self._ids))
                    self._runs[kind] = run
                    run.start(at)
        for run in self._runs.values():
            self._judge(at, run)
        done = self._full or self._passed("post")
        if self._updating and self._aborted is None and self._active == self._revision and done and not self._inconclusive:
            self._promote(at)

    def _judge(self, at: float, run: AnalysisRun) -> None:
        if run.phase in ("Failed", "Error"):
            self._abort(at, run.message)
        elif run.phase == "Inconclusive" and not self._inconclusive:
            if self._policy.on_inconclusive == "abort":
                self._abort(at, run.message)
            else:
                self._inconclusive = True
                self._changes += 1

    def _passed(self, kind: str) -> bool:
        analysis = self._policy.pre if kind == "pre" else self._policy.post
        return analysis is None or (kind in self._runs and self._runs[kind].phase == "Successful")

    def _open(self) -> list[AnalysisRun]:
        return [run for run in self._runs.values() if not run.ended]

    # ---- ends ----

    def _abort(self, at: float, cause: str) -> None:
        if self._aborted is not None or not self._updating or self._finished:
            return
        message = f"RolloutAborted: Rollout aborted update to revision {self._revision}"
        self._aborted = f"{message}: {cause}" if cause else message
        self._paused_at, self._inconclusive = None, False
        for run in self._open():
            run.terminate()
        self._finished = True
        self._emit(Finish("aborted", cause or message))

    def _promote(self, at: float) -> None:
        delay = self._policy.scale_down_delay
        self._older = Pods(self._older.wanted + self._stable.wanted, self._older.available + self._stable.available)
        self._stable, self._new = self._new, Pods(0, 0)
        self._stable_revision, self._full, self._finished = self._revision, False, True
        self._older_deadline = at + (delay if delay is not None else 0.0 if self._policy.post is not None else 30.0)
        self._emit(Promote(self._revision))
        self._emit(Finish("promoted", "switched"))

    def _point(self, active: int, preview: int) -> None:
        preview = preview if self._policy.preview else active
        if (active, preview) != (self._active, self._preview):
            self._active, self._preview = active, preview
            self._emit(Switch(active, preview))

    # ---- deadline and phase ----

    def _timed(self) -> bool:
        held = self._paused_at is not None or self._inconclusive or self._suspended or bool(self._open())
        return self._updating and self._aborted is None and not (held or self._timed_out or self._finished)

    def _deadline(self, at: float) -> None:
        if self._timed() and at >= self._progressed + self._policy.progress_deadline:
            self._timed_out = True
            if self._policy.progress_deadline_abort:
                self._abort(at, "")

    def _report(self) -> None:
        phase = self._phase_now()
        if phase != self._phase:
            self._phase = phase
            timed = phase[1] == "BlueGreenPause" and self._policy.auto_promotion
            self._emit(PhaseIs(*phase, waits=phase[0] == "Paused" and not timed))

    def _phase_now(self) -> tuple[str, str]:
        if self._aborted is not None:
            return "Degraded", self._aborted
        if self._timed_out:
            return "Degraded", f"ProgressDeadlineExceeded: revision {self._revision} has timed out progressing"
        if self._suspended:
            return "Paused", "manually paused"
        if self._paused_at is not None:
            return "Paused", "BlueGreenPause"
        if self._inconclusive:
            return "Paused", "InconclusiveAnalysisRun"
        if not self._updating:
            return ("Healthy", "") if self._stable.available >= self._replicas else ("Progressing", "updated replicas are still becoming available")
        if self._new.wanted < self._wanted_new():
            return "Progressing", "more replicas need to be updated"
        if self._new.available < self._new.wanted:
            return "Progressing", "updated replicas are still becoming available"
        if self._active != self._revision:
            return "Progressing", "active service cutover pending"
        return "Progressing", "waiting for analysis to complete"

    def _emit(self, item: Command | Note) -> None:
        self._changes += 1
        self._out(item)
