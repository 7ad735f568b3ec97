"""Every format runs: planned, traced, and simulated under a good release and one whose pods crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.engine.paths import follow
from sim.engine.rows import OUTCOMES
from sim.policy.events import Value
from sim.scenario import load, load_policy
from sim.service.model import Service
from sim.timeline import plan
from sim.tracing.run import trace
from sim.tracing.script import Ends, Script

SAMPLES = Path(__file__).parent / "samples"
CONFIG = (
    '{"name": "c", "judge": {}, "metrics": [{"name": "error rate", "groups": ["e"]}, {"name": "cpu", "groups": ["s"]}]}'
)
PIPELINE = """
{"stages": [{"type": "deploy", "name": "red", "clusters": [{"strategy": "rollingredblack", "targetPercentages": [40],
  "rollback": {"onFailure": true},  "scaleDown": true, "capacity": {"desired": 5}}]},
 {"type": "kayentaCanary", "name": "judged", "canaryConfig": {"canaryConfigId": "c", "lifetimeDuration": "PT30M",
  "canaryAnalysisIntervalMins": "10", "scoreThresholds": {"pass": 40, "marginal": 20}, "scopes": [{}]}}]}
"""
# policy -> how it ends when no pod of the new version ever starts
FORMATS = {
    "deployment.yaml#shop": "inconclusive", "stack.compose.yaml#shop": "aborted", "stack.compose.yaml#db": "aborted",
    "kruise.yaml#shop": "inconclusive", "kruise.yaml#old": "inconclusive", "spinnaker#red": "aborted",
    "spinnaker#judged": "inconclusive",
}  # fmt: skip
SCENARIO = """
seatrial: scenario
policies: {{it: "{policy}"}}
releases:
  good: {{}}
  crash: {{faults: [{{id: c, kind: pod.crash_loop, target: {{version: canary}}}}]}}
horizon: 4h
replications: 5
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The samples, and a folder with a pipeline and its config."""
    (tmp_path / "spinnaker").mkdir()
    (tmp_path / "spinnaker" / "config.json").write_text(CONFIG)
    (tmp_path / "spinnaker" / "pipeline.json").write_text(PIPELINE)
    for sample in SAMPLES.glob("*.yaml"):
        (tmp_path / sample.name).write_text(sample.read_text())
    return tmp_path


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_planned_and_traced(place: Path, name: str) -> None:
    policy = load_policy(f"{place}/{name}")
    made = plan(policy.policy, Service(), policy.replicas)
    assert made.outcome[0] == "promoted" and made.decided[0] <= made.decided[1]
    script = Script({"canary-score": (Value(99.0),)}, ready={2: Ends(3.0)}, until=600.0)
    found = trace(policy.policy, script, replicas=5)
    assert found.entries and found.phase


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_simulated(place: Path, name: str) -> None:
    (place / "scenario.yaml").write_text(SCENARIO.format(policy=f"./{name}"))
    outcomes = {
        release: {OUTCOMES[row] for row in follow(case, 1, 0, 5)["outcome"].tolist()}
        for _, release, case in load(place / "scenario.yaml").cases()
    }
    assert outcomes == {"good": {"promoted"}, "crash": {FORMATS[name]}}
