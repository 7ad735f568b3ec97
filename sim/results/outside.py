"""Where a recorded run left its prediction, and by how much, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from math import inf, isfinite

from sim.results.overlay import Band, Check, Overlay

__all__ = ["excursions", "told"]


def told(found: Overlay) -> Iterator[str]:
    """One sentence per check that lies outside; of weights one per stretch of time as well."""
    for check in found.checks:
        if check.inside:
            continue
        yield _far(check)
        if check.name == "weights over time":
            yield from (_stretch(*one) for one in excursions(found.band, found.grain))


def excursions(band: Band, grain: float) -> Iterator[tuple[float, float, float, float, float]]:
    """(from, to, recorded, low, high) of every stretch in which the recorded share lies outside the band for longer than `grain` seconds.

    Recorded, low and high are those of its middle. A band is for one moment: a few short stretches are chance, which the check weighs.
    """
    width = band.times[1] - band.times[0] if len(band.times) > 1 else inf
    beyond = [not low <= seen <= high for low, seen, high in zip(band.low, band.observed, band.high, strict=True)]
    for outside, places in groupby(range(len(beyond)), key=beyond.__getitem__):
        stretch = list(places)
        if outside and len(stretch) * width > grain:
            middle = stretch[len(stretch) // 2]
            start, end = band.times[stretch[0]] - width / 2, band.times[stretch[-1]] + width / 2
            yield start, end, band.observed[middle], band.low[middle], band.high[middle]


def _far(check: Check) -> str:
    name, seen, low, high = check.name, check.observed, check.low, check.high
    if isinstance(seen, str) or isinstance(low, str) or isinstance(high, str):
        return f"{name}: recorded {seen}, predicted {check.middle}"
    if not isfinite(seen):
        return f"{name}: it never came; predicted {low:,.4g} to {high:,.4g} {check.unit}"
    side, by = ("below", low - seen) if seen < low else ("above", seen - high)
    return f"{name}: {seen:,.4g} {check.unit}, {by:,.4g} {side} the predicted {low:,.4g} to {high:,.4g}"


def _stretch(start: float, end: float, seen: float, low: float, high: float) -> str:
    span = f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"
    return f"from {start:,.0f} s to {end:,.0f} s the new version had {seen:.0%} of the traffic, predicted {span}"
