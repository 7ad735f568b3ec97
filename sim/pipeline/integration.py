"""Continuous integration of one change: wait to be noticed, wait for a worker, build, test; red goes back.

Draws by (change, attempt): ``ci.start``, ``ci.build``, ``ci.test``, ``ci.fail``, ``ci.repair``, ``ci.rerun``;
``ci.catch`` once a change; ``ci.flaky`` by (change, attempt * runs + run).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from sim.durations import spend
from sim.pipeline.commits import Change
from sim.pipeline.disruptions import Track
from sim.pipeline.pool import Spell, WorkerPool
from sim.pipeline.site import Site
from sim.pipeline.trigger import Trigger


class ContinuousIntegration:
    """The second stage: a trigger before a worker pool. Fault: ``pool.offline``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stage = site.model.integration
        windows = site.windows
        drop = windows.on("trigger.drop", "integration")
        self._trigger = Trigger(site.env, self._stage.wakeups, site.uniform, "ci", drop, down=Track())
        self.pool = WorkerPool(site.env, self._stage.workers)
        self.pool.suffer(windows.on("pool.offline", "integration"), self._stage.outage_sleep, site.uniform)

    def green(self, change: Change) -> Generator[simpy.Event, Any, bool]:
        """Run CI until it is green; the value tells whether the change is still bad then."""
        env, book, uniform, stage = self._site.env, self._site.book, self._site.uniform, self._stage
        bad, started, failures, attempt = change.bad, None, 0, 0
        while True:
            yield self._trigger.notice(change.id, attempt)
            broken, caught = self._red(change, bad, attempt)
            runs, passed = self._runs(change, broken or caught, attempt)
            service = self._service(change, runs, attempt)
            spell: Spell = yield self.pool.submit(service, priority=-1 if change.fixes else 0)
            started = spell.started if started is None else started
            attempt += 1
            if passed:
                book.note(change.id, ci_started=started, ci_ended=env.now, ci_runs=attempt, ci_failures=failures)
                return bad
            failures += 1
            pause, purpose = (stage.repair, "ci.repair") if broken or caught else (stage.rerun, "ci.rerun")
            if caught:
                bad = False
                book.note(change.id, caught=True)
            yield env.timeout(spend(pause, uniform, purpose, change.id, attempt - 1))

    def _red(self, change: Change, bad: bool, attempt: int) -> tuple[bool, bool]:
        """Whether this run is red because the change is broken, and because the tests see that it is bad."""
        uniform, stage = self._site.uniform, self._stage
        broken = uniform("ci.fail", change.id, attempt) < stage.p_fail
        return broken, bad and uniform("ci.catch", change.id, 0) < stage.p_catch

    def _runs(self, change: Change, red: bool, attempt: int) -> tuple[int, bool]:
        """How often the tests run in this job, and whether the last run passes; a red change fails every one."""
        tries = self._stage.retries + 1
        if red:
            return tries, False
        for run in range(tries):
            if self._site.uniform("ci.flaky", change.id, attempt * tries + run) >= self._stage.p_flaky:
                return run + 1, True
        return tries, False

    def _service(self, change: Change, runs: int, attempt: int) -> float:
        uniform, stage = self._site.uniform, self._stage
        start = spend(stage.start, uniform, "ci.start", change.id, attempt)
        build = spend(stage.build, uniform, "ci.build", change.id, attempt)
        return start + build + runs * spend(stage.test, uniform, "ci.test", change.id, attempt)
