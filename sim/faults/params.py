"""One parameter's value as written in a file, turned into the value inside: seconds, ratios, bytes, words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from sim.faults.kind import Parameter, Unit, Value
from sim.files.errors import Refused
from sim.files.units import parse_bytes, parse_duration, parse_rate, parse_ratio
from sim.files.words import choose, show

_LONGEST = 200  # characters of a name


def read(parameter: Parameter, value: object) -> Value:
    """The value inside. A bare number is in the unit that the parameter's name says (`delay_s: 2`). Raises Refused."""
    if value is None and not parameter.required:
        return None
    if parameter.choices:
        return word(value, parameter.choices)
    if parameter.unit == "s":
        read_value: Value = parse_duration(value, bare=True, negative=parameter.low < 0)
    else:
        read_value = _READERS[parameter.unit](value)
    if isinstance(read_value, (int, float)) and not isinstance(read_value, bool):
        _bound(value, read_value, parameter.low, parameter.high)
    return read_value


def word(value: object, choices: tuple[str, ...]) -> str:
    """One of some words; a number counts as its digits (`code: 404`)."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if text not in choices:
        raise Refused(f"{show(value)} is not one of its words", choose(text, choices))
    return text


def text(value: object) -> str:
    """A name of 1 to 200 characters."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
        raise Refused(
            f"{show(value)} is not a name", f"write 1 to {_LONGEST} characters, in quotes if it looks like a number"
        )
    return value


def whole(value: object) -> int:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"{show(value)} is not a whole number from 0 on", "write e.g. 1")
    return value


def number(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < math.inf:
        raise Refused(f"{show(value)} is not a number", "write e.g. 2 or 0.5")
    return float(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of names that is not empty."""
    if not isinstance(value, (list, tuple)) or not value:
        raise Refused(f"{show(value)} is not a list of names", "write e.g. [db.internal]")
    return tuple(map(text, value))


def _rate(value: object) -> float:
    return parse_rate(value) if isinstance(value, str) else number(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"{show(value)} is neither true nor false", "write true or false")
    return value


def _burst(value: object) -> tuple[float, float]:
    if not isinstance(value, Mapping) or sorted(map(str, value)) != ["p_enter", "p_leave"]:
        raise Refused(f"{show(value)} does not describe bursts", "write {p_enter: 1%, p_leave: 20%}")
    return parse_ratio(value["p_enter"]), parse_ratio(value["p_leave"])


def _bound(written: object, value: float, low: float, high: float) -> None:
    if value < low:
        raise Refused(f"{show(written)} is less than {low:g}", f"use {low:g} to {high:g}")
    if value > high:
        raise Refused(f"{show(written)} is more than {high:g}", f"use {low:g} to {high:g}")


_READERS: dict[Unit, Callable[[object], Value]] = {
    "ratio": parse_ratio,
    "ratio/s": number,
    "1/s": _rate,
    "bytes": parse_bytes,
    "bit/s": number,
    "factor": number,
    "count": whole,
    "ppm": number,
    "code": whole,
    "text": text,
    "texts": texts,
    "flag": _flag,
    "burst": _burst,
}
