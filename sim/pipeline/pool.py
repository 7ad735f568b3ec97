"""Worker pool: jobs wait in line (by priority, then in order of arrival) for one of a fixed number of workers.

Rules: the free worker with the lowest number takes the first job in line; a worker that goes offline loses its job,
which returns to its old place in line and starts from the beginning; the highest numbers go offline first.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import simpy

from sim.durations import Duration, Uniforms, spend
from sim.pipeline.disruptions import Disruption, Track
from sim.policy.errors import WorldError


@dataclass(frozen=True, slots=True)
class Spell:
    """One job's way through the pool: submitted, first started, ended; ``lost`` counts starts that an outage undid."""

    submitted: float
    started: float
    ended: float
    lost: int = 0


@dataclass(slots=True, eq=False)
class _Job:
    place: tuple[int, int]  # priority, ticket
    service: float
    submitted: float
    done: simpy.Event
    started: float | None = None
    run: simpy.Event | None = None
    worker: int = -1
    lost: int = 0


class WorkerPool:
    """``workers`` equal workers before one line."""

    def __init__(self, env: simpy.Environment, workers: int) -> None:
        if workers < 1:
            raise WorldError(f"a worker pool needs at least one worker, got {workers}")
        self._env = env
        self._free = list(range(workers))
        self._away = [0] * workers  # how many outages cover each worker
        self._line: list[tuple[tuple[int, int], _Job]] = []
        self._running: dict[int, _Job] = {}
        self._tickets = 0

    @property
    def waiting(self) -> int:
        """Jobs in line."""
        return len(self._line)

    def submit(self, service: float, *, priority: int = 0) -> simpy.Event:
        """Put a job of ``service`` seconds in line; the SimPy event gives its `Spell`. Lower priority goes first."""
        self._tickets += 1
        job = _Job((priority, self._tickets), service, self._env.now, self._env.event())
        heappush(self._line, (job.place, job))
        self._assign()
        return job.done

    def _assign(self) -> None:
        while self._free and self._line:
            job = heappop(self._line)[1]
            job.worker = heappop(self._free)
            if job.started is None:
                job.started = self._env.now
            job.run = self._env.timeout(job.service, job)
            assert job.run.callbacks is not None
            job.run.callbacks.append(self._finish)
            self._running[job.worker] = job

    def _finish(self, run: simpy.Event) -> None:
        job = run.value
        if not isinstance(job, _Job) or job.run is not run:  # this start was lost to an outage
            return
        assert job.started is not None
        del self._running[job.worker]
        heappush(self._free, job.worker)
        job.done.succeed(Spell(job.submitted, job.started, self._env.now, job.lost))
        self._assign()

    def leave(self, worker: int) -> None:
        """Take ``worker`` offline; a job it has is lost and waits again."""
        self._away[worker] += 1
        if self._away[worker] > 1:
            return
        job = self._running.pop(worker, None)
        if job is None:
            self._free.remove(worker)
            heapify(self._free)
            return
        job.run = None
        job.lost += 1
        heappush(self._line, (job.place, job))
        self._assign()

    def back(self, worker: int) -> None:
        """Bring ``worker`` back from one outage."""
        self._away[worker] -= 1
        if self._away[worker] == 0:
            heappush(self._free, worker)
            self._assign()

    def suffer(self, track: Track, sleep: Duration, uniform: Uniforms) -> None:
        """Start the outages of ``track``: in each, a share of the workers leaves, and returns ``sleep`` after its end.

        Draws: ``pool.sleep`` by (worker, the second at which the outage ends), so that another outage shifts nothing.
        """
        for window in track.windows:
            count = math.ceil(window.intensity * len(self._away))
            for worker in range(len(self._away) - count, len(self._away)):
                pause = spend(sleep, uniform, "pool.sleep", worker, int(window.end))
                self._env.process(self._outage(worker, window, pause))

    def _outage(self, worker: int, window: Disruption, sleep: float) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(window.start - self._env.now)
        self.leave(worker)
        yield self._env.timeout(window.end + sleep - self._env.now)
        self.back(worker)
