"""Which policies no other beats on every count: harm, false rollbacks, delay, pods (judges.md section 17.1 item 4), lost requests.

Each bad release counts the same, and so does each good one: a stated prior, not a fact about your releases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.results.compare import shared
from sim.results.interval import Interval
from sim.results.means import mean_interval
from sim.results.measures import MEASURES
from sim.results.pareto import Statistic, front_membership, pareto_front
from sim.results.proportions import wilson
from sim.results.quantiles import median_interval
from sim.results.resampling import Floats
from sim.results.result import Cell, Result

OBJECTIVES: tuple[tuple[str, str, Statistic, bool | None], ...] = (
    # name, measure, statistic over replications, of bad releases only (None: of all)
    ("mean blast radius", "harm", "mean", True),
    ("false rollbacks", "false_rollback_rate", "mean", False),
    ("median lead", "lead", "median", False),
    ("mean pod-hours", "pod_hours", "mean", None),
    ("mean lost requests", "lost", "mean", None),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A policy: its value and interval for each objective, whether it is on the front, and in which share of 1000 resamples."""

    policy: str
    values: tuple[Interval, ...]
    member: bool
    share: float


@dataclass(frozen=True, slots=True)
class Front:
    """The places of the policies; `objectives` are the names of those that could be measured."""

    objectives: tuple[str, ...]
    places: tuple[Place, ...]

    def place(self, policy: str) -> Place | None:
        """That of a policy; None when it lacks a cell."""
        return next((place for place in self.places if place.policy == policy), None)


def front(result: Result, level: float = 0.95) -> Front:
    """The front over the policies that have every release, on the replications that all their cells share."""
    chosen = [one for one in OBJECTIVES if one[3] is None or result.split(one[3])]
    policies = [policy for policy in result.policies if _complete(result, policy)]
    common = shared([cell for cell in result.cells if cell.policy in policies]) if policies else np.zeros(0)
    if not common.size:
        return Front((), ())
    columns = [
        [_across(_cells(result, policy, bad), measure, common) for _, measure, _, bad in chosen] for policy in policies
    ]
    values = [
        tuple(_interval(column, one[1], one[2], level) for column, one in zip(row, chosen, strict=True))
        for row in columns
    ]
    members = pareto_front([[interval.estimate for interval in row] for row in values])
    shares = front_membership(np.array(columns).transpose(2, 0, 1), [one[2] for one in chosen])
    places = zip(policies, values, members.tolist(), shares.tolist(), strict=True)
    return Front(tuple(one[0] for one in chosen), tuple(Place(*place) for place in places))


def _complete(result: Result, policy: str) -> bool:
    cells = [result.find(policy, release) for release in result.releases]
    return all(cell is not None and len(cell.rows) > 0 for cell in cells)


def average(result: Result, policy: str, measure: str, bad: bool | None = None, level: float = 0.95) -> Interval | None:
    """Mean over the policy's releases, each counting the same, replication by replication; None without such a release."""
    cells = _cells(result, policy, bad)
    return mean_interval(_across(cells, measure, shared(cells)), level) if cells else None


def _cells(result: Result, policy: str, bad: bool | None) -> list[Cell]:
    return [cell for cell in result.cells if cell.policy == policy and bad in (None, cell.bad)]


def _across(cells: Sequence[Cell], measure: str, common: Floats) -> Floats:
    """Each replication's mean over the cells."""
    columns = [MEASURES[measure].values(cell)[np.isin(cell.rows["replication"], common)] for cell in cells]
    return np.asarray(np.mean(columns, axis=0), dtype=np.float64)


def _interval(values: Floats, measure: str, statistic: Statistic, level: float) -> Interval:
    if statistic == "median":
        return median_interval(values, level)
    # A rate of one release; the mean over several is no longer 0 or 1.
    rate = MEASURES[measure].kind == "rate" and bool(np.isin(values, (0.0, 1.0)).all())
    return wilson(int(values.sum()), values.size, level) if rate else mean_interval(values, level)
