"""Policies against each other on the same replications: paired differences, McNemar, Holm (judges.md section 17.1).

Differences are policy - reference. Rates are compared by the exact McNemar test and Tango's interval, means by the bootstrap-t
of the paired differences with Student's p-value; delays are restricted to the horizon first. Quantiles have no paired interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.policy.errors import WorldError
from sim.policy.special import beta_cdf
from sim.results.interval import Interval
from sim.results.means import finite
from sim.results.measures import HORIZON, Applies, Measure, named
from sim.results.multiplicity import holm
from sim.results.paired import mcnemar, paired_difference
from sim.results.resampling import Floats
from sim.results.result import Cell, Result

CLEAR = 0.05  # Holm-adjusted
COMPARED: Mapping[str, Applies] = {  # by default, and on which releases
    "escape_rate": "bad",
    "harm.mean": "bad",
    "false_rollback_rate": "good",
    "lead.mean": "good",
    "pod_hours.mean": "good",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A policy against the reference under one release. `adjusted` is Holm's p-value among those compared together.

    `variance_ratio` is Var(A - B) / (Var A + Var B): below 1 the common random numbers helped; NaN when nothing varies.
    """

    release: str
    measure: str
    policy: str
    reference: str
    difference: Interval
    p_value: float
    variance_ratio: float
    adjusted: float = 1.0

    @property
    def verdict(self) -> Literal["better", "worse", "unclear"]:
        """Of the policy, by the adjusted p-value."""
        if self.adjusted > CLEAR or self.difference.estimate == 0:
            return "unclear"
        lower = named(self.measure)[0].better == "lower"
        return "better" if (self.difference.estimate < 0) == lower else "worse"


def compare(result: Result, policy: str, reference: str, release: str, name: str, level: float = 0.95) -> Comparison:
    """One paired comparison of a rate or a mean. WorldError when the measure does not fit or nothing is paired."""
    measure, statistic = named(name)
    if statistic not in ("rate", "mean"):
        raise WorldError(f"{name!r} cannot be compared run by run; compare {measure.name}.mean")
    first, second = aligned([result.cell(policy, release), result.cell(reference, release)], measure)
    full = measure.name if statistic == "rate" else f"{measure.name}.mean"
    if measure.kind == "rate":
        tested = mcnemar(first, second, level)
        ratio = (
            paired_difference(first, second, level).variance_ratio
            if tested.only_a + tested.only_b
            else _ratio(first, second)
        )
        return Comparison(release, full, policy, reference, tested.difference, tested.p_value, ratio)
    paired = paired_difference(first, second, level)
    return Comparison(
        release, full, policy, reference, paired.difference, student_p(first - second), paired.variance_ratio
    )


def compare_all(
    result: Result, reference: str | None = None, names: Mapping[str, Applies] = COMPARED, level: float = 0.95
) -> tuple[Comparison, ...]:
    """Every policy against the reference (default: the first), with Holm's adjustment over all comparisons made.

    `names` says which measures, and on which releases: good, bad or both.
    """
    against = reference if reference is not None else next(iter(result.policies), "")
    if against and against not in result.policies:
        raise WorldError(f"the reference {against!r} is not among the policies {', '.join(result.policies)}")
    found = [
        compare(result, cell.policy, against, cell.release, name, level)
        for name, kind in names.items()
        for cell in result.cells
        if cell.policy != against and _fits(name, kind, cell) and _pairs(result.find(against, cell.release), cell)
    ]
    adjusted = holm([comparison.p_value for comparison in found])
    return tuple(replace(comparison, adjusted=p) for comparison, p in zip(found, adjusted, strict=True))


def aligned(cells: Sequence[Cell], measure: Measure, horizon: float = HORIZON) -> tuple[Floats, ...]:
    """Values of the replications that all the cells have and that count in all of them; delays cut at the horizon.

    WorldError when there is no such replication.
    """
    common = shared(cells)
    if common.size == 0:
        places = ", ".join(f"{cell.policy} / {cell.release}" for cell in cells)
        raise WorldError(f"no replication is common to {places}; run the same seeds")
    columns = [measure.values(cell)[np.isin(cell.rows["replication"], common)] for cell in cells]
    if measure.kind == "delay":
        columns = [np.minimum(column, horizon) for column in columns]
    known = ~np.isnan(columns).any(axis=0)
    return tuple(finite(column[known]) for column in columns)


def shared(cells: Sequence[Cell]) -> Floats:
    """The replications that all the cells have, rising."""
    common = cells[0].rows["replication"]
    for cell in cells[1:]:
        common = np.intersect1d(common, cell.rows["replication"], assume_unique=True)
    return common


def _fits(name: str, kind: Applies, cell: Cell) -> bool:
    return named(name)[0].fits(cell.bad) and kind in ("both", "bad" if cell.bad else "good")


def _pairs(reference: Cell | None, cell: Cell) -> bool:
    return reference is not None and bool(np.isin(cell.rows["replication"], reference.rows["replication"]).any())


def student_p(difference: Floats) -> float:
    """Two-sided p-value of a mean difference of zero; 1 when all differences are 0, 0 when all are the same but not 0."""
    n = difference.size
    if n < 2:
        return 1.0
    mean, spread = float(difference.mean()), float(difference.std(ddof=1))
    if spread <= 1e-14 * abs(mean) or spread == 0:
        return 1.0 if mean == 0 else 0.0
    square = mean * mean * n / (spread * spread)
    return beta_cdf((n - 1) / (n - 1 + square), (n - 1) / 2, 0.5)


def _ratio(first: Floats, second: Floats) -> float:
    """0 when both vary alike, NaN when nothing varies."""
    return 0.0 if first.size > 1 and first.min() < first.max() else math.nan
