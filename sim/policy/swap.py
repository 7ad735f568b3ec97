"""A blue-green update under way: Argo Rollouts' reconcile loop, pass by pass (delivery-systems.md sections 2.14 and 2.19).

1. A pass does, in order: all sizes at once, pause, active service, analyses, status. A run begins in the pass after the switch.
2. Nothing happens to the active service before the new revision is saturated: wanted and available in full. That guard holds for
   the way back as well: an abort waits for it.
3. The order is: small preview, pre-promotion run, pause, full size, switch, post-promotion run, stable.
4. A revision that a service points at is never scaled down; an older one keeps its pods for the scale-down delay, and a return
   to it within that time skips pause and runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sim.policy import events
from sim.policy.commands import Command, Finish, Promote, SetScale, Switch
from sim.policy.deadline import Deadline
from sim.policy.desk import Desk
from sim.policy.notes import Note
from sim.policy.phases import Phase, paused, swap_phase
from sim.policy.scale import Pods
from sim.policy.standing import NONE, Older, gone, see_older, within
from sim.policy.voice import Voice, aborted_update, failed_run, late, timed_out, undone

if TYPE_CHECKING:
    from sim.policy.bluegreen import BlueGreen

__all__ = ["Swap"]

_DELAY = 30.0  # scaleDownDelaySeconds when it is not written (Argo: utils/defaults/defaults.go)


class Swap:
    """The machine of a `BlueGreen` policy."""

    def __init__(self, policy: BlueGreen, emit: Callable[[Command | Note], None]) -> None:
        self._policy = policy
        self._voice = Voice(emit)
        self._desk = Desk(self._voice.say)
        self._deadline = Deadline(policy.progress_deadline)
        self._delay = _DELAY if policy.scale_down_delay is None else policy.scale_down_delay
        self._paces = not policy.auto_promotion or policy.auto_promotion_after > 0
        self._replicas, self._revision, self._stable_revision = 1, 2, 1
        self._turn, self._stable_turn = 1, 0  # how often a revision was applied before the new one, the stable one
        self._active, self._preview = 1, 1
        self._stable, self._new = NONE, NONE
        self._older: tuple[Older, ...] = ()  # newest first
        self._paused_at: float | None = None
        self._unpaused = False  # the pause before the switch is over
        self._inconclusive, self._suspended = False, policy.paused
        self._checkpoint = False  # the small preview has done its part
        self._aborted: str | None = None
        self._fast = False  # promoted in full, or back to a revision whose pods still stand
        self._new_deadline: float | None = None
        self._at = 0.0

    def handle(self, at: float, event: events.Event) -> None:
        self._at = at
        take = _TAKES.get(type(event))
        if take is not None:
            take(self, at, event)
        self._desk.poll(at)
        self._voice.settle(at, self._pass)

    @property
    def wakes_at(self) -> float | None:
        return min(self._due(self._at), default=None)

    def _due(self, at: float) -> Iterator[float]:
        measurement = self._desk.wakes_at
        if measurement is not None:
            yield measurement
        if self._paused_at is not None and self._policy.auto_promotion and not self._suspended:
            yield self._paused_at + self._policy.auto_promotion_after
        if not (self._suspended or self._inconclusive):
            for entry in self._older:
                if entry.pods.wanted and at < entry.drop_at < inf:
                    yield entry.drop_at
            if self._new_deadline is not None and at < self._new_deadline:
                yield self._new_deadline
        if self._timed(at):
            yield self._deadline.due

    # ---- events ----

    def _start(self, at: float, event: events.Started) -> None:
        self._desk.seed, self._desk.truth = event.seed, event.truth
        self._replicas, self._revision, self._stable_revision = event.replicas, event.revision, event.stable
        self._stable = Pods(event.replicas, event.replicas)
        self._active = event.stable
        self._preview = event.revision if self._policy.preview else event.stable
        self._deadline.progress(at)
        self._voice.say(Switch(self._active, self._preview))
        if not self._updating:
            self._voice.end(Finish("promoted", f"revision {event.revision} is stable already"))
        self._report()

    def _see_pods(self, at: float, event: events.PodsReady) -> None:
        if self._serving(event.stable, event.canary, event.older) > self._serving(
            self._stable.available, self._new.available, sum(entry.pods.available for entry in self._older)
        ):
            self._deadline.progress(at)
        self._stable = Pods(self._stable.wanted, event.stable)
        self._new = Pods(self._new.wanted, event.canary)
        self._older = see_older(self._older, event.older)

    def _serving(self, stable: int, new: int, older: int) -> int:
        """What Argo counts as available, and as progress: pods of the revision that the active service points at."""
        return stable if self._active == self._stable_revision else new if self._active == self._revision else older

    def _obey(self, at: float, event: events.Human) -> None:
        match event.action:
            case "promote" if self._paused_at is not None or self._inconclusive or self._suspended:
                self._clear(at)
            case "promote-full" if self._updating:
                self._voice.reopen()
                self._fast, self._aborted, self._paused_at, self._inconclusive = True, None, None, False
                self._new_deadline = None
            case "abort":
                self._abort("")
            case "retry" if self._aborted is not None:
                self._reset(at)
                self._report()
            case "pause" | "resume":
                if self._suspended != (event.action == "pause"):
                    self._suspended = not self._suspended
                    self._deadline.progress(at)

    def _clear(self, at: float) -> None:
        """As `kubectl argo rollouts promote`: every pause ends, spec.paused too; inconclusive runs are to run again."""
        inconclusive, self._inconclusive = self._inconclusive, False
        self._unpaused = self._unpaused or self._paused_at is not None
        self._paused_at, self._suspended = None, False
        self._report()  # before anything else comes of it (Argo: checkPausedConditions writes at once)
        for kind in ("pre", "post"):
            if inconclusive and self._desk.phase(kind) == "Inconclusive":
                self._desk.forget(kind)
        self._deadline.progress(at)  # the clock begins anew after a pause (Argo: checkPausedConditions)

    def _supersede(self, at: float, event: events.NewRevision) -> None:
        """A newer revision; the one in the middle becomes an older one and keeps its pods for the delay."""
        if event.revision == self._revision:
            return
        if self._updating and self._new != NONE:
            self._older = (Older(self._revision, self._new, at + self._delay, self._turn), *self._older)
        kept = next((entry for entry in self._older if entry.revision == event.revision), None)
        self._older = tuple(entry for entry in self._older if entry.revision != event.revision)
        self._revision, self._new = event.revision, kept.pods if kept else NONE
        self._turn += 1
        if not self._updating:
            self._stable_turn = self._turn
        self._reset(at)
        stands = kept is not None and kept.pods.wanted > 0
        self._fast = stands or within(self._policy.rollback_window, event.revision, self._stable_revision)
        self._point(at, self._active, event.revision)
        self._report()

    def _resize(self, at: float, event: events.Resized) -> None:
        self._replicas = event.replicas

    def _reset(self, at: float) -> None:
        self._desk.forget("pre")
        self._desk.forget("post")
        self._aborted = self._paused_at = self._new_deadline = None
        self._unpaused = self._inconclusive = self._checkpoint = self._fast = False
        self._voice.reopen()
        self._deadline.progress(at)

    # ---- one pass ----

    def _pass(self, at: float) -> None:
        self._desk.changed = False
        if not self._suspended:
            self._scale(at)
            self._pause(at)
        if not self._switch(at):
            self._analyse(at)
        if not self._suspended:
            self._status(at)
        self._report()

    @property
    def _updating(self) -> bool:
        return self._revision != self._stable_revision

    def _size(self) -> int:
        """Wanted pods of the new revision before the switch and after."""
        small = self._policy.preview_replicas
        if small is None or self._checkpoint or self._fast or self._active == self._revision:
            return self._replicas
        return min(small, self._replicas)

    def _saturated(self) -> bool:
        return self._new.wanted == self._size() == self._new.available

    def _scale(self, at: float) -> None:
        if self._inconclusive:
            return
        new = 0 if not self._updating else self._size() if self._aborted is None else self._kept_new(at)
        before = sum(entry.pods.wanted for entry in self._older)
        dropped = gone(self._older, at, self._policy.scale_down_delay_revisions, self._active)
        if any(entry.pods.wanted and drop for entry, drop in zip(self._older, dropped, strict=True)):
            self._older = tuple(
                entry._replace(pods=Pods(0, entry.pods.available)) if drop else entry
                for entry, drop in zip(self._older, dropped, strict=True)
            )
        elif (self._replicas, new) == (self._stable.wanted, self._new.wanted):
            return
        older = sum(entry.pods.wanted for entry in self._older)
        self._deadline.progress(at)
        if self._stable.wanted != self._replicas:  # one ReplicaSet after the other
            self._stable = Pods(self._replicas, self._stable.available)
            self._want(before)
        if self._new.wanted != new:
            self._new = Pods(new, self._new.available)
            self._want(before)
        if older != before:
            self._want(older)

    def _want(self, older: int) -> None:
        self._voice.say(SetScale(self._stable.wanted, self._new.wanted, older, self._policy.min_ready))

    def _kept_new(self, at: float) -> int:
        """After an abort the new pods stay for the abort delay, counted from the moment the active service is back."""
        delay = self._policy.abort_scale_down_delay
        if delay is None or self._active == self._revision or self._new.wanted == 0:
            return self._new.wanted
        if self._new_deadline is None:
            self._new_deadline = at + delay
        return self._new.wanted if at < self._new_deadline else 0

    def _pause(self, at: float) -> None:
        if not self._updating or self._aborted is not None or self._fast or self._active == self._revision:
            return
        policy = self._policy
        if self._paused_at is not None:
            if policy.auto_promotion and at >= self._paused_at + policy.auto_promotion_after:
                self._paused_at, self._unpaused = None, True
                self._deadline.progress(at)
                self._voice.mark()
        elif self._paces and not self._unpaused and self._saturated() and self._passed("pre"):
            self._paused_at = at
            self._voice.mark()

    def _switch(self, at: float) -> bool:
        """Point the active service at where it belongs by now; True when it moved."""
        aim = self._aim()
        if aim == self._active or (aim == self._revision and not self._full()):
            return False
        if self._aborted is not None and not self._full():
            return False  # Argo's guard, on the way back too
        return self._point(at, aim, self._preview)

    def _aim(self) -> int:
        """The revision that the active service belongs to."""
        if self._aborted is not None:
            return self._stable_revision
        if not self._updating:
            return self._revision
        if self._suspended or self._inconclusive or self._active == self._revision or not self._saturated():
            return self._active
        free = self._fast or (self._passed("pre") and (self._unpaused or not self._paces))
        if free and self._size() < self._replicas:
            self._checkpoint = True
            self._voice.mark()
        return self._revision if free else self._active

    def _full(self) -> bool:
        """Whether all pods of the new revision are wanted and available."""
        pods = self._new if self._updating else self._stable
        return pods.wanted == self._replicas == pods.available

    def _analyse(self, at: float) -> None:
        if not self._updating or self._aborted is not None or self._fast:
            self._desk.clear()
            return
        if not self._inconclusive and self._saturated():
            kind, analysis = (
                ("post", self._policy.post) if self._active == self._revision else ("pre", self._policy.pre)
            )
            if analysis is not None and not self._desk.phase(kind):
                self._desk.begin(at, analysis, kind)
        for kind in ("pre", "post"):
            effect = self._desk.effect(kind, self._policy.on_inconclusive)
            if effect == "abort":
                self._abort(failed_run(kind, self._desk.message(kind)))
                return
            if effect == "pause" and not self._inconclusive:
                self._inconclusive = True
                self._voice.mark()

    def _passed(self, kind: str) -> bool:
        analysis = self._policy.pre if kind == "pre" else self._policy.post
        return analysis is None or self._fast or self._desk.phase(kind) == "Successful"

    # ---- status ----

    def _status(self, at: float) -> None:
        if not self._updating:
            if not self._voice.finished and self._active == self._revision and self._full():
                self._voice.end(undone(self._revision))
        elif (
            self._aborted is None and self._active == self._revision and not self._inconclusive and self._passed("post")
        ):
            self._promote(at)
        if self._timed(at) and at >= self._deadline.due:
            self._deadline.passed = True
            if self._policy.progress_deadline_abort:
                self._abort(late(self._revision))

    def _abort(self, cause: str) -> None:
        if self._aborted is not None or not self._updating:
            return
        self._aborted = aborted_update(self._revision, cause)
        self._paused_at, self._inconclusive, self._fast = None, False, False
        self._desk.clear()
        self._voice.end(Finish("aborted", cause or self._aborted))

    def _promote(self, at: float) -> None:
        self._desk.clear()
        former = Older(self._stable_revision, self._stable, at + self._delay, self._stable_turn)
        self._older = (former, *self._older)
        self._stable, self._new, self._stable_turn = self._new, NONE, self._turn
        self._stable_revision, self._fast = self._revision, False
        self._deadline.progress(at)
        self._voice.say(Promote(self._revision))
        self._voice.end(Finish("promoted", "switched"))

    def _point(self, at: float, active: int, preview: int) -> bool:
        preview = preview if self._policy.preview else active
        if (active, preview) == (self._active, self._preview):
            return False
        self._active, self._preview = active, preview
        self._deadline.progress(at)
        self._voice.say(Switch(active, preview))
        return True

    # ---- deadline and phase ----

    def _timed(self, at: float) -> bool:
        """Whether the progress deadline is running; an analysis does not stop it, for it is no step."""
        held = self._paused_at is not None or self._inconclusive or self._suspended
        if held or self._deadline.passed or self._voice.finished:
            return False
        return not any(entry.pods.wanted and at < entry.drop_at < inf for entry in self._older)

    def _report(self) -> None:
        waits = (
            self._suspended or self._inconclusive or (self._paused_at is not None and not self._policy.auto_promotion)
        )
        self._voice.enter(self._phase(), waits and self._aborted is None)

    def _phase(self) -> Phase:
        if self._aborted is not None or self._deadline.passed:
            return "Degraded", self._aborted or timed_out(self._revision)
        pause = paused(self._suspended, "BlueGreenPause" if self._paused_at is not None else "", self._inconclusive)
        if pause is not None:
            return pause
        switched = self._active == self._revision
        judged = self._policy.post is None or self._desk.phase("post") not in ("", "Running")
        return swap_phase(self._stable, self._new, self._replicas, self._updating, switched, judged)


_TAKES: Mapping[type[events.Event], Callable[[Swap, float, Any], None]] = MappingProxyType(
    {
        events.Started: Swap._start,
        events.PodsReady: Swap._see_pods,
        events.Measured: lambda swap, at, event: swap._desk.answer(at, event.id, event.answer),
        events.Human: Swap._obey,
        events.Interrupted: lambda swap, at, event: swap._abort(event.cause),
        events.NewRevision: Swap._supersede,
        events.Resized: Swap._resize,
        events.Terminated: lambda swap, at, event: swap._desk.end(event.run),
    }
)
