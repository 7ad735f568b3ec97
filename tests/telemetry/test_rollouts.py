"""Whole rollouts that are driven by queries: in blocks and one by one, whoever runs them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.engine.paths import Case, draws_for, follow, solo
from sim.scenario import assemble, load
from sim.service.model import Pods, Service
from sim.service.telemetry.settings import Telemetry
from sim.service.traffic import Constant

ROOT = Path(__file__).parent.parent.parent
SERVICE = Service(traffic=Constant(50.0), errors=0.002, pods=Pods(count=3))


def case(release: str = "errors-small", **telemetry: object) -> Case:
    """The gallery's Rollout, whose query asks for the canary's success rate."""
    service = replace(SERVICE, telemetry=Telemetry(**telemetry))  # type: ignore[arg-type]
    policy = ROOT / "scenarios/policies/argo-canary.yaml"
    return assemble([policy], service=service, releases=(release,)).cases()[0][2]


@pytest.mark.parametrize("telemetry", [{}, {"pods": "apart"}, {"phases": 3}, {"initialized": True}], ids=str)
def test_blocks_are_made_of_rollouts(telemetry: dict[str, object]) -> None:
    """Replications that share paths end as each does alone, and measured what each measures alone."""
    asked = case(**telemetry)
    rows = follow(asked, 1, 0, 12)
    draws = draws_for(asked.service, 1, 0, 12)
    for row in (0, 5, 11):
        story = solo(asked, draws, row)[1].story
        assert (story.decided_at, story.looks) == (rows["decided_at"][row], rows["looks"][row])
    assert 0 < rows["outcome"].sum() < 12


def test_parts_of_a_batch_are_the_batch() -> None:
    asked = case()
    whole = follow(asked, 1, 0, 20)
    parts = np.concatenate([follow(asked, 1, first, 5) for first in range(0, 20, 5)])
    assert whole.tobytes() == parts.tobytes()


def test_hash_seeds_and_fresh_processes_change_nothing() -> None:
    code = (
        "from sim.engine.paths import follow; from sim.scenario import load; import hashlib\n"
        "cases = load('scenarios/flagger-manifest.yaml').cases()\n"
        "print(hashlib.sha256(b''.join(follow(case, 1, 0, 20).tobytes() for _, _, case in cases)).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "77")
    }  # fmt: skip
    assert len(found) == 1


def test_a_case_goes_to_another_process() -> None:
    """Workers get pickles: what was worked out for a query is worked out again there."""
    asked = case()
    sent = pickle.loads(pickle.dumps(asked))
    assert follow(sent, 1, 0, 10).tobytes() == follow(asked, 1, 0, 10).tobytes()


def test_two_policies_meet_the_same_users() -> None:
    """Common random numbers: with and without a query the same requests come."""
    scenario = load(ROOT / "scenarios/argo-manifest.yaml")
    asked = scenario.cases()[0][2]
    told = replace(asked, metrics=None, policy=replace(asked.policy, background=None))  # type: ignore[type-var]
    one, other = (follow(each, 1, 0, 40)["requests"].astype(float) for each in (asked, told))
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_a_range_query_gives_its_samples_to_the_condition(tmp_path: Path) -> None:
    """Five minutes in steps of one: `all` and `len` see the samples of the only series."""
    text = (ROOT / "tests/bench/rollout.yaml").read_text()
    ranged = (
        "rangeQuery: {start: 'now() - duration(\"4m\")', end: now(), step: 1m}\n        address: http://prometheus:9090"
    )
    text = text.replace("address: http://prometheus:9090", ranged, 1)
    condition = "'len(result) > 0 && all(result, # >= 0.95) && len(result) < 6'"
    text = text.replace("len(result) > 0 && result[0] >= 0.95", condition)
    (tmp_path / "rollout.yaml").write_text(text)
    service = replace(SERVICE, traffic=Constant(100.0))
    good, bad = assemble([tmp_path / "rollout.yaml"], service=service, releases=("good", "errors-large")).cases()
    assert good[2].metrics is not None and good[2].metrics.back == 300.0
    assert follow(good[2], 1, 0, 4)["outcome"].tolist() == [0] * 4
    assert follow(bad[2], 1, 0, 4)["outcome"].tolist() == [1] * 4
