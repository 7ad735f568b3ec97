"""Undisturbed runs: the policies of the gallery on a cluster in memory, promoted or restored, replayed, nothing left over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from real.driver.plan import Ending, Plan
from real.driver.recover import recover
from real.driver.run import run
from real.ports.ports import Stop
from real.ports.things import Live, Put, Selector, Stamp
from sim.journal import replay
from sim.policy.analysis import Analysis, Limits, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Counts, SetWeight
from sim.policy.rollout import Policy
from sim.policy.steps import Pause
from sim.scenario import load_policy
from tests.real.fake import LIMITS, Behaviour, Crash, Log, Yard, ended

POLICIES = Path(__file__).parents[2] / "scenarios" / "policies"


def driven(policy: Policy, behaviour: Behaviour, yard: Yard | None = None) -> tuple[Ending, Yard, Log]:
    yard = yard or Yard(behaviour)
    yard.log = log = Log(yard)
    limits = replace(LIMITS, horizon=20_000.0)
    return run(Plan("run-1", policy, "app@sha256:02", limits=limits), yard.world(), log), yard, log


ROWS = [
    ("canary-thresholds", "bad", "aborted"), ("canary-sequential", "good", "promoted"), ("blue-green", "good", "promoted"),
    ("blue-green", "bad", "aborted"), ("rolling", "good", "promoted"), ("all-at-once", "good", "promoted"), ("ab", "good", "promoted"),
    ("ab", "bad", "aborted"), ("shadow", "good", "promoted"), ("shadow", "bad", "aborted"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "outcome"), ROWS)
def test_a_policy_of_the_gallery_runs_unchanged(name: str, answer: str, outcome: str) -> None:
    policy = load_policy(str(POLICIES / f"{name}.yaml")).policy
    ending, yard, log = driven(policy, Behaviour(answers=(answer,)))
    assert (ending.state, ending.outcome) == ("promoted" if outcome == "promoted" else "restored", outcome)
    assert yard.violations == []
    assert ended(yard) == []
    assert replay(policy, log.journal()) is None


class Slow(Yard):
    """Each write takes longer than old pods wait for their end."""

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        self.sleep(4.0)
        return super().write(put, stamp, deadline)


def test_a_slow_cluster_is_recorded_to_the_end_and_how_late_the_driver_was() -> None:
    """The policy has nothing more to do before anybody could look at its last weight."""
    behaviour = Behaviour()
    ending, yard, log = driven(
        Canary(steps=(SetWeight(50), Pause(5.0)), scale_down_delay=2.0), behaviour, Slow(behaviour)
    )
    assert (ending.state, yard.violations) == ("promoted", [])
    assert [act["share"] for act in log.acts if "share" in act] == [0.5, 1.0]
    late = [act["late"] for act in log.acts if "late" in act]
    assert late and all(0.05 < one < 20.0 for one in late)


def test_the_next_run_begins_where_the_last_one_ended() -> None:
    policy = load_policy(str(POLICIES / "blue-green.yaml")).policy
    _, yard, _ = driven(policy, Behaviour())
    for revision in (2, 3):
        log = Log(yard, f"run-{revision}")
        yard.log = log
        plan = Plan(f"run-{revision}", policy, f"app@sha256:0{revision + 1}", limits=replace(LIMITS, horizon=20_000.0))
        assert run(plan, yard.world(), log).state == "promoted"
        assert log.acts[0]["opened"]["stable"] == revision
        assert yard.violations == []
        assert ended(yard) == []


def stuck(ready: float) -> tuple[Ending, Yard, float]:
    """A blue-green whose driver dies after the switch; the old pods are gone, and new ones of the old version take so long."""
    policy = BlueGreen(
        scale_down_delay=0.0, post=Analysis((Metric("x", Counts(30.0), Limits(low=0.0), interval=500.0, count=2),))
    )
    yard = Yard(Behaviour())
    yard.log = log = Log(yard)

    def lost() -> None:
        yard.behaviour.ready = {1: ready}
        yard.pods["workload/home"][1].clear()
        yard._deploy("workload/home")
        raise Crash

    yard.later(20.0, lost)
    with pytest.raises(Crash):
        run(Plan("run-1", policy, "app@sha256:02", limits=LIMITS), yard.world(), log)
    return recover(log.journal(), yard.world(), log, limits=LIMITS), yard, yard.now - 1000.0


def test_traffic_waits_for_the_pods_that_are_to_take_it() -> None:
    ending, yard, at = stuck(40.0)
    assert (ending.state, yard.violations, ended(yard)) == ("restored", [], [])
    assert at >= 60.0


def test_without_any_pod_to_take_it_traffic_stays_where_it_is() -> None:
    """The old version does not come back: better the new one than nobody, and the person is told what is left to do."""
    ending, yard, _ = stuck(float("inf"))
    assert (ending.state, ending.code, yard.violations) == ("unrestored", 4, [])
    assert yard.objects["service/active"].value == Selector(2)
    assert Put("service/active", Selector(1)) in ending.left
    assert yard.ready(2) == 3


def test_pods_that_do_not_come_are_not_waited_for_for_ever() -> None:
    policy = Canary(steps=(SetWeight(50), Pause(300.0)))
    yard = Yard(Behaviour())
    yard.log = log = Log(yard)
    yard.later(20.0, lambda: yard.pods["workload/home"][1].__setitem__(0, float("inf")))
    yard.later(25.0, lambda: yard.tell(Stop("stopped by SIGINT")))
    ending = run(Plan("run-1", policy, "app@sha256:02", limits=LIMITS), yard.world(), log)
    assert (ending.state, ending.remarks) == ("restored", ("2 of 3 pods of revision 1 are ready",))
    assert yard.now - 1000.0 < 120.0


@pytest.mark.parametrize("times", [1, 2, 10])
def test_ctrl_c_restores_however_often_it_comes(times: int) -> None:
    policy = Canary(steps=(SetWeight(50), Pause(300.0)))
    yard = Yard(Behaviour())
    yard.log = log = Log(yard)
    for number in range(times):
        yard.later(25.0 + number * 0.5, lambda: yard.tell(Stop("stopped by SIGINT")))
    ending = run(Plan("run-1", policy, "app@sha256:02", limits=LIMITS), yard.world(), log)
    assert (ending.state, ending.interrupted, ending.code) == ("restored", True, 130)
    assert ended(yard) == []
    assert replay(policy, log.journal()) is None
    assert log.acts[-1]["ended"] == "restored"
