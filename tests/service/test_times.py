"""Times that chance decides: of changes of traffic, of queries; and what a router's retries save."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.durations import Constant as Fixed
from sim.durations import Lognormal, Uniform
from sim.engine.paths import Case, draws_for, follow, solo
from sim.faults.effects import PodEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.judges.controls import AlwaysRollback
from sim.policy.steps import Analyse, Pause, SetWeight
from sim.service.model import Monitoring, Pods, Service
from sim.service.site import Story
from sim.service.traffic import Constant

STOPS = Analysis((Metric("no", Counts(5.0), Judged(AlwaysRollback()), interval=5.0, count=1, initial_delay=5.0),))


def story(policy: Canary, service: Service, replication: int) -> Story:
    return solo(Case(policy, service), draws_for(service, 1, replication, 1), 0)[1].story


def test_every_change_of_traffic_takes_a_time_of_its_own() -> None:
    service = Service(pods=Pods(start=Fixed(2.0)), propagation=Uniform(1.0, 3.0))
    policy = Canary(steps=(SetWeight(20), Pause(10.0), SetWeight(50), Pause(10.0)))
    delays = [
        tuple(at - asked for (at, _), asked in zip(story(policy, service, n).steps[1:], (2.0, 14.0, 26.0), strict=True))
        for n in range(30)
    ]
    assert all(1.0 <= one <= 3.0 for found in delays for one in found)
    assert len(set(delays)) == 30
    assert sum(len({round(one, 6) for one in found}) for found in delays) == 90


def test_a_change_never_overtakes_the_one_before() -> None:
    """Two weights a tenth of a second apart, each under way for up to ten seconds."""
    service = Service(pods=Pods(start=Fixed(0.0)), propagation=Uniform(0.0, 10.0))
    policy = Canary(steps=(SetWeight(20), Pause(0.1), SetWeight(50), Pause(30.0)))
    for n in range(20):
        shares = [share for _, share in story(policy, service, n).steps]
        assert shares == sorted(shares) and shares[-1] == 1.0


def test_who_works_serially_takes_no_pod_away_before_the_traffic_is_elsewhere() -> None:
    """A promotion whose traffic takes 40 s, while the old pods are to go after 30 s: a serial controller loses nobody."""
    plain = Service(traffic=Constant(50.0), errors=0.0, pods=Pods(start=Fixed(2.0)), propagation=Fixed(40.0))
    for serial, loses in ((False, True), (True, False)):
        rows = follow(Case(Canary(steps=(SetWeight(50), Pause(60.0))), replace(plain, serial=serial)), 1, 0, 3)
        assert [lost > 0 for lost in rows["lost"].tolist()] == [loses] * 3


def test_a_decision_waits_for_its_query() -> None:
    service = Service(pods=Pods(start=Fixed(2.0)), monitoring=Monitoring(1.0, query=Lognormal(0.5, 2.0)))
    decided = [story(Canary(steps=(SetWeight(20), Analyse(STOPS))), service, n).decided_at - 7.0 for n in range(200)]
    assert min(decided) > 0
    assert sorted(decided)[100] == pytest.approx(0.5, rel=0.25)  # sigma 0.6 of 200: 2.5 standard errors are 13%


def test_scrapes_begin_anywhere_in_their_interval() -> None:
    """A look at 7 s over 5 s sees scrapes of every 2 s: the newest one is up to 2 s old, by the phase that each rollout has of its own."""
    service = Service(pods=Pods(start=Fixed(2.0)), monitoring=Monitoring(2.0, phase=Uniform(0.0, 2.0)))
    assert not service.steady and service.phased(0.25).phase == 0.5
    case, draws = Case(Canary(steps=(SetWeight(20), Analyse(STOPS))), service), draws_for(service, 1, 0, 40)
    bases = [solo(case, draws, row)[0].base for row in range(40)]
    assert len(set(bases)) == 40 and all(-2.0 < base <= 0.0 for base in bases)


@pytest.mark.parametrize(("retries", "share"), [(0, 1 / 3), (2, 1 / 27)])
def test_a_retry_meets_another_pod_by_chance(retries: int, share: float) -> None:
    """One of three pods is killed, and listed for 20 s more: of 20,000 requests so many fail, within four standard errors."""
    service = Service(
        traffic=Constant(1000.0), errors=0.0, pods=Pods(count=3), propagation=Fixed(20.0), retries=retries, horizon=120.0
    )  # fmt: skip
    kill = PodEffect("kill", "stable", at=30.0, end=31.0, count=1)
    rows = follow(Case(Canary(steps=(Pause(100.0),)), service, (kill,)), 5, 0, 10)
    expected = 20_000 * share
    assert all(abs(lost - expected) < 4 * expected**0.5 for lost in rows["lost"].tolist())
