"""Values at run time: nil is None; bool, int, float, str, list and dict are themselves (delivery-systems.md 3.3).

Integers have 64 bits: a result beyond them is an error here, where the original wraps around. Texts are sliced and
indexed by UTF-8 byte, as in the original. Maps have text keys, except those of groupBy and fromPairs (`Keyed`).
"""

from __future__ import annotations

import math

from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.literals import INT_MAX, INT_MIN

TEXT = 1_000_000  # characters of a text put together at run time; the original has no limit
DATA_DEPTH = 200  # lists inside lists; the original allows 10,000


class Keyed(dict[tuple[str, object], object]):
    """A map whose keys are any value: stored under (kind, value), so that 1, 1.0 and true stay three keys."""


KINDS: dict[type, str] = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    list: "list",
    dict: "map",
    Keyed: "map",
}


def kind(value: object) -> str:
    """The kind of a value; EvaluationError for anything outside the model."""
    known = KINDS.get(type(value))
    if known is not None:
        return known
    for base, name in KINDS.items():
        if isinstance(value, base):
            return name
    raise EvaluationError(
        f"a {type(value).__name__} is no value of a condition; use nil, bool, int, float, text, list or map"
    )


def numeric(value: object) -> bool:
    return type(value) is float or kind(value) in ("int", "float")


def deeper(depth: int) -> int:
    """The next level of a walk over nested data."""
    if depth >= DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {DATA_DEPTH} levels deep; pick the part that matters")
    return depth + 1


def mismatch(operator: str, left: object, right: object) -> EvaluationError:
    return EvaluationError(
        f"{kind(left)} {operator} {kind(right)} is impossible; convert one side or test for nil first"
    )


def fit(value: int) -> int:
    """An integer that fits into 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError(f"the integer {value:.6g} does not fit into 64 bits; use floats, e.g. 1.0 * x")


def fit_text(value: str) -> str:
    """A text that is not out of proportion."""
    if len(value) <= TEXT:
        return value
    raise EvaluationError(f"the text has {len(value)} characters, more than {TEXT}; shorten it")


def truncated(value: object, what: str) -> int:
    """A number cut towards zero; used where the original casts to int."""
    name = kind(value)
    if name == "int":
        return int(value)  # type: ignore[call-overload, no-any-return]
    if name != "float":
        raise EvaluationError(f"{what} of {name} is impossible; use a number")
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number) or not INT_MIN <= number < 2.0**63:
        reason = "has no meaning (in the original it depends on the processor)"
        raise EvaluationError(f"{what} of {number} {reason}; test isNaN and isInf first")
    return int(number)


def equal(left: object, right: object, depth: int = 0) -> bool:
    """`==`: numbers by value, lists element by element, maps deeply, different kinds unequal."""
    a, b = kind(left), kind(right)
    if a in ("int", "float") and b in ("int", "float"):
        return left == right if a == b else float(left) == float(right)  # type: ignore[arg-type]
    if a != b:
        return False
    if a == "list":
        deeper(depth)
        return len(left) == len(right) and all(  # type: ignore[arg-type]
            equal(x, y, depth + 1)
            for x, y in zip(left, right, strict=True)  # type: ignore[call-overload]
        )
    if a == "map":
        return identical(left, right, depth)
    return left == right


def identical(left: object, right: object, depth: int) -> bool:
    """Go's reflect.DeepEqual, which applies inside maps: 1 and 1.0 differ, a thing equals itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        deeper(depth)
        return left is right or (
            len(left) == len(right) and all(identical(x, y, depth + 1) for x, y in zip(left, right, strict=True))
        )
    if isinstance(left, dict) and isinstance(right, dict):
        deeper(depth)
        return left is right or (
            left.keys() == right.keys() and all(identical(left[key], right[key], depth + 1) for key in left)
        )
    return left == right


def less(left: object, right: object) -> bool:
    return _ordered("<", left, right) and left < right  # type: ignore[operator]


def more(left: object, right: object) -> bool:
    return _ordered(">", left, right) and left > right  # type: ignore[operator]


def at_most(left: object, right: object) -> bool:
    return _ordered("<=", left, right) and left <= right  # type: ignore[operator]


def at_least(left: object, right: object) -> bool:
    return _ordered(">=", left, right) and left >= right  # type: ignore[operator]


def _ordered(operator: str, left: object, right: object) -> bool:
    a, b = kind(left), kind(right)
    if (a in ("int", "float") and b in ("int", "float")) or a == b == "string":
        return True
    raise mismatch(operator, left, right)


def add(left: object, right: object) -> object:
    if numeric(left) and numeric(right):
        return _checked(left + right)  # type: ignore[operator]
    if isinstance(left, str) and isinstance(right, str):
        return fit_text(left + right)
    raise mismatch("+", left, right)


def subtract(left: object, right: object) -> object:
    if numeric(left) and numeric(right):
        return _checked(left - right)  # type: ignore[operator]
    raise mismatch("-", left, right)


def multiply(left: object, right: object) -> object:
    if numeric(left) and numeric(right):
        return _checked(left * right)  # type: ignore[operator]
    raise mismatch("*", left, right)


def _checked(value: int | float) -> int | float:
    return fit(value) if isinstance(value, int) else value


def divide(left: object, right: object) -> float:
    """Always a float; by zero gives infinity or NaN as IEEE 754 says."""
    if not (numeric(left) and numeric(right)):
        raise mismatch("/", left, right)
    a, b = float(left), float(right)  # type: ignore[arg-type]
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def remainder(left: object, right: object) -> int:
    """The sign of the left side, as in Go."""
    if kind(left) != "int" or kind(right) != "int":
        raise mismatch("%", left, right)
    a, b = int(left), int(right)  # type: ignore[call-overload]
    if b == 0:
        raise EvaluationError("a remainder by zero has no value; test the divisor first")
    size: int = abs(a) % abs(b)
    return -size if a < 0 else size


def power(left: object, right: object) -> float:
    """Always a float, with the special cases of C's pow."""
    if not (numeric(left) and numeric(right)):
        raise mismatch("**", left, right)
    a, b = float(left), float(right)  # type: ignore[arg-type]
    try:
        return math.pow(a, b)
    except (OverflowError, ValueError):  # too large; zero to a negative power; a root of a negative number
        if a < 0 and b != math.floor(b):
            return math.nan
        negative = math.copysign(1.0, a) < 0 and math.fmod(b, 2) in (1.0, -1.0)
        return -math.inf if negative else math.inf


def negate(value: object) -> object:
    if not numeric(value):
        raise EvaluationError(f"- {kind(value)} is impossible; use a number")
    return _checked(-value)  # type: ignore[operator]


def encoded(text: str) -> bytes:
    """The UTF-8 bytes of a text; halves of characters left by slicing survive the way back."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def fetch(base: object, key: object) -> object:
    """`base[key]`: lists and texts by position (from the end if negative), maps by key."""
    name = kind(base)
    if name == "map":
        return lookup(base, key)
    if name not in ("list", "string"):
        raise EvaluationError(f"{name} has no members; use ?. or test for nil first")
    items = base if isinstance(base, list) else encoded(str(base))
    position = truncated(key, "a position")
    if -len(items) <= position < len(items):
        return items[position]
    raise EvaluationError(
        f"position {position} is out of range (the {name} has length {len(items)}); test len(…) first"
    )


MISSING = object()


def lookup(table: object, key: object, missing: object = None) -> object:
    """The value of a key in a map, or `missing`; nil looks up the empty key, as in the original."""
    if isinstance(table, Keyed):
        return table.get(tagged(key), missing)
    if key is None:
        key = ""
    if not isinstance(key, str):
        raise EvaluationError(f"{kind(key)} cannot be a key of a map of texts; use a string")
    return table.get(key, missing)  # type: ignore[attr-defined]


def tagged(key: object) -> tuple[str, object]:
    """A key of `Keyed`; NaN never equals a NaN, so each one is a key of its own, which nothing finds again."""
    name = kind(key)
    if name in ("list", "map"):
        raise EvaluationError(f"{name} cannot be a key of a map; use a number or a string")
    return ("NaN", object()) if isinstance(key, float) and math.isnan(key) else (name, key)


def untagged(key: tuple[str, object]) -> object:
    return math.nan if key[0] == "NaN" else key[1]


def contains(needle: object, haystack: object) -> bool:
    """`in`: a key of a map, an element of a list; nothing is in nil."""
    if haystack is None:
        return False
    if isinstance(haystack, list):
        return any(equal(item, needle) for item in haystack)
    if isinstance(haystack, dict):
        return lookup(haystack, needle, MISSING) is not MISSING
    raise EvaluationError(f"in does not look into {kind(haystack)}; use contains for strings")


def cut(base: object, low: object, high: object) -> object:
    """`base[low:high]`: positions from the end if negative, clamped, never out of range."""
    items = base if isinstance(base, list) else encoded(base) if isinstance(base, str) else None
    if items is None:
        raise EvaluationError(f"{kind(base)} cannot be sliced; use a list or a string")
    length = len(items)
    start = truncated(low, "a position")
    end = min(length if high is None else truncated(high, "a position"), length)
    start, end = (max(place + length, 0) if place < 0 else place for place in (start, end))
    part = items[min(start, end) : end]
    return part if isinstance(part, list) else part.decode("utf-8", "surrogateescape")
