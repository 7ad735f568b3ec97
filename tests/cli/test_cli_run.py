"""`run`, `compare` and what they promise: exit codes, one document, the same bytes whatever the workers, resuming."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sim
from sim.session import Interrupted, Session

Seatrial = Callable[..., "object"]

# Stops like a person with Ctrl-C while `armed` is there, in the middle of the third rollout that it decides.
STOPPER = """
from pathlib import Path
from sim.policy.commands import SetWeight
from sim.policy.runbook import Look

class Stopper:
    count = 0

    def steps(self):
        type(self).count += 1
        if Path("armed").exists() and type(self).count > 500:
            Path("armed").unlink()
            raise KeyboardInterrupt
        yield SetWeight(20)
        seen = yield Look(30)
        yield SetWeight(100)
"""
LONG = """
seatrial: scenario
name: long
policies: {stopper: "./stopper.py:Stopper"}
releases: {good: {}, bad: errors-large}
replications: 700
"""


def test_json_is_one_document_and_nothing_else(seatrial: Seatrial, small: Path) -> None:
    said = seatrial("run", small, "--json")
    assert said.code == 0 and said.err == ""
    document = json.loads(said.out)
    assert [(cell["policy"], cell["release"], cell["replications"]) for cell in document["cells"]] == [
        ("canary", "good", 40), ("canary", "bad", 40), ("rolling", "good", 40), ("rolling", "bad", 40),
    ]  # fmt: skip
    assert document["command"] == "seatrial run small.yaml --seed=3"
    assert document["rung"] == "aggregated" and document["people"] and document["digest"]
    assert not any(word in said.out for word in (str(small.parent), os.uname().nodename))


@pytest.mark.parametrize(("high", "more", "code"), [("100%", (), 0), ("10%", (), 1), ("10%", ("--seed", "4"), 0)])
def test_an_answer_that_is_not_the_expected_one_is_told(
    seatrial: Seatrial, small: Path, high: str, more: tuple[str, ...], code: int
) -> None:
    """It fails the run where seed and replications are the file's own."""
    expect = f"expect:\n- {{policy: rolling, release: bad, measure: escape_rate, between: [0%, {high}]}}\n"
    small.write_text(small.read_text(encoding="utf-8") + expect, encoding="utf-8")
    said = seatrial("run", "small.yaml", *more)
    document = json.loads(seatrial("run", "small.yaml", "--json", *more).out)
    assert said.code == code
    assert document["expected"] == [
        {
            "policy": "rolling", "release": "bad", "measure": "escape_rate", "between": [0.0, float(high[:-1]) / 100],
            "seen": 1.0, "holds": high == "100%",
        }
    ]  # fmt: skip
    off = f"rolling/bad escape_rate: 100%, expected 0% to {high}"
    assert (off in said.out) == (high != "100%")
    assert f"expected answers of the file: {int(high == '100%')} of 1 hold" in said.out


def test_the_text_names_the_result_and_what_is_next(seatrial: Seatrial, small: Path) -> None:
    said = seatrial("run", "small.yaml")
    document = json.loads(seatrial("run", "small.yaml", "--json").out)
    assert said.code == 0
    for words in (
        document["digest"][:16],
        "seed 3",
        "40 rollouts",
        "aggregated",
        document["people"],
        "seatrial run small.yaml --seed=3",
    ):
        assert words in said.out
    assert "next  seatrial explain small.yaml --policy canary --release bad" in said.out
    assert max(map(len, said.out.splitlines()[:-8])) <= 100


def test_the_command_makes_the_same_bytes(seatrial: Seatrial, small: Path) -> None:
    first = seatrial("run", small, "--policy", "canary", "--replications", "30", "--seed", "9", "--json").out
    command = json.loads(first)["command"].split()
    assert command == ["seatrial", "run", "small.yaml", "--policy=canary", "--replications=30", "--seed=9"]
    assert seatrial(*command[1:], "--json", "--jobs", "1", "--out", "kept", "--quiet").out == first


@pytest.mark.parametrize(
    ("policy", "budget", "code", "word"),
    [("canary", "<= 60%", 0, "pass"), ("rolling", "<= 1%", 1, "fail"), ("canary", "<= 13%", 3, "undecided")],
)
def test_budgets_decide_the_exit_code(
    seatrial: Seatrial, small: Path, policy: str, budget: str, code: int, word: str
) -> None:
    when = f"{{policy: {policy}, release: bad}}"
    text = small.read_text(encoding="utf-8")
    text += f'budgets: [{{measure: escape_rate, fail: "{budget}", when: {when}}}]\n'
    small.write_text(text, encoding="utf-8")
    said = seatrial("run", small, "--json")
    document = json.loads(said.out)
    assert (said.code, document["verdict"]) == (code, word)
    assert document["budgets"][0]["limit"] == float(budget[3:-1]) / 100


def test_more_replications_are_made_until_the_budgets_are_decided(seatrial: Seatrial, small: Path) -> None:
    text = small.read_text(encoding="utf-8").replace(
        "replications: 40", "replications: {min: 50, batch: 50, max: 2000}"
    )
    text += 'budgets: [{measure: escape_rate, fail: "<= 10%", when: {policy: canary}}]\n'
    small.write_text(text, encoding="utf-8")
    sizes = {cell["replications"] for cell in json.loads(seatrial("run", small, "--json").out)["cells"]}
    assert len(sizes) == 1 and 50 < sizes.pop() < 2000


def test_results_have_the_same_bytes_whatever_the_workers_and_the_hash_seed(tmp_path: Path, small: Path) -> None:
    documents = []
    for seed, jobs in (("1", "1"), ("2", "2")):
        command = [
            sys.executable,
            "-c",
            "from sim.cli import main; main()",
            "run",
            "small.yaml",
            "--json",
            "--jobs",
            jobs,
        ]
        command += ["-n", "600", "--out", f"out{jobs}", "--quiet"]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(sim.__file__).parents[1])}
        done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment, check=True)
        rows = (tmp_path / f"out{jobs}" / "rows.npy").read_bytes()
        documents.append((done.stdout, rows, (tmp_path / f"out{jobs}" / "result.json").read_bytes()))
    assert documents[0] == documents[1]


def test_a_policy_class_travels_to_workers(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    Path("stopper.py").write_text(STOPPER, encoding="utf-8")
    Path("long.yaml").write_text(LONG, encoding="utf-8")
    assert sim.run("long.yaml", jobs=2).document() == sim.run("long.yaml").document()


# ---- interruption ----


def test_an_interrupted_run_goes_on_to_the_same_bytes(seatrial: Seatrial, tmp_path: Path) -> None:
    (tmp_path / "stopper.py").write_text(STOPPER, encoding="utf-8")
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    whole = seatrial("run", "long.yaml", "--json", "--jobs", "1", "--out", "whole")
    (tmp_path / "armed").touch()
    stopped = seatrial("run", "long.yaml", "--jobs", "1", "--out", "part")
    assert stopped.code == 130
    assert "continue with: seatrial run long.yaml --seed=1 --resume part" in stopped.err
    resumed = seatrial("run", "--resume", "part", "--json", "--jobs", "1")
    assert (resumed.code, resumed.out) == (0, whole.out)
    for name in ("result.json", "rows.npy"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert seatrial("run", "long.yaml", "--resume", "part", "--json").out == whole.out  # nothing is left to do


def test_what_is_finished_is_kept_even_without_a_folder(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    asked = Session.of("small.yaml", replications=1200)
    seen = []

    def stop(done: int, planned: int) -> None:
        seen.append((done, planned))
        if len(seen) == 6:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        asked.run(progress=stop)
    assert not stopped.value.result.complete
    assert seen[-1] == (2600 + 400, 4800) or seen[-1][1] == 4800
    chunks = sorted(path.name for path in (stopped.value.kept / "chunks").iterdir())
    assert "case0-0-500.npy" in chunks and len(chunks) >= 5
    assert asked.run(out=stopped.value.kept, resume=True).document() == asked.run().document()


def test_another_run_is_not_continued(seatrial: Seatrial, small: Path) -> None:
    assert seatrial("run", small, "--out", "there", "--quiet").code == 0
    said = seatrial("run", small, "--seed", "4", "--resume", "there")
    assert said.code == 2 and "seed 3 there, 4 here" in said.err
    assert "holds no run" in seatrial("run", small, "--resume", "nowhere").err


# ---- compare ----


def test_compare_a_scenario(seatrial: Seatrial, small: Path) -> None:
    said = seatrial("compare", "small.yaml")
    assert said.code == 0
    assert "Differences to canary" in said.out and "reproduce: seatrial compare small.yaml --seed=3" in said.out
    # A person at another place is told the path that they typed; the result holds none.
    assert f"reproduce: seatrial compare {small} --seed=3" in seatrial("compare", small).out
    assert json.loads(seatrial("compare", small, "--json").out)["command"] == "seatrial compare small.yaml --seed=3"


def test_compare_policies_for_the_default_service(seatrial: Seatrial, tmp_path: Path) -> None:
    for name, body in (("fast", "rolling: {}"), ("slow", "rolling: {max_surge: 1, max_unavailable: 0}")):
        (tmp_path / f"{name}.yaml").write_text(f"seatrial: policy\n{body}\n", encoding="utf-8")
    said = seatrial("compare", "fast.yaml", "slow.yaml", "-n", "20", "--json")
    document = json.loads(said.out)
    assert said.code == 0
    assert document["service"].startswith("default (none is given): 100 requests/s, 0.1% errors, 5 pods")
    assert document["command"] == "seatrial compare fast.yaml slow.yaml --replications=20 --seed=1"
    assert {cell["policy"] for cell in document["cells"]} == {"fast", "slow"}
    assert len({cell["release"] for cell in document["cells"]}) == 7


def test_after_a_manifest_comes_the_linter(seatrial: Seatrial, tmp_path: Path) -> None:
    steps = "strategy: {canary: {steps: [{setWeight: 20}, {pause: {duration: 60s}}]}}"
    body = f"selector: {{matchLabels: {{app: a}}}}\n  template: {{metadata: {{labels: {{app: a}}}}}}\n  {steps}\n"
    (tmp_path / "own.yaml").write_text("seatrial: policy\nrecreate: {}\n")
    (tmp_path / "rollout.yaml").write_text(
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: a}}\nspec:\n  {body}"
    )
    said = seatrial("compare", "own.yaml", "rollout.yaml", "-n", "5")
    assert said.code == 0 and said.out.rstrip().endswith("next  seatrial lint rollout.yaml"), said


def test_compare_under_a_scenario(seatrial: Seatrial, small: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("seatrial: policy\nrolling: {}\n", encoding="utf-8")
    document = json.loads(seatrial("compare", "canary", "other.yaml", "--scenario", "small.yaml", "--json").out)
    assert [cell["policy"] for cell in document["cells"]] == ["canary", "canary", "other", "other"]
    assert document["digest"] != json.loads(seatrial("run", small, "--json").out)["digest"]
    mixed = seatrial("compare", "small.yaml", "other.yaml")
    assert mixed.code == 2 and "is a scenario" in mixed.err


def test_python_answers_what_the_command_line_answers(seatrial: Seatrial, small: Path) -> None:
    result = sim.run(small)
    assert result.document() == json.loads(seatrial("run", small, "--json").out)
    assert sim.run("small.yaml", "rolling", replications=10).policies == ("rolling",)
    assert sim.compare(small).document()["cells"] == result.document()["cells"]
    assert len(sim.load(small).releases) == 2
