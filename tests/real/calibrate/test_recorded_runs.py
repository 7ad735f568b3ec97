"""From a recorded run to a service file, and from it to a prediction in which another run lies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from real.calibrate import timing
from real.calibrate.recorded import evidence
from sim.durations import Uniform
from sim.scenario import load, load_service
from sim.service.noise import Gamma
from sim.service.traffic import Constant
from tests.cli.conftest import Said, seatrial  # noqa: F401
from tests.real.recording import record

Seatrial = Callable[..., Said]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("healthy"), "good", worse=0.002, seed=3)[0]


def test_a_run_is_read(healthy: Path) -> None:
    seen = evidence(healthy)
    assert seen.replicas == 3
    assert seen.starts == pytest.approx((4.0, 4.0, 4.0), abs=0.1)
    assert [(change.before, change.after) for change in seen.changes] == [(0.0, 0.1), (0.1, 0.5), (0.5, 1.0)]
    assert len(seen.versions) == 2


def test_what_the_driver_was_late_counts_to_the_measurement(healthy: Path, tmp_path: Path) -> None:
    """A line before the third measurement says that it was due 0.7 s earlier."""
    before = timing.queries(evidence(healthy).looks)
    shutil.copytree(healthy, tmp_path / "late")
    lines = (healthy / "journal.jsonl").read_text().splitlines(keepends=True)
    (third,) = [
        n
        for n, line in enumerate(lines)
        if '"type":"Measure"' in line.replace(" ", "") and '"id":3' in line.replace(" ", "")
    ]
    at = json.loads(lines[third])["at"]
    lines.insert(third, json.dumps({"at": at, "late": 0.7}) + "\n")
    (tmp_path / "late" / "journal.jsonl").write_text("".join(lines))
    after = timing.queries(evidence(tmp_path / "late").looks)
    assert [round(b - a, 6) for a, b in zip(before, after, strict=True)] == [0.0, 0.0, 0.7, *[0.0] * (len(before) - 3)]


def test_the_model_is_found_again(healthy: Path, tmp_path: Path, seatrial: Seatrial) -> None:  # noqa: F811
    """Errors 0.2% and starts of 4 s: each 95% interval holds its truth for this seed; 15 s are seen as they are, the rate was told."""
    said = seatrial("real", "calibrate", healthy, "--out", "service.yaml", "--json")
    assert said.code == 0, said.err
    document = json.loads(said.out)
    for name, truth in (("error rate", 0.002), ("pods start median", 4.0)):
        assert document["numbers"][name]["low"] <= truth <= document["numbers"][name]["high"], name
    service = load_service(tmp_path / "service.yaml")
    assert isinstance(service.traffic, Constant)
    assert service.traffic.level == 200
    assert "not calibrated: traffic: it is what our generator was told" in (tmp_path / "service.yaml").read_text()
    assert service.errors == pytest.approx(0.002, abs=0.0006)
    failed = sum(piece.bad for piece in evidence(healthy).pieces)
    assert service.error_noise == Gamma(failed + 0.5, 86_400.0)  # one factor per rollout: the posterior
    assert service.monitoring.phase == Uniform(0.0, 15.0)
    assert service.serial
    assert service.propagation.draw(0.99) > service.propagation.draw(0.5) > 0
    assert (service.pods.count, service.monitoring.scrape, service.monitoring.lag) == (3, 15.0, 0.0)
    assert service.pods.start.draw(0.5) == pytest.approx(4.0, abs=0.05)
    assert service.latency is None  # said by the scenario, kept
    text = (tmp_path / "service.yaml").read_text()
    assert "sha256" in text
    assert text.count("n=") >= 5
    assert "not calibrated: latency" in text


def test_another_run_lies_inside_what_was_calibrated(healthy: Path, tmp_path: Path, seatrial: Seatrial) -> None:  # noqa: F811
    assert seatrial("real", "calibrate", healthy, "--out", "service.yaml", "--scenario", "again.yaml").code == 0
    assert load(tmp_path / "again.yaml").service == load_service(tmp_path / "service.yaml")
    other, _ = record(tmp_path, "bad", worse=0.082, seed=9)
    said = seatrial("compare", "--real", other, "--service", "service.yaml", "--json")
    assert said.code == 0, said.out
    assert json.loads(said.out)["outside"] == []


def test_a_worse_run_lies_outside_and_where_is_said(healthy: Path, tmp_path: Path, seatrial: Seatrial) -> None:  # noqa: F811
    seatrial("real", "calibrate", healthy, "--out", "service.yaml")
    worse, _ = record(tmp_path, "good", worse=0.01, errors=0.01, seed=5)
    said = seatrial("compare", "--real", worse, "--service", "service.yaml", "--out", "out")
    assert said.code == 1
    assert "above the predicted" in said.out
    assert "<li>failed requests: " in (tmp_path / "out" / "report.html").read_text()


def _broken(path: Path, how: str) -> None:
    match how:
        case "short":
            lines = (path / "load.jsonl").read_text().splitlines(keepends=True)
            (path / "load.jsonl").write_text("".join(lines[:9]))
        case "fault":
            with (path / "journal.jsonl").open("a") as file:
                injection = {"kind": "pod.kill", "targets": ["a"], "params": []}
                act = {"at": 300.0, "effect": 99, "put": {"name": "fault/kill", "injection": injection}}
                file.write(json.dumps(act) + "\n")
        case "lost":
            with (path / "load.jsonl").open("a") as file:
                file.write('{"start":100,"end":101,"revision":0,"sent":40,"bad":0,"lost":40,"slow":0}\n')
        case "halted":
            about = json.loads((path / "run.json").read_text())
            about["ended"] = {"state": "restored", "outcome": "inconclusive", "reason": "Ctrl-C", "interrupted": True}
            (path / "run.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("short", "s more of load"),
        ("fault", "fault/kill was injected"),
        ("lost", "failed requests came from 100 s"),
        ("halted", "it was interrupted (Ctrl-C)"),
    ],
)
def test_what_cannot_be_calibrated_from_is_refused(tmp_path: Path, seatrial: Seatrial, how: str, says: str) -> None:  # noqa: F811
    path, _ = record(tmp_path, "good", worse=0.002)
    _broken(path, how)
    said = seatrial("real", "calibrate", path, "--out", "service.yaml")
    assert said.code == 2
    assert says in " ".join(said.err.split())
    assert not (tmp_path / "service.yaml").exists()


def test_an_aborted_run_is_refused_with_every_reason(tmp_path: Path, seatrial: Seatrial) -> None:  # noqa: F811
    path, _ = record(tmp_path, "bad", worse=0.082)
    said = " ".join(seatrial("real", "calibrate", path).err.split())
    assert "it ended aborted" in said
    assert "the new version failed" in said


def test_a_scenario_that_is_elsewhere_is_told(tmp_path: Path, seatrial: Seatrial) -> None:  # noqa: F811
    path, _ = record(tmp_path, "good", worse=0.002)
    (tmp_path / "beside.yaml").unlink()
    said = seatrial("real", "calibrate", path)
    assert said.code == 0
    assert "beside.yaml is not here; name it: --base" in said.out
    assert seatrial("real", "calibrate", path, "--base", "nowhere.yaml").code == 2


def test_wrong_usage_is_told(seatrial: Seatrial) -> None:  # noqa: F811
    assert seatrial("real", "calibrate").code == 2
    assert seatrial("real", "calibrate", "nowhere").code == 2
    assert "NAME=PROMQL" in seatrial("real", "calibrate", "--prometheus", "http://127.0.0.1:1", "--query", "x=y").err
    assert "no dialect" in seatrial("real", "calibrate", "--prometheus", "http://127.0.0.1:1", "--dialect", "x").err
