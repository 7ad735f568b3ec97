"""The queueing rung: equal to the aggregated one where nobody waits, and to requests simulated one by one where they
do.

Statistical checks compare means over independent stretches within 4 standard errors (false alarm 6e-5 per value); seeds
are fixed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray

from sim.engine.draws import Draws
from sim.engine.paths import Case, draws_for, follow, solo
from sim.engine.queue_ledger import QueueLedger
from sim.engine.queueing import saturated
from sim.faults.effects import VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.errors import WorldError
from sim.policy.judges.threshold import Threshold
from sim.policy.steps import Analyse, SetWeight
from sim.service.demand import Standing
from sim.service.mix import Mix, layout
from sim.service.model import Latency, Pods, Service
from sim.service.traffic import Constant

LATENCY = Latency()  # 0.08 s, sigma 0.7: 0.102 s of work on average
SLOW = VersionEffect("canary", 0.0, inf, latency_factor=1.6)


def policy(judge: Threshold, weights: tuple[float, ...] = (20, 100)) -> Canary:
    metric = Metric("latency", Counts(60.0), Judged(judge), interval=60.0, count=2, initial_delay=60.0)
    return Canary(steps=tuple(step for weight in weights for step in (SetWeight(weight), Analyse(Analysis((metric,))))))


def test_where_nobody_waits_both_rungs_are_the_same() -> None:
    """At 2% utilization, and at 78% of so many places that nobody ever waits: every number of every row."""
    judge = policy(Threshold(None, max_latency=0.5, quantile=0.99), (100,))
    for rate, places, count, effects in ((100.0, 100, 12, (SLOW,)), (5000.0, 131, 1, ())):
        service = Service(traffic=Constant(rate), pods=Pods(concurrency=places))
        case = Case(judge, service, effects)
        plain = Case(judge, replace(service, pods=Pods(capacity=1e9)), effects)  # pods matter there too; nobody is lost
        assert (case.rung, plain.rung) == ("queueing", "aggregated")
        assert (follow(case, 11, 0, count) == follow(plain, 11, 0, count)).all()
        ledger, _, _ = solo(case, draws_for(service, 11, 0, 1), 0)
        assert isinstance(ledger, QueueLedger) and ledger.queued == (rate > 1000.0)


def test_a_canary_that_runs_out_of_places_is_stopped() -> None:
    """1.6 times the work fills its places: answers wait, and only the queueing rung shows the judge why to stop."""
    judge = policy(Threshold(None, max_latency=0.5, quantile=0.95))
    service = Service(traffic=Constant(100.0), pods=Pods(concurrency=3))
    use = saturated(service, 0.2, (5, 1), (SLOW,))
    assert use.queues and use.new > 1.0
    queueing = follow(Case(judge, service, (SLOW,)), 5, 0, 8)
    plain = follow(Case(judge, replace(service, pods=Pods()), (SLOW,)), 5, 0, 8)
    assert (queueing["outcome"] == 1).all() and (plain["outcome"] == 0).all()
    assert (queueing["requests"] > 0).all() and (queueing["canary_requests"] < plain["canary_requests"]).all()


def ledger(service: Service, plan: Standing, effects: tuple[VersionEffect, ...], until: float) -> NDArray[np.int64]:
    """int64[minutes, cells]: what a plan that never changes counts in each minute after the second."""
    old, new = (Mix(service, version, effects).at(0.0, 0.0, {}) for version in ("stable", "canary"))
    share, rate = plan.classes[0][2], service.traffic.rate(0.0)

    def means(start: float, end: float) -> list[float]:
        number = rate * (end - start)
        return [*(number * (1.0 - share) * p for p in old), *(number * share * p for p in new), 0.0, 0.0]

    book = QueueLedger(
        Draws(8, 0, 1, layout(service).width), np.array([0]), 15.0, 0.0, service, effects
    )  # fmt: skip
    book.change(0.0, plan, means)
    book.settle(until)
    return np.diff(np.concatenate(book.cumulative)[8::4, :-2], axis=0)


def near(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    assert abs(one.mean() - other.mean()) < 4.0 * error
    assert error < 0.1 * other.mean()  # and the comparison says something


def one_by_one(rate: float, places: int, minutes: int) -> NDArray[np.float64]:
    """float64[minutes]: the share of answers above 0.25 s, with a SimPy process per request and a resource with
    places."""
    env, random = simpy.Environment(), Random(4)
    resource = simpy.Resource(env, capacity=places)
    counts = np.zeros((minutes + 2, 2))

    def request() -> Generator[Any, Any, None]:
        arrived = env.now
        with resource.request() as place:
            yield place
            yield env.timeout(random.lognormvariate(np.log(LATENCY.median), LATENCY.sigma))
        counts[int(arrived // 60)] += (1, env.now - arrived > 0.25)

    def arrivals() -> Generator[Any, Any, None]:
        while env.now < 60 * (minutes + 2) - 1:
            yield env.timeout(random.expovariate(rate))
            env.process(request())

    env.process(arrivals())
    env.run(until=60 * (minutes + 2) - 1)
    return counts[2:, 1] / counts[2:, 0]


def test_the_old_version_waits_as_requests_do() -> None:
    """50 requests/s on 6 places: 85% busy. The share of answers above 0.25 s, minute by minute."""
    service = Service(traffic=Constant(50.0), pods=Pods(count=2, concurrency=3), errors=0.0)
    counts = ledger(service, Standing(((None, 1.0, 0.0),), 0.0, 2, 0, inf, (), 0), (), 60.0 * 302)
    slow = counts[:, LATENCY.bounds.index(0.25) + 1 : layout(service).buckets].sum(axis=1) / counts.sum(axis=1)
    near(slow, one_by_one(50.0, 6, 40))
    assert slow.mean() > 2.0 * (1.0 - Mix(service, "stable", ()).laws(0.0, 0.0)[0].below(0.25))  # work alone: 5%


def twice(rate: float, places: int, factor: float, minutes: int) -> NDArray[np.float64]:
    """float64[minutes, 2]: shares of answers above the limit, and of those that are so because of the change.

    Two queues with the same arrivals, one with the work as it would have been; written with the free places as a plain
    list.
    """
    random, at = Random(9), 0.0
    counts = np.zeros((minutes + 2, 3))
    changed, unchanged = [0.0] * places, [0.0] * places
    while (at := at + random.expovariate(rate)) < 60 * (minutes + 2):
        work = random.lognormvariate(np.log(LATENCY.median), LATENCY.sigma)
        late = []
        for free, seconds in ((changed, work * factor), (unchanged, work)):
            index = free.index(min(free))
            free[index] = max(at, free[index]) + seconds
            late.append(free[index] - at > LATENCY.limit)
        counts[int(at // 60)] += (1, late[0], late[0] and not late[1])
    return counts[2:, 1:] / counts[2:, :1]


@pytest.mark.parametrize(("factor", "places"), [(1.3, 8), (2.0, 12), (0.7, 6)])
def test_the_new_version_is_late_because_of_the_change(factor: float, places: int) -> None:
    """All 50 requests/s on the new version: late answers, and those that the change made late (none when it is
    faster)."""
    service = Service(traffic=Constant(50.0), pods=Pods(count=places, concurrency=1), errors=0.0)
    effects = (VersionEffect("canary", 0.0, inf, latency_factor=factor),)
    counts = ledger(service, Standing(((None, 1.0, 1.0),), 0.0, 0, places, 0.0, (), 0), effects, 60.0 * 302)
    shape = layout(service)
    caused = counts[:, shape.slow : shape.errors].sum(axis=1)
    late = caused + counts[:, shape.new + shape.slow_from : shape.slow].sum(axis=1)
    total, truth = counts.sum(axis=1), twice(50.0, places, factor, 80)
    near(late / total, truth[:, 0])
    if factor > 1.0:
        near(caused / total, truth[:, 1])
    else:
        assert not caused.any() and not truth[:, 1].any()


def test_a_queue_outlives_its_cause() -> None:
    """After a minute of 28% too much work everybody waits for 17 s; that drains, and then nobody waits."""
    service = Service(traffic=Constant(50.0), pods=Pods(count=4, concurrency=1), errors=0.0)
    shape = layout(service)
    book = QueueLedger(Draws(8, 0, 1, shape.width), np.array([0]), 15.0, 0.0, service, ())
    mix = Mix(service, "stable", ()).at(0.0, 0.0, {})

    def means(rate: float) -> Any:
        def expected(start: float, end: float) -> list[float]:
            return [*(rate * (end - start) * p for p in mix), *(0.0,) * (shape.width - len(mix)), 0.0, 0.0]

        return expected

    book.change(0.0, Standing((), 0.0, 4, 0, inf, (), 0), means(50.0))
    book.change(60.0, Standing((), 0.0, 4, 0, inf, (), 1), means(2.0))
    book.settle(150.0)
    windows = np.diff(np.concatenate(book.cumulative), axis=0)
    late = windows[:, shape.slow_from : shape.buckets].sum(axis=1) / windows.sum(axis=1)
    assert late[3] > 0.99 and late[4] > 0.5
    assert (late[7:] < 0.05).all()
    assert windows.sum(axis=1)[:4].sum() == pytest.approx(3000, abs=4 * 3000**0.5)


def test_what_the_rung_cannot_do_is_said() -> None:
    service = Service(pods=Pods(concurrency=3), arrivals="fixed")
    with pytest.raises(WorldError, match="arrive at random"):
        follow(Case(policy(Threshold()), service), 1, 0, 1)
