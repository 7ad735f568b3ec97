"""`trace`, `plan`, `explain`, `replay`: one rollout, closely."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import sim
from sim.scenario import schema
from sim.story import Beat, _folded

Seatrial = Callable[..., "object"]

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "shop:1"}]}
  strategy:
    canary:
      steps:
      - setWeight: 25
      - pause: {}
      - analysis: {templates: [{templateName: rate}]}
"""
TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate}
spec:
  metrics:
  - name: success-rate
    interval: 60s
    count: 2
    successCondition: result[0] >= 0.95
    provider: {prometheus: {address: "http://prometheus", query: "up"}}
"""
SCRIPT = """
seatrial: script
measurements: {success-rate: [[0.99], [0.5]]}
ready: 2s
events: [{at: 130s, promote: true}]
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name, text in (("rollout", ROLLOUT), ("template", TEMPLATE)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    return folder


# ---- trace ----


def test_trace_of_a_folder_of_files_and_of_standard_input_agree(seatrial: Seatrial, manifests: Path) -> None:
    folder = seatrial("trace", manifests, "--script", "script.yaml", "--json")
    files = seatrial("trace", manifests / "rollout.yaml", manifests / "template.yaml", "-s", "script.yaml", "--json")
    pipe = seatrial("trace", "-", "--script", "script.yaml", "--json", given=f"{ROLLOUT}---{TEMPLATE}")
    assert folder.code == 0 and folder.out == files.out == pipe.out
    document = json.loads(folder.out)
    jsonschema.validate(document, schema("trace"))
    assert list(document) == ["policy", "profile", "phase", "reason", "entries"]
    assert (document["policy"], document["profile"], document["phase"]) == ("shop", "argo-rollouts@1.10", "Degraded")
    kinds = [(entry["at"], entry["kind"]) for entry in document["entries"]]
    assert (130.0, "human") in kinds and (2.0, "available") in kinds


def test_trace_as_text(seatrial: Seatrial, manifests: Path) -> None:
    said = seatrial("trace", manifests, "--script", "script.yaml")
    assert said.code == 0
    assert "a person: promote" in said.out and "ends Degraded" in said.out
    assert (
        "argo-rollouts@1.8" in seatrial("trace", manifests, "-s", "script.yaml", "--profile", "argo-rollouts@1.8").out
    )


def test_trace_tells_all_problems_at_once(seatrial: Seatrial, manifests: Path, tmp_path: Path) -> None:
    (manifests / "rollout.yaml").write_text(ROLLOUT.replace("setWeight: 25", "setWeight: 250"), encoding="utf-8")
    (tmp_path / "script.yaml").write_text(SCRIPT.replace("ready: 2s", "ready: 2"), encoding="utf-8")
    said = seatrial("trace", manifests, "--script", "script.yaml")
    assert said.code == 2
    assert "rollout.yaml:" in said.err and "script.yaml:4" in said.err and "^" in said.err


def test_trace_of_our_own_policy_and_of_several(seatrial: Seatrial, manifests: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("seatrial: policy\nreplicas: 3\nrolling: {}\n", encoding="utf-8")
    document = json.loads(seatrial("trace", "own.yaml", "--script", "script.yaml", "--json").out)
    assert document["policy"] == "own" and document["phase"] == "Healthy"
    (manifests / "second.yaml").write_text(ROLLOUT.replace("name: shop}", "name: till}"), encoding="utf-8")
    said = seatrial("trace", manifests, "--script", "script.yaml")
    assert said.code == 2 and "--name" in said.err
    assert seatrial("trace", manifests, "--script", "script.yaml", "--name", "till").code == 0


def test_a_missing_measurement_is_named(seatrial: Seatrial, manifests: Path, tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text("seatrial: script\nevents: [{at: 1m, promote: true}]\n", encoding="utf-8")
    said = seatrial("trace", manifests, "--script", "script.yaml")
    assert said.code == 2 and "success-rate" in said.err


def test_trace_from_python(seatrial: Seatrial, manifests: Path) -> None:
    found = sim.trace([manifests / "rollout.yaml", manifests / "template.yaml"], script="script.yaml")
    assert found.document() == json.loads(seatrial("trace", manifests, "-s", "script.yaml", "--json").out)


# ---- plan ----


def test_plan_waits_for_a_person_with_both_bounds(seatrial: Seatrial, manifests: Path) -> None:
    said = seatrial("plan", manifests / "rollout.yaml", "--json")
    assert said.code == 2  # its template is not there
    document = json.loads(seatrial("plan", manifests, "--json").out)
    assert document["waits"] == [
        {"reason": "CanaryPauseStep", "start": 10.0, "shortest": 0.0, "longest": pytest.approx(14400)}
    ]
    ends = document["ends"]
    assert ends["latest"] - ends["earliest"] == pytest.approx(14400)
    text = seatrial("plan", manifests).out
    assert "waits for a person at 10s" in text and "0s to 4h" in text


def test_plan_counts_requests_per_look(seatrial: Seatrial, tmp_path: Path) -> None:
    body = "canary: {weights: [5, 20, 100], interval: 60s, count: 5, judge: {threshold: {max_error_rate: 1%}}}"
    (tmp_path / "p.yaml").write_text(f"seatrial: policy\n{body}\n", encoding="utf-8")
    (tmp_path / "busy.yaml").write_text("seatrial: service\ntraffic: 1000/s\n", encoding="utf-8")
    for service, rate in (([], 100), (["--service", "busy.yaml"], 1000)):
        legs = json.loads(seatrial("plan", "p.yaml", *service, "--json").out)["latest"]
        assert [(leg["weight"], leg["looks"]) for leg in legs if leg["looks"]] == [
            (5, {"threshold": 5}), (20, {"threshold": 5}), (100, {"threshold": 5}),
        ]  # fmt: skip
        assert [leg["requests"]["threshold"] for leg in legs if leg["looks"]] == [rate * 3, rate * 12, rate * 60]


def test_a_sequential_judge_may_end_early(seatrial: Seatrial, tmp_path: Path) -> None:
    body = "canary: {weights: [5, 100], interval: 30s, count: 20, guard: step, judge: {sprt: {p0: 0.1%, ratio: 5}}}"
    (tmp_path / "p.yaml").write_text(f"seatrial: policy\n{body}\n", encoding="utf-8")
    said = seatrial("plan", "p.yaml", "--json")
    ends = json.loads(said.out)["ends"]
    assert ends["earliest"] < ends["latest"]


# ---- explain and replay ----


def test_a_story_of_a_fixed_seed(seatrial: Seatrial, small: Path) -> None:
    """Golden: changing it is a reviewed decision (styles.md section 5)."""
    story = json.loads(
        seatrial("explain", small, "--policy", "canary", "--release", "bad", "--replication", "2", "--json").out
    )
    assert [(beat["at"], beat["text"]) for beat in story["story"]] == GOLDEN
    assert story["outcome"] == "aborted" and story["row"]["harm"] == 76


GOLDEN = [
    (0.0, "the rollout of revision 2 begins; 5 pods of revision 1 serve"),
    (10.0, "1 new pod ready"),
    (10.0, "10% of the traffic goes to the new version"),
    (
        40.0,
        "threshold FAILED: 35 of 147 canary requests bad, allowed 7 (max_error_rate 0.05); old 3 bad of 1,341 (0.22%)",
    ),
    (40.0, 'the analysis is Failed: Metric "threshold" assessed Failed due to failed (1) > failureLimit (0)'),
    (40.0, "no traffic goes to the new version"),
    (40.0, "ABORTED"),
]


def test_the_story_agrees_with_the_run(seatrial: Seatrial, small: Path) -> None:
    cell = sim.run(small).cell("canary", "bad")
    for number in (0, 7):
        story = json.loads(
            seatrial("explain", small, "-p", "canary", "-r", "bad", "--replication", number, "--json").out
        )
        row = cell.rows[number]
        assert story["row"]["harm"] == row["harm"] and story["row"]["requests"] == row["requests"]
        assert story["story"][-1]["at"] == pytest.approx(float(row["decided_at"]))


def test_a_telling_replication_is_picked(seatrial: Seatrial, small: Path) -> None:
    aborted = json.loads(seatrial("explain", small, "--policy", "canary", "--why", "aborted", "--json").out)
    assert (aborted["outcome"], aborted["release"]) == ("aborted", "bad")
    assert json.loads(seatrial("explain", small, "--policy", "rolling", "--json").out)["outcome"] == "promoted"
    assert "no replication" in seatrial("explain", small, "--policy", "rolling", "--why", "aborted").err
    assert seatrial("explain", small, "--why", "luck").code == 2
    assert "did you mean bad" in seatrial("explain", small, "--release", "bat").err
    assert "did you mean canary" in seatrial("explain", small, "--policy", "canari").err


def test_the_story_as_text(seatrial: Seatrial, small: Path) -> None:
    said = seatrial("explain", small, "--policy", "canary", "--release", "bad", "--replication", "2")
    assert said.code == 0
    assert "FAILED" in said.out and "ABORTED" in said.out and "It broke 76 requests" in said.out
    assert "again     seatrial explain" in said.out and "next      " in said.out


def test_a_journal_replays_and_a_what_if_differs(seatrial: Seatrial, small: Path, tmp_path: Path) -> None:
    assert (
        seatrial("explain", small, "-p", "canary", "-r", "bad", "--replication", "2", "--journal", "j.jsonl").code == 0
    )
    same = seatrial("replay", "j.jsonl")
    assert same.code == 0 and "the same: canary asks for the same commands" in same.out
    assert sim.replay("j.jsonl") is None
    kinder = "seatrial: policy\ncanary: {weights: [10, 100], interval: 30s, count: 2, judge: {threshold: {max_error_rate: 50%}}}\n"
    (tmp_path / "kinder.yaml").write_text(kinder, encoding="utf-8")
    other = seatrial("replay", "j.jsonl", "--policy", "kinder.yaml", "--json")
    difference = json.loads(other.out)["difference"]
    assert other.code == 1 and difference["event"]["type"] == "Measured"
    assert any(command["type"] == "Finish" for command in difference["recorded"]) and difference["asked"] == []
    assert "story" in json.loads(seatrial("explain", "j.jsonl", "--json").out)


def test_run_writes_journals_that_replay(seatrial: Seatrial, small: Path, tmp_path: Path) -> None:
    assert seatrial("run", small, "--journal", "2", "--out", "out", "--quiet").code == 0
    journals = sorted((tmp_path / "out" / "journals").iterdir())
    assert [path.name for path in journals][:3] == [
        "canary--bad--0.jsonl",
        "canary--bad--1.jsonl",
        "canary--good--0.jsonl",
    ]
    assert all(seatrial("replay", path).code == 0 for path in journals)
    head = json.loads(journals[0].read_text(encoding="utf-8").splitlines()[0])
    assert head["scenario"] == "small.yaml" and head["replication"] == 0
    assert seatrial("run", small, "--journal", "2").code == 2


def test_every_scenario_of_the_gallery_can_be_told(seatrial: Seatrial) -> None:
    """Whatever the policy is and asks: names, manifests with metrics, Python."""
    from sim.cli import gallery

    for name in gallery.names():
        said = seatrial("explain", gallery.shipped(name), "--replication", "1", "--json")
        assert said.code == 0, (name, said.err)


@pytest.mark.parametrize("text", ["", "{}\n", "not json\n", '{"seatrial":"journal","format":99}\n', "\x00\xff"])
def test_hostile_journals(seatrial: Seatrial, tmp_path: Path, text: str) -> None:
    (tmp_path / "j.jsonl").write_text(text, encoding="latin-1")
    said = seatrial("replay", "j.jsonl")
    assert said.code == 2 and "j.jsonl" in said.err and "Traceback" not in said.err


def test_looks_that_say_the_same_become_one_beat() -> None:
    looks = [Beat(at, f"threshold fine: {at}", "quiet") for at in (1.0, 2.0, 3.0)]
    folded = list(_folded([Beat(0.0, "begins"), *looks, Beat(4.0, "PROMOTED", "good")]))
    assert [(beat.at, beat.times, beat.until) for beat in folded] == [(0.0, 1, 0.0), (1.0, 3, 3.0), (4.0, 1, 0.0)]
