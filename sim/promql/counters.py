"""rate, increase, delta, irate, idelta, resets, changes: differences of samples. Source: promql/functions.go."""

from __future__ import annotations

import numpy as np

from sim.promql.selecting import Window
from sim.promql.values import Bools, Floats

__all__ = ["changes", "delta", "idelta", "increase", "irate", "rate", "resets"]

Found = tuple[Floats, Bools | bool]


def rate(window: Window, modern: bool) -> Found:
    return _extrapolated(window, modern, counter=True, per_second=True)


def increase(window: Window, modern: bool) -> Found:
    return _extrapolated(window, modern, counter=True, per_second=False)


def delta(window: Window, modern: bool) -> Found:
    return _extrapolated(window, modern, counter=False, per_second=False)


def _extrapolated(window: Window, modern: bool, *, counter: bool, per_second: bool) -> Found:
    """extrapolatedRate: the difference of first and last, resets added, stretched to the bounds of the range where samples reach
    them, or half a sample interval beyond; a counter never below its zero. 3.x looks at the zero point after the 110% rule."""
    enough = window.enough(2)
    first, last = window.values[:, 0], window.pick(window.values, 0)
    result = last - first
    if counter:
        result = _with_resets(window, result)
    begin, end = window.times[:, 0], window.pick(window.times, 0)
    to_start, to_end = (begin - window.start) / 1000, (window.end - end) / 1000
    sampled = (end - begin) / 1000
    average = sampled / (window.count - 1)
    threshold = average * 1.1
    if modern:
        to_start = np.where(to_start >= threshold, average / 2, to_start)
    if counter:
        zero = sampled * (first / result)
        near = (zero < to_start) & (result > 0) & (first >= 0)
        if near.any():
            to_start = np.where(near, zero, to_start)
    if not modern:
        to_start = np.where(to_start < threshold, to_start, average / 2)
    to_end = np.where(to_end >= threshold, average / 2, to_end)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor = factor / _seconds(window.range)
    return result * factor, enough


def _seconds(milliseconds: int) -> float:
    """As Go's Duration.Seconds: whole seconds plus the fraction."""
    return float(milliseconds // 1000) + (milliseconds % 1000) * 1_000_000 / 1e9


def _with_resets(window: Window, result: Floats) -> Floats:
    dropped = window.values[:, 1:] < window.values[:, :-1]
    if not isinstance(window.count, int):
        dropped &= np.arange(1, window.width)[None, :, None] < window.count[:, None, :]
    if dropped.any():
        for j in np.flatnonzero(dropped.any(axis=(0, 2))):
            result = np.where(dropped[:, j], result + window.values[:, j], result)
    return result


def irate(window: Window, modern: bool) -> Found:
    return _instant(window, counter=True)


def idelta(window: Window, modern: bool) -> Found:
    return _instant(window, counter=False)


def _instant(window: Window, *, counter: bool) -> Found:
    enough = window.enough(2)
    if window.width < 2:
        return window.values[:, 0], False
    last, before = window.pick(window.values, 0), window.pick(window.values, 1)
    result = last - before
    if counter:
        apart = window.pick(window.times, 0) - window.pick(window.times, 1)
        result = np.where(last < before, last, result) / (apart / 1000)
    return result, enough


def resets(window: Window, modern: bool) -> Found:
    return _counted(window, window.values[:, 1:] < window.values[:, :-1])


def changes(window: Window, modern: bool) -> Found:
    now, before = window.values[:, 1:], window.values[:, :-1]
    return _counted(window, (now != before) & ~(np.isnan(now) & np.isnan(before)))


def _counted(window: Window, pairs: Bools) -> Found:
    if not isinstance(window.count, int):
        pairs = pairs & (np.arange(1, window.width)[None, :, None] < window.count[:, None, :])
    return pairs.sum(axis=1).astype(float), window.enough(1)
