"""Aggregations with `by` and `without`. Source: promql/engine.go, aggregation; sums are done in the order of the series."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.promql.evaluate import Evaluation
from sim.promql.labels import NAME, Labels, only, without
from sim.promql.overtime import average_step
from sim.promql.quantiles import quantile
from sim.promql.summing import kahan_modern
from sim.promql.tree import Aggregate
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Bools, Floats, Vector

__all__ = ["Groups", "aggregate", "appearance", "grouped", "groups"]

State = tuple[Floats, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """labels: of each group, in order of first appearance. of: group of each row, [S]. members: rows, [N, G], -1 for none."""

    labels: tuple[Labels, ...]
    of: NDArray[np.intp]
    members: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a group's value comes to be: from its first sample, from each further one (the n-th), and at the end (of n)."""

    first: Callable[[Floats], State]
    step: Callable[..., State]
    done: Callable[..., Floats]


def aggregate(evaluation: Evaluation, node: Aggregate) -> Vector:
    from sim.promql.choosing import choose, count_values

    if node.op == "count_values":
        return count_values(evaluation, node)
    found = evaluation.vector(node.of)
    if node.op in ("topk", "bottomk"):
        return choose(evaluation, node, found)
    plan = evaluation.plan(node, (found.labels,), lambda: groups(found.labels, node.names, node.without))
    if node.op == "quantile":
        assert node.param is not None
        return _quantile(plan, found, evaluation.scalar(node.param))
    rules = _MODERN if evaluation.profile.modern else _RULES
    result = _folded(plan, found, rules[node.op])
    check(evaluation, result, SAME)
    return result


def groups(labels: tuple[Labels, ...], names: tuple[str, ...], leave_out: bool) -> Groups:
    dropped = {*names, NAME}
    rows: dict[Labels, list[int]] = {}
    for row, one in enumerate(labels):
        rows.setdefault(without(one, dropped) if leave_out else only(one, names), []).append(row)
    return grouped(rows, len(labels))


def grouped(rows: dict[Labels, list[int]], total: int) -> Groups:
    of = np.zeros(total, np.intp)
    members = np.full((max(map(len, rows.values()), default=0), len(rows)), -1, np.intp)
    for index, group in enumerate(rows.values()):
        of[group] = index
        members[: len(group), index] = group
    return Groups(tuple(rows), of, members)


def samples(plan: Groups, found: Vector) -> Iterator[tuple[Floats, Bools | None]]:
    """The samples of all groups, one of each at a time: values [G, K, R], and which groups have one there (None: all)."""
    if found.order is not None:
        yield from _in_order(plan, found)
        return
    for rows in plan.members:
        real = rows >= 0
        present = None if found.present is None else found.present[rows]
        if not real.all():
            present = real[:, None, None] & (True if present is None else present)
        yield found.values[rows], present


def _in_order(plan: Groups, found: Vector) -> Iterator[tuple[Floats, Bools | None]]:
    """After sort, topk or bottomk the order of samples differs between lanes."""
    shape = found.values.shape
    order = np.argsort(np.broadcast_to(found.order, shape), axis=0, kind="stable")  # type: ignore[arg-type]
    values = np.take_along_axis(found.values, order, axis=0)
    present = np.ones(shape, bool) if found.present is None else np.take_along_axis(found.present, order, axis=0)
    group = plan.of[order]
    which = np.arange(len(plan.labels))[:, None, None]
    for position in range(shape[0]):
        yield (
            np.broadcast_to(values[position], (len(plan.labels), *shape[1:])),
            present[position] & (group[position] == which),
        )


def appearance(plan: Groups, found: Vector) -> NDArray[np.intp] | None:
    """Per lane the place of each group's first sample [G, K, R]: Prometheus answers in this order. None: as the groups stand."""
    if found.order is None and (found.present is None or found.present.all()):
        return None
    shape = found.values.shape
    places = np.arange(shape[0])[:, None, None] if found.order is None else found.order
    places = np.where(True if found.present is None else found.present, np.broadcast_to(places, shape), shape[0])
    first = np.full((len(plan.labels), *shape[1:]), shape[0])
    for rows in plan.members:
        np.minimum(first, np.where((rows >= 0)[:, None, None], places[rows], shape[0]), out=first)
    return first


def _folded(plan: Groups, found: Vector, rule: _Rule) -> Vector:
    shape = (len(plan.labels), *found.values.shape[1:])
    state: State | None = None
    count: int | NDArray[np.float64] = 0
    for values, there in samples(plan, found):
        if state is None:
            state, count = rule.first(values), 1 if there is None else there.astype(float)
        elif there is None and isinstance(count, int):
            count += 1
            state = rule.step(count, values, *state)
        else:
            before = np.broadcast_to(np.asarray(count, float), shape)
            live = np.ones(shape, bool) if there is None else there
            count = before + live
            begun = [
                np.where(before > 0, a, b)
                for a, b in zip(rule.step(count, values, *state), rule.first(values), strict=True)
            ]
            state = tuple(np.where(live, now, old) for now, old in zip(begun, state, strict=True))
    if state is None:
        return Vector(plan.labels, np.empty(shape))
    values = np.broadcast_to(rule.done(count, *state), shape)
    present = None if isinstance(count, int) else np.broadcast_to(count > 0, shape)
    return Vector(plan.labels, values, present, appearance(plan, found))


def _quantile(plan: Groups, found: Vector, q: Floats) -> Vector:
    pairs = list(samples(plan, found))
    shape = (len(plan.labels), *found.values.shape[1:])
    if not pairs:
        return Vector(plan.labels, np.empty(shape))
    values = np.stack([pair[0] for pair in pairs])
    there = np.stack([np.ones(shape, bool) if pair[1] is None else np.broadcast_to(pair[1], shape) for pair in pairs])
    return Vector(plan.labels, quantile(q, values, there), np.asarray(there.any(axis=0)), appearance(plan, found))


# ---- rules ----


def _mean(n: Floats, x: Floats, mean: Floats) -> State:
    stays = np.isinf(mean) & (np.isfinite(x) | (np.isinf(x) & ((mean > 0) == (x > 0))))
    return (np.where(stays, mean, mean + (x / n - mean / n)),)


def _spread(n: Floats, x: Floats, mean: Floats, total: Floats) -> State:
    delta = x - mean
    mean = mean + delta / n
    return mean, total + delta * (x - mean)


def _done_average(n: Floats, total: Floats, rest: Floats, mean: Floats, running: Floats) -> Floats:
    return np.where(running > 0, mean + rest, total / n + rest / n)


def _extreme(better: Callable[[Floats, Floats], Bools]) -> _Rule:
    def step(n: Floats, x: Floats, best: Floats) -> State:
        return (np.where(better(x, best) | np.isnan(best), x, best),)

    return _Rule(lambda x: (x,), step, lambda n, best: best)


def _zeros(x: Floats) -> Floats:
    return np.zeros(x.shape)


_RULES: dict[str, _Rule] = {
    "sum": _Rule(lambda x: (x,), lambda n, x, total: (total + x,), lambda n, total: total),
    "avg": _Rule(lambda x: (x,), _mean, lambda n, mean: mean),
    "min": _extreme(np.less),
    "max": _extreme(np.greater),
    "count": _Rule(lambda x: (), lambda n, x: (), lambda n: np.asarray(n, float)),
    "group": _Rule(lambda x: (), lambda n, x: (), lambda n: np.ones((1, 1, 1))),
    "stdvar": _Rule(lambda x: (x, _zeros(x)), _spread, lambda n, mean, total: total / n),
    "stddev": _Rule(lambda x: (x, _zeros(x)), _spread, lambda n, mean, total: np.sqrt(total / n)),
}


def _spread_first(x: Floats) -> State:
    return x, np.where(np.isfinite(x), 0.0, np.nan)


_MODERN: dict[str, _Rule] = {
    **_RULES,
    "sum": _Rule(
        lambda x: (x, _zeros(x)),
        lambda n, x, total, rest: kahan_modern(x, total, rest),
        lambda n, total, rest: total + rest,
    ),
    "avg": _Rule(lambda x: (x, _zeros(x), x, _zeros(x)), lambda n, *state: average_step(n, *state), _done_average),
    "stdvar": _Rule(_spread_first, _spread, lambda n, mean, total: total / n),
    "stddev": _Rule(_spread_first, _spread, lambda n, mean, total: np.sqrt(total / n)),
}
