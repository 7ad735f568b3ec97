"""DORA's keys as pure functions of rows, with the definitions of judges.md section 17.

Deployments are *finished* when they ended promoted, aborted or inconclusive, and *completed* when promoted; rollbacks
are counted in neither, for they answer a deployment and are not one more. Superseded, missing and unfinished ones
reached no end of their own and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.pipeline.rows import DeploymentRow, Rows
from sim.policy.errors import WorldError

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Times:
    """Median and 90th percentile of ``count`` times, in seconds; ``open`` counts those that have not ended."""

    median: float
    p90: float
    count: int
    open: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``."""

    count: int
    total: int

    @property
    def rate(self) -> float:
        """The share; NaN when there was nothing to count."""
        return self.count / self.total if self.total else math.nan


@dataclass(frozen=True, slots=True)
class Dora:
    """DORA's four keys and the rework rate.

    ``lead``: commit to fully rolled out, per commit, over those that were served (``open``: the others).
    ``exposure``: commit to the first exposed request. ``per_day``: completed deployments a day. ``fail_any``:
    finished deployments that were aborted, rolled back or hot-fixed. ``fail_user``: those that did more harm than the
    stated threshold. ``recovery``: failure start to service restored, where what was never restored is infinite and
    not left out. ``rework``: completed deployments that were unplanned fixes.
    """

    lead: Times
    exposure: Times
    deployments: int
    per_day: float
    fail_any: Share
    fail_user: Share
    recovery: Times
    rework: Share


def dora(rows: Rows, *, harm_above: float) -> Dora:
    """The keys of ``rows``; a deployment fails for users when its bad requests exceed ``harm_above``."""
    if not rows.span > 0:
        raise WorldError(f"frequency needs a span above 0, got {rows.span}")
    finished = [row for row in rows.deployments if row.reason != "rollback" and row.outcome in _FINISHED]
    completed = [row for row in finished if row.outcome == "promoted"]
    served = [row.served - row.committed for row in rows.changes if row.served is not None]
    exposed = [row.exposed - row.committed for row in rows.changes if row.exposed is not None]
    return Dora(
        lead=_times(served, len(rows.changes) - len(served)),
        exposure=_times(exposed, len(rows.changes) - len(exposed)),
        deployments=len(completed),
        per_day=len(completed) / (rows.span / DAY),
        fail_any=Share(sum(map(_failed, finished)), len(finished)),
        fail_user=Share(sum(row.harm > harm_above for row in finished), len(finished)),
        recovery=_recovery(rows.deployments),
        rework=Share(sum(row.reason == "fix" for row in completed), len(completed)),
    )


_FINISHED = ("promoted", "aborted", "inconclusive")


def _failed(row: DeploymentRow) -> bool:
    return row.outcome == "aborted" or (row.outcome == "promoted" and row.restored_by in ("rollback", "fix"))


def _recovery(rows: Iterable[DeploymentRow]) -> Times:
    times, unrestored = [], 0
    for row in rows:
        if row.bad_since is not None:
            times.append(math.inf if row.restored is None else row.restored - row.bad_since)
            unrestored += row.restored is None
    return _times(times, unrestored)


def _times(values: Sequence[float], unended: int) -> Times:
    ordered = sorted(values)
    return Times(quantile(ordered, 0.5), quantile(ordered, 0.9), len(ordered), unended)


def quantile(ordered: Sequence[float], q: float) -> float:
    """The ``q`` quantile of sorted values, linear between order statistics (Hyndman and Fan's type 7); NaN of none."""
    if not ordered:
        return math.nan
    place = (len(ordered) - 1) * q
    low = math.floor(place)
    if place == low or ordered[low] == ordered[low + 1]:  # also keeps infinity minus infinity out
        return ordered[low]
    return ordered[low] + (ordered[low + 1] - ordered[low]) * (place - low)
