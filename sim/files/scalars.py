"""What a plain (unquoted) YAML scalar means, and where people and parsers disagree about it.

Rules (YAML 1.2 core schema, section 10.3.2 of the specification, narrowed):

- own files: `true/false`, `null/~`, decimal integers without a leading zero, `0x1F`, numbers with a dot (and an
  exponent, if any), `.inf`, `.nan` are what they look like. Dates are text. Everything about which YAML 1.1 and 1.2
  disagree stays TEXT and is marked ambiguous: `on off yes no y n`, `1:30`, `012`, `0o17`, `0b1`, `1e3`, `1_000`.
  Where a text is wanted nothing is lost; where a number or a boolean is wanted, validation says what to write.
- kubernetes: read as sigs.k8s.io/yaml reads it (goyaml.v2/resolve.go: YAML 1.1 booleans, Go's integer prefixes, no
  base 60), and marked ambiguous all the same, so that the reader of the manifest can say so.
- json: as own, but `1e3` is a number, because it is one in JSON.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from sim.files.errors import Refused
from sim.files.words import show

Dialect = Literal["own", "kubernetes", "json"]
Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
# The booleans of YAML 1.1 (yaml.org/type/bool.html) that YAML 1.2 made text again.
_OLD_BOOLEANS: dict[str, bool] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_NUMBER_HEADS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?")
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_PREFIXED = re.compile(r"[-+]?0(o[0-7]+|b[01]+)")
_BASE_60 = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
# goyaml.v2/resolve.go: integers by strconv.ParseInt(plain, 0, 64), floats by `yamlStyleFloat`.
_GO_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 300  # digits; a float holds 1.8e308, and Python refuses to print integers over 4,300 digits
_TAGS: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (float, int)}


def resolve(text: str, dialect: Dialect = "own") -> tuple[Scalar, bool]:
    """The value of a plain scalar, and whether readers disagree about it. Raises Refused for a number too long."""
    if text in _WORDS:
        return _WORDS[text], False
    if text in _OLD_BOOLEANS:
        return (_OLD_BOOLEANS[text] if dialect == "kubernetes" else text), True
    if text[0] not in _NUMBER_HEADS:
        return text, False
    value = _number(text, dialect)
    if value is not None:
        return value, False
    if not _disputed(text):
        return text, False
    return _disputed_value(text, dialect), True


def tagged(tag: str, text: str, dialect: Dialect) -> Scalar:
    """The value of a scalar with a tag of the core schema (`int` for `!!int`). Raises Refused if it is not that."""
    if tag == "str":
        return text
    value, _ = resolve(text, dialect)
    if type(value) not in _TAGS[tag]:
        raise Refused(f"{show(text)} is not a !!{tag}", "correct the value or remove the tag")
    return float(value) if tag == "float" and isinstance(value, int) else value


def dispute(text: str) -> tuple[str, str]:
    """Problem and remedy for an ambiguous scalar that stands where a number or a boolean is wanted."""
    if text in _OLD_BOOLEANS:
        return f"{text!r} is text in YAML 1.2", f"write {'true' if _OLD_BOOLEANS[text] else 'false'}"
    if _EXPONENT.fullmatch(text):
        return f"{text!r} is ambiguous", f"write {_spelled_out(text)}"
    if _LEADING_ZERO.fullmatch(text):
        octal = f" or {int(text, 8)} (octal)" if set("89").isdisjoint(text) else ""
        return f"{text!r} may be read as {int(text)}{octal or ' or as text'}", f"write {int(text)}"
    if _BASE_60.fullmatch(text):
        return f"{text!r} is text in YAML 1.2 and a base-60 number in YAML 1.1", f"write {_base_60(text)}"
    if _PREFIXED.fullmatch(text):
        return f"{text!r} is a number to some readers and text to others", f"write {int(text, 0)}"
    return f"{text!r} is text in YAML 1.2", f"write {text.replace('_', '')}"


def boolean(text: str) -> bool:
    """Whether an ambiguous scalar is one of the old booleans (else it is one of the disputed numbers)."""
    return text in _OLD_BOOLEANS


def _number(text: str, dialect: Dialect) -> int | float | None:
    """The number all readers agree on, or None."""
    integer = _INTEGER.fullmatch(text)
    real = None if integer else _FLOAT.fullmatch(text) or (dialect == "json" and _EXPONENT.fullmatch(text))
    hexadecimal = _HEX.fullmatch(text)
    if not (integer or real or hexadecimal):
        return None
    if len(text) > _LONGEST_NUMBER:
        raise Refused(f"a number of {len(text)} characters", f"write at most {_LONGEST_NUMBER}, or put text in quotes")
    return float(text) if real else int(text, 16 if hexadecimal else 10)


def _disputed(text: str) -> bool:
    rules = (_EXPONENT, _LEADING_ZERO, _PREFIXED, _BASE_60, _UNDERSCORED)
    if not any(rule.fullmatch(text) for rule in rules):
        return False
    if len(text) > _LONGEST_NUMBER:
        raise Refused(f"a number of {len(text)} characters", f"write at most {_LONGEST_NUMBER}, or put text in quotes")
    return True


def _disputed_value(text: str, dialect: Dialect) -> Scalar:
    if dialect != "kubernetes":
        return text
    plain = text.replace("_", "")
    if match := _GO_INTEGER.fullmatch(plain):
        return _go_integer(match[1], match[2])
    return float(plain) if _GO_FLOAT.fullmatch(plain) else text


def _go_integer(sign: str, digits: str) -> int:
    """Go's strconv.ParseInt with base 0: a bare leading zero means octal."""
    octal = digits[0] == "0" and digits.isdigit()
    value = int(digits, 8 if octal else 0)
    return -value if sign == "-" else value


def _spelled_out(text: str) -> str:
    """`1e3` as `1000 or 1000.0`; far from 1 the dotted form, which every reader takes for a number."""
    mantissa, exponent = text.lower().split("e")
    if len(exponent) > 3 or abs(int(exponent)) > 15:
        return f"{mantissa}.0e{int(exponent):+d}"
    plain = f"{Decimal(text):f}"
    return plain if "." in plain else f"{plain} or {plain}.0"


def _base_60(text: str) -> str:
    """What YAML 1.1 made of `1:30`."""
    total = Decimal(0)
    for part in text.lstrip("+-").split(":"):
        total = total * 60 + Decimal(part)
    return f"{'-' if text[0] == '-' else ''}{total:f}"
