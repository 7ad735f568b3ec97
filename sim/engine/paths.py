"""Rollouts by path: replications that decide alike share one run of the real `Rollout`, and differ in their counts only.

All replications of a batch start on one path. At a measurement where they disagree the path goes on with the majority; each minority
starts a path of its own, borrowing the counts up to the fork. Where chance would change the path itself (random pod starts, people,
policies that read values) every replication has a path of its own. Rows do not depend on how replications were grouped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.driver import drive
from sim.durations import Constant
from sim.engine.aftermath import settle_rows
from sim.engine.draws import Draws
from sim.engine.fixed import FixedLedger
from sim.engine.flock import Flock
from sim.engine.ledger import Forecast, Ledger
from sim.engine.panel import Panel, rollout_seed, told
from sim.engine.queue_ledger import QueueLedger
from sim.engine.rows import Rows, empty
from sim.engine.streams import Stream
from sim.engine.weather import Weather
from sim.faults.effects import Effect
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Command
from sim.policy.errors import WorldError
from sim.policy.flagger import Flagger
from sim.policy.judges.base import Truth
from sim.policy.kruise import Kruise
from sim.policy.notes import Note, Observer
from sim.policy.redblack import RedBlack
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy, Rollout
from sim.policy.scale import bounds
from sim.policy.steps import ScaleCanary
from sim.policy.swarm import Swarm
from sim.service.mix import layout
from sim.service.model import Service
from sim.service.monitoring import Metrics
from sim.service.site import Chances, PersonNeeded, Site

__all__ = ["Case", "draws_for", "follow", "gathered", "solo", "staged"]

_CHANCES = 256  # numbers per replication and purpose


@dataclass(frozen=True, slots=True)
class Case:
    """One policy for one service under one condition: everything that its rows depend on, besides seed and replication."""

    policy: Policy
    service: Service
    effects: tuple[Effect, ...] = ()
    truth: Truth | None = None
    metrics: Metrics | None = None

    @property
    def steady(self) -> bool:
        """Whether plans depend on decisions only: nothing about pods, routes and queries is random."""
        return self.service.steady

    @property
    def rung(self) -> Literal["aggregated", "queueing"]:
        """The rung of the ladder of fidelity: whether requests that find no free place in a pod wait one by one."""
        waits = self.service.pods.concurrency is not None and self.service.latency is not None
        return "queueing" if waits else "aggregated"

    @property
    def sampled(self) -> bool:
        """Whether somebody reads the samples of single scrapes."""
        return self.metrics is not None and self.metrics.back is not None

    @property
    def shared(self) -> bool:
        """Whether replications may share a path, and borrow each other's counts."""
        return self.steady and self.rung == "aggregated"

    @property
    def told(self) -> bool:
        """Whether the policy decides by verdicts only, so that a panel can judge for it; else it reads values itself."""
        return isinstance(self.policy, Canary | BlueGreen | Rolling | Swarm | Kruise | RedBlack)


@dataclass(slots=True)
class _Group:
    """Replications (rows of the batch) that are to run; `stops`: when a person, called by an alert, stops a rollout."""

    rows: NDArray[np.intp]
    forecast: Forecast | None = None
    solo: bool = False
    stops: dict[int, float] = field(default_factory=dict)


def follow(case: Case, seed: int, first: int, count: int) -> Rows:
    """The rows of replications [first, first + count), in order."""
    draws = draws_for(case.service, seed, first, count)
    rows = empty(count)
    rows["replication"] = np.arange(first, first + count)
    groups = deque([_Group(np.arange(count), solo=not case.shared)])
    lenders: list[Ledger] = []
    while groups:
        group = groups.popleft()
        found = _alone(case, draws, group, rows) if group.solo else _together(case, draws, group, rows)
        lenders += [group.forecast.ledger for group in found[:1] if group.forecast is not None]
        groups.extend(found)
    for ledger in lenders:
        ledger.close()
    draws.close()
    return rows


def draws_for(service: Service, seed: int, first: int, count: int) -> Draws:
    """The random numbers of replications [first, first + count) of a service."""
    shape, scrape = layout(service), service.step
    weather = Weather.over(seed, first, count, scrape, shape, service.noise, service.error_noise)
    return Draws(seed, first, count, shape.width, weather)


def gathered(
    case: Case, draws: Draws, rows: NDArray[np.intp], forecast: Forecast | None = None
) -> tuple[Ledger, Site, Panel | Flock, Rollout | Flock]:
    """Replications that start on one path, before their first event: counts, world, who is still there, and the rollout."""
    ledger = _ledger(case, draws, rows, forecast)
    site = Site(case.service, ledger, case.effects, together=True, **_setting(case))
    if case.told:
        panel = Panel(draws.seed, (draws.first + rows).tolist())
        return ledger, site, panel, Rollout(told(case.policy, panel), observe=site.heard)
    flock = Flock(
        case.policy,
        len(rows),
        lambda position: rollout_seed(draws.seed, draws.first + rows.item(position)),
        case.truth,
        site.heard,
    )
    return ledger, site, flock, flock


def _together(case: Case, draws: Draws, group: _Group, rows: Rows) -> list[_Group]:
    """Run one path for all of a group; returns the groups that left it."""
    ledger, site, crowd, rollout = gathered(case, draws, group.rows, group.forecast)
    alone = np.zeros(0, np.intp)
    stops: dict[int, float] = {}
    try:
        drive(rollout, site)
        stops = settle_rows(case, draws, site, group.rows, np.array(crowd.here, np.intp), rows)
        alone = np.array(sorted(stops), np.intp)
    except PersonNeeded:
        alone = group.rows[crowd.here]
    left = [_Group(group.rows[gone], Forecast(ledger, np.array(gone, np.intp))) for gone in crowd.left]
    if isinstance(rollout, Rollout):
        rollout.journal.clear()  # it holds what everybody saw, and would wait for the collector with all of it
    if not left:
        ledger.close()
    return [*left, _Group(alone, solo=True, stops=stops)] if len(alone) else left


def _alone(case: Case, draws: Draws, group: _Group, rows: Rows) -> list[_Group]:
    """Run every replication of a group by itself; the first one's plan forecasts the others'."""
    stops: dict[int, float] = {}
    forecast: Ledger | None = None
    for position, row in enumerate(group.rows.tolist()):
        borrowed = None if forecast is None else Forecast(forecast, np.array([position]))
        ledger, site, _ = solo(case, draws, row, group.stops.get(row), borrowed)
        stops |= settle_rows(case, draws, site, np.array([row]), np.array([0]), rows, stopped=row in group.stops)
        if position == 0 and len(group.rows) > 4 and case.shared:
            forecast = _ledger(case, draws, group.rows)
            forecast.follow(ledger.changes, site.story.ended_at)
        ledger.close()
    if forecast is not None:
        forecast.close()
    return [_Group(np.array(sorted(stops), np.intp), solo=True, stops=stops)] if stops else []


def solo(
    case: Case,
    draws: Draws,
    row: int,
    stop: float | None = None,
    forecast: Forecast | None = None,
    observe: Observer | None = None,
) -> tuple[Ledger, Site, Rollout]:
    """Run one replication by itself, with everything that is random about it. `stop`: when a person stops it."""
    ledger, site, rollout = staged(case, draws, row, stop, forecast, observe)
    drive(rollout, site)
    return ledger, site, rollout


def staged(
    case: Case,
    draws: Draws,
    row: int,
    stop: float | None = None,
    forecast: Forecast | None = None,
    observe: Observer | None = None,
) -> tuple[Ledger, Site, Rollout]:
    """The same before its first event."""
    replication = draws.first + row

    def number(purpose: str, index: int) -> float:
        if index >= _CHANCES:
            raise WorldError(f"more than {_CHANCES} random numbers for {purpose!r} in one rollout")
        return float(Stream(draws.seed, purpose, _CHANCES).uniforms(replication, 0, _CHANCES)[index])

    if not isinstance(case.service.monitoring.phase, Constant):
        case = replace(case, service=case.service.phased(number("scrape phase", 0)))
    ledger = _ledger(case, draws, np.array([row]), forecast)
    site = Site(
        case.service, ledger, case.effects, together=False, seed=rollout_seed(draws.seed, replication), chances=Chances(number),
        interruption=None if stop is None else (stop, "a person, called by an alert"), **_setting(case),
    )  # fmt: skip

    def heard(at: float, item: Command | Note) -> None:
        site.heard(at, item)
        if observe is not None:
            observe(at, item)

    return ledger, site, Rollout(case.policy, observe=heard)


def _ledger(case: Case, draws: Draws, rows: NDArray[np.intp], forecast: Forecast | None = None) -> Ledger:
    step = case.service.step
    phase = case.service.phase % step
    if case.rung == "queueing":
        return QueueLedger(draws, rows, step, phase, case.service, case.effects)
    if case.service.arrivals == "fixed":
        return FixedLedger(draws, rows, step, phase, forecast, new=layout(case.service).new)
    return Ledger(draws, rows, step, phase, forecast, every=bool(case.effects) or case.sampled)


def _setting(case: Case) -> dict[str, Any]:
    """What a site must know of a case besides service and effects."""
    return {
        "truth": case.truth,
        "max_weight": float(getattr(case.policy, "max_weight", 100)),
        "testers": case.service.called(case.policy),
        "own_pods": bool(getattr(case.policy, "pods", True)),
        "apart": isinstance(case.policy, Flagger),
        "most_pods": _most_pods(case),
        "metrics": case.metrics,
    }


def _most_pods(case: Case) -> int:
    """The most pods that a strategy may want: R + surge where pods share the traffic, else both versions in full.

    A canary behind a router may be told to be larger than the service (contracts section 11: R + canary size).
    """
    policy, pods = case.policy, case.service.pods.count
    if not isinstance(policy, Canary):
        return 2 * pods
    if not policy.router:
        return pods + bounds(pods, policy.max_surge, policy.max_unavailable).surge
    return pods + max([pods, *(step.replicas or 0 for step in policy.steps if isinstance(step, ScaleCanary))])
