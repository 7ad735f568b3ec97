"""The values of number and string literals, and of numbers inside strings (delivery-systems.md 3.1, 3.5)."""

from __future__ import annotations

import math
import re

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
SIMPLE_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\])|([0-3][0-7]{2})|[x]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|u\{([0-9a-fA-F]{1,6})\})"
)
WHOLE = re.compile(r"[+-]?[0-9]+")
FIGURES, HEXES = "[0-9](?:_?[0-9])*", "[0-9a-fA-F](?:_?[0-9a-fA-F])*"
EXPONENT = f"[+-]?{FIGURES}"
DECIMAL = re.compile(rf"[+-]?(?:{FIGURES}\.?(?:{FIGURES})?|\.{FIGURES})(?:[eE]{EXPONENT})?")
HEX_FLOAT = re.compile(rf"[+-]?0[xX]_?(?:{HEXES}\.?(?:{HEXES})?|\.{HEXES})[pP]{EXPONENT}")


def string_escapes(body: str, quote: str) -> str:
    """The text between quotes with its escapes replaced; ValueError names the escape that is not one."""
    out: list[str] = []
    at = 0
    while at < len(body):
        slash = body.find("\\", at)
        if slash < 0:
            out.append(body[at:])
            break
        out.append(body[at:slash])
        if body.startswith(quote, slash + 1):
            out.append(quote)
            at = slash + 2
            continue
        match = ESCAPE.match(body, slash)
        if match is None:
            raise ValueError(f"the escape {body[slash : slash + 2]!r} is not one")
        out.append(_escape(match))
        at = match.end()
    return "".join(out).replace("\r\n", "\n") if "\r" in body else "".join(out)


def _escape(match: re.Match[str]) -> str:
    simple, octal, *hexes = match.groups()
    if simple:
        return SIMPLE_ESCAPES[simple]
    code = int(octal, 8) if octal else int(next(part for part in hexes if part), 16)
    if code > 0x10FFFF:
        raise ValueError(f"the escape {match.group()!r} is beyond the last Unicode character")
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)  # a lone surrogate is no character


def number_literal(token: str, modern: bool) -> int | float:
    """The value of a number token; ValueError says why it has none."""
    text = token.replace("_", "").lower()
    prefix = text[:2]
    if prefix != "0x" and ("." in text or "e" in text):
        value = decimal(text)
        if value is None or math.isinf(value):
            raise ValueError(f"the number {token!r} is not one, or too large")
        return value
    base = {"0x": 16, "0b": 2, "0o": 8}.get(prefix, 10)
    if not modern and (base in (2, 8) or "X" in token):
        raise ValueError(f"the number {token!r} is unknown to argo-rollouts@1.8")
    digits = text[2:] if base != 10 else text
    if not digits.isalnum():
        raise ValueError(f"the number {token!r} is not one")
    value = int(digits, base) if len(digits) < 200 else INT_MAX + 1
    if value > INT_MAX:
        raise ValueError(f"the number {token!r} does not fit into 64 bits")
    return value


def decimal(text: str) -> float | None:
    """A float as Go's strconv.ParseFloat reads it (also hex floats, inf, nan); None if it would refuse."""
    if DECIMAL.fullmatch(text):
        value = float(text.replace("_", ""))
        return None if math.isinf(value) else value
    word = text.lower()
    if word == "nan":
        return math.nan
    if word.lstrip("+-") in ("inf", "infinity") and len(word.lstrip("+-")) >= len(word) - 1:
        return -math.inf if word.startswith("-") else math.inf
    if HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text.replace("_", ""))
        except OverflowError:
            return None
    return None


def whole(text: str) -> int | None:
    """A decimal integer in 64 bits, as Go's strconv.ParseInt reads it; None if it would refuse."""
    if len(text) > 200 or not WHOLE.fullmatch(text):
        return None
    value = int(text)
    return value if INT_MIN <= value <= INT_MAX else None
