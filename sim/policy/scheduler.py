"""Flagger's loop under way (delivery-systems.md sections 4.2 to 4.7; Flagger: pkg/controller/scheduler.go).

Rules.
1. Nothing is decided between ticks (`sim.policy.ticks`); a change is taken up at the next one. A tick is a walk through
   the numbered list of section 4.2, and most of its stations end it.
2. `failedChecks` counts the ticks that failed since the canary started. A success never lowers it; the tick after the
   one that reaches the threshold rolls back.
3. The weight is not clamped to maxWeight: the analysis of the first weight at or above it promotes.
4. Promotion copies the spec: the world rolls the primary (`Apply`, the canary's pods beside it). Once the old
   revision's pods are gone the new one is stable (`Promote`); traffic returns at a tick, and at the next the canary
   goes (`SetScale`: the sizes are the policy's again).
5. A person's abort and an interruption work as Flagger's own rollback hook: at the next tick. Pause is `suspend`.
   Flagger knows no promote and no retry; a new revision, other than the promoted one, is taken up at a tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from sim.policy.commands import Apply, AskGate, Command, Finish, Match, Measure, Mirror, Promote, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import BatchesDone, Event, Failed, Human, Interrupted, NewRevision, PodsReady, Resized, Started
from sim.policy.notes import Measurement, Note, PhaseIs, TickIs
from sim.policy.scale import bounds
from sim.policy.ticks import Question, Reply, Ticks, Walk
from sim.policy.workloads import Workloads

if TYPE_CHECKING:
    from sim.policy.flagger import Check, Flagger

__all__ = ["Scheduler"]

_ACTIVE = ("Progressing", "Waiting", "WaitingPromotion", "Promoting", "Finalising")
_ANALYSING = ("Progressing", "WaitingPromotion")
_PROMOTING = ("Promoting", "Finalising")
_KEEPING = ("Progressing", "Waiting")  # phases that leave `iterations` as they are


class Scheduler:
    """The machine of a `Flagger` policy."""

    def __init__(self, policy: Flagger, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._emit = policy, emit
        self._ids = count(1)
        first = policy.interval if policy.first_tick is None else policy.first_tick
        self._ticks = Ticks(first, policy.interval, self._tick, self._wanted, emit)
        self._now = 0.0
        self._pods = Workloads(policy.primary_ready, policy.canary_ready, policy.progress_deadline)
        self._revision = self._applied = self._promoted = 1  # specs: the target's, and Flagger's two marks
        self._primary = self._copied = 1  # what the primary runs, and is to run
        self._phase = ("", "")
        self._weight, self._mirrored = 0, False  # what the router has
        self._failed = self._iterations = 0
        self._suspended, self._stop = policy.suspend, ""

    def handle(self, at: float, event: Event) -> None:
        self._now = at
        idle = self.wakes_at is None
        match event:
            case Started():
                self._start(event)
                return
            case PodsReady():
                self._pods.see(event)
            case BatchesDone():
                self._pods.renewing = False
            case NewRevision() | Human() | Interrupted() | Resized():
                self._disturb(event)
        if idle:
            self._ticks.skip(at)
        self._ticks.hear(at, event)
        if self._pods.taken_over():
            self._emit(Promote(self._copied))
        self._pods.watch(at)
        self._ticks.move(at, event)

    @property
    def wakes_at(self) -> float | None:
        return self._ticks.wakes_at

    def _start(self, event: Started) -> None:
        self._pods.begin(event.replicas)
        self._revision = event.revision
        self._applied = self._promoted = self._primary = event.stable
        if self._policy.router:
            self._emit(SetWeight(0))  # until its first step nothing goes to the canary, whatever pods there are
        self._enter("Initialized")

    def _disturb(self, event: NewRevision | Human | Interrupted | Resized) -> None:
        match event:
            case NewRevision(revision):
                self._revision = revision
                if self._phase[0] in _ANALYSING and self._pods.canary:
                    self._roll_target()
            case Interrupted(cause):
                self._stop = cause if self._changed() else ""
            case Human("abort"):
                self._stop = "aborted by a person" if self._changed() else ""
            case Human("pause" | "resume" as action):
                self._suspended = action == "pause"
            case Resized(replicas):
                self._pods.replicas = replicas
                if self._pods.rolling or self._pods.renewing:
                    self._apply(self._pods.renewing)
                else:
                    self._size()

    # ---- one tick (the numbers are those of section 4.2; 1 and 3 are `_wanted`, 2 and 5 are the world's) ----

    def _wanted(self) -> bool:
        """Whether a tick would do anything."""
        return self._changed() and not self._suspended

    def _tick(self) -> Walk:
        before = (self._failed, self._iterations)
        yield from self._stations()
        if (self._failed, self._iterations) != before:
            self._emit(TickIs(self._failed, self._iterations))

    def _stations(self) -> Walk:
        if self._stop and self._phase[0] not in _PROMOTING:
            self._roll_back(self._stop)
            return
        if not self._policy.skip_analysis and not self._pods.primary_ready:  # 4
            if self._pods.primary_lost(self._now):
                self._lose_primary()
            return
        if self._phase[0] not in (*_ANALYSING, *_PROMOTING):  # 6
            yield from self._begin()
            return
        if self._phase[0] in _ANALYSING and self._newer():  # 7
            self._restart(self._pods.canary)
            return
        if not self._pods.canary_ready:  # 8
            if self._pods.canary_lost(self._now):
                self._roll_back("the canary was not ready within the progress deadline")
            return
        if self._policy.skip_analysis:  # 9
            self._skip()
            return
        if self._phase[0] in _PROMOTING:  # 11, 12
            self._return_traffic() if self._phase[0] == "Promoting" else self._finalise()
            return
        yield from self._analyse()

    def _analyse(self) -> Walk:
        if (yield from self._any("rollback")):  # 10
            self._roll_back("a rollback webhook said so")
        elif self._failed >= self._policy.threshold:  # 13
            self._roll_back(f"failed checks {self._failed} >= threshold {self._policy.threshold}")
        elif (yield from self._healthy()):  # 14
            yield from self._advance()  # 15
        else:
            self._failed += 1

    def _changed(self) -> bool:
        return self._phase[0] in _ACTIVE or self._newer()

    def _newer(self) -> bool:
        """Flagger compares with the last applied and the last promoted spec: a revert in mid-run is not seen.

        What it marks as promoted at a success is what it last applied, even where the target had been taken back by then.
        """
        return self._revision not in (self._applied, self._promoted)

    def _begin(self) -> Walk:
        if not (yield from self._all("confirm-rollout")):
            self._enter("Waiting", "a confirm-rollout webhook said no")
            return
        self._restart(self._policy.canary_replicas or self._pods.replicas)

    def _restart(self, canary: int) -> None:
        self._route(0)
        self._applied = self._revision
        self._failed = self._iterations = 0
        if self._phase[0] not in _ANALYSING:
            self._scale(canary)
        self._enter("Progressing")

    def _roll_target(self) -> None:
        """The canary is a Deployment of its own: it takes a newer spec over at once, whatever the analysis is at."""
        canary, policy, same = self._pods.canary, self._policy, self._revision == self._primary
        allowed = bounds(canary, policy.max_surge, policy.max_unavailable)
        self._pods.turn(same)
        spec = Apply(self._revision, allowed.surge, allowed.unavailable, policy.min_ready, count=canary)
        self._emit(
            replace(spec, beside=self._pods.replicas)
            if same
            else replace(spec, apart=(self._primary, self._pods.replicas))
        )

    def _scale(self, canary: int) -> None:
        self._pods.scale(self._now, canary, self._revision == self._primary)
        self._size()

    def _size(self) -> None:
        """Pods count by revision: a canary of the primary's own revision with the primary's."""
        primary, canary = self._pods.replicas, self._pods.canary
        sizes = (primary + canary, 0) if self._pods.same else (primary, canary)
        self._emit(SetScale(*sizes, min_ready=self._policy.min_ready))

    # ---- strategies (section 4.3) ----

    def _advance(self) -> Walk:
        if self._policy.kind == "canary":
            yield from self._raise_weight()
        elif self._iterations < self._policy.iterations:
            if self._policy.kind == "a/b":
                self._route(100)
            elif self._policy.mirror:
                self._route(0, mirrored=True)
            self._iterations += 1
        elif (yield from self._confirmed()):
            if self._policy.kind == "blue/green" and self._iterations == self._policy.iterations:
                self._route(100)
                self._iterations += 1
            else:
                self._copy()

    def _raise_weight(self) -> Walk:
        policy, weight = self._policy, self._weight
        increment = policy.increment(weight)
        if increment <= 0:
            return
        asks = not self._mirrored and self._phase[0] != "WaitingPromotion"
        if asks and not (yield from self._all("confirm-traffic-increase")):
            return
        if weight >= policy.promotes_at:
            if (yield from self._confirmed()):
                self._copy()
        elif policy.mirror and weight == 0 and not self._mirrored:
            self._route(0, mirrored=True)
        else:
            self._route(min(100, weight + increment))

    def _confirmed(self) -> Question:
        if (yield from self._all("confirm-promotion")):
            return True
        self._enter("WaitingPromotion", "a confirm-promotion webhook said no")
        return False

    # ---- analysis (section 4.4) ----

    def _healthy(self) -> Question:
        if self._weight == 0 and self._iterations == 0 and not self._mirrored:
            return (yield from self._all("pre-rollout"))
        if not (yield from self._all("rollout")):
            return False
        for check in self._policy.checks:
            if not (yield from self._measure(check)):
                return False
        return True

    def _measure(self, check: Check) -> Question:
        answer: Reply = Failed("neither a metric of Flagger's own, nor a query, nor a template")
        if check.query is not None:
            answer = yield Measure(next(self._ids), "tick", check.name, check.query, check.template)
        if isinstance(answer, bool):
            raise PolicyError(f"metric {check.name} was answered by a gate")
        value, passed, why = check.assess(answer)
        self._emit(Measurement("tick", check.name, value, "Successful" if passed else "Failed", why))
        return passed

    def _all(self, kind: str) -> Question:
        """Whether every webhook of this type says yes; asks no further after a no."""
        for hook in self._policy.hooks:
            if hook.type == kind and not (yield from self._ticks.gate(kind, hook.name)):
                return False
        return True

    def _any(self, kind: str) -> Question:
        for hook in self._policy.hooks:
            if hook.type == kind and (yield from self._ticks.gate(kind, hook.name)):
                return True
        return False

    # ---- promotion and rollback (sections 4.2 and 4.6) ----

    def _copy(self) -> None:
        self._copied = self._revision
        if self._copied != self._primary:
            self._pods.copy(self._now)
            self._apply()
        else:  # a copy carries an id of its own: equal specs roll too (seen: flagger-back)
            self._pods.renew(self._now)
            self._apply(renew=True)
        self._enter("Promoting")

    def _return_traffic(self) -> None:
        step = self._policy.step_weight_promotion
        if not self._policy.router:
            self._enter("Finalising")
            return
        self._route(max(0, self._weight - step) if step else 0)
        if self._weight == 0:
            self._enter("Finalising")

    def _finalise(self) -> None:
        self._scale(0)
        self._succeed("promoted")

    def _skip(self) -> None:
        """No analysis: copy at once, drop the canary, and do not wait for the primary."""
        self._route(0)
        self._copied = self._revision
        self._pods.copy(self._now)
        self._apply()
        self._pods.scale(self._now, 0, False)
        self._apply()
        self._succeed("promoted without analysis")

    def _succeed(self, reason: str) -> None:
        self._primary, self._promoted, self._stop = self._copied, self._applied, ""
        self._enter("Succeeded", reason)
        self._afterwards()
        self._emit(Finish("promoted", reason))

    def _roll_back(self, reason: str) -> None:
        self._route(0)
        self._failed, self._applied, self._stop = 0, self._revision, ""
        self._scale(0)
        self._enter("Failed", reason)
        self._afterwards()
        self._emit(Finish("aborted", reason))

    def _lose_primary(self) -> None:
        """The primary did not become ready: roll back; once it has the new spec, leave all traffic with the canary."""
        reason = "the primary was not ready within the progress deadline"
        if self._phase[0] not in _PROMOTING:
            self._roll_back(reason)
            return
        self._route(100)
        self._applied, self._failed = self._revision, 0
        self._enter("Failed", reason)
        self._emit(Finish("inconclusive", f"{reason}: the canary keeps all traffic"))

    def _afterwards(self) -> None:
        for hook in self._policy.hooks:
            if hook.type == "post-rollout":
                self._emit(AskGate(hook.type, hook.name))  # nobody waits for the answer

    def _apply(self, renew: bool = False) -> None:
        allowed = bounds(self._pods.replicas, self._policy.max_surge, self._policy.max_unavailable)
        least = self._policy.min_ready
        self._emit(
            Apply(self._copied, allowed.surge, allowed.unavailable, least, beside=self._pods.canary, renew=renew)
        )

    # ---- traffic and phase ----

    def _route(self, weight: int, mirrored: bool = False) -> None:
        """Weight of the canary, in percent; in an A/B test of the matching requests, without a router of nothing."""
        policy = self._policy
        if policy.router and weight != self._weight:
            if policy.kind != "a/b":
                self._emit(SetWeight(weight))
            elif weight == 0 or self._weight == 0:
                self._emit(Match(policy.match if weight else ()))
        mirrored = mirrored and policy.router
        if mirrored != self._mirrored:
            self._emit(Mirror(policy.mirror_weight if mirrored else 0.0))
        self._weight, self._mirrored = weight, mirrored

    def _enter(self, phase: str, reason: str = "") -> None:
        if phase not in _KEEPING:
            self._iterations = self._policy.iterations - 1 if phase == "WaitingPromotion" else 0
        if (phase, reason) != self._phase:
            self._phase = (phase, reason)
            self._emit(PhaseIs(phase, reason, waits=phase in ("Waiting", "WaitingPromotion")))
