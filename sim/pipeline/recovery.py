"""Monitoring and recovery: an alert or a complaint, a person, and then a rollback or a fix.

Rules:
1. Each flaw that goes live is watched on its own: an alert if what its deployment brought is visible, users' reports
   if they are modeled. What is too small to be seen stays, and is no regression of the next deployment.
2. The person who answers makes the flaw known; from then on no revision with it is deployed.
3. ``rollback``: back to the newest former revision without known flaws; if its artifact is gone, or it fails, or
   there is none, the way is forward. ``forward``: only the fix.
4. Every known flaw is fixed once, by a commit with priority in CI; after a rollback that is how the trunk becomes
   deployable.
5. A stopped rollout is looked at by a person too: a bad one gets a fix, a good one another attempt. Who looks for what
   stopped a good one finds the flaws that were live before, and has them fixed first; nobody rolls back for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from typing import Any

import simpy

from sim.durations import spend
from sim.pipeline.commits import LIMIT, Change, harmful, lines
from sim.pipeline.reconciler import Reconciler
from sim.pipeline.site import Site
from sim.pipeline.telemetry import Alarm
from sim.pipeline.trunk import Flaw

Flow = Generator[simpy.Event, Any, None]


class People:
    """Sixth and seventh stage. ``commit`` takes a fix into the pipeline.

    Draws by (flaw's change, 0): ``report.delay``, ``people.fix``; by (flaw's change, times landed):
    ``people.response``; by (revision, attempt): ``people.review``; by the fix: ``commit.size``, ``change.bad``,
    ``change.severity``.
    """

    def __init__(self, site: Site, reconciler: Reconciler, commit: Callable[[Change], None]) -> None:
        self._site, self._reconciler, self._commit = site, reconciler, commit
        self._alarm = Alarm(site.model.alerting, site.uniform, site.windows.on("telemetry.gap", "alerting"))
        self._broken: dict[Flaw, int] = {}  # live flaws and the deployments that brought them, in order
        self._looks: dict[int, int] = {}

    def landed(self, deployment: int, flaws: tuple[Flaw, ...]) -> None:
        """A revision went live: close what it restores, watch what it breaks."""
        book, trunk = self._site.book, self._site.trunk
        row = book.deployment(deployment)
        assert row.served is not None
        gone = [flaw for flaw in self._broken if not trunk.lives([flaw])]
        for flaw in gone:
            book.heals(flaw.change, row.served)
        for id in dict.fromkeys(self._broken.pop(flaw) for flaw in gone):
            if not any(flaw.known and by == id for flaw, by in self._broken.items()):
                book.write(id, restored=row.served, restored_by=row.reason)
        for flaw in flaws:
            self._broken[flaw] = deployment
            book.harms(flaw.change, deployment, flaw.severity)
            self._site.env.process(self._watch(flaw, row.severity))

    def stopped(self, deployment: int, flaws: tuple[Flaw, ...]) -> None:
        """A rollout ended without promotion; after a failed rollback the fix that is on its way remains."""
        if self._site.book.deployment(deployment).reason != "rollback":
            self._site.env.process(self._review(deployment, flaws))

    def _watch(self, flaw: Flaw, severity: float) -> Flow:
        env, landed = self._site.env, flaw.landed
        at, by = self._notice(flaw, severity)
        if at == math.inf:
            return
        yield env.timeout(max(0.0, at - env.now))
        if flaw.known or flaw.landed != landed or not self._site.trunk.lives([flaw]):
            return
        book, id = self._site.book, self._broken[flaw]
        if book.deployment(id).detected is None:
            book.write(id, detected=env.now, detected_by=by)
        yield env.timeout(self._response("people.response", flaw.change, self._look(flaw)))
        if book.deployment(id).responded is None:
            book.write(id, responded=env.now)
        self._decide((flaw,))

    def _notice(self, flaw: Flaw, severity: float) -> tuple[float, str]:
        """When and how people learn that a flaw is live, if it stays so; ``severity`` is of all that came with it."""
        alerting = self._site.model.alerting
        assert flaw.landed is not None
        alert, report = math.inf, math.inf
        if severity >= alerting.visible:
            alert = self._alarm.fires(flaw.landed)
        if alerting.reports is not None:
            report = flaw.landed + spend(alerting.reports, self._site.uniform, "report.delay", flaw.change, 0)
        return (alert, "alert") if alert <= report else (report, "report")

    def _look(self, flaw: Flaw) -> int:
        count = self._looks.get(flaw.change, 0)
        self._looks[flaw.change] = count + 1
        return count

    def _response(self, purpose: str, entity: int, index: int) -> float:
        return spend(self._site.model.recovery.response, self._site.uniform, purpose, entity, index)

    def _review(self, deployment: int, flaws: tuple[Flaw, ...]) -> Flow:
        site, hold = self._site, self._site.model.recovery.hold
        row = site.book.deployment(deployment)
        if hold:
            self._reconciler.freeze()
        yield site.env.timeout(self._response("people.review", row.revision, row.attempt))
        site.book.write(deployment, responded=site.env.now)
        if flaws:
            self._decide(flaws)
        else:
            self._find(site.trunk.flaws(site.trunk.place(row.revision)))
            self._reconciler.offer(row.revision, "person")
        if hold:
            self._reconciler.thaw()

    def _decide(self, flaws: tuple[Flaw, ...]) -> None:
        """The flaws are known now: have them fixed, and roll back if they are live and that is the way."""
        self._find(flaws)
        if self._site.model.recovery.method == "rollback" and self._site.trunk.lives(flaws):
            target = self._reconciler.former()
            if target is not None:
                self._reconciler.order(target)

    def _find(self, flaws: Iterable[Flaw]) -> None:
        """The flaws are known now: those that were not get a fix."""
        found = tuple(flaw for flaw in flaws if not flaw.known)
        for flaw in found:
            flaw.known = True
        if found:
            self._site.env.process(self._repair(found))

    def _repair(self, flaws: tuple[Flaw, ...]) -> Flow:
        """Write one commit that fixes ``flaws`` and put it into the pipeline."""
        site, recovery, uniform = self._site, self._site.model.recovery, self._site.uniform
        yield site.env.timeout(spend(recovery.fix, uniform, "people.fix", flaws[0].change, 0))
        id = flaws[0].change + LIMIT
        size = lines(site.model.commits.size, uniform, id)
        bad = uniform("change.bad", id, 0) < recovery.p_bad_fix
        severity = harmful(site.model.commits.risk, uniform, id) if bad else 0.0
        fixed = tuple(flaw.change for flaw in flaws)
        self._commit(Change(id, site.env.now, size, bad=bad, severity=severity, fixes=fixed))
