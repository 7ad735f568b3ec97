"""The run of a real controller: from a history to a folder, and beside its simulation by `replay`, `compare --real` and `explain`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from real.controllers.case import Case
from real.controllers.given import changes, given
from real.controllers.keeping import begin, keep
from real.controllers.prepare import prepared
from real.ports.errors import Refused
from sim.cli.exits import Usage
from sim.policy.errors import WorldError
from sim.tracing.history import History
from sim.tracing.script import Script
from tests.cli.conftest import Said

HISTORIES = Path(__file__).parents[1] / "golden" / "histories"
ABOUT = {"run": "argo-1", "controller": "argo-rollouts", "policy": "app", "changed": ["an image"]}


def run_of(name: str, folder: Path) -> dict[str, str]:
    """The folder that a run of this golden case would have left; how it ended."""
    case = HISTORIES / name
    begin(folder, ABOUT, [case / "manifest.yaml"], case / "script.yaml")
    return keep(folder, ABOUT, History.read(case / "history.json"))


@pytest.mark.parametrize(
    ("name", "state", "outcome"),
    [
        ("step-failed", "restored", "aborted"), ("step-successful", "promoted", "promoted"), ("blue-green-pre", "promoted", "promoted"),
        ("flagger-blue-green", "promoted", "promoted"), ("flagger-ab-failed", "restored", "aborted"),
        ("back-to-stable", "restored", "aborted"),
        ("nan", "open", "inconclusive"),
    ],
)  # fmt: skip
def test_a_run_is_kept_and_is_the_same_as_its_simulation(
    name: str, state: str, outcome: str, tmp_path: Path, seatrial: Callable[..., Said]
) -> None:
    assert run_of(name, tmp_path / "run") | {"reason": ""} == {"state": state, "outcome": outcome, "reason": ""}
    for words in (["replay"], ["compare", "--real"]):
        shown = seatrial(*words, str(tmp_path / "run"), "--json")
        assert shown.code == 0, shown.err
        document = json.loads(shown.out)
        assert document["same"] and document["outcome"] == outcome
        assert document["history"] == list(History.read(HISTORIES / name / "history.json").entries)
        assert all(row["same"] for row in document["rows"])


def test_the_first_difference_is_named(tmp_path: Path, seatrial: Callable[..., Said]) -> None:
    run_of("step-failed", tmp_path)
    manifest = tmp_path / "manifests" / "01-manifest.yaml"
    manifest.write_text(manifest.read_text().replace("failureLimit: 1", "failureLimit: 2"))
    shown = seatrial("compare", "--real", str(tmp_path))
    assert shown.code == 1
    assert "FIRST DIFFERENCE  phase, entry 2: recorded Degraded" in shown.out
    assert "changed  an image" in shown.out
    told = seatrial("explain", str(tmp_path))
    assert told.code == 0 and "Degraded" in told.out


def test_a_torn_or_foreign_folder_is_told(tmp_path: Path, seatrial: Callable[..., Said]) -> None:
    run_of("step-failed", tmp_path)
    journal = tmp_path / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"pods":{', '"pods":3,"x":{', 1))
    assert seatrial("replay", str(tmp_path)).code == 2
    assert seatrial("compare", "--real", str(tmp_path), "--release", "bad").code == 2


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    run_of("step-failed", tmp_path)
    with pytest.raises(Refused, match="holds a run already"):
        run_of("step-failed", tmp_path)


# ---- what is handed over ----


def test_every_change_to_a_manifest_is_said() -> None:
    case = Case.read(HISTORIES / "step-failed")
    assert changes(case, prepared(case, "run", "http://script")) == (
        "every object is in a namespace made for the run",
        "AnalysisTemplate checks spec.metrics[0].provider.prometheus.address: http://prometheus:9090 -> http://script/run/checks/ok",
        "Rollout app spec.template.metadata.annotations: nothing -> {seatrial.dev/revision: '1'}",
        "Rollout app spec.template.spec.containers[0].image: registry.example/app:1 -> registry.k8s.io/pause:3.10",
        "Rollout app spec.template.spec.containers[0].imagePullPolicy: nothing -> IfNotPresent",
        "Rollout app spec.template.spec.terminationGracePeriodSeconds: nothing -> 0",
        "Rollout app spec.template.spec.readinessGates: nothing -> [{conditionType: seatrial.dev/ready}]",
    )


def test_what_is_named_and_not_brought_along_is_said() -> None:
    case = Case.read(HISTORIES / "blue-green")
    said = changes(case, prepared(case, "run", "http://script"))
    assert "Service live: made, since it is named and was not brought along" in said


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ("kind: ClusterAnalysisTemplate\nmetadata: {name: c}", WorldError, "belongs to the whole cluster; make it an Analysis"),
        ("kind: ClusterRole\nmetadata: {name: r}", WorldError, "ClusterRole r is not handed over"),
        ("kind: Secret\nmetadata: {name: s}\ndata: {a: aGlkZGVu}", WorldError, "Secret s is not handed over"),
        ("kind: Rollout\nmetadata: {name: two}", Usage, "is given one Rollout; these manifests hold 2"),
    ],
)  # fmt: skip
def test_what_reaches_beyond_the_namespace_is_refused(
    more: str, error: type[Exception], said: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text((HISTORIES / "step-failed" / "manifest.yaml").read_text())
    (tmp_path / "b.yaml").write_text(more)
    with pytest.raises(error, match=said):
        given([tmp_path], "argo-rollouts", "app", Script())


def test_the_controller_must_fit_the_manifests() -> None:
    with pytest.raises(Usage, match="flagger is given one Canary; these manifests hold 0"):
        given([HISTORIES / "step-failed" / "manifest.yaml"], "flagger", "app", Script())
