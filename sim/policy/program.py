"""A canary program under way: Argo Rollouts' reconcile loop, pass by pass (delivery-systems.md sections 2.7 to 2.19).

Everything that decides about a canary starts here; nothing here knows who carries the commands out. Rules:

1. Every event updates what is known, then passes run until one changes nothing. A pass does, in order: traffic (`weights`), analyses,
   one change of size (`sizes`), pause, status (`phases`).
2. A pass changes the size of at most one revision: stable, then new, then older (Argo: rollout/canary.go).
3. The status of a pass ends at most one step. Promotion is judged there, before steps; it needs all pods, not the whole weight.
4. A pause condition (of a step, or of an inconclusive run) stops step analyses; an inconclusive one, as a person's own pause, stops all
   sizes as well, but neither the weight nor a timed pause that is under way.
5. A promote skips an inconclusive step analysis, and without a condition the current step; an inconclusive background run begins anew.
6. An abort sets the weight to 0 and the index to 0; the canary's pods follow later (router) or by the movement rule.
7. Whatever is unknown never promotes: an inconclusive run pauses for a person.

`README.md` of this folder has the transitions as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sim.policy.commands import Command, Finish, SetWeight
from sim.policy.course import Course
from sim.policy.deadline import Deadline
from sim.policy.desk import Desk
from sim.policy.events import (
    Answered,
    Event,
    ExperimentReady,
    Human,
    Interrupted,
    Measured,
    NewRevision,
    PodsReady,
    Resized,
    Started,
    Terminated,
    WeightIs,
    Woke,
)
from sim.policy.notes import Note, StepIs
from sim.policy.scale import Pods
from sim.policy.standing import NONE, Older, Plan, Standing, see_older, within
from sim.policy.stepping import Stepping
from sim.policy.voice import Voice

if TYPE_CHECKING:
    from sim.policy.canary import Canary

__all__ = ["Program"]

_QUIET = frozenset({Measured, Woke, WeightIs})  # alone they change nothing but runs and what was due


class Program:
    """The machine of a `Canary` policy."""

    def __init__(self, policy: Canary, emit: Callable[[Command | Note], None]) -> None:
        self._policy = policy
        self._voice = Voice(emit)
        self._desk = Desk(self._voice.say)
        self._deadline = Deadline(policy.progress_deadline)
        self._standing = Standing(policy, Plan(policy.steps))
        self._stepping = Stepping(self._standing, self._desk, self._voice)
        self._course = Course(self._standing, self._desk, self._voice, self._deadline, self._stepping)
        self._due = -inf  # when something of its own, not of a run, is due

    # ---- the way in ----

    def handle(self, at: float, event: Event) -> None:
        kind = type(event)
        take = _TAKES.get(kind)
        if take is not None:
            take(self, at, event)
        self._desk.poll(at)
        if kind in _QUIET and not self._desk.changed and at < self._due:
            return
        self._desk.changed = False
        self._voice.settle(at, self._course.run)
        self._due = min(self._own_due(at), default=inf)

    @property
    def wakes_at(self) -> float | None:
        """The next moment at which something is due, if nothing happens before."""
        measurement = self._desk.wakes_at
        if self._due == inf:
            return measurement
        return self._due if measurement is None else min(self._due, measurement)

    def _own_due(self, at: float) -> Iterator[float]:
        s = self._standing
        if not s.suspended:
            yield from self._stepping.due()
        if not s.halted:
            for entry in s.older:
                if entry.pods.wanted and at < entry.drop_at < inf:
                    yield entry.drop_at
            if s.canary_deadline is not None and at < s.canary_deadline:
                yield s.canary_deadline
        if self._course.timed(at):
            yield self._deadline.due

    # ---- events ----

    def _start(self, at: float, event: Started) -> None:
        s = self._standing
        self._desk.seed, self._desk.truth = event.seed, event.truth
        s.replicas, s.revision, s.stable_revision = event.replicas, event.revision, event.stable
        s.stable, s.ready = Pods(event.replicas, event.replicas), event.replicas
        self._deadline.progress(at)
        self._voice.say(StepIs(0))
        if self._policy.router or not self._policy.pods:
            self._voice.say(SetWeight(0))
        if not s.updating:
            self._voice.end(Finish("promoted", f"revision {event.revision} is stable already"))
        self._course.report()

    def _see_pods(self, at: float, event: PodsReady) -> None:
        s = self._standing
        risen = event.stable > s.stable.available or event.canary > s.canary.available or event.ready > s.ready
        if risen or event.older < sum(entry.pods.available for entry in s.older):
            self._deadline.progress(at)
        s.ready = event.ready
        s.stable = Pods(s.stable.wanted, event.stable)
        s.canary = Pods(s.canary.wanted, event.canary)
        if s.older:
            s.older = see_older(s.older, event.older)

    def _see_experiment(self, at: float, event: ExperimentReady) -> None:
        self._stepping.trial.see(at, event)

    def _measured(self, at: float, event: Measured) -> None:
        self._desk.answer(at, event.id, event.answer)

    def _obey(self, at: float, event: Human) -> None:
        s = self._standing
        match event.action:
            case "promote":
                self._promote(at)
            case "promote-full" if s.updating:
                s.full, s.aborted, s.paused_at, s.inconclusive, s.unsure = True, None, None, False, False
                s.canary_deadline = None
                self._voice.reopen()
                self._course.go(at, s.plan.last)
            case "abort":
                self._course.abort(at, "")
            case "retry" if s.aborted is not None:
                self._course.restart(at)
            case "pause" | "resume":
                if s.suspended != (event.action == "pause"):
                    s.suspended = not s.suspended
                    self._deadline.progress(at)

    def _promote(self, at: float) -> None:
        """As `kubectl argo rollouts promote`: conditions and spec.paused end; without any the current step is skipped.

        An inconclusive step analysis is skipped together with its condition (pkg/kubectl-argo-rollouts/cmd/promote).
        """
        s = self._standing
        skips = not s.conditions or (s.controller_pause and self._desk.phase("step") == "Inconclusive")
        if s.conditions or s.suspended:
            self._deadline.progress(at)  # the clock begins anew after a pause (Argo: checkPausedConditions)
        s.paused_at, s.inconclusive, s.unsure, s.suspended = None, False, False, False
        if skips and s.updating and s.aborted is None:
            self._course.go(at, min(s.index + 1, s.plan.last))
        self._course.report()  # before anything else comes of it (Argo: checkPausedConditions writes at once)

    def _interrupt(self, at: float, event: Interrupted) -> None:
        self._course.abort(at, event.cause)

    def _hear_gate(self, at: float, event: Answered) -> None:
        if self._stepping.hear(event) is False:
            self._course.abort(at, f"gate {event.gate} said no")

    def _supersede(self, at: float, event: NewRevision) -> None:
        """A newer revision starts over; the one in the middle becomes an older one (a return to stable skips the steps)."""
        s = self._standing
        if event.revision == s.revision:
            return
        back = event.revision == s.stable_revision
        if s.updating and s.canary != NONE:
            s.older = (Older(s.revision, s.canary, self._drop_at(at, back), s.turn), *s.older)
            pointed = s.canary.available > 0 and (s.aborted is None or s.weight > 0)
            s.behind = s.behind or (self._policy.router and pointed)
        kept = next((entry.pods for entry in s.older if entry.revision == event.revision), NONE)
        s.older = tuple(entry for entry in s.older if entry.revision != event.revision)
        s.revision, s.canary, s.turn = event.revision, kept, s.turn + 1
        if back:
            s.stable_turn = s.turn
        s.fast = within(self._policy.rollback_window, event.revision, s.stable_revision)
        s.returning = back and s.weight > 0 and self._policy.dynamic_stable_scale
        self._course.restart(at)

    def _drop_at(self, at: float, back: bool) -> float:
        """A router drops the revision in the middle at once, an aborted one at its deadline; on the way back to stable it has the delay
        of a former stable one."""
        if not self._policy.router:
            return inf
        if self._standing.canary_deadline is not None:
            return self._standing.canary_deadline
        return at + self._policy.scale_down_delay if back and not self._policy.dynamic_stable_scale else -inf

    def _resize(self, at: float, event: Resized) -> None:
        self._standing.replicas = event.replicas

    def _terminate(self, at: float, event: Terminated) -> None:
        self._desk.end(event.run)


# What each event does. Events that are not here only give a reason to look again.
_TAKES: Mapping[type[Event], Callable[[Program, float, Any], None]] = MappingProxyType(
    {
        Started: Program._start,
        PodsReady: Program._see_pods,
        ExperimentReady: Program._see_experiment,
        Measured: Program._measured,
        Human: Program._obey,
        Interrupted: Program._interrupt,
        Answered: Program._hear_gate,
        NewRevision: Program._supersede,
        Resized: Program._resize,
        Terminated: Program._terminate,
    }
)
