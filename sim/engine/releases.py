"""Releases of a delivery run as real rollouts: `Rollouts` is the `Roll` that `sim.pipeline` asks for.

Every release is a `Rollout` of its own in a `Site` of its own, begun when the pipeline begins it. Rules:
1. The driver decides nothing: it waits in SimPy until the site's next moment, and hands over what happens. Whoever interrupts the
   process (a newer revision, a rollback that people order) stops the rollout: the policy hears `Interrupted`. It is never told of a
   `NewRevision`, for in a pipeline that is a release, and a rollout, of its own.
2. A release ends when it is decided and the traffic has arrived: all of it at the new version, or none. Harm is counted until then,
   exactly; afterwards the pipeline's own monitoring and recovery take over. Undecided at the service's horizon is inconclusive.
3. Flaws become errors: what is live breaks `kept` + `mended` of its requests, the new revision `kept` + `severity`; only the last is
   the harm of this release.
4. Numbers are keyed by what is released, never by when or after what: replication (attempt * 2^8 + generation) * 2^24 + n of the
   run's seed, where n is the change and its generation counts fixes of fixes (`sim.pipeline.commits.LIMIT`).
5. Neighbors that differ in their numbers only are worked out ahead, together (`paths.gathered`). That saves time and changes nothing:
   a release that is interrupted after all is run again, step by step, up to there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, cast

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.driver import Driven
from sim.engine.ledger import Forecast, Ledger
from sim.engine.paths import Case, draws_for, gathered, staged
from sim.faults.effects import Effect, PodEffect, VersionEffect
from sim.pipeline.commits import LIMIT
from sim.pipeline.release import Release, RolloutEnd, Superseded
from sim.policy.errors import WorldError
from sim.policy.events import Event, Interrupted
from sim.policy.judges.base import Truth
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.service.mix import layout
from sim.service.model import Service
from sim.service.monitoring import Metrics
from sim.service.noise import snap
from sim.service.site import PersonNeeded, Site
from sim.service.story import Story
from sim.service.traffic import Constant, Traffic

__all__ = ["ROLLBACK", "Rollouts", "key"]

ROLLBACK = Rolling()
"""How people roll back unless told otherwise: at the pace of a Deployment, past all steps of the policy."""

_BLOCK = 64  # neighbors worked out ahead together
_FEW = 2  # releases under equal circumstances that are stepped through before that pays
_GENERATIONS, _ATTEMPTS = 2**8, 2**12  # an index stays below 2^44, far inside every stream's layout

Circumstances = tuple[bool, tuple[Effect, ...]]  # a rollback; what is wrong


@dataclass(frozen=True, slots=True)
class Ending:
    """How a rollout ended, in seconds since its start; infinite: never."""

    outcome: Literal["promoted", "aborted", "inconclusive"]
    ended_at: float
    decided_at: float
    exposed_at: float  # the first users' request that the new version could get
    harm: int  # requests


class Rollouts:
    """Rolls out whatever a pipeline releases by `policy`, and rollbacks by `rollback`.

    `effects` are faults on the clock of the run, in force for every rollout that meets them. `ahead` False: every release is stepped
    through, which takes longer and changes nothing.
    """

    def __init__(
        self,
        policy: Policy,
        service: Service,
        seed: int,
        *,
        effects: tuple[Effect, ...] = (),
        metrics: Metrics | None = None,
        rollback: Policy = ROLLBACK,
        ahead: bool = True,
    ) -> None:
        self._policy, self._rollback, self._service, self._seed = policy, rollback, service, seed
        self._effects, self._metrics, self._ahead = effects, metrics, ahead
        self._met: dict[Circumstances, int] = {}
        self._known: dict[Circumstances, dict[int, Ending | None]] = {}

    def __call__(self, env: simpy.Environment, release: Release) -> Generator[simpy.Event, Any, RolloutEnd]:
        start, place = env.now, key(release.artifact, release.attempt)
        case = self._case(release, start)
        pending: Event | None = None
        ending = self._foreseen(release, case, place) if self._ahead else None
        if ending is not None:
            try:
                yield env.timeout(ending.ended_at)
                return _end(release, start, ending)
            except simpy.Interrupt as interrupt:
                pending = _heard(interrupt)
        ledger, site, rollout = staged(case, draws_for(case.service, self._seed, place, 1), 0)
        interrupted = inf
        for due in _steps(rollout, site):
            while start + due > env.now:  # what is due at the moment of an interruption comes before it
                if pending is not None:
                    interrupted = env.now - start
                    site.tell(interrupted, pending)
                    pending = None
                    break
                try:
                    yield env.timeout(start + due - env.now)
                except simpy.Interrupt as interrupt:
                    pending = _heard(interrupt)
        ending = _ending(site, 0)
        ledger.close()
        return _end(release, start, ending, interrupted)

    def _case(self, release: Release, start: float) -> Case:
        policy = self._rollback if release.reason == "rollback" else self._policy
        service = _from(self._service, start)
        around = tuple(_moved(self._effects, start, start + service.horizon))
        return Case(policy, service, (*_flaws(release), *around), Truth(release.bad), self._metrics)

    def _foreseen(self, release: Release, case: Case, place: int) -> Ending | None:
        """How the release ends if nobody interrupts it, if that can be told together with its neighbors."""
        around = len(case.effects) > len(_flaws(release))
        if around or not case.shared or not isinstance(case.service.traffic, Constant) or place >= LIMIT:
            return None
        circumstances = (release.reason == "rollback", case.effects)
        self._met[circumstances] = met = self._met.get(circumstances, 0) + 1
        known = self._known.setdefault(circumstances, {})
        if place not in known and met > _FEW:
            known.update(zip(range(place, place + _BLOCK), _together(case, self._seed, place, _BLOCK), strict=True))
        return known.get(place)


def key(artifact: int, attempt: int) -> int:
    """The replication whose numbers a release meets: consecutive for consecutive changes (rule 4)."""
    generation, number = divmod(artifact, LIMIT)
    if generation >= _GENERATIONS or attempt >= _ATTEMPTS:
        raise WorldError(
            f"change {number} was fixed {generation} times and released {attempt} times; the run goes round in circles: "
            "lower recovery.p_bad_fix, or look at why its rollouts never end well"
        )
    return (attempt * _GENERATIONS + generation) * LIMIT + number


# ---- one rollout ----


def _steps(rollout: Driven, site: Site) -> Iterator[float]:
    """Let a rollout happen; yields when the next thing is due, in time for others to `tell` the site what comes before."""
    at, event = site.start()
    while True:
        site.carry(at, rollout.handle(at, event))
        if _arrived(site.story):
            return
        seen: Event | None = None
        while seen is None:
            due = site.due(rollout.wakes_at)
            if due is None and site.story.decided_at < inf:
                return
            yield due if due is not None else site.service.horizon
            due = site.due(rollout.wakes_at)
            if due is None:
                site.story.ended_at = site.service.horizon
                return
            at, seen = site.advance(due)
        event = seen


def _arrived(story: Story) -> bool:
    """Whether a decision was made and all traffic is where it belongs."""
    return story.decided_at < inf and (story.full_at if story.outcome == "promoted" else story.restored_at) < inf


def _ending(site: Site, row: int) -> Ending:
    """How it ended for one of the replications on the path."""
    story, shape = site.story, layout(site.service)
    site.close()
    counts = site.ledger.total(story.ended_at)[row]
    if site.copies is not None:
        counts = counts - site.copies[row]
    harm = int(counts[shape.slow : shape.errors].sum()) + int(counts[shape.errors + 1])
    exposed = next((at for at, share in story.steps if share > 0), inf)
    outcome = cast(Literal["promoted", "aborted", "inconclusive"], story.outcome)
    return Ending(outcome, story.ended_at, story.decided_at, exposed, harm)


def _end(release: Release, start: float, ending: Ending, interrupted: float = inf) -> RolloutEnd:
    """What the pipeline is told: a rollout that others stopped has found nothing itself."""
    found = ending.outcome == "aborted" and ending.decided_at < interrupted
    exposed = release.bad and ending.exposed_at < inf
    return RolloutEnd(
        ending.outcome, start + ending.decided_at if found else None, float(ending.harm), start + ending.exposed_at if exposed else None
    )  # fmt: skip


def _heard(interrupt: simpy.Interrupt) -> Interrupted:
    cause = interrupt.cause
    return Interrupted(f"superseded by revision {cause.by}" if isinstance(cause, Superseded) else str(cause))


# ---- many rollouts ----


def _together(case: Case, seed: int, first: int, count: int) -> list[Ending | None]:
    """The endings of replications [first, first + count); None where each needs a world of its own."""
    draws = draws_for(case.service, seed, first, count)
    endings: list[Ending | None] = [None] * count
    groups: list[tuple[NDArray[np.intp], Forecast | None]] = [(np.arange(count), None)]
    ledgers: list[Ledger] = []
    while groups:
        rows, forecast = groups.pop()
        ledger, site, crowd, rollout = gathered(case, draws, rows, forecast)
        ledgers.append(ledger)
        try:
            for _ in _steps(rollout, site):
                pass
        except PersonNeeded:
            pass  # theirs stay None
        else:
            for position in crowd.here:
                endings[rows[position]] = _ending(site, position)
        groups += ((rows[gone], Forecast(ledger, np.array(gone, np.intp))) for gone in crowd.left)
    for ledger in ledgers:
        ledger.close()
    return endings


# ---- circumstances ----


def _flaws(release: Release) -> tuple[Effect, ...]:
    shares: tuple[tuple[Literal["canary", "stable", "all"], float], ...] = (
        ("all", release.kept), ("stable", release.mended), ("canary", release.severity),
    )  # fmt: skip
    return tuple(VersionEffect(version, 0.0, inf, error_add=share) for version, share in shares if share > 0)


def _moved(effects: tuple[Effect, ...], start: float, end: float) -> Iterator[Effect]:
    """The effects in force between two moments of the run, on the clock of a rollout that begins at the first."""
    for effect in effects:
        if isinstance(effect, PodEffect):
            instant = effect.kind in ("kill", "node_loss", "node_reboot")
            if effect.at < end and (effect.at >= start if instant else effect.end > start):
                yield replace(effect, at=effect.at - start, end=effect.end - start)
        elif effect.start < end and effect.end > start:
            yield replace(effect, start=effect.start - start, end=effect.end - start)


@dataclass(frozen=True, slots=True)
class _Later:
    """Traffic from `start` on. Levels are on the grid of `noise.snap`, so that rollouts at all hours share tables of counts."""

    traffic: Traffic
    start: float

    def rate(self, at: float) -> float:
        return self.traffic.rate(self.start + at)

    def levels(self, edges: Sequence[float]) -> list[float]:
        return [snap(level) for level in self.traffic.levels([self.start + edge for edge in edges])]


def _from(service: Service, start: float) -> Service:
    """The service for a rollout that begins at `start`."""
    if isinstance(service.traffic, Constant):
        return service
    return replace(service, traffic=_Later(service.traffic, start))
