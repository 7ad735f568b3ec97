"""Real runs as a person starts them, `seatrial real run ...`, several at once, each in a namespace of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real.cluster.api import Api, Object
from real.cluster.names import APP, REVISION
from real.load.shares import Stretch, stretches
from sim.journal import Journal
from sim.results.recorded import Recorded
from tests.real_cluster.rig import Cluster

SCENARIOS = Path(__file__).with_name("scenarios")
AT_ONCE = 3  # runs; more would make two cores the thing that is measured
NOWHERE = "sha256:" + "0" * 64  # the digest of nothing that is anywhere


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    code: int
    folder: Path
    said: str
    namespace: str

    @property
    def recorded(self) -> Recorded:
        return Recorded.read(self.folder)

    @property
    def ended(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "run.json").read_text())["ended"])

    @property
    def totals(self) -> dict[str, int]:
        return dict(json.loads((self.folder / "truth.json").read_text())["totals"])

    def shares(self) -> list[Stretch]:
        """What the weights said, and what users saw."""
        return list(stretches(self.recorded.journal.acts, self.recorded.load))


@dataclass(frozen=True)
class Asked:
    """One run: words after `seatrial real run`; `meanwhile` is called with its folder while it goes on."""

    scenario: str
    words: tuple[str, ...]
    meanwhile: Callable[[Path, subprocess.Popen[str]], None] | None = None


def seatrial(*words: str) -> list[str]:
    return [sys.executable, "-c", "from sim.cli import main; main()", *words]


def command(*words: str) -> list[str]:
    return seatrial("real", *words)


def start(cluster: Cluster, name: str, asked: Asked, out: Path) -> subprocess.Popen[str]:
    words = (
        "run",
        str(SCENARIOS / f"{asked.scenario}.yaml"),
        "--name",
        cluster.name,
        "--namespace",
        name,
        "--out",
        str(out),
    )
    return subprocess.Popen(command(*words, *asked.words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def conduct(cluster: Cluster, name: str, asked: Asked, out: Path) -> Finished:
    process = start(cluster, name, asked, out)
    if asked.meanwhile is not None:
        asked.meanwhile(out, process)
    said, _ = process.communicate(timeout=300)
    return Finished(process.returncode, out, said, name)


class Runs:
    """All runs that the selected tests ask for, begun together."""

    def __init__(self, cluster: Cluster, wanted: dict[str, Asked], root: Path) -> None:
        self._cluster, self._pool = cluster, ThreadPoolExecutor(AT_ONCE)
        self._futures: dict[str, Future[Finished]] = {
            name: self._pool.submit(conduct, cluster, name, asked, root / name) for name, asked in wanted.items()
        }

    def __getitem__(self, name: str) -> Finished:
        return self._futures[name].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        for name, future in self._futures.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                self._cluster.drop(name)


# ---- while a run goes on ----


def opened(folder: Path, process: subprocess.Popen[str], limit: float = 180.0) -> None:
    """Wait until the driver holds the lease, or has ended."""

    def begun() -> bool:
        written = (folder / "journal.jsonl").exists() and (folder / "journal.jsonl").stat().st_size > 0
        return process.poll() is not None or (written and any("opened" in act for act in Journal.read(folder).acts))

    until(begun, limit)


def until(true: Callable[[], bool], limit: float) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)


def sent(api: Api, namespace: str, revision: int) -> list[Object]:
    """Pods of a revision."""
    return api.list("v1/Pod", namespace, {APP: "web", REVISION: str(revision)})


def leftovers(cluster: Cluster, namespace: str, pods: int) -> list[str]:
    """What a run left behind that it should not have: nothing but one workload with all pods ready, and who was stable."""
    api, found = cluster.ground.reads(), []
    workloads = [
        one
        for one in api.list("apps/v1/Deployment", namespace, {APP: "web"})
        if one["metadata"]["name"] != "web-router"
    ]
    if (
        len(workloads) != 1
        or workloads[0].get("status", {}).get("readyReplicas") != pods
        or workloads[0]["spec"]["replicas"] != pods
    ):
        found.append(f"workloads {[(one['metadata']['name'], one.get('status')) for one in workloads]}")
    allowed = {"web-stable", "web-lease", "web-routes", "web-router", "kube-root-ca.crt"}
    found += [
        one["metadata"]["name"] for one in api.list("v1/ConfigMap", namespace) if one["metadata"]["name"] not in allowed
    ]
    services = {"web", "web-preview", "web-router", "web-router-agent"}
    found += [
        one["metadata"]["name"] for one in api.list("v1/Service", namespace) if one["metadata"]["name"] not in services
    ]
    for name in ("web", "web-preview"):
        selects = (api.get("v1/Service", name, namespace) or {})["spec"]["selector"]
        if REVISION in selects:
            found.append(f"Service {name} selects {selects}")
    routes = json.loads((api.get("v1/ConfigMap", "web-routes", namespace) or {})["data"]["value"])
    if not routes.get("absent"):
        found.append(f"{routes}")
    lease = json.loads((api.get("v1/ConfigMap", "web-lease", namespace) or {})["data"]["value"])["lease"]
    if lease["holder"]:
        found.append(f"the lease is held by {lease['holder']}")
    api.close()
    return found


def faults(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it was put in or taken out) of every effect on a fault, in order; each was applied."""
    acts = Journal.read(folder).acts
    done = {act["effect"] for act in acts if act.get("outcome") == "applied"}
    puts = [(act["effect"], act["put"]) for act in acts if "put" in act]
    return [
        (put["name"], "injection" in put) for number, put in puts if number in done and put["name"].startswith("fault/")
    ]


def interrupt(after: float) -> Callable[[Path, subprocess.Popen[str]], None]:
    """Ctrl-C, so many seconds after the driver began."""

    def act(folder: Path, process: subprocess.Popen[str]) -> None:
        opened(folder, process)
        time.sleep(after)
        process.send_signal(signal.SIGINT)

    return act


def halted(after: float) -> Callable[[Path, subprocess.Popen[str]], None]:
    """`seatrial real halt`, so many seconds after the driver began."""

    def act(folder: Path, process: subprocess.Popen[str]) -> None:
        opened(folder, process)
        time.sleep(after)
        subprocess.run(
            command("halt", str(folder), "--reason", "the test says so"), check=True, timeout=60, env=os.environ
        )

    return act
