"""Docker Swarm's own batches: workers that take slots one after another (delivery-systems.md section 7; swarmkit: updater.go).

A slot whose old task is stopped first stands empty until its new task runs; one whose new task starts first keeps the old task
until then, and for good if the new one ended before. Stopping takes no time here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from sim.policy.commands import Update
from sim.policy.events import BatchesDone, PodsEnded

__all__ = ["RESTART", "Updater"]

RESTART = 5.0  # seconds until a task that ended is replaced (swarmkit: api/defaults/service.go, Task.Restart.Delay)


@dataclass(slots=True)
class _Worker:
    """Waits for the task that becomes available at `ready`, then rests until `rests`."""

    ready: float | None = None
    rests: float | None = None

    @property
    def free(self) -> bool:
        return self.ready is None and self.rests is None


@dataclass(slots=True)
class Updater:
    """One update under way. `stop()` takes an old task away, `start()` makes a new one and tells when it is available."""

    spec: Update
    slots: int
    stop: Callable[[], None]
    start: Callable[[], float]
    plan: Callable[[float], None]
    left: int = field(init=False)
    _workers: list[_Worker] = field(init=False)
    _tasks: list[float] = field(default_factory=list)  # made by this update and not ended: when they are available
    _told: bool = False

    def __post_init__(self) -> None:
        self.left = self.slots
        self._workers = [_Worker() for _ in range(self.spec.parallelism or max(1, self.slots))]

    def halt(self) -> None:
        """Take no further slot; what has begun goes on."""
        self.left, self._told = 0, True

    def step(self, at: float) -> BatchesDone | None:
        """Let every worker go as far as it can now."""
        for worker in self._workers:
            self._work(at, worker)
        if self._told or self.left or not all(worker.free for worker in self._workers):
            return None
        self._told = True
        return BatchesDone(self.spec.revision, self.slots)

    def starting(self, at: float) -> float:
        """When one of the tasks that are starting would have become available; infinite if there is none."""
        return max((one for one in self._tasks if one > at), default=inf)

    def ended(self, at: float, ready: float) -> PodsEnded | None:
        """A task has ended that became, or would have become, available at `ready`; None if this update did not make it."""
        if ready not in self._tasks:
            return None
        self._tasks.remove(ready)
        ran = None if ready > at else at - ready
        worker = next((one for one in self._workers if one.ready == ready), None)
        if (
            worker is not None and ran is None
        ):  # beyond running: the slot is done, and an old task that still runs stays
            self._rest(at, worker)
        return PodsEnded(self.spec.revision, ran, self.slots)

    def _work(self, at: float, worker: _Worker) -> None:
        while True:
            if worker.ready is not None and worker.ready <= at:
                if self.spec.start_first:
                    self.stop()
                self._rest(at, worker)
            elif worker.rests is not None and worker.rests <= at:
                worker.rests = None
            elif worker.free and self.left:
                self._take(worker)
            else:
                return

    def _take(self, worker: _Worker) -> None:
        self.left -= 1
        if not self.spec.start_first:
            self.stop()
        worker.ready = self.start()
        self._tasks.append(worker.ready)
        if worker.ready < inf:
            self.plan(worker.ready)

    def _rest(self, at: float, worker: _Worker) -> None:
        worker.ready, worker.rests = None, at + self.spec.delay
        self.plan(worker.rests)
