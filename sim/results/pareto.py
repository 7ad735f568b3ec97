"""The policies that no other beats on every count, and how sure that is (judges.md section 17.1 item 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.results.resampling import RESAMPLES, Floats, Indices, resamples

Statistic = Literal["mean", "median"]
Column = Callable[[Floats], Floats]  # weights of shape (rows, n) to one statistic per row


def pareto_front(points: ArrayLike, minimise: Sequence[bool] | None = None) -> NDArray[np.bool_]:
    """Which of the points of shape (policies, objectives) no other dominates; equal points stay together.

    A dominates B when it is nowhere worse and somewhere better. `minimise` has one flag per objective (default: all);
    NaN is worse than anything.
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"points must have shape (policies, objectives), got {array.shape}")
    front: NDArray[np.bool_] = _undominated(_oriented(array, minimise)[np.newaxis])[0]
    return front


def front_membership(
    runs: ArrayLike,
    statistics: Sequence[Statistic] | None = None,
    minimise: Sequence[bool] | None = None,
    count: int = RESAMPLES,
) -> Floats:
    """Share of `count` bootstrap resamples in which each policy is on the front, shape (policies,).

    `runs` has shape (replications, policies, objectives). Replication i met the same random numbers under every policy,
    so whole replications are resampled. `statistics` says how runs become a point (default: means). NaN marks a run
    that does not count for an objective, such as a bad release for the false-rollback rate. Medians are lower medians
    and may be infinite; means may not.
    """
    array = np.asarray(runs, dtype=np.float64)
    if array.ndim != 3 or array.shape[0] == 0 or count < 1:
        raise ValueError(f"runs must have shape (replications, policies, objectives), got {array.shape}")
    n, policies, objectives = array.shape
    kinds = tuple(statistics or ("mean",) * objectives)
    if len(kinds) != objectives or not set(kinds) <= {"mean", "median"}:
        raise ValueError(f"{objectives} objectives need as many of 'mean' or 'median', got {kinds}")
    prepared = [[_column(array[:, p, k], kinds[k]) for k in range(objectives)] for p in range(policies)]
    hits = np.zeros(policies, dtype=np.int64)
    for block in resamples(n, count):
        weights = _weights(block)
        points = np.stack([np.stack([column(weights) for column in row], axis=1) for row in prepared], axis=1)
        hits += _undominated(_oriented(points, minimise)).sum(axis=0)
    return np.asarray(hits / count, dtype=np.float64)


def _weights(block: Indices) -> Floats:
    """How often each run occurs in each row of indices, shape (rows, n)."""
    rows, n = block.shape
    flat = (block + n * np.arange(rows)[:, np.newaxis]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)


def _column(values: Floats, statistic: Statistic) -> Column:
    known = ~np.isnan(values)
    return _weighted_mean(values, known) if statistic == "mean" else _weighted_median(values, known)


def _weighted_mean(values: Floats, known: NDArray[np.bool_]) -> Column:
    if np.isinf(values).any():
        raise ValueError("the mean of an infinite value says nothing; restrict it or ask for the median")
    sums, ones = np.where(known, values, 0.0), known.astype(np.float64)

    def column(weights: Floats) -> Floats:
        # einsum without `optimize` never calls BLAS, so the sum does not depend on the number of threads.
        total, count = np.einsum("bn,n->b", weights, sums), np.einsum("bn,n->b", weights, ones)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / count, dtype=np.float64)  # 0 / 0: a row without a run that counts

    return column


def _weighted_median(values: Floats, known: NDArray[np.bool_]) -> Column:
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    ordered = values[order]

    def column(weights: Floats) -> Floats:
        if order.size == 0:
            return np.full(weights.shape[0], np.nan)
        reached = np.add.accumulate(weights[:, order], axis=1)
        total = reached[:, -1]
        place = (reached >= total[:, np.newaxis] / 2).argmax(axis=1)
        return np.where(total > 0, ordered[place], np.nan)

    return column


def _oriented(points: Floats, minimise: Sequence[bool] | None) -> Floats:
    """Points of which smaller is better everywhere and NaN worst."""
    objectives = points.shape[-1]
    flags = tuple(minimise) if minimise is not None else (True,) * objectives
    if len(flags) != objectives:
        raise ValueError(f"{objectives} objectives need as many flags in minimise, got {flags}")
    turned = points * np.where(flags, 1.0, -1.0)
    return np.where(np.isnan(turned), np.inf, turned)


def _undominated(points: Floats) -> NDArray[np.bool_]:
    """For points of shape (rows, policies, objectives): who is dominated by nobody in its row."""
    rows, policies, _ = points.shape
    dominated = np.zeros((rows, policies), dtype=np.bool_)
    for i in range(policies):
        rival = points[:, i : i + 1, :]
        dominated |= (rival <= points).all(axis=2) & (rival < points).any(axis=2)
    return ~dominated
