"""The oracle: the same service with one SimPy process per request, as anybody would write it first.

Plain canaries only: weights that arrive late, constant pod starts, counters that are scraped, one change between the
versions. It shares the policies (`Rollout`) and the values that describe a service with the simulator, and nothing
else: no ledger, no cells, no tables, no streams. The rules of monitoring are those of `sim/service/monitoring.py`,
written down a second time.

It is also the baseline "natural per-request SimPy" of the benchmark, so it is not tuned.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass
from math import exp, inf
from random import Random
from typing import Any, NamedTuple, cast

import simpy

from sim.policy.commands import Command, Counts, Finish, Measure, Promote, Restore, SetScale, SetWeight
from sim.policy.events import Absent, Answer, Event, Measured, PodsReady, Started, Value, WeightIs, Woke
from sim.policy.judges.base import Arm, Window
from sim.policy.rollout import Policy, Rollout
from sim.service.model import Service

__all__ = ["Change", "Facts", "simulate"]

Steps = Generator[Any, Any, None]
OLD, NEW = 1, 2  # the revisions


@dataclass(frozen=True, slots=True)
class Change:
    """What the new version does to its requests: it breaks this share of the good ones, and multiplies latency."""

    error: float = 0.0
    latency_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What became of one rollout; the names and meanings of the rows of `sim.engine.rows`."""

    outcome: str
    decided_at: float
    ended_at: float
    requests: int
    canary_requests: int
    bad: int
    harm: int


@dataclass(slots=True)
class _Series:
    """The counters that one version's pods expose: all requests, errors, good answers by latency."""

    latency: list[int]
    requests: int = 0
    bad: int = 0

    def read(self) -> tuple[int, ...]:
        return self.requests, self.bad, *self.latency


class _Totals(NamedTuple):
    """What users met; `harm` is what they would not have met without the change."""

    requests: int
    canary_requests: int
    bad: int
    harm: int


@dataclass(slots=True)
class _Scrape:
    at: float
    series: dict[int, tuple[int, ...]]
    totals: _Totals


class _Run:
    """One rollout and its world."""

    def __init__(self, policy: Policy, service: Service, change: Change, seed: int) -> None:
        assert service.latency is not None
        self.policy, self.service, self.change, self.seed = policy, service, change, seed
        self.env, self.random, self.latency = simpy.Environment(), Random(seed), service.latency
        self.pods: dict[int, list[bool]] = {OLD: [True] * service.pods.count, NEW: []}  # True: available
        self.series = {revision: _Series([0] * (len(self.latency.bounds) + 1)) for revision in (OLD, NEW)}
        self.share = 0.0  # of requests that go to the new version, as it has arrived
        self.exposed, self.stable = False, OLD
        self.harm = self.slow = 0  # because of the change: all, and answers too late
        self.in_flight = 0
        self.scrapes: list[_Scrape] = []
        self.inbox = simpy.Store(self.env)
        self.under_way = 0  # pods, weights and queries that will be heard of
        self.outcome, self.decided_at = "inconclusive", inf

    # ---- requests ----

    def arrivals(self) -> Steps:
        rate = self.service.traffic.rate(0.0)
        while True:
            yield self.env.timeout(self.random.expovariate(rate))
            self.env.process(self.request())

    def request(self) -> Steps:
        """Counted when it arrives (contracts section 11), answered after its latency."""
        random = self.random
        revision = NEW if random.random() < self.share else OLD
        series = self.series[revision]
        series.requests += 1
        if not any(self.pods[revision]):
            series.bad += 1
            return
        seconds = before = self.latency.median * exp(random.gauss(0.0, self.latency.sigma))
        error = random.random() < self.service.errors
        if revision == NEW:
            seconds *= self.change.latency_factor
            if not error and random.random() < self.change.error:
                error = True
                self.harm += 1
            elif not error and before <= self.latency.limit < seconds:
                self.harm += 1
                self.slow += 1
        if error:
            series.bad += 1
        else:
            series.latency[bisect_left(self.latency.bounds, seconds)] += 1
        self.in_flight += 1
        yield self.env.timeout(seconds)
        self.in_flight -= 1

    def totals(self) -> _Totals:
        old, new = self.series[OLD], self.series[NEW]
        return _Totals(old.requests + new.requests, new.requests, old.bad + new.bad + self.slow, self.harm)

    # ---- monitoring ----

    def scraper(self) -> Steps:
        monitoring = self.service.monitoring
        if self.service.phase > 0:
            yield self.env.timeout(self.service.phase)
        while True:
            self.scrape()
            yield self.env.timeout(monitoring.scrape)

    def scrape(self) -> None:
        """A version that never got traffic has no series yet."""
        shown = {OLD: self.series[OLD].read()}
        if self.exposed:
            shown[NEW] = self.series[NEW].read()
        self.scrapes.append(_Scrape(self.env.now, shown, self.totals()))

    def measure(self, command: Measure) -> Steps:
        yield self.env.timeout(
            self.service.monitoring.query.draw(0.5)
        )  # even 0: what is scraped at this moment is scraped first
        assert isinstance(command.query, Counts)
        self.tell(Measured(command.id, self.look(command.query.window)))

    def look(self, span: float) -> Answer:
        until = self.env.now - self.service.monitoring.lag
        seen = [scrape for scrape in self.scrapes if until - span - 1e-9 <= scrape.at <= until + 1e-9]
        if len(seen) < 2:
            return Absent("fewer than two scrapes")
        window = Window(
            seen[0].at, seen[-1].at, self.share, self.arm(seen, NEW), self.arm(seen, OLD), self.latency.bounds
        )
        return Value(window)

    @staticmethod
    def arm(seen: list[_Scrape], revision: int) -> Arm:
        samples = [scrape.series[revision] for scrape in seen if revision in scrape.series]
        if not samples:
            return Arm(0, 0)
        requests, bad, *latency = (last - first for first, last in zip(samples[0], samples[-1], strict=True))
        return Arm(requests, bad, tuple(latency))

    # ---- the rollout ----

    def controller(self) -> Steps:
        """Hands events to the policy and carries its commands out until nothing more can happen."""
        rollout = Rollout(self.policy)
        event: Event = Started(self.service.pods.count, seed=self.seed)
        while True:
            for command in rollout.handle(self.env.now, event):
                self.carry(command)
            if rollout.wakes_at is None and not self.under_way and not self.inbox.items:
                return
            heard = self.inbox.get()
            if rollout.wakes_at is None:
                event = yield heard
                continue
            yield heard | self.env.timeout(max(0.0, rollout.wakes_at - self.env.now))
            if heard.triggered:
                event = cast(Event, heard.value)
            else:
                heard.cancel()
                event = Woke()

    def carry(self, command: Command) -> None:
        match command:
            case SetWeight(weight):
                self.begin(self.route(weight / 100.0))
            case Restore():
                self.begin(self.route(0.0))
            case SetScale(stable, canary, older):
                self.scale(self.stable, stable)
                self.scale(OLD + NEW - self.stable, canary if self.stable == OLD else older)
            case Promote(revision):
                self.stable = revision
            case Measure():
                self.begin(self.measure(command))
            case Finish(outcome):
                self.outcome, self.decided_at = outcome, self.env.now
            case _:
                raise NotImplementedError(f"the oracle knows plain canaries only, got {command}")

    def begin(self, steps: Steps) -> None:
        self.under_way += 1
        self.env.process(steps)

    def tell(self, event: Event) -> None:
        self.under_way -= 1
        self.inbox.put(event)

    def route(self, weight: float) -> Steps:
        """A weight is that of the new version beside the stable one; once it is the stable one itself, it has
        everything."""
        if self.env.now > 0:
            yield self.env.timeout(self.service.propagation.draw(0.5))
        self.share = 1.0 if self.stable == NEW else weight
        self.exposed = self.exposed or self.share > 0
        self.tell(WeightIs(100.0 * weight))

    def scale(self, revision: int, wanted: int) -> None:
        pods = self.pods[revision]
        if wanted < len(pods):
            pods.sort(reverse=True)  # available pods stay
            del pods[wanted:]
            self.begin(self.notice())
        for _ in range(wanted - len(pods)):
            pods.append(False)
            self.begin(self.start(revision))

    def start(self, revision: int) -> Steps:
        yield self.env.timeout(self.service.pods.start.draw(0.5))
        if False in self.pods[revision]:
            self.pods[revision][self.pods[revision].index(False)] = True
        self.tell(self.ready())

    def notice(self) -> Steps:
        yield self.env.timeout(0.0)
        self.tell(self.ready())

    def ready(self) -> PodsReady:
        old, new = sum(self.pods[OLD]), sum(self.pods[NEW])
        return PodsReady(old, new) if self.stable == OLD else PodsReady(new, 0, old)

    # ---- all of it ----

    def facts(self) -> Facts:
        """A bad release that was promoted goes on breaking requests while we watch, in whole scrape windows."""
        env = self.env
        env.process(self.scraper())
        env.process(self.arrivals())
        env.run(env.process(self.controller()))
        ended, totals = env.now, self.totals()
        if self.outcome == "promoted" and self.change != Change():
            env.run(env.process(self.watch()))
            ended, totals = self.scrapes[-1].at, self.scrapes[-1].totals
        return Facts(self.outcome, self.decided_at, ended, *totals)

    def watch(self) -> Steps:
        yield self.env.timeout(self.service.recovery.watch)
        yield self.env.timeout(0.0)


def simulate(policy: Policy, service: Service, change: Change, seed: int) -> Facts:
    """One rollout of `policy`, request by request. The service has constant traffic and pod starts, and nobody is
    paged."""
    return _Run(policy, service, change, seed).facts()
