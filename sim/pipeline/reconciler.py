"""Reconciler: brings the newest revision it knows into production, one rollout at a time.

Rules:
1. Level-triggered: whatever woke it, it looks at what is wanted and at what is live, and acts on the difference.
2. It never goes back to an older revision, but for a rollback that people order.
3. A revision with a flaw that people know is held until a revision with its fix arrives; but one of several fixes may
   go out before the others.
4. A newer revision during a rollout waits, and the ones between are skipped (``batch``); or each gets its turn
   (``queue``), a fix of what is live first; or it interrupts the rollout (``replace``).
5. A rollback interrupts a rollout of a change, and nothing else.
6. While ``driver.crash`` is active it starts nothing; a rollout under way is the injected rollout's own matter.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Generator
from typing import Any

import simpy

from sim.durations import spend
from sim.pipeline.artifacts import ArtifactStore
from sim.pipeline.hops import Chain
from sim.pipeline.release import Reason, Release, Roll, RolloutEnd, Superseded
from sim.pipeline.rows import DeploymentRow
from sim.pipeline.site import Site
from sim.pipeline.trunk import Flaw, combined

Landed = Callable[[int, tuple[Flaw, ...]], None]
Stopped = Callable[[int, tuple[Flaw, ...]], None]


class Reconciler:
    """Fourth to fifth stage: pull, apply, roll, and let the news travel to the proxies.

    ``landed(deployment, flaws)`` is called after each promotion with the flaws it brought, ``stopped`` after a
    rollout that ended aborted or inconclusive. Draws: ``deploy.apply`` by (revision, attempt).
    """

    def __init__(self, site: Site, store: ArtifactStore, roll: Roll, landed: Landed, stopped: Stopped) -> None:
        self._site, self._store, self._roll = site, store, roll
        self._landed, self._stopped = landed, stopped
        self._chain = Chain(site.model.propagation, site.uniform)
        self._down = site.windows.on("driver.crash", "delivery")
        self._queue = site.model.delivery.supersede == "queue"
        self._replace = site.model.delivery.supersede == "replace"
        self._wanted: list[int] = []  # places, rising
        self._noticed: dict[int, tuple[float, str]] = {}  # by place
        self._newest = 0
        self._frozen = 0
        self._ordered: int | None = None
        self._attempts: dict[int, int] = {}
        self._history = [0]
        self._rollout: simpy.Process | None = None
        self._current: tuple[int, Reason] | None = None  # what may still be interrupted
        self._idle = site.env.event()

    def start(self) -> None:
        self._site.env.process(self._loop())

    def offer(self, revision: int, cause: str) -> None:
        """A revision can be deployed: new from the pipeline, or again after a stop that was no fault of its own."""
        place = self._site.trunk.place(revision)
        if place in self._wanted or (place < self._newest and not self._queue):
            return
        self._newest = max(self._newest, place)
        self._noticed.setdefault(place, (self._site.env.now, cause))
        insort(self._wanted, place)
        if self._replace and self._current is not None and self._choose() == place > self._current[0]:
            self._interrupt(revision)
        self.nudge()

    def order(self, place: int) -> None:
        """People order a rollback to the revision at ``place``."""
        self._ordered = place
        self._noticed[place] = (self._site.env.now, "person")
        self._interrupt(self._site.trunk.changes[place])
        self.nudge()

    def freeze(self) -> None:
        """Hold everything but rollbacks, until as many calls of `thaw`."""
        self._frozen += 1

    def thaw(self) -> None:
        self._frozen -= 1
        self.nudge()

    def nudge(self) -> None:
        """Look again."""
        if not self._idle.triggered:
            self._idle.succeed()

    def former(self) -> int | None:
        """The newest place that was live before and has no flaw that people know; None when there is none."""
        trunk = self._site.trunk
        return next((p for p in reversed(self._history) if p < trunk.live and trunk.clean(p)), None)

    def _interrupt(self, by: int) -> None:
        if self._current is None or self._current[1] != "change" or self._rollout is None:
            return
        if self._rollout.is_alive:
            self._current = None  # once: what follows is the rollout's way back, which nobody may disturb
            self._rollout.interrupt(Superseded(by))

    def _loop(self) -> Generator[simpy.Event, Any, None]:
        env = self._site.env
        while True:
            up = self._down.clear(env.now)
            if up > env.now:
                yield env.timeout(up - env.now)
            elif self._ordered is not None:
                place, self._ordered = self._ordered, None
                if self._site.trunk.mends(place):
                    yield from self._deliver(place, "rollback")
            elif (wanted := self._choose()) is not None:
                self._take(wanted)
                yield from self._deliver(wanted, "fix" if self._site.trunk.mends(wanted) else "change")
            else:
                self._idle = env.event()
                yield self._idle

    def _choose(self) -> int | None:
        trunk = self._site.trunk
        while self._wanted and self._wanted[0] <= trunk.live:
            del self._wanted[0]
        if self._frozen or not self._wanted:
            return None
        if not self._queue:
            return None if trunk.held(self._wanted[-1]) else self._wanted[-1]
        free = [place for place in self._wanted if not trunk.held(place)]
        return next((place for place in free if trunk.mends(place)), free[0] if free else None)

    def _take(self, place: int) -> None:
        if self._queue:
            self._wanted.remove(place)
        else:
            self._wanted.clear()

    def _deliver(self, place: int, reason: Reason) -> Generator[simpy.Event, Any, None]:
        site, env = self._site, self._site.env
        flaws = site.trunk.fresh(place)
        id = self._open(place, reason, flaws)
        self._current = (place, reason)
        self._rollout = env.process(self._carry(id, place, reason))
        try:
            end: RolloutEnd | None = yield self._rollout
            superseded = self._current is None
        except simpy.Interrupt:  # it did not care to answer the interruption
            end, superseded = RolloutEnd("aborted"), True
        self._current = None
        if end is None:
            site.book.write(id, outcome="missing")
        elif end.outcome == "promoted":
            self._promote(id, place, end, flaws)
        else:
            self._stop(id, end, flaws, superseded)
        if superseded and (end is None or end.outcome != "promoted"):
            self.offer(site.trunk.changes[place], "person")

    def _open(self, place: int, reason: Reason, flaws: tuple[Flaw, ...]) -> int:
        """Open the row of a deployment; the value is its identity."""
        site, trunk, book = self._site, self._site.trunk, self._site.book
        revision = trunk.changes[place]
        attempt = self._attempts.get(revision, 0)
        self._attempts[revision] = attempt + 1
        changes = trunk.changes[trunk.live + 1 : place + 1]
        committed = min((book.change(change).committed for change in changes), default=None)
        noticed, by = self._noticed[place]
        row = DeploymentRow(
            book.count, reason, revision, attempt, len(changes), committed, noticed, by, site.env.now,
            bad=bool(flaws), severity=combined(flaws),
        )  # fmt: skip
        book.open(row)
        return row.id

    def _carry(self, id: int, place: int, reason: Reason) -> Generator[simpy.Event, Any, RolloutEnd | None]:
        """Pull, apply, roll; None when the artifact is gone. An interruption ends whichever of them is under way."""
        site, env, book = self._site, self._site.env, self._site.book
        row = book.deployment(id)
        if not (yield from self._store.pull(row.revision)):
            return None
        yield env.timeout(spend(site.model.delivery.apply, site.uniform, "deploy.apply", row.revision, row.attempt))
        book.write(id, rollout_started=env.now)
        changes = tuple(site.trunk.changes[site.trunk.live + 1 : place + 1])
        for change in changes:
            if book.change(change).exposed is None:
                book.note(change, exposed=env.now)
        live = site.trunk.flaws(site.trunk.live)
        mended, kept = (combined([flaw for flaw in live if flaw.within(place) is has]) for has in (False, True))
        release = Release(
            id, changes, row.revision, row.bad, row.severity, env.now, reason, row.attempt, mended, kept
        )  # fmt: skip
        return (yield from self._roll(env, release))

    def _promote(self, id: int, place: int, end: RolloutEnd, flaws: tuple[Flaw, ...]) -> None:
        """The revision is live: decided now, known to the first and the last proxy a little later."""
        site, book, now = self._site, self._site.book, self._site.env.now
        first, last = self._chain.arrivals(now, book.deployment(id).revision)
        since = end.bad_since if end.bad_since is not None else first
        book.write(
            id, outcome="promoted", rollout_ended=now, served_first=first, served=last, harm=end.harm,
            bad_since=since if flaws else None,
        )  # fmt: skip
        for change in site.trunk.changes[site.trunk.live + 1 : place + 1]:
            if book.change(change).served is None:
                book.note(change, served=last, deployment=id)
        site.trunk.live = place
        self._history.append(place)
        for flaw in flaws:
            flaw.landed = first
        self._landed(id, flaws)

    def _stop(self, id: int, end: RolloutEnd, flaws: tuple[Flaw, ...], superseded: bool) -> None:
        book, now = self._site.book, self._site.env.now
        by = "superseded" if superseded else "abort"
        book.write(
            id, outcome=by if superseded else end.outcome, rollout_ended=now, bad_since=end.bad_since, harm=end.harm,
            detected=end.detected_at, detected_by="rollout" if end.detected_at is not None else "",
            restored=now if end.bad_since is not None else None, restored_by=by if end.bad_since is not None else "",
        )  # fmt: skip
        if not superseded:
            self._stopped(id, flaws)
