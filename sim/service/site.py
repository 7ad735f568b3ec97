"""The simulated world of one path: pods, traffic, monitoring and people around a service while a rollout goes on.

One `Site` carries every replication whose rollout takes the same path; what differs between them are counts, which live in the
`Ledger`. A site decides nothing: it turns commands into changes of pods and traffic, and answers with what monitoring shows.

A change of traffic takes `propagation` to arrive, and never overtakes the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.agenda import Agenda
from sim.durations import Constant, Duration
from sim.engine.ledger import Ledger
from sim.faults.effects import DriverEffect, Effect
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
    SetExperiment,
    SetScale,
    SetWeight,
    Switch,
    Update,
)  # fmt: skip
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Event, Interrupted, Measured, Started, Value, WeightIs, Woke
from sim.policy.judges.base import Truth
from sim.policy.notes import Measurement, Note
from sim.service.demand import Demand, Standing, moments, onsets
from sim.service.fleet import Fleet
from sim.service.mix import layout
from sim.service.model import Service
from sim.service.monitoring import Looks, Metrics
from sim.service.oncall import OnCall
from sim.service.routing import Class, Routing
from sim.service.sight import Sight
from sim.service.story import Story
from sim.service.trouble import Trouble

__all__ = ["Chances", "PersonNeeded", "Site"]


class PersonNeeded(Exception):
    """A person must act, and the replications of this path would each wait for another answer."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Random quantities of one replication by purpose and index, uniform in [0, 1); None where all replications share the path."""

    uniform: Callable[[str, int], float]


class _Copied(NamedTuple):
    """A stretch in which whatever reached the new version was no user's: its begin and end, and all counts up to them."""

    since: float
    before: NDArray[np.int64]
    until: float = inf
    after: NDArray[np.int64] | None = None


class Site:
    """The world of one path.

    `together`: measurements are answered with the `Looks` of all replications, else with the first one's own answer. `chances` None:
    nothing on the path is random. `own_pods` False: the new version runs in the old one's pods (a feature flag). `apart`: users
    reach the stable workload alone until they are told otherwise (Flagger's Services, with or without a router). `testers`: requests/s
    to a new version that no user sees.
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
        apart: bool = False,
        testers: float = 0.0,
    ) -> None:
        self.service, self.ledger, self.story = service, ledger, Story()
        self._together, self._truth, self._seed, self._chances = together, truth, seed, chances
        self._own_pods, self._testers = own_pods, testers
        self._max_weight, self._most_pods = max_weight, most_pods
        self._agenda: Agenda[Callable[[float], Event | None]] = Agenda()
        self._down = tuple(effect for effect in effects if isinstance(effect, DriverEffect))
        self._demand, self._oncall = Demand(service, effects), OnCall(service.people)
        self._layout = layout(service)
        self._trouble = Trouble(service, effects, self._agenda.plan, self._chance, self._delay)
        self._fleet = Fleet(
            service.pods.count, self._trouble.ready_after, lambda at: self._agenda.plan(at, self._fleet.look)
        )
        self.sight = Sight(
            service, ledger, effects, metrics, lambda: self._fleet.lives, own_pods, self.story.mean_share
        )
        self._asked = Routing("weight" if apart else "pods")  # by the policy
        self._routing = self._asked  # as it has arrived
        self._copied: list[_Copied] = []
        self._planned: tuple[object, ...] = ()
        self._epoch = 0  # effects that began or ended so far
        self._onsets = onsets(effects)
        self._served_since = inf
        self._routed = 0.0  # when the last change of traffic arrives
        self._last_pods = 0.0
        self._drawn: dict[str, int] = {}  # times so far, by purpose
        self._trouble.watch(self._fleet)
        if interruption is not None:
            self._agenda.plan(interruption[0], lambda at, cause=interruption[1]: Interrupted(cause))  # type: ignore[misc]
        for moment in moments(effects):
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
                case SetExperiment():
                    self._count_pods(at)
                    self._fleet.experiment(at, command)
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
                    self._agenda.plan(at, lambda then, gate=gate: self._oncall.answer(gate))  # type: ignore[misc]
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
        if self._oncall.heard(item):
            self._call(at)

    # ---- traffic ----

    def _route(self, at: float) -> None:
        wanted = self._asked
        if at == 0.0:
            self._arrive(at, wanted)
        else:
            self._routed = max(self._routed, at + self._delay(self.service.propagation, "route"))
            self._agenda.plan(self._routed, lambda then: self._arrive(then, wanted))

    def _arrive(self, at: float, routing: Routing) -> Event | None:
        if routing == self._routing:
            return None
        before, self._routing = self._routing, routing
        if before.active != routing.active:
            self.sight.switch(at, routing.active)
        if routing.mode != "weight" or at == 0:
            return None
        return WeightIs(0.0 if self._fleet.stable == 2 else round(routing.weight * self._max_weight, 9))

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
        dead = tuple(sorted(self._trouble.unreachable.items()))
        classes, mirror = self._classes(old, new), self._routing.mirror
        standing = Standing(classes, mirror, old, new, self._served_since, dead, self._epoch)
        if self._testers and new and self._own_pods and standing.share == 0.0:
            standing = standing._replace(testers=self._testers)
        self.story.shift(at, standing.share)
        if (standing.share > 0 or standing.mirror > 0) and self.story.exposed_at == inf:
            self.story.exposed_at = at
        if (standing.share > 0 or standing.copied) and self._served_since == inf:
            standing = standing._replace(served_since=at)
            self._served_since = at
            self.sight.expose(at)
            for after in self._onsets:
                self._agenda.plan(at + after, self._turn)
        self._mark_copies(at, standing.copied)
        key = standing._replace(old=self._demand.strained(old), new=self._demand.strained(new))
        self.ledger.change(at, key, self._demand.means(standing))

    def _turn(self, at: float) -> None:
        """An effect begins or ends: the plan is cut here."""
        self._epoch += 1

    # ---- measurements ----

    def _measure(self, at: float, command: Measure) -> None:
        delay = self._delay(self.service.monitoring.query, "query")
        self._agenda.plan(at + delay, lambda then: Measured(command.id, self._answer(at, command)))

    def _answer(self, at: float, command: Measure) -> Answer:
        looks = self.sight.answer(at, command)
        if not isinstance(looks, Looks):
            return looks
        return Value(looks) if self._together else looks.of(0)

    # ---- people ----

    def _call(self, at: float) -> None:
        """Somebody is told that the rollout waits, and acts after a while."""
        self.story.person = True
        if self._chances is None:
            raise PersonNeeded
        self._agenda.plan(at + self._oncall.delay(self._chances.uniform), self._oncall.decide)

    def _seen_at(self, at: float) -> float:
        """A controller that is down sees what happened when it is back; one that works serially, when it is through with the traffic."""
        at = max(at, self._routed) if self.service.serial else at
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

    def _delay(self, drawn: Duration, purpose: str) -> float:
        """One of the times that are drawn in order: of changes of traffic, of queries."""
        if isinstance(drawn, Constant):
            return drawn.value
        number = self._drawn[purpose] = self._drawn.get(purpose, -1) + 1
        return drawn.draw(self._chance(purpose, number))

    def _count_pods(self, at: float) -> None:
        extra = max(0, sum(self._fleet.wanted()) + self._fleet.beyond - self.service.pods.count)
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
        self._mark_copies(self.story.ended_at, False)

    def _mark_copies(self, at: float, copied: bool) -> None:
        """A stretch of requests that no user waits for begins or ends."""
        under_way = bool(self._copied) and self._copied[-1].after is None
        if copied and not under_way:
            self._copied.append(_Copied(at, self.ledger.total(at).copy()))
        elif under_way and not copied:
            self._copied[-1] = self._copied[-1]._replace(until=at, after=self.ledger.total(at).copy())

    def known(self, at: float) -> tuple[float, NDArray[np.int64]] | None:
        """The last moment up to `at` at which such a stretch began or ended, and all counts up to it."""
        begins = [(one.since, one.before) for one in self._copied]
        ends = [(one.until, one.after) for one in self._copied if one.after is not None]
        return max(
            ((moment, counts) for moment, counts in begins + ends if moment <= at), key=lambda one: one[0], default=None
        )

    @property
    def copies(self) -> NDArray[np.int64] | None:
        """Counts of requests to the new version that no user waited for: int64[rows, cells + 2], or None."""
        return self.copied(inf, None)

    def copied(self, until: float, counts: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
        """The same before a moment, at which the counts of all requests are `counts`; once the path is closed."""
        found = [one for one in self._copied if one.until <= until or counts is not None]
        parts = [(one.after if one.until <= until else counts, one.before) for one in found]
        sums = [np.maximum(after - before, 0) for after, before in parts if after is not None]
        if not sums:
            return None
        copies: NDArray[np.int64] = np.sum(sums, axis=0)
        copies[:, : self._layout.new] = copies[:, self._layout.width] = 0  # what the old version got and lost
        return copies
