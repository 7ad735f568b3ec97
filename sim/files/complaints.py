"""pydantic's errors in our words: a problem and a remedy for each type of error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sim.files.errors import Refused
from sim.files.scalars import boolean, dispute
from sim.files.unions import UNKNOWN
from sim.files.words import choose, show

Words = tuple[str, str]

# Wanted type by error type: (the word for it, the remedy).
_WANTED: dict[str, Words] = {
    "int_type": ("a whole number", "write e.g. 3"),
    "int_from_float": ("a whole number", "write e.g. 3"),
    "int_parsing": ("a whole number", "write e.g. 3"),
    "float_type": ("a number", "write e.g. 0.5"),
    "float_parsing": ("a number", "write e.g. 0.5"),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "string_type": ("text", "put it in quotes"),
    "list_type": ("a list", "write it as '- item' lines, or [a, b]"),
    "dict_type": ("a mapping", "write it as 'key: value' lines"),
    "mapping_type": ("a mapping", "write it as 'key: value' lines"),
    "model_type": ("a mapping", "write it as 'key: value' lines"),
    "model_attributes_type": ("a mapping", "write it as 'key: value' lines"),
    "dataclass_type": ("a mapping", "write it as 'key: value' lines"),
    "none_required": ("null", "remove the value"),
}
_LIMITS = {
    "greater_than": ("gt", "is not more than"),
    "greater_than_equal": ("ge", "is less than"),
    "less_than": ("lt", "is not less than"),
    "less_than_equal": ("le", "is more than"),
}
_NUMERAL = re.compile(r"(-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,14})?)%?")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


def missing(name: str) -> Words:
    return f"{name!r} is missing", f"add '{name}: ...'"


def unknown_key(key: str, names: list[str]) -> Words:
    return f"unknown key {show(key)}", choose(key, names)


def explain(error: Mapping[str, Any], plain: str | None, bounds: Mapping[str, Any]) -> Words:
    """Problem and remedy of one pydantic error. `plain`: the text, if the value is an ambiguous scalar."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in _WANTED:
        return _wanted(kind, value, plain)
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{show(value)} {words} {context[name]}", _range(bounds, kind, context[name])
    if kind in _OTHERS:
        return _OTHERS[kind](value, context)
    return _own_words(error["msg"], context.get("error"))


def _wanted(kind: str, value: Any, plain: str | None) -> Words:
    wanted, remedy = _WANTED[kind]
    if plain is not None and isinstance(value, str) and kind != "string_type":
        numeric = kind.startswith(("int", "float"))
        if numeric != boolean(plain) and (numeric or kind == "bool_type"):
            return dispute(plain)
    text = "text, " if isinstance(value, str) else ""
    return f"{show(value)} is {text}not {wanted}", _nearby(kind, value) or remedy


def _nearby(kind: str, value: Any) -> str | None:
    """A remedy that the value itself suggests."""
    if value is None:
        return "write a value, or remove the line"
    if kind == "string_type" and isinstance(value, (dict, list)):
        return "write a single value"
    if kind.startswith("int") and isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    number = _NUMERAL.fullmatch(value) if isinstance(value, str) else None
    if number and (kind.startswith("float") or (kind.startswith("int") and not number[2])):
        return f"write {number[1]}" + (", without quotes" if number[0] == number[1] else "")
    return None


def _range(bounds: Mapping[str, Any], kind: str, limit: Any) -> str:
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if low is not None and high is not None:
        return f"use {low} to {high}"
    sides = {"greater_than": f"more than {limit}", "less_than": f"less than {limit}"}
    return f"use {sides.get(kind) or f'{limit} or ' + ('more' if kind == 'greater_than_equal' else 'less')}"


def _choice(value: Any, context: Mapping[str, Any]) -> Words:
    expected = str(context["expected"])
    names = _QUOTED.findall(expected) or re.split(r", | or ", expected)
    return f"{show(value)} is not allowed here", choose(value, names)


def _variant(value: Any, context: Mapping[str, Any]) -> Words:
    what, names = context["what"], context["names"].split(" ")
    article = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
    if not isinstance(value, Mapping):
        key = f"{context['field']}: and " if context["field"] else ""
        return f"{show(value)} is not {article}", f"write a mapping with {key}one of: {', '.join(names)}"
    if context["field"] in value:
        name = value[context["field"]]
        return f"unknown {what} {show(name)}", choose(name, names)
    if context["field"]:
        return f"{context['field']!r} is missing", f"add '{context['field']}:' with one of: {', '.join(names)}"
    if not value:
        return f"an empty {what}", f"use one of: {', '.join(names)}"
    # Of several unknown keys the one that comes near a known name was meant to be it.
    near = [key for key in value if choose(key, names).startswith("did you mean")]
    key = (near or list(value))[0]
    return f"unknown {what} {show(key)}", choose(key, names)


def _length(few: bool) -> Callable[[Any, Mapping[str, Any]], Words]:
    def words(value: Any, context: Mapping[str, Any]) -> Words:
        limit = context["min_length" if few else "max_length"]
        unit = "character" if isinstance(value, str) else "entry" if limit == 1 else "entries"
        unit = f"{unit}s" if isinstance(value, str) and limit != 1 else unit
        shown = "empty" if not value else "too short" if few else "too long"
        return f"{show(value)} is {shown}", f"write {limit} {unit} or {'more' if few else 'fewer'}"

    return words


_OTHERS: dict[str, Callable[[Any, Mapping[str, Any]], Words]] = {
    "literal_error": _choice,
    "enum": _choice,
    UNKNOWN: _variant,
    "finite_number": lambda value, _: (f"{show(value)} is not a finite number", "write a number"),
    "multiple_of": lambda value, context: (
        f"{show(value)} is not a multiple of {context['multiple_of']}",
        f"use a multiple of {context['multiple_of']}",
    ),
    "string_too_short": _length(True),
    "string_too_long": _length(False),
    "too_short": _length(True),
    "too_long": _length(False),
    "string_pattern_mismatch": lambda value, context: (
        f"{show(value)} does not match {context['pattern']}",
        "change it to match",
    ),
}


def _own_words(message: str, error: object) -> Words:
    """A validator's own message. A Refused has both halves; other text is cut at its last '; '."""
    if isinstance(error, Refused):
        return error.problem, error.remedy
    text = str(error) if isinstance(error, Exception) else message
    problem, _, remedy = text.rpartition("; ")
    return (problem, remedy) if problem else (text, "")
