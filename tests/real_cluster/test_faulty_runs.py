"""Rollouts under faults that are injected on the way: each ends as its policy says, and nothing of a fault is left."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from real.chaos.nodes import KindNodes
from sim.journal import Journal, replay
from sim.results.recorded import Recorded
from sim.scenario import load
from tests.real_cluster.rig import Cluster
from tests.real_cluster.runs import SCENARIOS, Asked, Finished, Runs, command, faults, leftovers, start, until

pytestmark = pytest.mark.cluster

SCENARIO = SCENARIOS / "faults.yaml"
RUNS = {name: Asked("faults", ("--release", name)) for name in ("delay", "metrics-gap", "api-errors")}


@pytest.fixture(scope="module")
def runs(
    kind_cluster: Cluster, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    asked = [getattr(item, "callspec", None) for item in request.session.items]
    names = {spec.params["run"] for spec in asked if spec is not None and "run" in spec.params}
    wanted = {name: one for name, one in RUNS.items() if name in names}
    begun = Runs(kind_cluster, wanted, tmp_path_factory.mktemp("faulty-runs"))
    yield begun
    begun.close()


@pytest.fixture
def run(runs: Runs, request: pytest.FixtureRequest) -> Finished:
    return runs[request.param]


def undisturbed(cluster: Cluster) -> list[str]:
    """Nodes and registry that do not run."""
    nodes = KindNodes(cluster.name)
    try:
        return [name for name in (*nodes.all(), nodes.registry()) if nodes.state(name) != "running"]
    finally:
        nodes.close()


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_a_good_release_is_promoted_through_the_fault(run: Finished, kind_cluster: Cluster) -> None:
    assert run.code == 0, run.said
    (first, put_in), (second, again) = faults(run.folder)
    assert first == second and put_in and not again
    assert leftovers(kind_cluster, run.namespace, 3) == []
    assert undisturbed(kind_cluster) == []


@pytest.mark.parametrize("run", ["delay"], indirect=True)
def test_a_delay_is_felt_by_users_and_loses_none_of_them(run: Finished) -> None:
    """50 requests/s wait 0.7 s for 8 s: 400 of them are slow, also those under way when the delay ends."""
    assert 150 < run.totals["slow"] < 800
    assert (run.totals["bad"], run.totals["lost"]) == (0, 0)


@pytest.mark.parametrize("run", ["metrics-gap"], indirect=True)
def test_a_gap_in_the_metrics_is_waited_for(run: Finished) -> None:
    """`on_nodata: wait`: the first measurement comes after the gap began, and the rollout waits for it; nobody notices."""
    assert (run.totals["bad"], run.totals["lost"]) == (0, 0)


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_its_journal_replays(run: Finished) -> None:
    policy = load(SCENARIO, "real").policies[0].policy
    assert replay(policy, Journal.read(run.folder)) is None


def under_way(folder: Path, name: str) -> bool:
    return (folder / "journal.jsonl").exists() and (name, True) in faults(folder)


def test_a_driver_that_is_killed_in_mid_fault_is_recovered(kind_cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(kind_cluster, "killed-in-fault", Asked("faults", ("--release", "metrics-gap")), out)
    until(lambda: process.poll() is not None or under_way(out, "fault/gap"), 240.0)
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    done = subprocess.run(command("recover", str(out)), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert leftovers(kind_cluster, "killed-in-fault", 3) == []


def test_a_driver_that_is_killed_under_a_spike_goes_on(kind_cluster: Cluster, tmp_path: Path) -> None:
    """100 requests/s, twice as many under the spike: in the life of either driver, for a generator ends with its driver. The spike outlasts
    the rollout, whose end takes it away."""
    out = tmp_path / "run"
    process = start(kind_cluster, "resumed", Asked("faults", ("--release", "spike")), out)
    until(lambda: process.poll() is not None or under_way(out, "fault/spike"), 240.0)
    second = subprocess.run(command("resume", str(out)), capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2 and "only one drives at a time" in second.stderr, second
    time.sleep(3.0)
    process.send_signal(signal.SIGKILL)
    killed = time.time()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    done = subprocess.run(command("resume", str(out)), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    begun, taken_over, put_again, ended = [("fault/spike", True)] * 3 + [("fault/spike", False)]
    assert faults(out) == [begun, taken_over, put_again, ended]
    recorded = Recorded.read(out)
    assert replay(load(SCENARIO, "real").policies[0].policy, recorded.journal) is None
    assert leftovers(kind_cluster, "resumed", 3) == []
    puts = [act["at"] for act in recorded.journal.acts if act.get("put", {}).get("name") == "fault/spike"]
    first, _, again, end = puts
    died = killed - next(act["opened"]["started"] for act in recorded.journal.acts if "opened" in act)
    for begin, stop in ((first + 1.0, died - 1.0), (again + 1.0, end - 1.0)):
        assert 170 < rate(recorded, begin, stop) < 230, (begin, stop)
    assert 70 < rate(recorded, end + 1.0, end + 5.0) < 130
    assert sum(one.bad + one.lost for one in recorded.load) == 0


def rate(recorded: Recorded, begin: float, end: float) -> float:
    """Requests per second in the whole windows between two moments."""
    inside = [one for one in recorded.load if begin <= one.start and one.end <= end]
    return sum(one.sent for one in inside) / len({one.start for one in inside})


def test_a_node_is_paused_in_mid_rollout(kind_cluster: Cluster, tmp_path: Path) -> None:
    """After all other runs of this module: they would lose the node as well. The policy decides; nothing is left of the fault."""
    out = tmp_path / "run"
    process = start(kind_cluster, "node-pause", Asked("faults", ("--release", "node-pause")), out)
    said, _ = process.communicate(timeout=300)
    time.sleep(1.0)
    assert process.returncode in (0, 1, 3), said
    (first, put_in), (second, again) = faults(out)
    assert (first, second, put_in, again) == ("fault/pause", "fault/pause", True, False)
    assert undisturbed(kind_cluster) == []
    assert leftovers(kind_cluster, "node-pause", 3) == []
