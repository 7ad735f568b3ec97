"""The `*_over_time` functions: one number from the samples of a window. Source: promql/functions.go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.promql.quantiles import quantile
from sim.promql.selecting import Window
from sim.promql.summing import fold, kahan, kahan_modern
from sim.promql.values import Bools, Floats

__all__ = ["OVER_TIME", "quantile_over_time"]

Found = tuple[Floats, Bools | bool]


def _zeros(window: Window) -> Floats:
    return np.zeros(window.values[:, 0].shape)


def _sum(window: Window, modern: bool) -> Found:
    add = kahan_modern if modern else kahan
    total, rest = fold(window, lambda j, x, total, rest: add(x, total, rest), _zeros(window), _zeros(window))
    return np.where(np.isinf(total), total, total + rest), window.enough(1)


def _avg(window: Window, modern: bool) -> Found:
    return (_avg_modern if modern else _avg_running)(window), window.enough(1)


def _avg_running(window: Window) -> Floats:
    """2.x: a running mean, compensated; an infinite mean stays unless the other infinity or NaN comes."""

    def step(j: int, x: Floats, mean: Floats, rest: Floats) -> tuple[Floats, Floats]:
        stays = np.isinf(mean) & (np.isfinite(x) | (np.isinf(x) & ((mean > 0) == (x > 0))))
        new, kept = kahan(x / (j + 1) - mean / (j + 1), mean, rest)
        return np.where(stays, mean, new), np.where(stays, rest, kept)

    mean, rest = fold(window, step, _zeros(window), _zeros(window))
    return np.where(np.isinf(mean), mean, mean + rest)


def _avg_modern(window: Window) -> Floats:
    """3.x: the compensated sum, divided; from the sample on that would overflow it, a running mean."""

    def step(j: int, x: Floats, *state: Floats) -> tuple[Floats, ...]:
        return average_step(float(j + 1), x, *state)

    zero = _zeros(window)
    total, rest, mean, running = fold(window, step, window.values[:, 0], zero, zero, zero, first=1)
    return np.where(running > 0, mean + rest, total / window.count + rest / window.count)


def average_step(
    count: float | Floats, x: Floats, total: Floats, rest: Floats, mean: Floats, running: Floats
) -> tuple[Floats, ...]:
    """One more sample in the average of 3.x; `running` is 1.0 where the running mean is on."""
    added, kept = kahan_modern(x, total, rest)
    plain = (running == 0) & ~np.isinf(added)
    starts = (running == 0) & ~plain
    before = np.where(starts, total / (count - 1), mean)
    carried = np.where(starts, rest / (count - 1), rest)
    share = (count - 1) / count
    moved, left = kahan_modern(x / count, share * before, share * carried)
    return (
        np.where(plain, added, total),
        np.where(plain, kept, left),
        np.where(plain, mean, moved),
        np.where(plain, running, 1.0),
    )


def _variance(window: Window, modern: bool) -> Found:
    """Welford's, with compensated mean and sum of squares."""
    add = kahan_modern if modern else kahan

    def step(j: int, x: Floats, mean: Floats, mrest: Floats, aux: Floats, arest: Floats) -> tuple[Floats, ...]:
        delta = x - (mean + mrest)
        mean, mrest = add(delta / (j + 1), mean, mrest)
        aux, arest = add(delta * (x - (mean + mrest)), aux, arest)
        return mean, mrest, aux, arest

    _, _, aux, rest = fold(window, step, *[_zeros(window)] * 4)
    return (aux + rest) / window.count, window.enough(1)


def _deviation(window: Window, modern: bool) -> Found:
    variance, there = _variance(window, modern)
    return np.sqrt(variance), there


def _extreme(better: Callable[[Floats, Floats], Bools]) -> Callable[[Window, bool], Found]:
    def run(window: Window, modern: bool) -> Found:
        def step(j: int, x: Floats, best: Floats) -> tuple[Floats]:
            return (np.where(better(x, best) | np.isnan(best), x, best),)

        return fold(window, step, window.values[:, 0], first=1)[0], window.enough(1)

    return run


def _last(window: Window, modern: bool) -> Found:
    return window.pick(window.values, 0), window.enough(1)


def _count(window: Window, modern: bool) -> Found:
    return _zeros(window) + window.count, window.enough(1)


def _present(window: Window, modern: bool) -> Found:
    return _zeros(window) + 1.0, window.enough(1)


def quantile_over_time(window: Window, q: Floats) -> Found:
    """q: [R or 1]."""
    there = np.broadcast_to(
        np.arange(window.width)[None, :, None]
        < (window.count if isinstance(window.count, int) else window.count[:, None]),
        window.values.shape,
    )
    return quantile(q, np.moveaxis(window.values, 1, 0), np.moveaxis(there, 1, 0)), window.enough(1)


OVER_TIME: dict[str, Callable[[Window, bool], Found]] = {
    "avg_over_time": _avg,
    "count_over_time": _count,
    "last_over_time": _last,
    "max_over_time": _extreme(np.greater),
    "min_over_time": _extreme(np.less),
    "present_over_time": _present,
    "stddev_over_time": _deviation,
    "stdvar_over_time": _variance,
    "sum_over_time": _sum,
}
