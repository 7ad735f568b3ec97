"""Functions of range vectors, and subqueries: windows of samples in, one number each out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sim.promql import counters, regression
from sim.promql.evaluate import Evaluation
from sim.promql.labels import NAME, Labels, labelset, without
from sim.promql.overtime import OVER_TIME, quantile_over_time
from sim.promql.selecting import Window, concatenated, reference, windows
from sim.promql.series import MISSING, SAMPLE, Block
from sim.promql.tree import Call, Range, Subquery
from sim.promql.uniqueness import SAME, check, merged
from sim.promql.values import Bools, Floats, Vector

__all__ = ["RANGED", "absent_labels", "blocks_of", "ranged"]

Function = Callable[[Window], tuple[Floats, Bools | bool]]

_PLAIN: dict[str, Callable[..., tuple[Floats, Bools | bool]]] = {
    **OVER_TIME,
    "changes": counters.changes,
    "delta": counters.delta,
    "deriv": regression.deriv,
    "idelta": counters.idelta,
    "increase": counters.increase,
    "irate": counters.irate,
    "rate": counters.rate,
    "resets": counters.resets,
}
RANGED = frozenset((*_PLAIN, "absent_over_time", "holt_winters", "predict_linear", "quantile_over_time"))


def ranged(evaluation: Evaluation, node: Call) -> Vector:
    argument = next(one for one in node.args if isinstance(one, (Range, Subquery)))
    scalars = [evaluation.scalar(one) for one in node.args if one is not argument]
    if node.name == "absent_over_time":
        return _absent(evaluation, node, argument)
    blocks, times = blocks_of(evaluation, argument)
    pieces = [
        _piece(evaluation, block, times, argument.range, _function(evaluation, node.name, scalars)) for block in blocks
    ]
    labels = _labels(evaluation, node, tuple(block.labels for block in blocks))
    values = (
        np.concatenate([piece[0] for piece in pieces]) if pieces else np.empty((0, len(times), evaluation.replications))
    )
    present = None
    if any(piece[1] is not None for piece in pieces):
        masks = [np.ones(values.shape, bool) if there is None else there for values, there in pieces]
        present = masks[0] if len(masks) == 1 else np.concatenate(masks)
    found = Vector(labels, values, present)
    check(evaluation, found, SAME, together=evaluation.inner)
    return found


def blocks_of(evaluation: Evaluation, node: Range | Subquery) -> tuple[list[Block], NDArray[np.int64]]:
    """The samples that a range reads, and the ends of its windows, ms [K]."""
    if isinstance(node, Range):
        return list(evaluation.store.select(node.of.selector)), reference(evaluation, node.of.at, node.of.offset)
    times = reference(evaluation, node.at, node.offset)
    return [_steps(evaluation, node)], times


def _steps(evaluation: Evaluation, node: Subquery) -> Block:
    """The inner expression at every multiple of the step in the range; open on the left in 3.x.

    Source: promql/engine.go, eval of SubqueryExpr: the steps of all outer times are one evaluation. It takes place, and can fail, even
    if the range holds no step: an inner subquery then has steps of its own between the next step and the end.
    """
    first, last = evaluation.first - node.offset, evaluation.last - node.offset
    if node.at is not None:
        first = last = (int(evaluation.top[0]) if node.at.time is None else node.at.time) - node.offset
    earliest = first - node.range
    start = -(-earliest // node.step) * node.step
    if evaluation.profile.left_open and start == earliest:
        start += node.step
    inside = evaluation.over(start, last, node.step)
    found = merged(inside, inside.vector(node.of))
    for problem, where in inside.failures:
        evaluation.failures.append((problem, np.asarray(where.any(axis=0, keepdims=True))))
    marks = None if found.present is None else np.where(found.present, SAMPLE, MISSING).astype(np.uint8)
    return Block(found.labels, inside.times, found.values, marks)


def _function(evaluation: Evaluation, name: str, scalars: list[Floats]) -> Callable[[int], Function]:
    """The function to apply at time k."""
    modern = evaluation.profile.modern
    if name in _PLAIN:
        plain = partial(_PLAIN[name], modern=modern)
        return lambda k: plain

    def scalar(index: int, k: int) -> Floats:
        values = scalars[index]
        row: Floats = values[k if len(values) > 1 else 0]
        return row

    if name == "quantile_over_time":
        return lambda k: partial(quantile_over_time, q=scalar(0, k))
    if name == "predict_linear":
        return lambda k: partial(regression.predict_linear, modern=modern, ahead=scalar(0, k))
    return lambda k: partial(_smoothed, evaluation, k, scalar(0, k), scalar(1, k))


def _smoothed(
    evaluation: Evaluation, k: int, smoothing: Floats, trend: Floats, window: Window
) -> tuple[Floats, Bools | bool]:
    """holt_winters: factors outside (0, 1) are an error as soon as there is a sample to smooth."""
    there = np.broadcast_to(window.enough(1), window.values[:, 0].shape).any(axis=0)
    for name, short, factor in (("smoothing", "sf", smoothing), ("trend", "tf", trend)):
        wrong = np.zeros((len(evaluation.times), evaluation.replications), bool)
        wrong[k] = there & ((factor <= 0) | (factor >= 1))
        if wrong.any():
            shown = np.broadcast_to(factor, wrong[k].shape)[wrong[k]][0]
            evaluation.fail(f"invalid {name} factor. Expected: 0 < {short} < 1, got: {shown:f}", wrong)
    return regression.holt_winters(window, smoothing, trend)


def _piece(
    evaluation: Evaluation, block: Block, times: NDArray[np.int64], range: int, function: Callable[[int], Function]
) -> tuple[Floats, Bools | None]:
    """Values and presence [S, K, R] of one block."""
    shape = (len(block.labels), len(times), evaluation.replications)
    evaluation.spend(len(block.labels))
    found = [
        None if window is None else function(k)(window)
        for k, window in enumerate(windows(evaluation, block, times, range))
    ]
    if found and all(one is not None and one[1] is True for one in found):
        return np.stack([np.broadcast_to(one[0], shape[::2]) for one in found if one is not None], axis=1), None
    values, present = np.zeros(shape), np.zeros(shape, bool)
    for k, one in enumerate(found):
        if one is not None:
            values[:, k], present[:, k] = one
    return values, None if present.all() else present


def _labels(evaluation: Evaluation, node: Call, parts: tuple[tuple[Labels, ...], ...]) -> tuple[Labels, ...]:
    """last_over_time keeps the name, all others drop it."""
    if node.name == "last_over_time":
        return concatenated(evaluation, node, parts)
    return evaluation.plan(node, parts, lambda: tuple(without(labels, (NAME,)) for part in parts for labels in part))


def _absent(evaluation: Evaluation, node: Call, argument: Range | Subquery) -> Vector:
    blocks, times = blocks_of(evaluation, argument)
    there = np.zeros((len(times), evaluation.replications), bool)
    for block in blocks:
        for k, window in enumerate(windows(evaluation, block, times, argument.range)):
            if window is not None and len(block.labels):
                there[k] |= True if isinstance(window.count, int) else (window.count > 0).any(axis=0)
    labels = evaluation.plan(node, (), lambda: (absent_labels(argument),))
    return Vector(labels, np.ones((1, *there.shape)), ~there[None])


def absent_labels(argument: object) -> Labels:
    """The labels of absent(): those that the selector says exactly, once. Source: createLabelsForAbsentFunction."""
    selector = getattr(argument.of if isinstance(argument, Range) else argument, "selector", None)
    if selector is None:
        return ()
    found: dict[str, str] = {}
    seen = set()
    for matcher in selector.matchers:
        if matcher.label == NAME:
            continue
        if matcher.op == "=" and matcher.label not in seen:
            found[matcher.label] = matcher.value
            seen.add(matcher.label)
        else:
            found.pop(matcher.label, None)
    return labelset(found)
