"""The pipeline: seven stages wired together, from a commit to the users and back.

Processes start in a fixed order: the worker outages, the reconciler, the source of commits; then one process per
change as it comes. Nothing but ``uniform`` is random and it is keyed, so that a fault or a stage more shifts nobody
else's numbers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import pairwise
from typing import Any

import simpy

from sim.durations import Uniforms
from sim.pipeline.artifacts import ArtifactStore
from sim.pipeline.commits import LIMIT, Change
from sim.pipeline.disruptions import Disruption, Windows
from sim.pipeline.integration import ContinuousIntegration
from sim.pipeline.model import PipelineModel
from sim.pipeline.reconciler import Reconciler
from sim.pipeline.recovery import People
from sim.pipeline.release import Roll
from sim.pipeline.rows import Book, ChangeRow, Requests, Rows
from sim.pipeline.site import Site
from sim.pipeline.trigger import Trigger
from sim.pipeline.trunk import Flaw, Trunk
from sim.policy.errors import WorldError

Flow = Generator[simpy.Event, Any, None]


class Pipeline:
    """A delivery system with its changes, its disruptions and the rollout that is under trial.

    ``requests`` says how many requests a live flaw can break (default: ``propagation.rate`` a second). ``env`` may be
    one that others use too; it must stand at 0. Errors: WorldError when changes are out of order or numbered twice, or
    the environment stands elsewhere.
    """

    def __init__(
        self,
        model: PipelineModel,
        changes: Iterable[Change],
        roll: Roll,
        uniform: Uniforms,
        *,
        disruptions: Iterable[Disruption] = (),
        requests: Requests | None = None,
        env: simpy.Environment | None = None,
    ) -> None:
        self.env = env if env is not None else simpy.Environment()
        if self.env.now != 0:
            raise WorldError(f"a pipeline starts at 0, got an environment at {self.env.now:g}; make a new one")
        self._changes = _ordered(changes)
        windows = Windows(disruptions)
        rate = model.propagation.rate
        book = Book(requests if requests is not None else lambda start, end: rate * (end - start))
        self._site = Site(self.env, model, uniform, windows, Trunk(), book)
        self._integration = ContinuousIntegration(self._site)
        self._store = ArtifactStore(self.env, model.artifacts, uniform, windows.on("store.outage", "artifacts"))
        self._store.keep(0)  # what runs at the start was pushed like anything else
        drop, down = windows.on("trigger.drop", "delivery"), windows.on("driver.crash", "delivery")
        self._trigger = Trigger(self.env, model.delivery.wakeups, uniform, "deploy", drop, down)
        self._reconciler = Reconciler(self._site, self._store, roll, self._landed, self._stopped)
        self._people = People(self._site, self._reconciler, self._commit)
        self._reconciler.start()
        self.env.process(self._source())

    def run(self, until: float) -> Rows:
        """Let time pass up to ``until`` and return the rows."""
        self.env.run(until=until)
        return self.rows()

    def rows(self) -> Rows:
        """The rows as they are now."""
        return self._site.book.rows(self.env.now)

    def _landed(self, deployment: int, flaws: tuple[Flaw, ...]) -> None:
        self._people.landed(deployment, flaws)

    def _stopped(self, deployment: int, flaws: tuple[Flaw, ...]) -> None:
        self._people.stopped(deployment, flaws)

    def _source(self) -> Flow:
        for change in self._changes:
            if change.at > self.env.now:
                yield self.env.timeout(change.at - self.env.now)
            self._commit(change)

    def _commit(self, change: Change) -> None:
        fixes = change.fixes[0] if change.fixes else None
        row = ChangeRow(change.id, self.env.now, change.size, change.bad, change.severity, fixes, change.source)
        self._site.book.begin(row)
        self.env.process(self._way(change))

    def _way(self, change: Change) -> Flow:
        """One change's way to the reconciler."""
        bad = yield from self._integration.green(change)
        self._site.trunk.merge(change, bad=bad)
        yield from self._store.push(change.id)
        self._site.book.note(change.id, ready=self.env.now)
        cause = yield self._trigger.notice(change.id)
        self._reconciler.offer(change.id, cause)


def _ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    listed = tuple(changes)
    for before, after in pairwise(listed):
        if after.at < before.at:
            raise WorldError(f"changes must come in order of time, got {after.at:g} s after {before.at:g} s; sort them")
    if len({change.id for change in listed}) < len(listed):
        raise WorldError("changes must have identities of their own; number them from 1")
    for change in listed:
        if not 1 <= change.id < LIMIT:
            raise WorldError(f"a change is numbered from 1 to {LIMIT - 1}, got {change.id}")
    return listed
