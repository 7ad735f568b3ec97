"""Judges at a matched false-rollback rate: otherwise the looser judge wins (judges.md section 17.1 item 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim.results.quantiles import sortable

TOLERANCE = 0.10  # relative, judges.md section 17.1 item 3


@dataclass(frozen=True, slots=True)
class Threshold:
    """Roll back when a run's highest score reaches `value`; `rate` of the n good releases then do.

    `matched` is false when no threshold comes within 10 % of the wanted rate, as happens with ties or few runs.
    """

    value: float
    rate: float
    wanted: float
    n: int
    matched: bool


def threshold_at_rate(scores: ArrayLike, rate: float) -> Threshold:
    """The threshold whose rollback rate on good releases comes nearest to `rate`; of two, the stricter.

    `scores` (n,): the highest evidence each good release (Z = 0) reached, from a seed range of its own. Larger means
    worse; infinite is allowed. The value lies on a score, so ties fall on one side together.
    """
    values = sortable(scores)
    n = values.size
    if n == 0:
        raise ValueError("a threshold needs scores of good releases, got none")
    if not 0 < rate < 1:
        raise ValueError(f"the false-rollback rate must lie between 0 and 1, got {rate}")
    distinct, counts = np.unique(values, return_counts=True)
    rolled = np.add.accumulate(counts[::-1])[::-1]  # runs at or above each distinct score
    candidates = distinct
    if distinct[-1] < math.inf:  # a threshold above every score spares them all; infinite scores cannot be spared
        rolled = np.append(rolled, 0)
        candidates = np.append(distinct, np.nextafter(distinct[-1], math.inf))
    gaps = np.abs(rolled / n - rate)
    best = int(np.flatnonzero(gaps == gaps.min())[-1])
    reached = float(rolled[best]) / n
    return Threshold(float(candidates[best]), reached, rate, n, abs(reached - rate) <= TOLERANCE * rate + 1e-12)
