"""Values as text: string(x) as Go prints with %v, toJSON as Go indents, and fromJSON back."""

from __future__ import annotations

import json
import math
from typing import NoReturn

from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.values import Keyed, deeper, fit_text, kind, untagged


def plain(value: object) -> str:
    """Go's %v: `[1 2]`, `map[a:1]` with sorted keys, `<nil>`, floats as short as they come back."""
    return fit_text(_plain(value, 0))


def _plain(value: object, depth: int) -> str:
    if isinstance(value, list):
        return f"[{' '.join(_plain(item, deeper(depth)) for item in value)}]"
    if isinstance(value, dict):
        names = [(_plain(untagged(key) if isinstance(value, Keyed) else key, depth), value[key]) for key in value]
        names.sort(key=lambda pair: pair[0])
        return f"map[{' '.join(f'{name}:{_plain(item, deeper(depth))}' for name, item in names)}]"
    name = kind(value)
    if name == "float":
        return plain_float(float(value))  # type: ignore[arg-type]
    if name == "bool":
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def plain_float(number: float) -> str:
    """Go's %v of a float64: with an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else f"{'+' if number > 0 else '-'}Inf"
    return _shortest(number, -4, 6)


def _shortest(number: float, smallest: int, largest: int) -> str:
    """The fewest figures that come back, with an exponent outside smallest <= power < largest."""
    digits, _, exponent = f"{number!r}".lower().partition("e")
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0") if fraction.strip("0") else ""
    figures = (whole + fraction).lstrip("0")
    if not figures:
        return f"{sign}0"
    leading = len(whole + fraction) - len(figures)
    power = len(whole) + int(exponent or 0) - leading - 1  # of the first figure
    figures = figures.rstrip("0")
    if power < smallest or power >= largest:
        rest = f".{figures[1:]}" if len(figures) > 1 else ""
        return f"{sign}{figures[0]}{rest}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{figures}"
    figures = figures.ljust(power + 1, "0")
    rest = f".{figures[power + 1 :]}" if len(figures) > power + 1 else ""
    return f"{sign}{figures[: power + 1]}{rest}"


def to_json(value: object) -> str:
    """Go's json.MarshalIndent with two blanks: keys sorted, <, > and & escaped."""
    return fit_text(_json(value, 0))


def _json(value: object, depth: int) -> str:
    margin, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, Keyed):
        raise EvaluationError("toJSON() of a map with other keys than strings is impossible; use map() and strings")
    if isinstance(value, (list, dict)) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, list):
        items = f",\n{margin}".join(_json(item, deeper(depth)) for item in value)
        return f"[\n{margin}{items}\n{end}]"
    if isinstance(value, dict):
        pairs = f",\n{margin}".join(f"{_json(key, depth)}: {_json(value[key], deeper(depth))}" for key in sorted(value))
        return f"{{\n{margin}{pairs}\n{end}}}"
    name = kind(value)
    if name == "float":
        return _json_float(float(value))  # type: ignore[arg-type]
    text = json.dumps(value, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _json_float(number: float) -> str:
    if not math.isfinite(number):
        raise EvaluationError(f"toJSON() of {plain_float(number)} is impossible; test isNaN and isInf first")
    text = _shortest(number, -6, 21)
    return text.replace("e-0", "e-") if "e-0" in text else text


def json_value(text: str) -> object:
    """A JSON document as a condition sees it: every number a float. ValueError if it is not JSON.

    Use it for web results, where Argo's `result` has no integers.
    """

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    def number(digits: str) -> float:
        value = float(digits)
        return value if math.isfinite(value) else refuse(digits)

    try:
        value: object = json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse)
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None
    return value


def from_json(state: object, text: object) -> object:
    if not isinstance(text, str):
        raise EvaluationError(f"fromJSON() of {kind(text)} is impossible; use a string")
    try:
        return json_value(text)
    except ValueError as error:
        raise EvaluationError(f"fromJSON() failed: {error}; check what the text is") from None
