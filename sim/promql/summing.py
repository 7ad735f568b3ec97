"""Compensated sums, element by element over arrays, in Prometheus's order of operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.promql.selecting import Window
from sim.promql.values import Floats

__all__ = ["fold", "kahan", "kahan_modern"]

Pair = tuple[Floats, Floats]


def kahan(increment: Floats, total: Floats, rest: Floats) -> Pair:
    """Neumaier's variant of Kahan's sum: the new (total, rest). Source: kahanSumInc, promql/functions.go v2.42.0."""
    new = total + increment
    lost = np.where(np.abs(total) >= np.abs(increment), (total - new) + increment, (increment - new) + total)
    return new, rest + lost


def kahan_modern(increment: Floats, total: Floats, rest: Floats) -> Pair:
    """The same in 3.x, which forgets the rest once the total is infinite."""
    new, kept = kahan(increment, total, rest)
    return new, np.where(np.isinf(new), 0.0, kept)


def fold(window: Window, step: Callable[..., tuple[Floats, ...]], *state: Floats, first: int = 0) -> tuple[Floats, ...]:
    """`state = step(j, values of sample j, *state)` over the samples of a window, in lanes that have a sample j only."""
    for j in range(first, window.width):
        new = step(j, window.values[:, j], *state)
        if isinstance(window.count, int):
            state = new
        else:
            live = j < window.count
            state = tuple(np.where(live, now, before) for now, before in zip(new, state, strict=True))
    return state
