"""The user's manifests on the real Argo Rollouts and Flagger, as a person starts them: recorded, and the same as the simulation.

One is answered by a script; the others serve users (and testers of what no user sees), measured by the cluster's Prometheus.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from real.lab.ground import Ground
from sim.results.recorded import Recorded
from sim.tracing.exposure import shares
from sim.tracing.history import History
from tests.golden.compare import HISTORIES
from tests.real_cluster.rig import ROOT, Cluster

pytestmark = pytest.mark.cluster

SEATRIAL = (sys.executable, "-c", "from sim.cli import main; main()")
SCENARIO = ROOT / "scenarios" / "quick-canary.yaml"
MANIFESTS = Path(__file__).parent / "manifests"
TAKES = 2  # a recording on a busy machine may be noisy: it is taken once more


class Asked(NamedTuple):
    """A run: its controller, what it is given, and the exit code that it ends with."""

    controller: str
    words: tuple[object, ...]
    code: int


def served(manifest: str, controller: str, release: str, code: int) -> Asked:
    words = (MANIFESTS / f"{manifest}.yaml", "--scenario", SCENARIO, "--release", release)
    return Asked(controller, words, code)


SCRIPTED = HISTORIES / "step-failed"
RUNS = {
    "scripted": Asked("argo-rollouts", (SCRIPTED / "manifest.yaml", "--script", SCRIPTED / "script.yaml"), 1),
    "canary-bad": served("canary", "argo-rollouts", "bad", 1),
    "canary-good": served("canary", "argo-rollouts", "good", 0),
    "blue-green": served("blue-green", "argo-rollouts", "good", 0),
    "flagger": served("flagger", "flagger", "good", 0),
    "ingress-good": served("canary-nginx", "argo-rollouts", "good", 0),
    "virtual-bad": served("canary-istio", "argo-rollouts", "bad", 1),
    "route-good": served("flagger-weights", "flagger", "good", 0),
    "route-bad": served("flagger-weights", "flagger", "bad", 1),
}
TOGETHER = (  # as much at once as a small machine bears
    ("scripted", "canary-bad", "canary-good", "blue-green", "flagger"),
    ("ingress-good", "virtual-bad", "route-good", "route-bad"),
)
Begin = Callable[[str, Path], "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def begin(kind_cluster: Cluster) -> Iterator[Begin]:
    """Begins a run on a cluster with both controllers."""
    for controller in ("argo-rollouts", "flagger"):
        kind_cluster.install(controller)
    assert (
        kind_cluster.good
    )  # the registry has the layers that all runs push: two first pushes at once can end in a 500
    begun: list[subprocess.Popen[str]] = []

    def begin(name: str, folder: Path) -> subprocess.Popen[str]:
        asked = RUNS[name]
        words = (
            "real",
            "run",
            *asked.words,
            "--controller",
            asked.controller,
            "--name",
            kind_cluster.name,
            "--out",
            folder,
        )
        one = subprocess.Popen(
            [*SEATRIAL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        begun.append(one)
        return one

    yield begin
    for one in begun:
        if one.poll() is None:
            one.terminate()
            one.wait(30)


@pytest.mark.parametrize("names", TOGETHER, ids=("pods-and-services", "routes"))
def test_they_do_what_the_simulation_says(
    begin: Begin, tmp_path: Path, kind_cluster: Cluster, names: tuple[str, ...]
) -> None:
    left: dict[str, list[str]] = {name: [] for name in names}
    for take in range(TAKES):
        runs = {name: begin(name, tmp_path / f"{name}-{take}") for name in left}
        for name, one in runs.items():
            said, _ = one.communicate(timeout=240)
            assert one.returncode == RUNS[name].code, said
            assert "changed  every object is in a namespace made for the run" in said
        folders = {name: tmp_path / f"{name}-{take}" for name in runs}
        for name, folder in folders.items():
            assert gone(folder, kind_cluster.ground)
            if name != "scripted":
                counted(name, folder)
        left = {name: differences for name, folder in folders.items() if (differences := replayed(folder))}
        if not left:
            break
    assert left == {}


def counted(name: str, folder: Path) -> None:
    """What users got is there, and the prediction for the same manifest lies beside it; a preview costs nobody a request."""
    recorded = Recorded.read(folder)
    sent, bad = (sum(getattr(tally, field) for tally in recorded.load) for field in ("sent", "bad"))
    assert sent > 1000
    shown = told("compare", "--real", folder, "--scenario", SCENARIO)
    checks = {check["name"]: check for check in shown["checks"]}
    tested = [note for note in shown["notes"] if note.startswith("testers called")]
    assert checks["outcome"]["inside"], shown
    assert bool(tested) == (name in ("blue-green", "flagger"))
    assert set(checks) >= {"outcome", "time to the decision", "failed requests", "weights over time"}
    assert (bad > 0.01 * sent) == name.endswith("-bad")  # healthy: one in a thousand
    if name in TOGETHER[1]:
        weighed(recorded)


def weighed(recorded: Recorded) -> None:
    """Users were shared as the controller's route said, for as long as each weight stood."""
    history = History.of(recorded.journal)
    assert history is not None
    steps = (*shares(history), (history.entries[-1]["at"], 0.0))
    seen = 0
    for (start, share), (end, _) in pairwise(steps):
        inside = [one for one in recorded.load if one.revision and start + 1 <= one.start and one.end <= end - 1]
        answers, new = sum(one.sent for one in inside), sum(one.sent for one in inside if one.revision == 2)
        if 0 < share < 1 and answers > 500:
            assert new / answers == pytest.approx(share, abs=0.03), (start, end, answers)
            seen += 1
    assert seen


def replayed(folder: Path) -> list[str]:
    """The differences that `replay` tells."""
    shown = told("replay", folder)
    assert len(shown["history"]) > 10
    return list(shown["differences"])


def told(*words: object) -> dict[str, Any]:
    """What a command says with --json."""
    done = subprocess.run([*SEATRIAL, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


def gone(folder: Path, ground: Ground) -> bool:
    """Whether the namespace of a run is no longer there, or on its way out."""
    api = ground.reads()
    try:
        found = api.get("v1/Namespace", json.loads((folder / "run.json").read_text())["namespace"])
    finally:
        api.close()
    return found is None or "deletionTimestamp" in found["metadata"]
