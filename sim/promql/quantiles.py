"""The quantile of present values along the first axis. Source: quantile, promql/quantile.go."""

from __future__ import annotations

import numpy as np

from sim.promql.values import Bools, Floats

__all__ = ["quantile"]


def quantile(q: Floats, values: Floats, there: Bools) -> Floats:
    """Linear between the two nearest ranks; NaN sorts lowest; NaN for none or NaN q, -Inf and +Inf for q outside [0, 1].

    values, there: [N, ...]; q: broadcastable to [...].
    """
    count = there.sum(axis=0)
    # NaN first, then by value, then what is not there: a NaN of sort's own order goes last, so the two are told apart by rank.
    rank = np.where(there, np.where(np.isnan(values), 0, 1), 2)
    ordered = np.take_along_axis(values, np.lexsort((values, rank), axis=0), axis=0)
    n = np.maximum(count, 1).astype(float)
    q = np.broadcast_to(q, count.shape)
    position = np.where((q >= 0) & (q <= 1), q, 0.0) * (n - 1)
    low = np.maximum(0.0, np.floor(position))
    high = np.minimum(n - 1, low + 1)
    weight = position - np.floor(position)
    below, above = (np.take_along_axis(ordered, index.astype(np.intp)[None], axis=0)[0] for index in (low, high))
    found = below * (1 - weight) + above * weight
    found = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
    return np.where((count == 0) | np.isnan(q), np.nan, found)
