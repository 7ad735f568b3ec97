"""histogram_quantile over classic buckets. Source: promql/quantile.go, bucketQuantile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.promql.evaluate import Evaluation
from sim.promql.floats import number
from sim.promql.labels import BUCKET, NAME, Labels, get, without
from sim.promql.tree import Call
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Bools, Floats, Vector

__all__ = ["histogram_quantile"]

_TOLERANCE = 1e-12  # smallDeltaTolerance, 3.x
_SMALLEST = 2.2250738585072014e-308  # of the normal float64


@dataclass(frozen=True, slots=True, eq=False)
class _Histogram:
    """One histogram: rows of each upper bound (usually one), bounds rising, [B]."""

    rows: tuple[tuple[int, ...], ...]
    bounds: Floats


def histogram_quantile(evaluation: Evaluation, node: Call) -> Vector:
    q = evaluation.scalar(node.args[0])
    found = evaluation.vector(node.args[1])
    labels, histograms = evaluation.plan(node, (found.labels,), lambda: _histograms(found.labels))
    shape = (len(labels), *found.values.shape[1:])
    values, present = np.zeros(shape), np.zeros(shape, bool)
    for index, histogram in enumerate(histograms):
        values[index], present[index] = _one(found, histogram, q, evaluation.profile.modern)
    result = Vector(labels, values, None if present.all() else present)
    check(evaluation, result, SAME)
    return result


def _histograms(labels: tuple[Labels, ...]) -> tuple[tuple[Labels, ...], tuple[_Histogram, ...]]:
    """Buckets by their labels but `le`; a series without a number there is no bucket."""
    groups: dict[Labels, dict[float, list[int]]] = {}
    for row, one in enumerate(labels):
        bound = number(get(one, BUCKET))
        if bound is not None:
            groups.setdefault(without(one, (BUCKET,)), {}).setdefault(bound, []).append(row)
    out = []
    for buckets in groups.values():
        bounds = sorted(buckets)
        out.append(_Histogram(tuple(tuple(buckets[bound]) for bound in bounds), np.array(bounds)))
    return tuple(without(one, (BUCKET, NAME)) for one in groups), tuple(out)


def _one(found: Vector, histogram: _Histogram, q: Floats, modern: bool) -> tuple[Floats, Bools | bool]:
    """The quantile of one histogram in every lane [K, R], and where it has any bucket."""
    counts, there = _counts(found, histogram)
    bounds = np.broadcast_to(histogram.bounds[:, None, None], counts.shape)
    if there is None:
        return _quantile(q, bounds, counts, np.full(counts.shape[1:], len(counts)), modern), True
    order = np.argsort(~there, axis=0, kind="stable")  # buckets that are there first, bounds still rising
    counts, bounds = np.take_along_axis(counts, order, axis=0), np.take_along_axis(bounds, order, axis=0)
    many = there.sum(axis=0)
    return _quantile(q, bounds, counts, many, modern), many > 0


def _counts(found: Vector, histogram: _Histogram) -> tuple[Floats, Bools | None]:
    """Count of each bound [B, K, R], series of one bound added up, and which bounds are there."""
    counts = found.values[[rows[0] for rows in histogram.rows]]
    there = None if found.present is None else found.present[[rows[0] for rows in histogram.rows]]
    for bucket, rows in enumerate(histogram.rows):
        for row in rows[1:]:
            if there is None or found.present is None:
                counts[bucket] = counts[bucket] + found.values[row]
                continue
            more = found.present[row]
            added = np.where(there[bucket], counts[bucket] + found.values[row], found.values[row])
            counts[bucket] = np.where(more, added, counts[bucket])
            there[bucket] |= more
    return counts, None if there is not None and there.all() else there


def _quantile(q: Floats, bounds: Floats, counts: Floats, many: NDArray[np.intp], modern: bool) -> Floats:
    """bounds, counts: [B, K, R], the first `many` [K, R] of each lane real."""
    last = np.maximum(many - 1, 0)
    counts = (_smoothed if modern else _raised)(counts)
    total = _at(counts, last)
    rank = q * total
    bucket = _search(counts, last, rank)
    below = np.maximum(bucket - 1, 0)
    start = np.where(bucket > 0, _at(bounds, below), 0.0)
    before = np.where(bucket > 0, _at(counts, below), 0.0)
    end = _at(bounds, bucket)
    inside = _at(counts, bucket)
    share = np.where(bucket > 0, rank - before, rank) / np.where(bucket > 0, inside - before, inside)
    value = start + (end - start) * share
    value = np.where(
        (bucket == 0) & (_at(bounds, np.zeros_like(bucket)) <= 0), _at(bounds, np.zeros_like(bucket)), value
    )
    value = np.where(bucket == last, _at(bounds, np.maximum(last - 1, 0)), value)
    value = np.where((_at(bounds, last) != np.inf) | (many < 2) | (total == 0), np.nan, value)
    return np.where(np.isnan(q), np.nan, np.where(q < 0, -np.inf, np.where(q > 1, np.inf, value)))


def _at(of: Floats, index: NDArray[np.intp]) -> Floats:
    found: Floats = np.take_along_axis(of, index[None], axis=0)[0]
    return found


def _search(counts: Floats, last: NDArray[np.intp], rank: Floats) -> NDArray[np.intp]:
    """sort.Search over the buckets before the last: the first whose count reaches the rank, by halving, as Go does."""
    low, high = np.zeros_like(last), last.copy()
    while (open_ := low < high).any():
        middle = (low + high) >> 1
        reached = _at(counts, middle) >= rank
        low = np.where(open_ & ~reached, middle + 1, low)
        high = np.where(open_ & reached, middle, high)
    return low


def _raised(counts: Floats) -> Floats:
    """2.x, ensureMonotonic: no bucket below the one before it."""
    out = counts.copy()
    top = counts[0]
    for bucket in range(1, len(counts)):
        here = counts[bucket]
        out[bucket] = np.where(here < top, top, here)
        top = np.where(here > top, here, top)
    return out


def _smoothed(counts: Floats) -> Floats:
    """3.x, ensureMonotonicAndIgnoreSmallDeltas: differences of rounding are none either."""
    out = counts.copy()
    before = counts[0]
    for bucket in range(1, len(counts)):
        here = counts[bucket]
        level = (here != before) & (_almost(before, here) | (here < before))
        out[bucket] = np.where(level, before, here)
        before = np.where((here == before) | level, before, here)
    return out


def _almost(a: Floats, b: Floats) -> Bools:
    """util/almost/almost.go, Equal."""
    total, apart = np.abs(a) + np.abs(b), np.abs(a - b)
    if not ((apart <= 2 * _TOLERANCE * total) | (apart < _SMALLEST)).any():  # nothing that could be: the usual case
        return (a == b) | (np.isnan(a) & np.isnan(b))  # type: ignore[no-any-return]
    small = (a == 0) | (b == 0) | (total < _SMALLEST)
    near = np.where(small, apart < _TOLERANCE * _SMALLEST, apart / np.minimum(total, np.finfo(float).max) < _TOLERANCE)
    found: Bools = (a == b) | (np.isnan(a) & np.isnan(b)) | near
    return found
