"""The simulated world of one path: pods, traffic, monitoring and people around a service while a rollout goes on.

One `Site` carries every replication whose rollout takes the same path; what differs between them are counts, which live in the
`Ledger`. A site decides nothing: it turns commands into changes of pods and traffic, and answers with what monitoring shows.

A change of traffic takes `propagation` seconds to arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.agenda import Agenda
from sim.durations import Constant
from sim.engine.ledger import Ledger
from sim.faults.effects import DriverEffect, Effect, LoadEffect, VersionEffect
from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Finish,
    Match,
    Measure,
    Mirror,
    Promote,
    Restore,
    SetScale,
    SetWeight,
    Switch,
    Update,
)  # fmt: skip
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Answered, Event, Human, Interrupted, Measured, Started, Value, WeightIs, Woke
from sim.policy.judges.base import Truth
from sim.policy.notes import Measurement, Note, PhaseIs
from sim.service import traffic
from sim.service.fleet import Fleet
from sim.service.mix import Mix, layout
from sim.service.model import Service
from sim.service.monitoring import Looks, Metrics
from sim.service.routing import Class, Routing
from sim.service.sight import Sight
from sim.service.trouble import Trouble

__all__ = ["Chances", "PersonNeeded", "Plan", "Site", "Story"]

_BAD = ("Degraded", "paused", "rollback_paused")  # phases that show a person that something failed (Argo, Swarm)


class PersonNeeded(Exception):
    """A person must act, and the replications of this path would each wait for another answer."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Random quantities of one replication by purpose and index, uniform in [0, 1); None where all replications share the path."""

    uniform: Callable[[str, int], float]


@dataclass(slots=True)
class Story:
    """What happened on a path, as far as all its replications share it. Times in seconds since the start, infinite: never."""

    outcome: str = "inconclusive"
    reason: str = ""
    decided_at: float = inf
    exposed_at: float = inf
    restored_at: float = inf  # after an abort: no more requests reach the new version
    full_at: float = inf  # the new version serves everything
    ended_at: float = 0.0
    looks: int = 0
    person: bool = False
    extra_pod_seconds: float = 0.0
    steps: list[tuple[float, float]] = field(default_factory=list)  # (at, share of the new version)


class Plan(NamedTuple):
    """What the counts depend on from a moment on, besides the moment; the key of a change of the ledger."""

    classes: tuple[Class, ...]
    mirror: float
    old: int  # pods, if they can run short, else whether there is one
    new: int
    served_since: float  # of the new version
    dead: tuple[tuple[int, float], ...]
    epoch: int


class Site:
    """The world of one path.

    `together`: measurements are answered with the `Looks` of all replications, else with the first one's own answer. `chances` None:
    nothing on the path is random. `own_pods` False: the new version runs in the old one's pods (a feature flag).
    """

    def __init__(
        self,
        service: Service,
        ledger: Ledger,
        effects: Sequence[Effect],
        *,
        together: bool,
        truth: Truth | None = None,
        seed: int = 0,
        chances: Chances | None = None,
        interruption: tuple[float, str] | None = None,
        max_weight: float = 100.0,
        most_pods: int | None = None,
        metrics: Metrics | None = None,
        own_pods: bool = True,
    ) -> None:
        self.service, self.ledger, self.story = service, ledger, Story()
        self._together, self._truth, self._seed, self._chances = together, truth, seed, chances
        self._own_pods = own_pods
        self._max_weight, self._most_pods = max_weight, most_pods
        self._agenda: Agenda[Callable[[float], Event | None]] = Agenda()
        self._load = tuple(effect for effect in effects if isinstance(effect, LoadEffect))
        self._down = tuple(effect for effect in effects if isinstance(effect, DriverEffect))
        versions = tuple(effect for effect in effects if isinstance(effect, VersionEffect))
        self._old, self._new = Mix(service, "stable", versions), Mix(service, "canary", versions)
        self._layout = layout(service)
        self._trouble = Trouble(service, effects, self._agenda.plan, self._chance)
        self._fleet = Fleet(
            service.pods.count, self._trouble.ready_after, lambda at: self._agenda.plan(at, self._fleet.look)
        )
        self.sight = Sight(service, ledger, effects, metrics, lambda: self._fleet.lives, own_pods, self._weight)
        self._asked = Routing()  # by the policy
        self._routing = Routing()  # as it has arrived
        self._copies: tuple[NDArray[np.int64], NDArray[np.int64] | None] | None = None
        self._planned: tuple[object, ...] = ()
        self._epoch = 0  # effects that began or ended so far
        self._onsets = tuple(effect.after for effect in versions if effect.version != "stable" and effect.after > 0)
        self._served_since = inf
        self._last_pods = 0.0
        self._people = 0
        self._waiting = False
        self._failed_metric = self._bad_phase = False
        self._trouble.watch(self._fleet)
        if interruption is not None:
            self._agenda.plan(interruption[0], lambda at, cause=interruption[1]: Interrupted(cause))  # type: ignore[misc]
        for moment in self._moments(effects):
            self._agenda.plan(moment, self._turn)
        self._replan(0.0)

    # ---- the world's three doors ----

    def start(self) -> tuple[float, Event]:
        pods = self.service.pods.count
        return 0.0, Started(pods, seed=self._seed, truth=self._truth)

    def next(self, wakes_at: float | None) -> tuple[float, Event] | None:
        while (due := self.due(wakes_at)) is not None:
            at, event = self.advance(due)
            if event is not None:
                return at, event
        return None

    # For a driver that shares its time with others: `next`, one step at a time.

    def due(self, wakes_at: float | None) -> float | None:
        """When something happens next here, or the policy wakes up; None: nothing more before the horizon."""
        planned = self._agenda.next_at
        wake = None if wakes_at is None else self._seen_at(wakes_at)
        at = min((moment for moment in (planned, wake) if moment is not None), default=inf)
        return at if at <= self.service.horizon else None

    def advance(self, due: float) -> tuple[float, Event | None]:
        """Let the one thing happen that is due; returns when, and the event that the policy sees of it."""
        at = due
        event: Event | None = Woke()
        if self._agenda.next_at is not None and self._agenda.next_at <= at:
            at, act = self._agenda.pop()
            self._trouble.now = at
            event = act(at)
            self._replan(at)
        self.story.ended_at = max(self.story.ended_at, at)
        seen = self._seen_at(at)
        if event is not None and seen > at:  # the world goes on while the controller is down
            self._agenda.plan(seen, lambda then: event)
            return at, None
        return at, event

    def tell(self, at: float, event: Event) -> None:
        """Something happens from outside, at `at` or, if the world is past that already, now."""
        self._agenda.plan(max(at, self.story.ended_at), lambda then: event)

    def carry(self, at: float, commands: tuple[Command, ...]) -> None:
        self._trouble.now = at
        for command in commands:
            match command:
                case Measure():
                    self._measure(at, command)
                case SetScale():
                    self._count_pods(at)
                    self._trouble.shrink(at, command)
                    self._fleet.resize(at, command)
                    self._check(at)
                case Apply():
                    self._count_pods(at)
                    self._fleet.apply(at, command)
                case Update():
                    self._count_pods(at)
                    self._fleet.update(at, command)
                case SetWeight() | Switch() | Match() | Mirror() | Restore():
                    self._asked = self._asked.asked(command, self._max_weight, self._fleet.stable == 2)
                    self._route(at)
                case AskGate(gate):
                    self._ask(at, gate)
                case Promote(revision):
                    self._fleet.promote(at, revision)
                    self._asked = self._asked.asked(command, self._max_weight, self._fleet.stable == 2)
                    self._route(at)
                case Finish(outcome, reason):
                    self.story.outcome, self.story.reason, self.story.decided_at = outcome, reason, at
        self._replan(at)

    def heard(self, at: float, item: Command | Note) -> None:
        """People watch the rollout's phase and its measurements."""
        if isinstance(item, Measurement):
            self.story.looks += 1
            self._failed_metric = self._failed_metric or item.verdict in ("Failed", "Inconclusive", "Error")
        elif isinstance(item, PhaseIs):
            self._waiting = item.waits
            self._bad_phase = item.phase in _BAD  # a deadline that was late and is met says nothing any more
            if item.waits:
                self._call(at)

    # ---- traffic ----

    def _route(self, at: float) -> None:
        wanted = self._asked
        if at == 0.0:
            self._arrive(at, wanted)
        else:
            self._agenda.plan(at + self.service.propagation, lambda then: self._arrive(then, wanted))

    def _arrive(self, at: float, routing: Routing) -> Event | None:
        if routing == self._routing:
            return None
        before, self._routing = self._routing, routing
        if before.active != routing.active:
            self.sight.switch(at, routing.active)
        if (before.mirror > 0) != (routing.mirror > 0):
            self._mark_copies(at, routing.mirror > 0)
        if routing.mode != "weight" or at == 0:
            return None
        return WeightIs(0.0 if self._fleet.stable == 2 else round(routing.weight * self._max_weight, 9))

    def share(self, at: float) -> float:
        """The share of users' requests that goes to the new version."""
        return sum(
            size * part for _, size, part in self._classes(self._fleet.available(at, 1), self._fleet.available(at, 2))
        )

    def _classes(self, old: int, new: int) -> tuple[Class, ...]:
        part = self._routing.part(self._fleet.stable == 2, old, new, self._fleet.beside)
        return self._routing.classes(self.service.segments, part)

    def _replan(self, at: float) -> None:
        """Tell the ledger what happens from now on."""
        old = self._fleet.available(at, 1)
        new = self._fleet.available(at, 2) if self._own_pods else old
        state = (
            self._routing,
            old,
            new,
            self._fleet.stable,
            self._served_since,
            len(self._trouble.unreachable),
            self._epoch,
        )
        if state == self._planned:
            return
        self._planned = state
        classes = self._classes(old, new)
        share = sum(size * part for _, size, part in classes)
        if not self.story.steps or self.story.steps[-1][1] != share:
            self.story.steps.append((at, share))
        if (share > 0 or self._routing.mirror > 0) and self._served_since == inf:
            self._served_since = self.story.exposed_at = at
            self.sight.expose(at)
            for after in self._onsets:
                self._agenda.plan(at + after, self._turn)
        full = share >= 1.0
        if full and self.story.full_at == inf:
            self.story.full_at = at
        if not full:
            self.story.full_at = inf
        self.story.restored_at = (
            at if share == 0 and self.story.restored_at == inf else self.story.restored_at if share == 0 else inf
        )
        dead = tuple(sorted(self._trouble.unreachable.items()))
        pods = self._strained(old), self._strained(new)
        key = Plan(classes, self._routing.mirror, *pods, self._served_since, dead, self._epoch)
        self.ledger.change(at, key, self._means(classes, self._routing.mirror, old, new, dict(dead)))

    def _turn(self, at: float) -> None:
        """An effect begins or ends: the plan is cut here."""
        self._epoch += 1

    def _strained(self, pods: int) -> int:
        """Pods matter to the counts only where they can run short."""
        limits = self.service.pods.capacity, self.service.pods.concurrency
        return min(pods, 1) if limits == (None, None) else pods

    def _means(
        self, classes: tuple[Class, ...], mirror: float, old: int, new: int, dead: dict[int, float]
    ) -> Callable[[float, float], Sequence[float]]:
        since = self._served_since
        share = sum(size * part for _, size, part in classes)
        to_new = share + mirror * (1.0 - share)
        shares = {name: size * part / share for name, size, part in classes} if share > 0 else {}
        rest = {name: size * (1.0 - part) / (1.0 - share) for name, size, part in classes} if share < 1 else {}
        steady = self._old.steady and self._new.steady and not self._load
        rates: list[tuple[float, ...]] = []
        flat = steady and isinstance(self.service.traffic, traffic.Constant)
        known: dict[float, Sequence[float]] = {}  # where nothing changes, windows of one length are alike

        def means(start: float, end: float) -> Sequence[float]:
            length = end - start
            if not flat:
                return work(start, end, length)
            if length not in known:
                known[length] = work(start, end, length)
            return known[length]

        def work(start: float, end: float, length: float) -> Sequence[float]:
            middle = (start + end) / 2
            level = self._level(start, end)
            if not steady or not rates:
                mixes = self._old.at(middle, 0.0, rest), self._new.at(middle, since, shares)
                rates[:] = [mixes[0], mixes[1]]
            old_load, new_load = level * (1.0 - share), level * to_new
            old_lost, new_lost = (
                self._lost(old_load, old, dead.get(1, 0.0)),
                self._lost(new_load, new, dead.get(2, 0.0)),
            )
            kept_old, kept_new = (old_load - old_lost) * length, (new_load - new_lost) * length
            return (
                *(kept_old * p for p in rates[0]), *(kept_new * p for p in rates[1]), old_lost * length, new_lost * length,
            )  # fmt: skip

        return means

    def _level(self, start: float, end: float) -> float:
        level = self.service.traffic.levels((start, end))[0]
        for effect in self._load:
            overlap = max(0.0, min(end, effect.end) - max(start, effect.start)) / (end - start) if end > start else 0.0
            level = (
                level * (1.0 + (effect.factor - 1.0) * overlap)
                if effect.rate is None
                else level + (effect.rate - level) * overlap
            )
        return level

    def _lost(self, load: float, pods: int, dead: float) -> float:
        """Requests/s that no pod can take: none is there, some are dead but listed, or they are saturated (fluid limit)."""
        if pods == 0:
            return load
        reached = load * (1.0 - dead)
        capacity = self.service.pods.capacity
        overload = 0.0 if capacity is None else max(0.0, reached - capacity * pods)
        return load - reached + overload

    # ---- measurements ----

    def _measure(self, at: float, command: Measure) -> None:
        delay = self.service.monitoring.query
        self._agenda.plan(at + delay, lambda then: Measured(command.id, self._answer(at, command)))

    def _answer(self, at: float, command: Measure) -> Answer:
        looks = self.sight.answer(at, command)
        if not isinstance(looks, Looks):
            return looks
        return Value(looks) if self._together else looks.of(0)

    def _weight(self, begin: float, until: float) -> float:
        """The planned share of the new version, averaged over a stretch of time."""
        total, steps = 0.0, self.story.steps
        for index, (start, share) in enumerate(steps):
            end = steps[index + 1][0] if index + 1 < len(steps) else until
            total += share * max(0.0, min(end, until) - max(start, begin))
        return min(1.0, total / (until - begin)) if until > begin else self.share(until)

    # ---- people ----

    def _call(self, at: float) -> None:
        """Somebody is told that the rollout waits, and acts after a while."""
        self.story.person = True
        if self._chances is None:
            raise PersonNeeded
        people = self.service.people
        wait = people.response.draw(self._chances.uniform("people", self._people))
        self._people += 1
        self._agenda.plan(at + wait, self._decide)

    def _decide(self, at: float) -> Event | None:
        if not self._waiting:
            return None
        rule = self.service.people.rule
        if rule == "by-alert":
            rule = "abort" if self._failed_metric or self._bad_phase else "promote"
        return Human("abort" if rule == "abort" else "promote")

    def _ask(self, at: float, gate: str) -> None:
        approved = (
            self.service.people.gates == "approve" and gate != "rollback"
        )  # a rollback webhook's yes would end it
        self._agenda.plan(at, lambda then: Answered(gate, approved))

    def _seen_at(self, at: float) -> float:
        """A controller that is down sees what happened when it is back."""
        for effect in self._down:
            if effect.start <= at < effect.end:
                at = effect.end
        return at

    # ---- pods ----

    def _chance(self, purpose: str, index: int) -> float:
        """A random number of this replication; where many share the path, only what is constant may be drawn."""
        if self._chances is not None:
            return self._chances.uniform(purpose, index)
        if purpose.startswith("pod ") and isinstance(self.service.pods.start, Constant):
            return 0.5
        raise PersonNeeded

    def _count_pods(self, at: float) -> None:
        extra = max(0, sum(self._fleet.wanted()) - self.service.pods.count)
        self.story.extra_pod_seconds += extra * (at - self._last_pods)
        self._last_pods = at

    def _check(self, at: float) -> None:
        """Contracts section 11: wanted pods never exceed what the strategy allows."""
        wanted = sum(self._fleet.wanted())
        if self._most_pods is not None and wanted > self._most_pods:
            raise PolicyError(f"{wanted} pods wanted at {at:g} s, and this strategy allows {self._most_pods}")

    # ---- the end ----

    def close(self) -> None:
        """Count pods up to the end of the path."""
        self._count_pods(self.story.ended_at)
        if self._copies is not None and self._copies[1] is None:
            self._mark_copies(self.story.ended_at, False)

    def _mark_copies(self, at: float, begins: bool) -> None:
        counts = self.ledger.total(at).copy()
        self._copies = (counts, None) if begins else (self._copies[0], counts) if self._copies else None

    @property
    def copies(self) -> NDArray[np.int64] | None:
        """Counts of mirrored copies, which no user waits for: int64[rows, cells + 2], or None."""
        if self._copies is None or self._copies[1] is None:
            return None
        copies = self._copies[1] - self._copies[0]
        copies[:, : self._layout.new] = 0
        return copies

    @staticmethod
    def _moments(effects: Sequence[Effect]) -> Iterator[float]:
        """When effects begin or end: the plan is cut there."""
        for effect in effects:
            if isinstance(effect, VersionEffect | LoadEffect):
                for moment in (effect.start, effect.end):
                    if 0 < moment < inf:
                        yield moment
