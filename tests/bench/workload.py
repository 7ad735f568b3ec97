"""Workload B of contracts section 10: 20 minutes, four weights, 20 measurements over 80 scrapes, telemetry on."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.durations import Constant as Fixed
from sim.engine.paths import Case, draws_for, solo
from sim.engine.tables import draw_windows
from sim.faults.effects import VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts, Finish, SetWeight
from sim.policy.judges.base import Window
from sim.policy.judges.threshold import Threshold
from sim.policy.runbook import Look, Runbook, Steps
from sim.policy.steps import Analyse
from sim.scenario import assemble, load_policy
from sim.service.model import Alerts, Pods, Service
from sim.service.traffic import Constant

__all__ = ["LOOKS", "RATE", "Piece", "canary", "case", "draw", "floor", "imported", "requests", "runbook", "service"]

RATE = 200.0  # requests/s
WEIGHTS = (5, 20, 50, 100)
LOOKS, EVERY = 20, 60.0  # measurements, and seconds between them
LIMIT = 0.05  # share of bad requests; far above what a good release shows, so that nothing ends a rollout early


class Author:
    """The same canary as a generator."""

    def steps(self) -> Steps:
        for weight in WEIGHTS:
            yield SetWeight(weight)
            for _ in range(LOOKS // len(WEIGHTS)):
                seen = yield Look(EVERY)
                if not isinstance(seen, Window) or seen.canary.bad > LIMIT * seen.canary.requests:
                    return Finish("aborted", "too many bad requests")
        return None


def canary(limit: float = LIMIT, weights: Sequence[float] = WEIGHTS) -> Canary:
    """The declarative policy."""
    metric = Metric(
        "errors",
        Counts(EVERY),
        Judged(Threshold(limit)),
        interval=EVERY,
        count=LOOKS // len(weights),
        initial_delay=EVERY,
    )
    analyse = Analyse(Analysis((metric,)))
    return Canary(
        steps=tuple(step for weight in weights for step in (SetWeight(weight), analyse)), scale_down_delay=0.0
    )


def runbook() -> Runbook:
    return Runbook(Author())


def service(rate: float = RATE) -> Service:
    """Pods and weights arrive at once, so that the rollout takes 20 minutes and 80 scrapes."""
    return Service(traffic=Constant(rate), pods=Pods(start=Fixed(0.0)), propagation=Fixed(0.0), alerts=Alerts(pairs=()))


def case(policy: Canary | Runbook, rate: float = RATE, error: float = 0.0) -> Case:
    """`error`: the share of requests that the new version breaks."""
    effects = (VersionEffect("canary", 0.0, inf, error_add=error),) if error else ()
    return Case(policy, service(rate), effects)


def imported() -> Case:
    """The rollout of `rollout.yaml` beside this file, for a healthy release: its two queries see all twenty minutes."""
    found = load_policy(Path(__file__).with_name("rollout.yaml"))
    return assemble([found], service=service(), releases=("good",)).cases()[0][2]


class Piece(NamedTuple):
    """Windows [start, stop) that are drawn in one call, and their expected counts [windows, cells]."""

    start: int
    stop: int
    means: NDArray[np.float64]


def floor(rate: float = RATE) -> list[Piece]:
    """What the declarative policy makes the kernel draw: the windows from look to look."""
    kernel = case(canary(), rate)
    draws = draws_for(kernel.service, 1, 0, 1)
    ledger, _, _ = solo(kernel, draws, 0)
    scrape = kernel.service.monitoring.scrape
    pieces = []
    span = round(EVERY / scrape)
    for start in range(0, round(LOOKS * EVERY / scrape), span):
        means = [change.means for change in ledger.changes if change.at <= start * scrape][-1]
        expected = [means(window * scrape, (window + 1) * scrape) for window in range(start, start + span)]
        pieces.append(Piece(start, start + span, np.array(expected)[:, : draws.width]))
    return pieces


def draw(pieces: Sequence[Piece], seed: int, first: int, count: int) -> NDArray[np.int64]:
    """Draw and transform one piece after the other; the counts of the last one."""
    draws = draws_for(service(), seed, first, count)
    counts = np.zeros(0, np.int64)
    for piece in pieces:
        counts = draw_windows(draws.whole(slice(None), piece.start, piece.stop), piece.means)
    draws.close()
    return counts


def requests(pieces: Sequence[Piece], seed: int, first: int, count: int) -> int:
    """All requests that the floor draws, to be compared with the kernel's."""
    return sum(int(draw([piece], seed, first, count).sum()) for piece in pieces)
