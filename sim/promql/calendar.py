"""Dates of Unix seconds, in UTC. Source: dateWrapper, promql/functions.go, and Go's `time`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.promql.values import Floats

__all__ = ["CALENDAR"]

Days = NDArray[np.int64]

_DAY = 86_400
_CYCLE = 146_097  # days of 400 years
# Go counts in unsigned seconds from a year far before any date, so that every int64 of Unix seconds is one (time/time.go).
_ABSOLUTE = 9_223_372_028_715_321_600  # seconds from that zero to 1970
_ZERO_YEAR = -292_277_022_399


@lru_cache(maxsize=1)
def _table() -> dict[str, Days]:
    """For each day of the 400-year cycle that begins in 2001: years since, month, day, day of the year, days in the month."""
    dates = np.datetime64("2001-01-01") + np.arange(_CYCLE)
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    return {
        "year": years.astype(np.int64) - 31,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (dates - months).astype(np.int64) + 1,
        "of_year": (dates - years).astype(np.int64) + 1,
        "length": ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64),
    }


def _seconds(values: Floats) -> NDArray[np.uint64]:
    """Absolute seconds, wrapping as Go's do; a number that is no int64 becomes the lowest, as on amd64."""
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    whole = np.where(fits, values, 0.0).astype(np.int64)
    return np.where(fits, whole, np.int64(-(2**63))).astype(np.uint64) + np.uint64(_ABSOLUTE)


def _days(values: Floats) -> Days:
    return (_seconds(values) // np.uint64(_DAY)).astype(np.int64)


def _looked_up(name: str) -> Callable[[Floats], Floats]:
    return lambda values: _table()[name][_days(values) % _CYCLE].astype(float)


def _year(values: Floats) -> Floats:
    days = _days(values)
    return (days // _CYCLE * 400 + _table()["year"][days % _CYCLE] + _ZERO_YEAR).astype(float)


CALENDAR: dict[str, Callable[[Floats], Floats]] = {
    "day_of_month": _looked_up("day"),
    "day_of_week": lambda values: ((_days(values) + 1) % 7).astype(float),  # the zero is a Monday
    "day_of_year": _looked_up("of_year"),
    "days_in_month": _looked_up("length"),
    "hour": lambda values: (_seconds(values) % np.uint64(_DAY) // np.uint64(3600)).astype(float),
    "minute": lambda values: (_seconds(values) % np.uint64(3600) // np.uint64(60)).astype(float),
    "month": _looked_up("month"),
    "year": _year,
}
