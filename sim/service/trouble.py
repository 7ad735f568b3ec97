"""Trouble with pods: kills, crash loops, slow starts, lost nodes (faults.md section 2.1), and pods that go without draining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from sim.durations import Duration
from sim.faults.effects import Effect, PodEffect
from sim.policy.commands import SetScale
from sim.service.fleet import Fleet
from sim.service.model import Service

__all__ = ["Chance", "Delay", "Plan", "Trouble"]

Chance = Callable[[str, int], float]
"""`chance(purpose, index)`, uniform in [0, 1)."""

Delay = Callable[[Duration, str], float]
"""`delay(duration, purpose)`: the next one of its kind, in seconds."""

Plan = Callable[[float, Callable[[float], None]], None]
"""`plan(at, act)`: let something happen later."""


class Trouble:
    """Hits the pods of a fleet. `unreachable`: for each revision the share of its pods that are dead, but still listed."""

    def __init__(self, service: Service, effects: Sequence[Effect], plan: Plan, chance: Chance, delay: Delay) -> None:
        self._service, self._plan, self._chance, self._delay = service, plan, chance, delay
        pods = [effect for effect in effects if isinstance(effect, PodEffect)]
        self._starts = tuple(effect for effect in pods if effect.kind in ("slow_start", "crash_loop"))
        self._strikes = tuple(effect for effect in pods if effect.kind in ("kill", "node_loss", "node_reboot"))
        self._rebooted = 0  # pods so far
        self.unreachable: dict[int, float] = {}
        self.now = 0.0

    def watch(self, fleet: Fleet) -> None:
        """Plan what is going to hit these pods."""
        self._fleet = fleet
        for effect in self._strikes:
            self._plan(effect.at, lambda at, effect=effect: self._strike(at, effect))  # type: ignore[misc]

    def ready_after(self, revision: int, number: int) -> float:
        """Seconds from now until the `number`-th pod of a revision is available; infinite: never."""
        delay = self._service.pods.start.draw(self._chance(f"pod {revision}", number))
        for effect in self._starts:
            if revision in _revisions(effect.version) and effect.at <= self.now < effect.end:
                if effect.kind == "slow_start":
                    delay += effect.delay
                elif effect.probability >= 1.0 or self._chance(f"crash {revision}", number) < effect.probability:
                    return self._crash(effect, revision, delay, 0)
        return delay

    def shrink(self, at: float, command: SetScale) -> None:
        """Pods that do not drain lose the requests that still come to them."""
        if self._service.pods.drain:
            return
        fleet = self._fleet
        stable, canary, _ = fleet.wanted()
        for revision, before, after in (
            (fleet.stable, stable, command.stable),
            (fleet.revision, canary, command.canary),
        ):
            available = fleet.available(at, revision)
            if after < before and available > after:
                self._miss(at, revision, (available - after) / available, self._noticed())

    # ---- crash loops ----

    def _crash(self, effect: PodEffect, revision: int, start: float, times: int) -> float:
        """A start ends `effect.delay` seconds later; the kubelet tries again after a pause that doubles up to 300 s."""
        pause = min(300.0, effect.back_after * 2.0**times)
        if effect.delay > start:  # it is ready in between
            self._plan(self.now + effect.delay, lambda at: self._restart(effect, revision, start, pause, times))
            return start
        if not times:
            self._plan(self.now + effect.delay, lambda at: self._fleet.stumble(at, revision))
        if self.now + effect.delay + pause >= effect.end:
            return effect.delay + pause + start
        return inf if effect.end == inf else effect.end - self.now + start

    def _restart(self, effect: PodEffect, revision: int, start: float, pause: float, times: int) -> None:
        going_on = effect.at <= self.now < effect.end
        if going_on and self._fleet.lose(self.now, revision, 1, pause + start):
            self._plan(self.now + pause, lambda at: self._again(effect, revision, start, times + 1))

    def _again(self, effect: PodEffect, revision: int, start: float, times: int) -> None:
        self._crash(effect, revision, start, times)

    # ---- kills and lost nodes ----

    def _strike(self, at: float, effect: PodEffect) -> None:
        """Pods are killed, or lost with their node: until that is known, requests still go to them."""
        for revision in _revisions(effect.version):
            pods = self._fleet.available(at, revision)
            count = min(pods, effect.count or round(effect.fraction * pods))
            if not count:
                continue
            if effect.kind == "kill":
                noticed, back = (0.0 if effect.delay > 0 else self._noticed()), None
            else:
                noticed = min(effect.delay, effect.end - effect.at)
                back = max(0.0, min(effect.back_after, effect.end - effect.at) - noticed)
            self._miss(at, revision, min(1.0, count / pods * effect.probability), noticed)
            gone = self._rebooting if effect.kind == "node_reboot" else self._gone
            self._plan(at + noticed, lambda then, g=gone, r=revision, c=count, b=back: g(then, r, c, b))  # type: ignore[misc]

    def _noticed(self) -> float:
        """Seconds until nothing is sent any more to a pod that is gone: as a change of traffic takes."""
        return self._delay(self._service.propagation, "notice")

    def _gone(self, at: float, revision: int, count: int, back_after: float | None) -> None:
        self._fleet.lose(at, revision, count, back_after)

    def _rebooting(self, at: float, revision: int, count: int, back_after: float) -> None:
        """Each pod starts again once its node is back."""
        for _ in range(count):
            start = self._service.pods.start.draw(self._chance(f"reboot {revision}", self._rebooted))
            self._rebooted += 1
            self._fleet.lose(at, revision, 1, back_after + start)

    def _miss(self, at: float, revision: int, share: float, lasts: float) -> None:
        """For `lasts` seconds this share of the requests to a revision meets dead pods, which the endpoints still list: so does every
        retry, and what met no other pod fails."""
        if lasts > 0 and share > 0:
            self.unreachable[revision] = share ** (1 + self._service.retries)
            self._plan(at + lasts, lambda then: self._listed(revision))

    def _listed(self, revision: int) -> None:
        self.unreachable.pop(revision, None)


def _revisions(version: str) -> tuple[int, ...]:
    return {"stable": (1,), "canary": (2,)}.get(version, (1, 2))
