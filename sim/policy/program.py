"""A canary program under way: Argo Rollouts' reconcile loop, pass by pass (delivery-systems.md sections 2.7 to 2.19).

Everything that decides about a canary lives here; nothing here knows who carries the commands out. Rules:
1. Every event updates what is known, then passes run until one changes nothing. A pass does, in order: traffic, analyses, one change of
   size, pause, status.
2. A pass changes the size of at most one revision: stable, then new, then older (Argo: rollout/canary.go).
3. The status of a pass ends at most one step. Promotion is judged there, before abort and steps.
4. A pause condition (of a step, or of an inconclusive run) stops step analyses; an inconclusive one stops all sizes as well.
5. An abort sets the weight to 0 and the index to 0; the canary's pods follow later (router) or by the movement rule.
6. Whatever is unknown never promotes: an inconclusive run pauses for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sim.policy.analysis import Analysis
from sim.policy.commands import AskGate, Command, Finish, Match, Mirror, Promote, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Answered, Event, Human, Interrupted, Measured, NewRevision, PodsReady, Resized, Started, Terminated,
)  # fmt: skip
from sim.policy.judges.base import Truth
from sim.policy.notes import Note, PhaseIs, StepIs
from sim.policy.runs import AnalysisRun
from sim.policy.scale import Pods, bounds, move, move_older, routed, shared
from sim.policy.steps import Analyse, Experiment, Gate, Pause, ScaleCanary, Step

if TYPE_CHECKING:
    from sim.policy.canary import Canary

__all__ = ["Program"]

_NONE = Pods(0, 0)


class Program:
    """The machine of a `Canary` policy."""

    def __init__(self, policy: Canary, emit: Callable[[Command | Note], None]) -> None:
        self._policy = policy
        self._out = emit
        self._changes = 0
        self._ids = count(1)
        self._last = len(policy.steps)
        self._weights = _weights(policy.steps)
        self._seed, self._truth = 0, None  # type: int, Truth | None
        self._replicas = 1
        self._revision, self._stable_revision = 2, 1
        self._stable, self._canary = _NONE, _NONE
        self._older: tuple[tuple[int, Pods], ...] = ()  # newest first
        self._weight = 0.0
        self._index = 0
        self._paused_at: float | None = None  # start of the pause step's condition
        self._inconclusive_since: float | None = None
        self._controller_pause = False
        self._suspended = False  # spec.paused
        self._aborted: str | None = None
        self._timed_out = False
        self._full = False  # promote in full: skip the rest
        self._background: AnalysisRun | None = None
        self._run: AnalysisRun | None = None  # of the current step
        self._step_started: float | None = None
        self._gate_open: bool | None = None
        self._older_deadline: float | None = None
        self._canary_deadline: float | None = None
        self._progressed = 0.0
        self._phase: tuple[str, str] = ("", "")
        self._finished = False

    # ---- the way in ----

    def handle(self, at: float, event: Event) -> None:
        match event:
            case Started():
                self._start(at, event)
            case PodsReady():
                self._see_pods(at, event)
            case Measured(id, answer):
                for run in self._runs():
                    if run.answer(at, id, answer):
                        break
            case Human(action):
                self._obey(at, action)
            case Interrupted(cause):
                self._abort(at, cause)
            case Answered(gate, approved):
                self._gate(at, gate, approved)
            case NewRevision(revision):
                self._supersede(at, revision)
            case Resized(replicas):
                self._replicas = replicas
            case Terminated(kind):
                for run in self._runs():
                    if run.kind == kind:
                        run.terminate()
        if not self._suspended:
            for run in self._runs():
                run.poll(at)
        for _ in range(1000):
            if not self._pass(at):
                return
        raise PolicyError(f"the rollout does not settle at {at:g} s; last phase {self._phase}")

    @property
    def wakes_at(self) -> float | None:
        """The next moment at which something is due, if nothing happens before."""
        return min(self._due(), default=None)

    def _due(self) -> Iterator[float]:
        for run in self._runs():
            if run.wakes_at is not None:
                yield run.wakes_at
        step = self._step
        if self._paused_at is not None and isinstance(step, Pause) and step.duration is not None:
            yield self._paused_at + step.duration
        if isinstance(step, Experiment) and step.duration is not None and self._step_started is not None:
            yield self._step_started + step.duration
        for deadline in (self._older_deadline, self._canary_deadline):
            if deadline is not None:
                yield deadline
        if self._timed():
            yield self._progressed + self._policy.progress_deadline

    # ---- events ----

    def _start(self, at: float, event: Started) -> None:
        self._seed, self._truth, self._replicas = event.seed, event.truth, event.replicas
        self._revision, self._stable_revision = event.revision, event.stable
        self._stable = Pods(event.replicas, event.replicas)
        self._progressed = at
        self._emit(StepIs(0))
        if self._policy.router or not self._policy.pods:
            self._emit(SetWeight(0))

    def _see_pods(self, at: float, event: PodsReady) -> None:
        risen = event.stable > self._stable.available or event.canary > self._canary.available
        if risen or event.older < sum(pods.available for _, pods in self._older):
            self._progress(at)
        self._stable = replace(self._stable, available=event.stable)
        self._canary = replace(self._canary, available=event.canary)
        left, older = event.older, []
        for revision, pods in reversed(self._older):  # the newest drain first, so the oldest keep what is left
            available = min(left, pods.available)
            left -= available
            older.append((revision, replace(pods, available=available)))
        self._older = tuple(entry for entry in reversed(older) if entry[1] != _NONE)

    def _obey(self, at: float, action: str) -> None:
        if action == "promote":
            self._paused_at = self._inconclusive_since = None
        elif action == "promote-full":
            self._full, self._aborted = True, None
            self._paused_at = self._inconclusive_since = None
            self._go(at, self._last)
        elif action == "abort":
            self._abort(at, "")
        elif action == "retry" and self._aborted is not None:
            self._restart(at)
        elif action in ("pause", "resume"):
            self._suspended = action == "pause"

    def _gate(self, at: float, gate: str, approved: bool) -> None:
        step = self._step
        if isinstance(step, Gate) and step.name == gate and self._gate_open is False:
            if approved:
                self._gate_open = True
            else:
                self._abort(at, f"gate {gate} said no")

    def _supersede(self, at: float, revision: int) -> None:
        """A newer revision starts over; the one in the middle becomes an older one (a return to stable skips the steps)."""
        if revision == self._revision:
            return
        if self._revision != self._stable_revision and self._canary != _NONE:
            self._older = ((self._revision, self._canary), *self._older)
        back = dict(self._older).get(revision)
        self._older = tuple(entry for entry in self._older if entry[0] != revision)
        self._revision, self._canary = revision, back or _NONE
        if self._policy.router:
            self._older_deadline = at  # Argo: an intermediate revision is dropped at once when a router serves
        self._restart(at)
        if revision == self._stable_revision:
            self._go(at, self._last)

    def _restart(self, at: float) -> None:
        self._end_runs()
        self._background = None
        self._aborted, self._timed_out, self._full, self._finished = None, False, False, False
        self._paused_at = self._inconclusive_since = self._canary_deadline = None
        self._controller_pause = False
        self._go(at, 0)
        self._progress(at)

    # ---- one pass ----

    def _pass(self, at: float) -> bool:
        before = self._changes
        if self._suspended:
            self._report()
            return self._changes != before
        if self._policy.router:
            self._route()
        if self._analyse(at):
            self._report()
            return True
        if not self._scale(at):
            self._hold(at)
        self._status(at)
        self._report()
        return self._changes != before

    @property
    def _step(self) -> Step | None:
        return self._policy.steps[self._index] if self._index < self._last and not self._aborted else None

    @property
    def _updating(self) -> bool:
        return self._revision != self._stable_revision

    def _set_weight(self, index: int) -> float:
        """The last `SetWeight` at or before a step; 0 if there is none, the maximum past the end."""
        if self._aborted is not None or not self._updating:
            return 0
        return self._policy.max_weight if self._full or index >= self._last else self._weights[index]

    # ---- traffic (delivery-systems.md section 2.11) ----

    def _route(self) -> None:
        maximum, replicas = self._policy.max_weight, self._replicas
        if self._aborted is not None:
            weight = self._abort_weight()
        elif not self._updating or (self._policy.pods and self._canary.available == 0):
            weight = 0
        elif self._full:
            weight = maximum * self._canary.available // max(1, replicas) if self._policy.dynamic_stable_scale else self._weight
            weight = maximum if self._reached() else weight
        elif not self._reached():
            weight = self._set_weight(self._index - 1) if self._index > 0 else 0
        else:
            weight = self._set_weight(self._index)
        if self._policy.pods and self._stable.available < (maximum - weight) * replicas // maximum:
            return  # Argo's guard: stable could not carry its share
        if weight != self._weight:
            self._weight = weight
            self._emit(SetWeight(weight))

    def _abort_weight(self) -> float:
        """Weight after an abort; with a dynamically scaled stable it walks back as stable's pods return (section 2.13)."""
        if not self._policy.dynamic_stable_scale:
            return 0
        replicas, maximum, available = self._replicas, self._policy.max_weight, self._stable.available
        need = replicas - available
        if not self._policy.abort_scale_down_delay:
            need = max(need, self._canary.available)
        weights = [step.weight for step in reversed(self._policy.steps) if isinstance(step, SetWeight)]
        desired = next((w for w in weights if routed(replicas, w, maximum) < need), 0)
        expected = max(0, maximum - maximum * available // replicas)
        if desired <= 0:
            return min(expected, self._weight)
        if maximum * available // replicas < maximum - desired:
            return self._weight
        return min(desired, self._weight)

    # ---- analyses (section 2.7) ----

    def _runs(self) -> tuple[AnalysisRun, ...]:
        return tuple(run for run in (self._background, self._run) if run is not None and not run.ended)

    def _end_runs(self) -> None:
        for run in self._runs():
            run.terminate()

    def _analyse(self, at: float) -> bool:
        """Start and assess runs; True when a run stopped the rollout in this pass."""
        if self._aborted is not None or self._full or not self._updating:
            self._end_runs()
            return False
        waiting = self._paused_at is not None or self._inconclusive_since is not None
        if self._policy.background is not None and self._index >= self._policy.starting_step:
            if self._background is None or (self._background.phase == "Inconclusive" and not waiting):
                self._background = self._begin(at, self._policy.background, "background")
        step = self._step
        analysis = step.analysis if isinstance(step, Analyse | Experiment) else None
        if analysis is not None and not waiting and (self._run is None or self._run.phase == "Inconclusive"):
            self._run = self._begin(at, analysis, "step")
        return any(self._judge(at, run) for run in (self._background, self._run if not waiting else None) if run)

    def _begin(self, at: float, analysis: Analysis, kind: str) -> AnalysisRun:
        run = AnalysisRun(analysis, kind, self._index, self._seed, self._truth, self._emit, lambda: next(self._ids))
        run.start(at)
        return run

    def _judge(self, at: float, run: AnalysisRun) -> bool:
        if run.phase in ("Failed", "Error"):
            self._abort(at, run.message)
            return True
        if run.phase == "Inconclusive" and self._inconclusive_since is None:
            if self._policy.on_inconclusive == "abort":
                self._abort(at, run.message)
            else:
                self._inconclusive_since, self._controller_pause = at, True
                self._changes += 1
            return True
        return False

    # ---- sizes (sections 2.9, 2.10) ----

    def _target(self) -> tuple[int, int]:
        """Wanted (canary, stable) pods for the current step."""
        policy, replicas, maximum = self._policy, self._replicas, self._policy.max_weight
        if not policy.pods or not self._updating:
            return 0, replicas
        weight = self._set_weight(self._index)
        if not policy.router:
            return shared(replicas, weight, bounds(replicas, policy.max_surge, policy.max_unavailable).surge, maximum)
        scale = self._scale_step()
        if scale is not None and scale.replicas is not None:
            canary = max(scale.replicas, min(policy.min_pods, replicas)) if scale.replicas else 0
        else:
            canary = routed(replicas, weight if scale is None or scale.weight is None else scale.weight, maximum, policy.min_pods)
        stable = replicas
        if policy.dynamic_stable_scale:
            if self._aborted is not None:
                canary = max(canary, routed(replicas, self._weight, maximum))
            else:
                stable = max(
                    routed(replicas, maximum - weight, maximum, policy.min_pods),
                    routed(replicas, maximum - self._weight, maximum, policy.min_pods),
                )
        return canary, stable

    def _scale_step(self) -> ScaleCanary | None:
        """The `ScaleCanary` in force: the last one at or before the step, unless cancelled, aborted or past the end."""
        if self._aborted is not None or self._full or self._index >= self._last:
            return None
        found = [step for step in self._policy.steps[: self._index + 1] if isinstance(step, ScaleCanary)]
        return found[-1] if found and not found[-1].match_weight else None

    def _scale(self, at: float) -> bool:
        """Change the size of at most one revision; True when one changed."""
        if self._inconclusive_since is not None:
            return False
        canary, stable = self._next_sizes(at)
        if stable != self._stable.wanted:
            self._stable = replace(self._stable, wanted=stable)
        elif canary != self._canary.wanted:
            self._canary = replace(self._canary, wanted=canary)
        else:
            older = self._next_older(at)
            if older == tuple(pods.wanted for _, pods in self._older):
                return False
            self._older = tuple((r, replace(p, wanted=n)) for (r, p), n in zip(self._older, older, strict=True))
        self._progress(at)
        self._emit(SetScale(self._stable.wanted, self._canary.wanted, sum(pods.wanted for _, pods in self._older)))
        return True

    def _next_sizes(self, at: float) -> tuple[int, int]:
        target = self._target()
        if self._policy.router:
            return self._kept_canary(at, target[0]), target[1]
        older = Pods(sum(p.wanted for _, p in self._older), sum(p.available for _, p in self._older))
        allowed = bounds(self._replicas, self._policy.max_surge, self._policy.max_unavailable)
        if not self._updating:
            room = self._replicas + allowed.surge - (self._stable.wanted + older.wanted)
            return 0, self._stable.wanted + max(0, min(room, self._replicas - self._stable.wanted))
        return move(self._stable, self._canary, older, target, self._replicas, allowed)

    def _kept_canary(self, at: float, wanted: int) -> int:
        """After an abort behind a router the canary's pods stay until a deadline that starts once stable is complete again."""
        delay = self._policy.abort_scale_down_delay
        if self._aborted is None or self._canary.wanted == 0 or (self._policy.dynamic_stable_scale and not delay):
            return wanted
        if delay is None:
            return self._canary.wanted
        if self._canary_deadline is None and self._stable.available >= self._replicas:
            self._canary_deadline = at + delay
        if self._canary_deadline is None or at < self._canary_deadline:
            return self._canary.wanted
        self._canary_deadline = None
        return wanted

    def _next_older(self, at: float) -> tuple[int, ...]:
        wanted = tuple(pods.wanted for _, pods in self._older)
        if not any(wanted):
            self._older_deadline = None
            return wanted
        if self._policy.router:
            if self._older_deadline is None or at < self._older_deadline:
                return wanted
            return tuple(0 for _ in wanted)
        available = self._stable.available + self._canary.available + sum(p.available for _, p in self._older)
        allowed = bounds(self._replicas, self._policy.max_surge, self._policy.max_unavailable)
        return move_older(tuple(p for _, p in self._older), available, self._replicas - allowed.unavailable)

    def _reached(self) -> bool:
        """Whether the sizes of the current step stand (section 2.8, "replica counts reached")."""
        if not self._policy.pods:
            return True
        canary = self._target()[0] if self._policy.router else self._canary.wanted
        if self._policy.router:
            return self._canary.available == canary == self._canary.wanted and (
                self._policy.dynamic_stable_scale or self._stable.wanted == self._target()[1]
            )
        moved = (self._canary.wanted, self._stable.wanted)
        older = any(pods.available for _, pods in self._older)
        return self._next_sizes(0.0) == moved and self._canary.available == canary and not older and self._drained()

    def _drained(self) -> bool:
        """Without a router a weight stands only when stable's surplus pods are gone as well."""
        return self._stable.available <= self._stable.wanted

    # ---- pause and status (sections 2.8, 2.12, 2.13) ----

    def _hold(self, at: float) -> None:
        if isinstance(self._step, Pause) and self._paused_at is None and not self._controller_pause and self._updating:
            self._paused_at, self._controller_pause = at, True
            self._changes += 1

    def _status(self, at: float) -> None:
        if not self._updating:
            if self._index != self._last:
                self._go(at, self._last)
            if not self._finished and self._stable.available >= self._replicas:
                self._finish(Finish("aborted", "back to the stable revision"))
            return
        if self._aborted is None and (self._full or self._index >= self._last) and self._ready():
            self._promote(at)
        elif self._aborted is None and self._index < self._last and self._complete(at):
            self._go(at, self._index + 1)
        elif self._timed() and at >= self._progressed + self._policy.progress_deadline:
            self._timed_out = True
            if self._policy.progress_deadline_abort:
                self._abort(at, "")

    def _ready(self) -> bool:
        if not self._policy.pods:
            return self._weight == self._policy.max_weight
        routed_fully = not self._policy.router or self._weight == self._policy.max_weight
        return self._canary.available >= self._replicas and routed_fully

    def _complete(self, at: float) -> bool:
        match self._step:
            case Pause(duration):
                if self._controller_pause and self._paused_at is None:
                    return True
                return duration is not None and self._paused_at is not None and at >= self._paused_at + duration
            case SetWeight(weight):
                return self._reached() and (not self._policy.router or self._weight == weight)
            case ScaleCanary():
                return self._reached()
            case Analyse():
                return self._run is not None and self._run.phase == "Successful"
            case Gate(name):
                if self._gate_open is None:
                    self._gate_open = False
                    self._emit(AskGate(name))
                return self._gate_open
            case Match() | Mirror() as step:
                self._emit(step)
                return True
            case Experiment() as step:
                return self._experiment_done(at, step)
        return False

    def _experiment_done(self, at: float, step: Experiment) -> bool:
        if self._step_started is None:
            self._step_started = at
        if step.duration is not None and at >= self._step_started + step.duration:
            if self._run is not None:
                self._run.terminate()
            return True
        return step.analysis is not None and step.analysis.finite and self._run is not None and self._run.phase == "Successful"

    def _go(self, at: float, index: int) -> None:
        """Move to another step."""
        if self._run is not None:
            self._run.terminate()
        self._run, self._step_started, self._gate_open = None, None, None
        self._paused_at = None
        self._controller_pause = self._inconclusive_since is not None
        if index != self._index:
            self._index = index
            self._progress(at)
            self._emit(StepIs(index))

    def _abort(self, at: float, cause: str) -> None:
        if self._aborted is not None or not self._updating or self._finished:
            return
        message = f"RolloutAborted: Rollout aborted update to revision {self._revision}"
        self._aborted = f"{message}: {cause}" if cause else message
        self._paused_at = self._inconclusive_since = None
        self._controller_pause = False
        self._end_runs()
        self._go(at, 0)
        self._finish(Finish("aborted", cause or message))

    def _promote(self, at: float) -> None:
        """The new revision becomes stable; the old one drains, behind a router after its delay."""
        self._end_runs()
        self._go(at, self._last)
        self._paused_at = self._inconclusive_since = None
        if self._policy.pods:
            self._older = ((self._stable_revision, self._stable), *self._older)
            self._stable, self._canary = self._canary, _NONE
        self._stable_revision, self._full, self._timed_out = self._revision, False, False
        delayed = self._policy.router and not self._policy.dynamic_stable_scale
        self._older_deadline = at + (self._policy.scale_down_delay if delayed else 0.0)
        self._progress(at)
        self._emit(Promote(self._revision))
        self._finish(Finish("promoted", "all steps done" if self._last else "updated"))

    def _finish(self, finish: Finish) -> None:
        self._finished = True
        self._emit(finish)

    # ---- progress and phase (section 2.17) ----

    def _progress(self, at: float) -> None:
        self._progressed, self._timed_out = at, False

    def _timed(self) -> bool:
        """Whether the progress deadline is running."""
        held = self._paused_at is not None or self._inconclusive_since is not None or self._suspended
        waiting = isinstance(self._step, Pause | Analyse | Experiment | Gate)
        return self._updating and self._aborted is None and not (held or waiting or self._timed_out or self._finished)

    def _report(self) -> None:
        phase = self._phase_now()
        if phase != self._phase:
            self._phase = phase
            step = self._step
            timed = isinstance(step, Pause) and step.duration is not None and self._inconclusive_since is None
            self._emit(PhaseIs(*phase, waits=phase[0] == "Paused" and not timed))

    def _phase_now(self) -> tuple[str, str]:
        if self._aborted is not None:
            return "Degraded", self._aborted
        if self._timed_out:
            return "Degraded", f"ProgressDeadlineExceeded: revision {self._revision} has timed out progressing"
        if self._suspended:
            return "Paused", "manually paused"
        if self._paused_at is not None:
            return "Paused", "CanaryPauseStep"
        if self._inconclusive_since is not None:
            return "Paused", "InconclusiveAnalysisRun"
        if not self._updating:
            return self._phase_stable()
        if self._policy.pods and self._canary.wanted < self._replicas:
            return "Progressing", "more replicas need to be updated"
        if self._policy.pods and self._canary.available < self._canary.wanted:
            return "Progressing", "updated replicas are still becoming available"
        if not self._policy.router and any(pods.wanted for _, pods in self._older):
            return "Progressing", "old replicas are pending termination"
        return "Progressing", "waiting for all steps to complete"

    def _phase_stable(self) -> tuple[str, str]:
        if self._policy.pods and self._stable.available < self._replicas:
            return "Progressing", "updated replicas are still becoming available"
        if not self._policy.router and any(pods.wanted for _, pods in self._older):
            return "Progressing", "old replicas are pending termination"
        return "Healthy", ""

    def _emit(self, item: Command | Note) -> None:
        self._changes += 1
        self._out(item)


def _weights(steps: tuple[Step, ...]) -> list[float]:
    """For each step the last weight set at or before it; 0 if there is none."""
    weights, weight = [], 0.0
    for step in steps:
        weight = step.weight if isinstance(step, SetWeight) else weight
        weights.append(weight)
    return weights
