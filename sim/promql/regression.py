"""deriv, predict_linear, holt_winters: trends through the samples of a window. Source: promql/functions.go."""

from __future__ import annotations

import numpy as np

from sim.promql.selecting import Window
from sim.promql.summing import fold, kahan, kahan_modern
from sim.promql.values import Bools, Floats

__all__ = ["deriv", "holt_winters", "predict_linear"]

Found = tuple[Floats, Bools | bool]


def deriv(window: Window, modern: bool) -> Found:
    slope, _ = _line(window, window.times[:, 0], modern)
    return slope, window.enough(2)


def predict_linear(window: Window, modern: bool, ahead: Floats) -> Found:
    """ahead: seconds, [R or 1]."""
    slope, level = _line(window, np.full((1, 1), float(window.now)), modern)
    return slope * ahead + level, window.enough(2)


def _line(window: Window, origin: Floats, modern: bool) -> tuple[Floats, Floats]:
    """Least squares with compensated sums: slope per second and the value at `origin` (ms). A constant has slope 0."""
    zero, one = np.zeros(window.values[:, 0].shape), window.values[:, 0]
    add = kahan_modern if modern else kahan

    def step(j: int, y: Floats, *state: Floats) -> tuple[Floats, ...]:
        x = (window.times[:, j] - origin) / 1e3
        same, sums = state[0], state[1:]
        terms = (x + zero, y, x * y, x * x + zero)
        added = [add(term, sums[2 * i], sums[2 * i + 1]) for i, term in enumerate(terms)]
        return (np.where((j > 0) & (y != one), 0.0, same), *[part for pair in added for part in pair])

    same, *sums = fold(window, step, zero + 1.0, *[zero] * 8)
    x, y, xy, xx = (sums[2 * i] + sums[2 * i + 1] for i in range(4))
    n = np.asarray(window.count, float)
    slope = (xy - x * y / n) / (xx - x * x / n)
    level = y / n - slope * x / n
    constant = same > 0
    endless = constant & np.isinf(one)
    slope = np.where(constant, np.where(endless, np.nan, 0.0), slope)
    return slope, np.where(constant, np.where(endless, np.nan, one), level)


def holt_winters(window: Window, smoothing: Floats, trend: Floats) -> Found:
    """Double exponential smoothing; both factors [R or 1] in (0, 1), which the caller has checked."""
    if window.width < 2:
        return window.values[:, 0], False

    def step(j: int, x: Floats, before: Floats, level: Floats, slope: Floats) -> tuple[Floats, ...]:
        if j > 1:
            slope = trend * (level - before) + (1 - trend) * slope
        return level, smoothing * x + (1 - smoothing) * (level + slope), slope

    first, second = window.values[:, 0], window.values[:, 1]
    _, level, _ = fold(window, step, np.zeros(first.shape), first, second - first, first=1)
    return level, window.enough(2)
