"""Two results side by side, to understand why a number changed: what they were made from, and what moved.

Cells that share seed and replications are compared run by run, which sees far smaller changes than two intervals do, and
names the first replication that went another way: `seatrial explain` can show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.results.compare import aligned
from sim.results.interval import Interval
from sim.results.measures import Measure, evaluate, named
from sim.results.paired import mcnemar, paired_difference
from sim.results.result import Cell, Result

NAMES = (
    "escape_rate", "false_rollback_rate", "inconclusive_rate", "alert_rate", "harm.mean", "harm.p95", "detection_delay.median",
    "promote_delay.median", "lost.mean", "pod_hours.mean",
)  # fmt: skip
_ORIGIN = ("scenario", "digest", "seed", "service", "rung", "people", "command", "complete")


@dataclass(frozen=True, slots=True)
class Change:
    """One measure of one cell, before and after. `difference` is new - old run by run; None where that cannot be had.

    `clear`: the paired interval leaves 0 out or, without one, the two intervals do not meet. `example`: the first
    replication whose value differs.
    """

    policy: str
    release: str
    measure: str
    old: Interval
    new: Interval
    difference: Interval | None
    clear: bool
    example: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """`origins`: (what, old, new) where the results were made from different things; cells that only one of them has."""

    origins: tuple[tuple[str, str, str], ...]
    only_old: tuple[tuple[str, str], ...]
    only_new: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]

    @property
    def clear(self) -> tuple[Change, ...]:
        """The changes beyond chance."""
        return tuple(change for change in self.changes if change.clear)


def difference(old: Result, new: Result, names: Sequence[str] = NAMES, level: float = 0.95) -> Difference:
    """Compare every cell that both results have; equal values are no change and are left out."""
    origins = tuple(
        (name, str(getattr(old, name)), str(getattr(new, name)))
        for name in _ORIGIN
        if getattr(old, name) != getattr(new, name)
    )
    before, after = _names(old), _names(new)
    found = [
        _change(old.cell(*place), new.cell(*place), name, old.seed == new.seed, level)
        for place in after
        if place in before and old.cell(*place).bad == new.cell(*place).bad
        for name in names
        if named(name)[0].fits(new.cell(*place).bad)
    ]
    changes = tuple(change for change in found if change.clear or not _same(change.old, change.new))
    lost, won = tuple(p for p in before if p not in after), tuple(p for p in after if p not in before)
    return Difference(origins, lost, won, changes)


def _change(old: Cell, new: Cell, name: str, paired: bool, level: float) -> Change:
    measure, statistic = named(name)
    before, after = evaluate(old, name, level), evaluate(new, name, level)
    common = np.intersect1d(old.rows["replication"], new.rows["replication"])
    if not paired or not common.size:
        return Change(new.policy, new.release, name, before, after, None, _apart(before, after))
    between = _between(old, new, measure, level) if statistic in ("rate", "mean") else None
    clear = between is not None and 0 not in between if statistic in ("rate", "mean") else _apart(before, after)
    return Change(new.policy, new.release, name, before, after, between, clear, _example(old, new, measure))


def _between(old: Cell, new: Cell, measure: Measure, level: float) -> Interval | None:
    after, before = aligned([new, old], measure)
    if not after.size:
        return None
    return (
        mcnemar(after, before, level).difference
        if measure.kind == "rate"
        else paired_difference(after, before, level).difference
    )


def _example(old: Cell, new: Cell, measure: Measure) -> int | None:
    _, mine, theirs = np.intersect1d(old.rows["replication"], new.rows["replication"], return_indices=True)
    before, after = measure.values(old)[mine], measure.values(new)[theirs]
    moved = np.flatnonzero((before != after) & ~(np.isnan(before) & np.isnan(after)))
    return int(old.rows["replication"][mine][moved[0]]) if moved.size else None


def _apart(first: Interval, second: Interval) -> bool:
    return first.high < second.low or second.high < first.low


def _same(first: Interval, second: Interval) -> bool:
    return first.estimate == second.estimate or (
        first.estimate != first.estimate and second.estimate != second.estimate
    )


def _names(result: Result) -> tuple[tuple[str, str], ...]:
    return tuple((cell.policy, cell.release) for cell in result.cells)
