"""Recorded runs laid over their prediction: right models are not doubted, a worse service is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sim.journal import Journal
from sim.overlay import compared, seen, simulated
from sim.policy.errors import HistoryError, WorldError
from sim.results.overlay import Shape, overlay
from sim.results.recorded import Recorded
from sim.scenario import load
from sim.single import replay
from tests.cli.conftest import Said, seatrial  # noqa: F401
from tests.real.recording import record


@pytest.mark.parametrize(("release", "worse", "state"), [("good", 0.002, "promoted"), ("bad", 0.082, "restored")])
def test_a_run_that_is_as_the_model_says_lies_inside(tmp_path: Path, release: str, worse: float, state: str) -> None:
    path, ending = record(tmp_path, release, worse=worse)
    assert ending.state == state
    assert replay(path) is None
    found = compared(path).found
    assert found is not None
    assert found.inside, found.document()
    assert [check.name for check in found.checks] == [
        "outcome",
        "time to the decision",
        "failed requests",
        "weights over time",
    ]


def test_a_worse_service_lies_outside(tmp_path: Path) -> None:
    """The control: stable fails five times as often as the model says; and a canary that is far worse."""
    for release, worse, errors in (("good", 0.01, 0.01), ("bad", 0.4, 0.002)):
        found = compared(record(tmp_path, release, worse=worse, errors=errors)[0]).found
        assert found is not None
        assert [check.name for check in found.checks if not check.inside] == ["failed requests"]


def test_another_outcome_lies_outside(tmp_path: Path) -> None:
    path, ending = record(tmp_path, "good", worse=0.3)
    assert ending.outcome == "aborted"
    found = compared(path).found
    assert found is not None
    assert "outcome" in {check.name for check in found.checks if not check.inside}


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    path, _ = record(tmp_path, "bad", worse=0.082)
    shape = seen(Recorded.read(path))
    assert shape.outcome == "aborted"
    assert shape.exposed_at == pytest.approx(4.0, abs=0.1)
    assert shape.detection == pytest.approx(30.0, abs=0.5)
    assert shape.share(10.0) == 0.1
    assert shape.until == pytest.approx(shape.decided_at, abs=0.5)
    load = Recorded.read(path).load
    assert shape.failed == pytest.approx(sum(tally.bad for tally in load if tally.end <= shape.until), abs=25)


def test_a_torn_load_file_is_read_up_to_the_last_whole_line(tmp_path: Path) -> None:
    path, _ = record(tmp_path, "bad", worse=0.082)
    whole = Recorded.read(path).load
    text = (path / "load.jsonl").read_text()
    (path / "load.jsonl").write_text(text[:-10])
    assert Recorded.read(path).load == whole[:-1]
    (path / "load.jsonl").write_text(text.replace('"sent":', '"snt":', 1))
    with pytest.raises(HistoryError, match=r"load\.jsonl:1: not a tally"):
        Recorded.read(path)


def test_without_a_count_from_outside_the_rest_is_compared(tmp_path: Path) -> None:
    path, _ = record(tmp_path, "bad", worse=0.082)
    (path / "load.jsonl").unlink()
    found = compared(path).found
    assert found is not None
    assert len(found.checks) == 3
    assert "failed requests are not compared" in found.notes[0]


def test_too_few_rollouts_doubt_nothing() -> None:
    shape = Shape("promoted", 1.0, 2.0, 3.0, 0, ((0.0, 0.0),))
    with pytest.raises(WorldError, match="take at least 800"):
        overlay(shape, [shape] * 100)


def test_one_of_the_simulated_ones_is_rarely_doubted() -> None:
    """Exchangeable ones, by hand: 1% of them may be outside, and of every 25th that is at most one."""
    shapes = [
        Shape("aborted", 1.0, 30.0 + (7 * n) % 11, 60.0, (37 * n) % 1001, ((0.0, 0.0), (1.0, 0.1))) for n in range(1001)
    ]
    outside = [n for n in range(0, 1001, 25) if not overlay(shapes[n], shapes[:n] + shapes[n + 1 :]).inside]
    assert len(outside) <= 1


def test_the_command_line_says_so(tmp_path: Path, seatrial: Callable[..., Said]) -> None:  # noqa: F811
    path, _ = record(tmp_path, "bad", worse=0.082)
    said = seatrial("compare", "--real", str(path), "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert "inside" in said.out
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 2
    assert "failed requests" in page
    document = json.loads(seatrial("compare", "--real", str(path), "--json").out)
    assert document["inside"] is True
    assert len(document["weights"]["times"]) == len(document["weights"]["high"])
    outside, _ = record(tmp_path, "good", worse=0.01, errors=0.01)
    assert seatrial("compare", "--real", str(outside)).code == 1
    assert seatrial("compare", str(tmp_path / "beside.yaml"), "--real", str(path)).code == 0
    assert (
        seatrial(
            "compare", str(tmp_path / "beside.yaml"), "-s", str(tmp_path / "beside.yaml"), "--real", str(path)
        ).code
        == 2
    )
    assert seatrial("replay", str(path)).code == 0
    assert seatrial("compare", "--real", str(tmp_path)).code == 2
    assert Journal.read(path).acts


def test_right_models_are_doubted_in_one_run_of_a_hundred(tmp_path: Path) -> None:
    """30 recorded runs of a service that is as the model says: more than two outside has a chance of 0.0003 at 1%."""
    outside = 0
    shapes: list[Shape] | None = None
    for seed in range(30):
        place = tmp_path / str(seed)
        place.mkdir()
        run = Recorded.read(record(place, "bad", worse=0.082, seed=seed)[0])
        if shapes is None:
            scenario = load(str(run.about["scenario"]))
            _, _, case = next(one for one in scenario.cases() if one[1] == "bad")
            shapes = simulated(replace(case, service=replace(case.service, horizon=3600.0)), scenario.seed, 1000)
        outside += not overlay(seen(run), shapes).inside
    assert outside <= 2


def test_only_what_can_be_simulated_is_predicted(tmp_path: Path) -> None:
    """A scenario may hold releases that only a cluster can carry out; the others have a prediction all the same."""
    path, _ = record(tmp_path, "bad", worse=0.082)
    file = tmp_path / "beside.yaml"
    pause = (
        "  pause: {faults: [{id: node, kind: node.pause, target: {system: node}, at_s: 5s, duration_s: 10s}]}\nseed: 4"
    )
    file.write_text(file.read_text().replace("seed: 4", pause))
    assert replay(path) is None
    assert compared(path).found is not None
    with pytest.raises(
        WorldError, match=r"no prediction of release pause: the simulator cannot carry out node \(node\.pause\)"
    ):
        compared(path, release="pause")
