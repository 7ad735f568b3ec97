"""An interval with the estimate inside it, the count behind it, and the method that made it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval. `n` counts runs; an infinite end says that the data cannot bound that side.

    `level` is the confidence level in (0, 1); `method` names the formula, for the report's small print.
    """

    low: float
    high: float
    estimate: float = math.nan
    level: float = 0.95
    n: int = 0
    method: str = ""

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.low <= self.high:
            raise ValueError(f"an interval must have low <= high, got ({self.low}, {self.high})")

    @property
    def half_width(self) -> float:
        """Half the distance between the ends; infinite when one end is."""
        return 0.0 if self.low == self.high else (self.high - self.low) / 2

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return format_interval(self)


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}; 0.95 is usual")


def unbounded(estimate: float, level: float, n: int, method: str) -> Interval:
    """The interval of data that cannot bound anything yet."""
    return Interval(-math.inf, math.inf, estimate, level, n, method)


def format_interval(interval: Interval, *, unit: str = "", percent: bool = False) -> str:
    """`0.052 [0.036, 0.076] n=500`, rounded so that the half-width keeps two digits.

    `percent` multiplies ratios by 100 and writes `%`; `unit` is appended to the numbers as it is given (" s").
    """
    scale, suffix = (100.0, "%") if percent else (1.0, unit)
    low, high, estimate = (v * scale for v in (interval.low, interval.high, interval.estimate))
    digits = _decimals(low, high, estimate)
    ends = f"[{_number(low, digits)}, {_number(high, digits)}]{suffix}"
    body = ends if math.isnan(estimate) else f"{_number(estimate, digits)}{suffix} {ends}"
    return f"{body} n={interval.n:,}" if interval.n else body


def _decimals(low: float, high: float, estimate: float) -> int:
    """Decimals that show two digits of the finite half-width, or three of the estimate."""
    half = (high - low) / 2 if low < high else math.inf
    if math.isfinite(half):
        return max(0, 1 - math.floor(math.log10(half)))
    known = next((abs(v) for v in (estimate, low, high) if math.isfinite(v) and v), 1.0)
    return max(0, 2 - math.floor(math.log10(known)))


def _number(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0 turns -0.0 into 0.0
