"""OpenKruise Rollouts: steps of pods, then traffic, then a pause; nothing is measured and nothing rolls back by itself.

Rules (delivery-systems.md section 6; openkruise/rollouts: pkg/controller/rollout).
1. Steps count from 1. A step goes through its states in order: StepUpgrade (pods first), StepTrafficRouting (weight or matches, looked at
   again after the grace period), StepMetricsAnalysis (always passes), StepPaused (a time, or a person), StepReady.
2. Pods are there when as many as wanted are made, all but the failure threshold of them are ready, and at least one is.
3. A step without traffic has its routing taken back first: every pod counts alike. So has a step of a partition that updates all pods;
   its traffic state is skipped. The last step's pause is skipped if its replicas are exactly "100%".
4. Styles: partition updates the workload's own pods (the batches are the world's), canary makes pods beside them and updates the workload
   at the end, blueGreen makes a second set that takes the place of the first one.
5. The old revision again (or an abort) cancels: traffic first, then pods. A newer one starts over at step 1; blue-green refuses it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Literal

from sim.policy.commands import Apply, Command, Finish, Match, Promote, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import Event, Human, Interrupted, NewRevision, PodsReady, Resized, Started
from sim.policy.notes import Note, StepIs
from sim.policy.scale import bounds
from sim.policy.voice import Voice

if TYPE_CHECKING:
    from sim.policy.kruise import Kruise, KruiseStep

__all__ = ["Steps", "count"]


def count(replicas: int, value: int | str) -> int:
    """A number of pods, or a percentage of `replicas`, rounded up."""
    if isinstance(value, int):
        number: int | Fraction = value
    elif value.isascii() and value.endswith("%") and value[:-1].isdigit():
        number = Fraction(int(value[:-1]) * replicas, 100)
    else:
        raise PolicyError(f"replicas are a number or a percentage, got {value!r}; write 1 or 20%")
    if number < 0:
        raise PolicyError(f"replicas are 0 or more, got {value!r}")
    return ceil(number)


_State = Literal["Init", "StepUpgrade", "StepTrafficRouting", "StepPaused", "Finalising", "Cancelling", "Completed"]


class Steps:
    def __init__(self, policy: Kruise, emit: Callable[[Command | Note], None]) -> None:
        self._policy, self._voice = policy, Voice(emit)
        self._replicas, self._revision, self._stable = 1, 2, 1
        self._pods = PodsReady(1, 0)
        self._index, self._state = 1, "Init"
        self._wanted = 0  # new pods
        self._weight, self._matches = 0.0, tuple[str, ...]()
        self._alike = True  # no routing: every pod counts alike
        self._due: float | None = None
        self._paused, self._end = policy.paused, Finish("aborted")
        self._taken_over = self._refused = False
        self._tidy = False  # weight, and pods of the former stable revision or of the canary, are to go

    def handle(self, at: float, event: Event) -> None:
        if self._tidy:  # once the world knows who is stable
            self._tidy, self._due = False, None
            self._route(0.0, ())
            if self._policy.style != "partition":
                self._want(0)
        match event:
            case Started():
                self._start(event)
            case PodsReady():
                self._pods = event
            case Human("promote") if self._state == "StepPaused" and not self._paused:
                self._next(at)
            case Human("pause" | "resume" as action):
                self._paused = action == "pause"
            case Human("abort"):
                self._cancel("rolled back by a person")
            case Interrupted(cause):
                self._cancel(cause)
            case NewRevision(revision):
                self._supersede(revision)
            case Resized(replicas):
                self._resize(replicas)
        self._voice.settle(at, self._pass)

    @property
    def wakes_at(self) -> float | None:
        return None if self._paused else self._due

    # ---- events ----

    def _start(self, event: Started) -> None:
        self._replicas, self._revision, self._stable = event.replicas, event.revision, event.stable
        self._pods = PodsReady(event.replicas, 0)
        if event.revision == event.stable:
            self._state = "Completed"
            self._voice.end(Finish("promoted", f"revision {event.revision} is stable already"))
            return
        self._voice.say(StepIs(1))
        if self._policy.routing:
            self._voice.say(SetWeight(0))

    def _supersede(self, revision: int) -> None:
        if revision == self._stable:
            self._cancel("back to the stable revision")
        elif revision != self._revision and self._policy.style == "blueGreen" and self._state != "Completed":
            self._refused = True  # the webhook says: roll back first
        elif revision != self._revision:
            self._pods = PodsReady(self._pods.stable, 0, self._pods.canary + self._pods.older)
            self._revision, self._index, self._state, self._wanted = revision, 1, "Init", 0
            self._due, self._taken_over = None, False
            self._voice.reopen()
            self._voice.say(StepIs(1))
            self._route(0.0, ())

    def _resize(self, replicas: int) -> None:
        self._replicas = replicas
        if self._state in ("StepUpgrade", "StepTrafficRouting", "StepPaused"):
            self._scale(count(replicas, self._step.replicas))
        elif self._state == "Completed":
            self._want(0)

    def _cancel(self, why: str) -> None:
        if self._state in ("Completed", "Cancelling") or self._taken_over:
            return
        self._state, self._due, self._end = "Cancelling", None, Finish("aborted", why)
        self._route(0.0, ())
        self._alike = False
        if self._policy.style == "partition":
            self._apply(self._stable, None)
        else:
            self._want(0)

    # ---- passes ----

    @property
    def _step(self) -> KruiseStep:
        return self._policy.steps[self._index - 1]

    def _pass(self, at: float) -> None:
        self._share()
        if not self._paused:
            _PASSES[self._state](self, at)
        self._report()

    def _init(self, at: float) -> None:
        """Routing is taken back where the step has none, or where the partition takes all pods."""
        wanted = min(self._replicas, count(self._replicas, self._step.replicas))
        whole = self._policy.style == "partition" and wanted >= self._replicas
        self._alike = not self._step.routes or whole
        if self._alike and self._matches:
            self._route(self._weight, ())
        self._scale(wanted)
        self._enter("StepUpgrade")

    def _upgrade(self, at: float) -> None:
        if not self._ready(self._wanted):
            return
        if self._alike:
            self._halt(at)
            return
        before = (self._weight, self._matches)
        self._route(0.0 if self._step.matches else self._step.traffic or 0.0, self._step.matches)
        self._due = at + self._policy.grace if before != (self._weight, self._matches) else at
        self._enter("StepTrafficRouting")

    def _traffic(self, at: float) -> None:
        if self._due is not None and at >= self._due:
            self._halt(at)

    def _halt(self, at: float) -> None:
        step, last = self._step, self._index == len(self._policy.steps)
        if last and step.replicas == "100%":
            self._next(at)
            return
        self._due = None if step.pause is None else at + step.pause
        self._enter("StepPaused")

    def _pause(self, at: float) -> None:
        if self._due is not None and at >= self._due:
            self._next(at)

    def _next(self, at: float) -> None:
        self._due = None
        if self._index == len(self._policy.steps):
            self._finalise(at)
            return
        self._index += 1
        self._voice.say(StepIs(self._index))
        self._enter("Init")

    def _finalise(self, at: float) -> None:
        style = self._policy.style
        self._alike = style != "blueGreen"
        if style == "partition":
            self._apply(self._revision, None)
        elif style == "canary":
            self._apply(self._revision, None, beside=self._wanted)
        else:
            before = self._weight
            self._scale(self._replicas)
            self._route(100.0, ())
            self._due = at + self._policy.grace if before != self._weight else None
        self._enter("Finalising")

    def _finalising(self, at: float) -> None:
        style, pods = self._policy.style, self._pods
        if self._due is not None and at >= self._due:
            self._due = None
        if style == "blueGreen":
            if pods.canary >= self._replicas and self._due is None:
                self._promote(at)
        elif not pods.stable + pods.older and pods.canary >= self._replicas:
            self._promote(at)

    def _promote(self, at: float) -> None:
        if self._policy.routing:
            self._route(100.0, ())
        self._voice.say(Promote(self._revision))
        self._stable, self._taken_over, self._wanted = self._revision, True, 0
        self._pods = PodsReady(self._pods.canary, 0)
        self._tidy = self._policy.style != "partition" or self._policy.routing
        self._due = at if self._tidy else None
        self._enter("Completed")
        self._voice.end(Finish("promoted", "all steps done"))

    def _cancelling(self, at: float) -> None:
        if not self._pods.canary + self._pods.older and self._pods.stable >= self._replicas:
            self._enter("Completed")
            self._voice.end(self._end)

    # ---- what is asked ----

    def _ready(self, wanted: int) -> bool:
        threshold = count(wanted, self._policy.failure_threshold)
        here = self._pods.canary
        return here + threshold >= wanted and (here > 0 or wanted == 0)

    def _scale(self, wanted: int) -> None:
        wanted = min(wanted, self._replicas)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if self._policy.style == "partition":
            self._apply(self._revision, wanted)
        else:
            self._want(wanted)

    def _want(self, canary: int) -> None:
        self._voice.say(SetScale(self._replicas, canary, min_ready=self._policy.min_ready))

    def _apply(self, revision: int, upto: int | None, beside: int = 0) -> None:
        policy = self._policy
        allowed = bounds(self._replicas, policy.max_surge, policy.max_unavailable)
        spec = Apply(revision, allowed.surge, allowed.unavailable, policy.min_ready, beside=beside, upto=upto)
        self._voice.say(spec)

    def _route(self, weight: float, matches: tuple[str, ...]) -> None:
        if not self._policy.routing:
            return
        if matches != self._matches:
            self._matches = matches
            self._voice.say(Match(matches))
        if weight != self._weight:
            self._weight = weight
            self._voice.say(SetWeight(weight))

    def _share(self) -> None:
        """Where routing is taken back, the new version's share is that of its available pods."""
        pods = self._pods
        total = pods.stable + pods.canary + pods.older
        if self._alike and total and self._state not in ("Cancelling", "Completed"):
            self._route(100.0 * pods.canary / total, self._matches)

    def _enter(self, state: _State) -> None:
        self._state = state
        self._voice.mark()

    def _report(self) -> None:
        if self._state == "Completed":
            self._voice.enter(("Healthy", ""))
        elif self._state == "Init" and not self._paused:
            return  # it takes no time
        elif self._paused:
            self._voice.enter(("Progressing", "Paused"), waits=True)
        else:
            waits = self._state == "StepPaused" and self._due is None
            reason = "refused: roll back first" if self._refused else self._state
            self._voice.enter(("Progressing", reason), waits=waits)


def _done(machine: Steps, at: float) -> None:
    """Nothing is left to do."""


_PASSES: dict[str, Callable[[Steps, float], None]] = {
    "Init": Steps._init, "StepUpgrade": Steps._upgrade, "StepTrafficRouting": Steps._traffic,
    "StepPaused": Steps._pause, "Finalising": Steps._finalising, "Cancelling": Steps._cancelling,
    "Completed": _done,
}  # fmt: skip
