"""Numbers as Go reads and writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

__all__ = ["decimal", "number"]

_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][-+]?[0-9]+)?")
_HEX = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][-+]?[0-9]+")
_NAMED = re.compile(r"[-+]?inf(?:inity)?|nan", re.IGNORECASE)


def decimal(value: float, *, exponent: bool = False) -> str:
    """The shortest text that reads back: strconv.FormatFloat(v, 'f', -1, 64); with `exponent` that of 'g' (%v).

    >>> decimal(1e21), decimal(1e21, exponent=True), decimal(-0.5)
    ('1000000000000000000000', '1e+21', '-0.5')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, power = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    scale = int(power) + len(digits) - 1 if value else 0  # of the first digit
    minus = "-" if sign else ""
    if exponent and not -4 <= scale < 21:
        mantissa = f"{shown[0]}.{shown[1:]}" if len(shown) > 1 else shown
        return f"{minus}{mantissa}e{'-' if scale < 0 else '+'}{abs(scale):02d}"
    if scale < 0:
        return f"{minus}0.{'0' * (-scale - 1)}{shown}"
    whole, rest = shown[: scale + 1].ljust(scale + 1, "0"), shown[scale + 1 :]
    return f"{minus}{whole}.{rest}" if rest else f"{minus}{whole}"


def number(text: str) -> float | None:
    """strconv.ParseFloat(text, 64), None where that is an error (overflow included)."""
    if _NAMED.fullmatch(text):
        return float(text)
    if not (_DECIMAL.fullmatch(text) or _HEX.fullmatch(text)):
        return None
    try:
        value = float.fromhex(text) if "x" in text.lower() else float(text)
    except OverflowError:
        return None
    return None if math.isinf(value) else value
