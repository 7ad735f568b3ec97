"""Artifact store: push and pull over a registry that can be out, and retention that does not know what is live."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Generator
from typing import Any

import simpy

from sim.durations import Duration, Uniforms, spend
from sim.pipeline.disruptions import Track
from sim.pipeline.model import Artifacts

Flow = Generator[simpy.Event, Any, None]


class ArtifactStore:
    """Artifacts by revision. Draws: ``artifact.push``, ``.scan``, ``.pull`` by (revision, attempt).

    Fault: ``store.outage`` makes a transfer fail when it starts in one or runs into one; the transfer is then
    repeated after the back-off, without end: an outage delays and loses nothing.
    """

    def __init__(self, env: simpy.Environment, artifacts: Artifacts, uniform: Uniforms, outage: Track) -> None:
        self._env, self._artifacts, self._uniform, self._outage = env, artifacts, uniform, outage
        self._phase = artifacts.gc_every * uniform("artifact.gc.phase", 0, 0)
        self._pushed: dict[int, tuple[float, int]] = {}  # revision: when, and how many were pushed before
        self._times: list[float] = []
        self._pulls: dict[int, int] = {}

    def keep(self, revision: int) -> None:
        """Take ``revision`` in, now."""
        self._pushed[revision] = (self._env.now, len(self._times))
        self._times.append(self._env.now)

    def push(self, revision: int) -> Flow:
        """Push and scan; afterwards ``revision`` can be deployed."""
        yield from self._transfer("artifact.push", self._artifacts.push, revision, 0)
        self.keep(revision)
        yield self._env.timeout(spend(self._artifacts.scan, self._uniform, "artifact.scan", revision, 0))

    def pull(self, revision: int) -> Generator[simpy.Event, Any, bool]:
        """Pull; False when the artifact is gone, which is known only when the registry answers."""
        attempt = self._pulls.get(revision, 0)
        self._pulls[revision] = attempt + 1
        # Attempts of one transfer and of the next must not share numbers: 2^20 repeats are years of back-off.
        yield from self._transfer("artifact.pull", self._artifacts.pull, revision, attempt << 20)
        return not self.gone(revision)

    def _transfer(self, purpose: str, duration: Duration, revision: int, index: int) -> Flow:
        k = 0
        while True:
            now = self._env.now
            spell = spend(duration, self._uniform, purpose, revision, index + k)
            hit = self._outage.first(now, now + spell)
            if hit is None or self._uniform("store.outage", revision, index + k) >= hit[1]:
                yield self._env.timeout(spell)
                return
            yield self._env.timeout(hit[0] - now + self._artifacts.retry.wait(k))
            k += 1

    def gone(self, revision: int) -> bool:
        """Whether retention has removed ``revision``: judged at every collection up to now, so at the last one."""
        at, before = self._pushed[revision]
        every = self._artifacts.gc_every
        collected = self._phase + math.floor((self._env.now - self._phase) / every) * every
        if collected < at:
            return False
        newer = bisect_right(self._times, collected) - before - 1
        keep, max_age = self._artifacts.keep, self._artifacts.max_age
        return (keep is not None and newer >= keep) or (max_age is not None and collected - at > max_age)
