"""Numbers as people read them: rounded to what the interval says, in the unit of the estimate.

>>> from sim.results.interval import Interval
>>> say(Interval(0.236, 0.29, 0.262), "%"), say(Interval(61_638.0, 62_537.0, 62_196.0), "requests")
(('26%', '[24, 29]'), ('62.2k', '[61.6k, 62.5k]'))
"""

from __future__ import annotations

import math

from sim.results.interval import Interval

__all__ = ["amount", "count", "give", "say", "span"]

_TIMES = ((600.0, 1.0, " s"), (7200.0, 60.0, " min"), (math.inf, 3600.0, " h"))  # up to, seconds per unit, its name
_THOUSANDS = ((1e4, 1.0, ""), (1e7, 1e3, "k"), (math.inf, 1e6, "M"))


def say(interval: Interval, unit: str, *, signed: bool = False) -> tuple[str, str]:
    """(estimate, interval) as text. Units: "%" for ratios, "s" for seconds, anything else counts things.

    `signed` is for differences: a plus sign, and percentage points for ratios.
    """
    if math.isnan(interval.estimate):
        return "-", "no rollouts"
    scale, suffix, inner = _unit(interval.estimate, unit)
    low, high, estimate = interval.low / scale, interval.high / scale, interval.estimate / scale
    digits = _digits(low, high, estimate, unit)
    if signed:
        mark = " pp" if unit == "%" else suffix
        plus = "+" if estimate > 0 else ""
        return (
            f"{plus}{_end(estimate, digits, mark, unit)}",
            f"[{_end(low, digits, inner, '')}, {_end(high, digits, inner, '')}]",
        )
    if unit == "%" and interval.estimate in (0.0, 1.0) and low != high:
        bound = f"\u2264 {high:.{digits}f}%" if interval.estimate == 0 else f"\u2265 {low:.{digits}f}%"
        return f"{estimate:.0f}%", bound
    shown = _end(estimate, digits, suffix, unit)
    if interval.method == "constant":
        return shown, "no spread"
    if math.isinf(low) and low > 0:
        return shown, f"[{shown}]"
    return shown, f"[{_end(low, digits, inner, unit)}, {_end(high, digits, inner, unit)}]"


def give(interval: Interval, unit: str) -> str:
    """The estimate and how far the interval reaches on its longer side, on one line: 2,115 \u00b19."""
    if math.isinf(interval.estimate) or math.isnan(interval.estimate):
        return say(interval, unit)[0]
    scale, suffix, _ = _unit(interval.estimate, unit)
    digits = _digits(interval.low / scale, interval.high / scale, interval.estimate / scale, unit)
    reach = max(interval.high - interval.estimate, interval.estimate - interval.low) / scale
    return f"{_end(interval.estimate / scale, digits, suffix, unit)} \u00b1{_end(reach, digits, '', '')}"


def span(seconds: float) -> str:
    """A duration alone: 59 s, 20.5 min, 3.2 h, never."""
    return say(Interval(seconds, seconds, seconds), "s")[0]


def amount(value: float, unit: str) -> str:
    """A number alone, with its unit: a limit, a cap."""
    text = say(Interval(value, value, value), unit)[0]
    return text if unit in ("", "%", "s") else f"{text} {unit}"


def count(number: int, thing: str) -> str:
    """1 rollout, 1,000 rollouts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _unit(estimate: float, unit: str) -> tuple[float, str, str]:
    """Divisor, suffix of the estimate, suffix of the ends."""
    if unit == "%":
        return 0.01, "%", ""
    steps = _TIMES if unit == "s" else _THOUSANDS
    size = abs(estimate) if math.isfinite(estimate) else 0.0
    _, scale, suffix = next(step for step in steps if size < step[0])
    return scale, suffix, "" if unit == "s" else suffix


def _digits(low: float, high: float, estimate: float, unit: str) -> int:
    """Decimals: one digit of the half-width, at most four digits in all; none for whole numbers."""
    known = [abs(value) for value in (estimate, low, high) if math.isfinite(value) and value]
    if all(value.is_integer() for value in known):
        return 0
    ends = (0.0, 100.0) if unit == "%" else (0.0,)
    half = (high - low) / 2 if low < high else math.inf
    most = max(0, 3 - math.floor(math.log10(max(known))))
    if math.isfinite(half):
        digits = min(4, most, max(0, -math.floor(math.log10(half))))
        while digits < 4 and _hides(estimate, digits, ends):
            digits += 1
        return digits
    return min(4, max(0, 2 - math.floor(math.log10(known[0]))))


def _hides(estimate: float, digits: int, ends: tuple[float, ...]) -> bool:
    """One rollout of two hundred is not 0%, and all but one are not 100%."""
    return math.isfinite(estimate) and round(estimate, digits) in ends and not estimate.is_integer()


def _end(value: float, digits: int, suffix: str, unit: str) -> str:
    if math.isinf(value):
        return "-\u221e" if value < 0 else "never" if unit == "s" else "\u221e"
    return f"{round(value, digits) + 0.0:,.{digits}f}{suffix}"
