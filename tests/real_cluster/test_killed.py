"""The driver's process is killed, at random moments; `recover` ends each run with one version serving everything and nothing left over."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sim.scenario import load
from tests.real_cluster.rig import Cluster
from tests.real_cluster.runs import AT_ONCE, Asked, command, leftovers, opened, start
from tests.real_cluster.runs import SCENARIOS as ROOT

pytestmark = pytest.mark.cluster

SCENARIOS = ("canary", "blue-green", "rolling")
LENGTH = {"canary": 48.0, "blue-green": 24.0, "rolling": 14.0}  # seconds of a healthy run, driver alone
PODS = {name: load(ROOT / f"{name}.yaml", "real").service.pods.count for name in SCENARIOS}


def moments(count: int, seed: int) -> list[tuple[str, float]]:
    """(scenario, seconds after the driver began): spread over the whole run, and the same in every test run."""
    chance = random.Random(seed)
    names = [SCENARIOS[number % len(SCENARIOS)] for number in range(count)]
    return [(name, chance.uniform(0.0, LENGTH[name])) for name in names]


def killed(cluster: Cluster, root: Path, number: int, scenario: str, after: float) -> list[str]:
    """Run, kill, recover; what is wrong afterwards."""
    namespace = f"killed-{number}"
    folder = root / namespace
    process = start(cluster, namespace, Asked(scenario, ("--release", "good", "--load", "none")), folder)
    try:
        opened(folder, process)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    finally:
        process.kill()
    done = subprocess.run(command("recover", str(folder)), capture_output=True, text=True, timeout=300, check=False)
    again = subprocess.run(command("status", str(folder)), capture_output=True, text=True, timeout=300, check=False)
    wrong = leftovers(cluster, namespace, PODS[scenario])
    cluster.drop(namespace)
    wrong += [f"recover: {done.stdout} {done.stderr}"] if done.returncode else []
    return wrong + ([f"status: {again.stdout} {again.stderr}"] if again.returncode else [])


def check(cluster: Cluster, root: Path, count: int, seed: int) -> None:
    told = list(enumerate(moments(count, seed)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda one: killed(cluster, root, one[0], *one[1]), told))
    assert {
        f"{name} killed after {after:.2f} s": wrong
        for (_, (name, after)), wrong in zip(told, found, strict=True)
        if wrong
    } == {}


def test_killed_at_six_moments(kind_cluster: Cluster, tmp_path: Path) -> None:
    check(kind_cluster, tmp_path, 6, 1)


@pytest.mark.nightly
def test_killed_at_thirty_moments(kind_cluster: Cluster, tmp_path: Path) -> None:
    check(kind_cluster, tmp_path, 30, 2)
