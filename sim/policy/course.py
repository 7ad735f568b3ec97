"""The course of a canary: one pass of the loop, and the turns it takes: to another step, abort, restart, promotion.

The rules are those at the top of `program.py`.
"""

from __future__ import annotations

from math import inf

from sim.policy.commands import Finish, Match, Mirror, Promote, SetScale, SetWeight
from sim.policy.deadline import Deadline
from sim.policy.desk import Desk
from sim.policy.notes import StepIs
from sim.policy.phases import canary_phase, waits
from sim.policy.scale import Pods
from sim.policy.sizes import drained, enough, following
from sim.policy.standing import NONE, Older, Standing
from sim.policy.stepping import Stepping
from sim.policy.steps import Analyse, Experiment, Gate, Pause
from sim.policy.voice import Voice, aborted_update, failed_run, late, timed_out, undone
from sim.policy.weights import allowed, managed, wanted

__all__ = ["Course"]


class Course:
    """Moves a `Standing` on, and says what that takes."""

    __slots__ = ("_deadline", "_desk", "_policy", "_standing", "_stepping", "_voice", "_weighs")

    def __init__(self, standing: Standing, desk: Desk, voice: Voice, deadline: Deadline, stepping: Stepping) -> None:
        self._policy = standing.policy
        self._standing, self._desk, self._voice = standing, desk, voice
        self._deadline, self._stepping = deadline, stepping
        self._weighs = standing.policy.router or not standing.policy.pods

    def run(self, at: float) -> None:
        s = self._standing
        s.leaving = s.coming = 0
        self._stepping.trial.tidy(at)
        if self._weighs:
            self._route()
        if self._analyse(at):
            self.report()
            return
        if s.suspended:  # neither sizes, nor pauses, nor steps
            self.report()
            return
        if s.inconclusive or not self._scale(at):
            self._hold(at)
        self._status(at)
        s.recorded = s.weight
        if not s.conditions:
            s.controller_pause = False
        self.report()

    def _route(self) -> None:
        s = self._standing
        if s.routes and not managed(s):
            s.routes = False
            self._voice.say(Match(()))
            self._voice.say(Mirror(0.0))
        weight = wanted(s)
        if not allowed(s, weight):
            return
        if weight != s.weight:
            s.weight = weight
            self._voice.say(SetWeight(weight))
        served = s.canary.available > 0 or not s.updating  # a service is switched once a pod is there
        if s.behind and served and not (s.returning and weight > 0):
            s.behind = s.returning = False
            self._voice.mark()

    def _analyse(self, at: float) -> bool:
        """Start and judge runs; True when one stopped the rollout in this pass."""
        s, desk = self._standing, self._desk
        if s.aborted is not None or s.full or s.fast or not s.updating:
            desk.clear()
            return False
        again = s.controller_pause and not s.conditions  # a person cleared the pause
        background = self._policy.background
        if background is not None and not s.inconclusive and s.index >= self._policy.starting_step:
            phase = desk.phase("background")
            if not phase or (again and phase == "Inconclusive"):
                desk.begin(at, background, "background", s.index)
        step = s.step
        if isinstance(step, Experiment) and not s.inconclusive and self._try(at, step):
            return True
        if isinstance(step, Analyse | Experiment) and step.analysis is not None and self._may_run(step):
            phase = desk.phase("step")
            if not phase or (again and phase == "Inconclusive"):
                desk.begin(at, step.analysis, "step", s.index)
        if s.inconclusive:
            return False
        return self._judge(at, "background") or (s.paused_at is None and self._judge(at, "step"))

    def _try(self, at: float, step: Experiment) -> bool:
        """Begin the experiment of the step, or see what became of its pods; True when that stopped the rollout."""
        trial = self._stepping.trial
        trial.begin(at, step)
        failed = trial.failed(at)
        if failed:
            self.abort(at, failed_run("experiment", failed))
        return bool(failed)

    def _may_run(self, step: Analyse | Experiment) -> bool:
        """Whether the analysis of a step may begin: no pause condition stands, or the pods of its experiment are there."""
        return not self._standing.conditions if isinstance(step, Analyse) else self._stepping.trial.since is not None

    def _judge(self, at: float, kind: str) -> bool:
        effect = self._desk.effect(kind, self._policy.on_inconclusive)
        tried = kind == "step" and isinstance(self._standing.step, Experiment)
        if effect == "abort":
            self.abort(at, failed_run("experiment" if tried else kind, self._desk.message(kind)))
        elif effect == "pause" and tried:  # it is forgotten, and another one is made (seen: experiment-inconclusive)
            self._standing.unsure = self._standing.controller_pause = True
            self._stepping.leave(at)
            self._voice.mark()
        elif effect == "pause":
            self._standing.inconclusive = self._standing.controller_pause = True
            self._voice.mark()
        return effect != ""

    def _scale(self, at: float) -> bool:
        """Change the size of at most one revision; True when one changed."""
        s = self._standing
        canary, stable = following(s, at)
        staying, size = _staying(s), _new_size(s)
        if stable != s.stable.wanted:
            s.stable = Pods(stable, s.stable.available)
        elif canary != s.canary.wanted:
            s.canary, s.canary_deadline = Pods(canary, s.canary.available), None
        else:
            older = drained(s, at) if s.older else ()
            if all(entry.pods.wanted == size for entry, size in zip(s.older, older, strict=True)):
                return False
            changed = zip(s.older, older, strict=True)
            s.older = tuple(entry._replace(pods=Pods(size, entry.pods.available)) for entry, size in changed)
        s.leaving, s.coming = max(0, staying - _staying(s)), max(0, _new_size(s) - size)
        self._deadline.progress(at)
        self._voice.say(self._sizes())
        return True

    def _sizes(self) -> SetScale:
        s = self._standing
        older = sum(entry.pods.wanted for entry in s.older)
        return SetScale(s.stable.wanted, s.canary.wanted, older, self._policy.min_ready)

    def _hold(self, at: float) -> None:
        s = self._standing
        if s.paused_at is None and not s.controller_pause and not s.fast and isinstance(s.step, Pause) and s.updating:
            s.paused_at, s.controller_pause = at, True
            self._voice.mark()

    # ---- status (sections 2.8, 2.12, 2.13) ----

    def _status(self, at: float) -> None:
        s = self._standing
        if not s.updating:
            self._stand(at)
        elif s.aborted is not None:
            return
        elif (s.full or s.index >= s.plan.last) and self._ready():
            self._promote(at)
            return
        elif s.fast and s.index < s.plan.last:  # in the pass after the one that began (seen: router-rollback-window)
            self.go(at, s.plan.last)
            return
        elif s.index < s.plan.last and self._stepping.complete(at):
            self.go(at, s.index + 1)
            return
        if self.timed(at) and at >= self._deadline.due:
            self._deadline.passed = True
            if self._policy.progress_deadline_abort and s.updating:
                if not s.modern:  # 1.8 writes the deadline first, the abort a pass later, without a reason
                    self.report()
                self.abort(at, late(s.revision) if s.modern else "")

    def _stand(self, at: float) -> None:
        """The new revision is the stable one: past all steps, and back once its pods and its traffic are."""
        s = self._standing
        if s.index != s.plan.last:
            self.go(at, s.plan.last)
        if not self._voice.finished and not s.weight and canary_phase(s, "")[0] == "Healthy":
            self._voice.end(undone(s.revision))

    def _ready(self) -> bool:
        s = self._standing
        if not self._policy.pods:
            return s.weight == self._policy.max_weight
        if not s.modern:
            return s.canary.available == s.replicas
        return s.canary.available >= s.replicas or enough(s, s.canary, s.replicas)

    def go(self, at: float, index: int) -> None:
        """Move to another step."""
        s = self._standing
        s.paused_at = None
        s.controller_pause = s.inconclusive or s.unsure
        if index != s.index:
            s.index = index
            self._deadline.progress(at)
            self._voice.say(StepIs(index))
        self._stepping.leave(at)

    def abort(self, at: float, cause: str) -> None:
        s = self._standing
        if s.aborted is not None or not s.updating:
            return
        s.aborted, s.full, s.inconclusive, s.unsure = aborted_update(s.revision, cause), False, False, False
        self._desk.clear()
        self.go(at, 0)
        self._voice.end(Finish("aborted", cause or s.aborted))

    def restart(self, at: float) -> None:
        """Begin at the first step again, or, back at the stable revision, past the last one."""
        s = self._standing
        self._desk.forget("background")
        s.aborted, s.full, s.inconclusive, s.unsure, s.canary_deadline = None, False, False, False, None
        self._voice.reopen()
        self.go(at, 0 if s.updating else s.plan.last)
        self._deadline.progress(at)

    def _promote(self, at: float) -> None:
        """The new revision becomes stable; the old one drains, behind a router after its delay."""
        s, policy = self._standing, self._policy
        reason = "promoted in full" if s.full else "all steps done" if s.plan.last else "updated"
        self._desk.clear()
        s.inconclusive = s.unsure = False
        self.go(at, s.plan.last)
        if policy.pods:
            delay = -inf if policy.dynamic_stable_scale else policy.scale_down_delay
            drop_at = at + delay if policy.router else inf
            s.older = (Older(s.stable_revision, s.stable, drop_at, s.stable_turn), *s.older)
            s.stable, s.canary = s.canary, NONE
        s.stable_turn = s.turn
        s.stable_revision, s.full = s.revision, False
        self._deadline.progress(at)
        self._voice.say(Promote(s.revision))
        self._voice.end(Finish("promoted", reason))

    # ---- progress and phase (section 2.17) ----

    def timed(self, at: float) -> bool:
        """Whether the progress deadline is running."""
        s = self._standing
        if self._deadline.passed or self._voice.finished or s.suspended or s.conditions:
            return False
        return not isinstance(s.step, Pause | Analyse | Experiment | Gate) and not s.waiting_to_drop(at)

    def report(self) -> None:
        s, step = self._standing, self._standing.step
        degraded = timed_out(s.revision) if self._deadline.passed else ""
        timed = isinstance(step, Pause) and step.duration is not None
        self._voice.enter(canary_phase(s, degraded), waits(s, timed))


def _new_size(s: Standing) -> int:
    return s.canary.wanted if s.updating else s.stable.wanted


def _staying(s: Standing) -> int:
    return s.stable.staying + s.canary.staying + sum(entry.pods.staying for entry in s.older)
