"""One kind cluster for the tests of a run, and apps in namespaces of their own.

Where the kit of `../shared/cluster` is, it is used (engine, kind, images without a network); elsewhere Docker and kind must be on the PATH.
A cluster of the same name that an interrupted run left behind is deleted first. SEATRIAL_KEEP_CLUSTER=1 leaves it for the next run.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from real.cluster import namespaces
from real.lab.ground import Ground
from real.lab.images import Images
from real.lab.raising import lower, raised
from real.lab.versions import pushed
from sim.faults.reading import read

ROOT = Path(__file__).parents[2]
KIT = ROOT.parent / "shared" / "cluster" / "kit"
NAME = os.environ.get("SEATRIAL_TEST_CLUSTER", "seatrial-test")


@dataclass(frozen=True)
class Cluster:
    """The cluster of a test run."""

    ground: Ground
    images: Images = field(default_factory=lambda: Images({}))

    @property
    def name(self) -> str:
        return self.ground.name

    @cached_property
    def good(self) -> str:
        """The image of a version without faults, by digest."""
        return self.version("good")

    def version(self, name: str, *faults: dict[str, Any]) -> str:
        """A version with these faults in it."""
        made, flaws = read([{"id": f"f{number}", **one} for number, one in enumerate(faults)])
        assert not flaws
        assert self.ground.registry is not None
        return pushed(self.ground.registry, self.images, name, made)

    def drop(self, namespace: str) -> None:
        """A test is through with its namespace: its node port is free for the next one."""
        api = self.ground.builds()
        namespaces.remove(api, namespace)
        api.close()

    def install(self, controller: str) -> None:
        """The real Argo Rollouts or Flagger, from the kit, if it is not there yet."""
        api = self.ground.reads()
        try:
            there = any(one["metadata"]["name"] == controller for one in api.list("apps/v1/Deployment", "*"))
        finally:
            api.close()
        if not there:
            subprocess.run([str(KIT), "install", controller, self.name], check=True, timeout=900)


def engine() -> None:
    """The kit's engine is up, and its programs are on the PATH; without a kit they have to be there already."""
    if not KIT.exists():
        return
    subprocess.run([str(KIT), "up"], check=True, timeout=1200, capture_output=True)
    told = subprocess.run([str(KIT), "env"], check=True, timeout=60, capture_output=True, text=True).stdout
    for word in told.removeprefix("export ").split():
        name, _, value = word.partition("=")
        os.environ[name] = value.replace("$PATH", os.environ["PATH"])


@contextmanager
def cluster() -> Iterator[Cluster]:
    engine()
    keep = bool(os.environ.get("SEATRIAL_KEEP_CLUSTER"))
    if not keep:
        lower(NAME, print)
    try:
        yield Cluster(raised(NAME, Images({}), print, scrape=1.0))
    finally:
        if not keep:
            lower(NAME, print)
