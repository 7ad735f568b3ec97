"""Undisturbed runs: the policies of the gallery on a cluster in memory, promoted or restored, replayed, nothing left over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from real.driver.plan import Ending, Plan
from real.driver.run import run
from sim.journal import replay
from sim.policy.rollout import Policy
from sim.scenario import load_policy
from tests.real.fake import LIMITS, Behaviour, Log, Yard, ended

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
