"""The simulated world: where requests go, what is lost, what harm is; against what can be worked out by hand.

Counts are held to 5 standard errors of their Poisson mean (false alarm below 1e-6 each), with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest

from sim.durations import Constant as Fixed
from sim.durations import Lognormal
from sim.engine.paths import Case, follow
from sim.engine.rows import OUTCOMES, Rows
from sim.faults.effects import Effect, PodEffect, VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Counts, Match, Mirror, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.judges.controls import AlwaysRollback
from sim.policy.judges.threshold import Threshold
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.steps import Analyse, Pause
from sim.service.model import Alerts, Latency, People, Pods, Recovery, Service
from sim.service.traffic import Constant

PLAIN = Service(
    traffic=Constant(100.0),
    latency=None,
    pods=Pods(count=5, start=Fixed(10.0)),
    alerts=Alerts(pairs=()),
    propagation=Fixed(0.0),
)
BAD = VersionEffect("canary", 0.0, inf, error_add=0.2)


def rows(policy: Policy, service: Service = PLAIN, *effects: Effect, count: int = 200) -> Rows:
    return follow(Case(policy, service, effects), 1, 0, count)


def close(found: np.ndarray, mean: float) -> bool:
    return abs(float(found.mean()) - mean) < 5 * sqrt(max(mean, 1.0) / len(found))


def ramp(*stages: tuple[float, float], **more: object) -> Canary:
    steps = tuple(step for weight, seconds in stages for step in (SetWeight(weight), Pause(seconds)))
    return Canary(steps=steps, scale_down_delay=0.0, **more)  # type: ignore[arg-type]


def test_blast_radius_of_a_ramp() -> None:
    """judges.md V19: R * dp * sum(w d); the old pods go at once, so counting ends with the promotion."""
    service = replace(PLAIN, traffic=Constant(1000.0), pods=Pods(start=Fixed(0.0)), recovery=Recovery(watch=0.0))
    found = rows(ramp((5, 60.0), (20, 60.0), (50, 30.0)), service, VersionEffect("canary", 0.0, inf, error_add=0.2))
    share = 0.2 * 0.999  # of requests that would not have failed anyway
    assert close(found["harm"], 30_000.0 * share)
    assert close(found["requests"], 150_000.0)


def test_no_change_no_harm() -> None:
    assert (rows(ramp((50, 60.0)))["harm"] == 0).all()


def test_weight_with_a_router_is_exact() -> None:
    found = rows(ramp((3, 600.0)), PLAIN, count=50)
    assert close(found["canary_requests"], 100.0 * 0.03 * 600.0 + 100.0 * 10.0 * 0.03)


def test_share_without_a_router_is_that_of_the_pods() -> None:
    """1% of 5 pods without a router is 1 pod of 6 (5 stable ones stay: 1 of 100 is nearest to 1 of 6)."""
    found = rows(ramp((1, 900.0), router=False), replace(PLAIN, horizon=610.0), count=50)
    during = next(seconds for seconds in (found["ended_at"] - 10.0).tolist())
    assert close(found["canary_requests"], 100.0 * during / 6.0)


def test_recreate_loses_what_comes_in_between() -> None:
    found = rows(Rolling(recreate=True))
    assert close(found["lost"], 1000.0)
    assert (found["harm"] == 0).all()


def test_a_rolling_update_loses_nothing() -> None:
    assert (rows(Rolling())["lost"] == 0).all()


def test_blue_green_switches_at_once() -> None:
    found = rows(BlueGreen(), PLAIN, count=20)
    assert (found["full_at"] == 10.0).all()
    assert (found["canary_requests"] > 0).all()


def test_an_abort_restores() -> None:
    service = replace(PLAIN, propagation=Fixed(7.0))
    analysis = Analysis(
        (Metric("no", Counts(60.0), Judged(AlwaysRollback()), interval=60.0, count=1, initial_delay=60.0),)
    )
    found = rows(Canary(steps=(SetWeight(20), Analyse(analysis))), service, BAD)
    assert (found["decided_at"] == 70.0).all()
    assert (found["restored_at"] == 77.0).all()
    assert close(found["harm"], 100.0 * 0.2 * 60.0 * 0.2 * 0.999)


def test_mirrored_copies_hurt_nobody() -> None:
    analysis = Analysis(
        (Metric("errors", Counts(60.0), Judged(Threshold(0.5)), interval=60.0, count=3, initial_delay=60.0),)
    )
    shadow = Canary(steps=(Mirror(50), Analyse(analysis), Mirror(0)), pods=False)
    found = rows(shadow, replace(PLAIN, recovery=Recovery(watch=0.0)), BAD)
    assert (found["outcome"] == 0).all()
    assert (found["looks"] == 3).all()
    assert (found["harm"][found["full_at"] == inf] == 0).all()
    assert float(found["requests"].mean()) < 100.0 * 200.0


def measured(limit: float) -> BlueGreen:
    """The preview is measured for three minutes before it is shown to anybody; nothing seen is no verdict."""
    errors = Metric(
        "errors",
        Counts(60.0),
        Judged(Threshold(limit, on_nodata="inconclusive")),
        interval=60.0,
        count=3,
        initial_delay=60.0,
    )
    return BlueGreen(pre=Analysis((errors,)))


@pytest.mark.parametrize(
    ("testers", "limit", "outcome"),
    [(0.0, 0.5, "aborted"), (20.0, 0.5, "promoted"), (20.0, 0.05, "aborted")],  # without them a person has to say no
)
def test_testers_make_a_preview_known_and_are_no_users(testers: float, limit: float, outcome: str) -> None:
    service = replace(PLAIN, testers=testers, recovery=Recovery(watch=0.0), people=People(Fixed(60.0), "abort"))
    found = rows(measured(limit), service, BAD, count=50)
    assert (found["outcome"] == OUTCOMES.index(outcome)).all()
    assert found["person"].all() == (testers == 0.0)
    assert (found["exposed_at"] == (190.0 if outcome == "promoted" else inf)).all()
    shown = found["ended_at"] - found["exposed_at"] if outcome == "promoted" else np.zeros(50)
    assert close(found["canary_requests"], 100.0 * float(shown.mean()))
    assert close(found["requests"], 100.0 * float(found["ended_at"].mean()))


def test_testers_call_nothing_that_users_see() -> None:
    canary = ramp((50, 600.0))
    alone, tested = (rows(canary, replace(PLAIN, testers=testers), BAD, count=20) for testers in (0.0, 50.0))
    assert (alone["harm"] == tested["harm"]).all()
    assert close(tested["canary_requests"], float(alone["canary_requests"].mean()))


def test_matched_segments_go_to_the_new_version() -> None:
    service = replace(PLAIN, segments=(("beta", 0.1),), pods=Pods(start=Fixed(0.0)))
    found = rows(
        Canary(steps=(Match(("beta",)), Pause(600.0), Match(())), pods=False, max_weight=100), service, count=100
    )
    assert close(found["canary_requests"], 6000.0)


def test_a_fault_of_one_segment_hits_its_share() -> None:
    service = replace(PLAIN, segments=(("mobile", 0.3),), recovery=Recovery(watch=0.0), pods=Pods(start=Fixed(0.0)))
    found = rows(ramp((50, 600.0)), service, VersionEffect("canary", 0.0, inf, error_add=0.1, segment="mobile"))
    assert close(found["harm"], 100.0 * 0.5 * 600.0 * 0.3 * 0.1 * 0.999)


def test_overload_loses_what_is_too_much() -> None:
    """A canary of one pod that can carry 10 of the 20 requests/s sent to it loses half of them."""
    service = replace(PLAIN, pods=Pods(count=5, start=Fixed(0.0), capacity=10.0), traffic=Constant(40.0))
    found = rows(ramp((50, 600.0)), service)  # 3 canary pods carry 30, 20 come: nothing is lost
    assert (found["lost"] == 0).all()
    crowded = replace(service, traffic=Constant(100.0))
    lost = rows(ramp((50, 600.0)), crowded)["lost"]
    assert close(lost, 600.0 * (50.0 - 30.0))


def test_slow_answers_because_of_the_change_are_harm() -> None:
    latency = Latency(median=0.1, sigma=0.5, limit=0.5, bounds=(0.1, 0.5, 1.0))
    service = replace(PLAIN, latency=latency, recovery=Recovery(watch=0.0), pods=Pods(start=Fixed(0.0)))
    found = rows(ramp((50, 600.0)), service, VersionEffect("canary", 0.0, inf, latency_factor=5.0))
    tail = 1.0 - 0.5  # the median is at the limit: half of the answers are slow
    before = 0.000643  # P(lognormal(0.1, 0.5) > 0.5)
    assert float(found["harm"].mean()) == pytest.approx(100.0 * 0.5 * 600.0 * (tail - before) * 0.999, rel=0.01)


def test_an_alert_and_a_person_bring_the_old_version_back() -> None:
    service = replace(
        PLAIN,
        alerts=Alerts(pairs=((3600.0, 300.0, 14.4),)),
        people=People(response=Fixed(300.0)),
        recovery=Recovery(rollback=60.0),
    )
    found = rows(Rolling(), service, VersionEffect("canary", 0.0, inf, error_add=0.5), count=30)
    assert (found["alerted_at"] <= 180.0).all()  # (1 - SLO) / err * w * B = 104 s, seen at the next evaluation
    assert (found["restored_at"] == found["alerted_at"] + 360.0).all()
    assert close(found["harm"], float(found["harm"].mean()))
    assert float(found["harm"].mean()) == pytest.approx(100.0 * 0.5 * float(found["restored_at"].mean()), rel=0.1)


def test_random_pod_starts_differ_by_replication() -> None:
    service = replace(PLAIN, pods=Pods(start=Lognormal(10.0, 60.0)))
    found = rows(ramp((20, 60.0)), service, count=20)
    assert len(np.unique(found["exposed_at"])) == 20


def test_a_lost_node_loses_requests_until_it_is_noticed() -> None:
    loss = PodEffect("node_loss", "stable", 100.0, inf, fraction=0.2, delay=40.0, back_after=340.0)
    found = rows(ramp((1, 600.0)), PLAIN, loss)
    assert close(found["lost"], 99.0 * 0.2 * 40.0)


@pytest.mark.parametrize("boot, lost, away", [(20.0, 20.0, 27.0), (90.0, 40.0, 97.0), (900.0, 40.0, 347.0)])
def test_a_rebooted_node_brings_its_pods_back_after_they_started_again(boot: float, lost: float, away: float) -> None:
    """Requests fail until the node is back or counts as lost (40 s); its pods are there 7 s after the boot, or after the eviction."""
    from sim.service.fleet import Fleet
    from sim.service.trouble import Trouble

    service = replace(PLAIN, pods=Pods(count=10, start=Fixed(7.0)))
    reboot = PodEffect("node_reboot", "stable", 100.0, 100.0 + boot, fraction=0.2, delay=40.0, back_after=340.0)
    found = rows(ramp((1, 600.0)), service, reboot)
    assert close(found["lost"], 99.0 * 0.2 * lost)
    acts: list[tuple[float, Callable[[float], None]]] = []
    trouble = Trouble(
        service,
        (reboot,),
        lambda at, act: acts.append((at, act)),
        lambda purpose, index: 0.5,
        lambda drawn, purpose: drawn.draw(0.5),
    )
    fleet = Fleet(10, trouble.ready_after, lambda at: None)
    trouble.watch(fleet)
    while acts:
        at, act = acts.pop(0)
        trouble.now = at
        act(at)
    assert fleet.available(100.0 + away - 0.1, 1) == 8 and fleet.available(100.0 + away, 1) == 10


def test_a_policy_that_asks_for_too_many_pods_is_stopped() -> None:
    from sim.policy.commands import SetScale
    from sim.policy.runbook import Runbook, Steps, Wait

    class Greedy:
        def steps(self) -> Steps:
            yield SetWeight(100)
            yield Wait(1.0)
            yield SetScale(50, 50)  # type: ignore[misc]

    with pytest.raises(PolicyError, match="is not a request"):
        rows(Runbook(Greedy()), PLAIN, count=1)


def test_a_deadline_that_was_late_and_is_met_stops_nobody() -> None:
    """Degraded before the pause, and paused as planned when the person looks: they promote."""
    policy = Canary(steps=(SetWeight(20), Pause(), SetWeight(100)), progress_deadline=5.0)
    found = rows(policy, count=3)
    assert [OUTCOMES[row] for row in found["outcome"]] == ["promoted"] * 3
    assert found["person"].all()
