"""The built-in functions of texts (delivery-systems.md 3.4); positions count UTF-8 bytes, as in the original."""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.expr import signatures as sign
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.shapes import BOOL, INT, STRING, STRINGS
from sim.policy.expr.state import State
from sim.policy.expr.values import encoded, fit_text, kind, truncated

BLANKS = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a string")


def on_text(name: str, body: Callable[..., object]) -> Callable[..., object]:
    """A run that checks that every argument is a text."""

    def run(state: State, *arguments: object) -> object:
        state.spend(1)
        return body(*(text(argument, name) for argument in arguments))

    return run


def split(name: str, after: bool) -> Callable[..., object]:
    """split, splitAfter: at most n parts if n > 0, none if 0, all if negative; an empty separator cuts everywhere."""

    def run(state: State, value: object, separator: object, limit: object = -1) -> object:
        whole, mark = text(value, name), text(separator, name)
        most = truncated(limit, "a count")
        if most == 0:
            return []
        if mark:
            parts = whole.split(mark, most - 1 if most > 0 else -1)
            parts = [part + mark for part in parts[:-1]] + parts[-1:] if after else parts
        else:
            cut = most - 1 if 0 < most < len(whole) else len(whole)
            parts = [*whole[:cut], *([whole[cut:]] if cut < len(whole) else [])]
        state.spend(len(parts))
        return parts

    return run


def replace(state: State, value: object, old: object, new: object, limit: object = -1) -> object:
    whole, before, after = text(value, "replace"), text(old, "replace"), text(new, "replace")
    most = truncated(limit, "a count")
    hits = whole.count(before) if most < 0 else min(most, whole.count(before))
    if len(whole) + hits * (len(after) - len(before)) > 1_000_000:
        raise EvaluationError("replace() makes a text of more than 1000000 characters; replace less")
    return whole.replace(before, after, max(most, -1))


def repeat(state: State, value: object, times: object) -> object:
    whole, amount = text(value, "repeat"), truncated(times, "a count")
    if not 0 <= amount <= 1_000_000:
        raise EvaluationError(f"repeat() {amount} times is impossible; use 0 to 1000000")
    state.grow(len(encoded(whole)) * amount)
    return whole * amount


def join(state: State, values: object, glue: object = "") -> object:
    if not isinstance(values, list):
        raise EvaluationError(f"join() of {kind(values)} is impossible; use a list of strings")
    state.spend(len(values))
    parts, between = [text(value, "join") for value in values], text(glue, "join")
    if sum(map(len, parts)) + len(between) * len(parts) > 1_000_000:
        raise EvaluationError("join() makes a text of more than 1000000 characters; join less")
    return between.join(parts)


def trim(whole: str, marks: str = BLANKS) -> str:
    return whole.strip(marks) if marks else whole


def mapped(change: Callable[[str], str]) -> Callable[[str], str]:
    """upper, lower: character by character, as Go does; a character that would become two stays."""
    return lambda whole: fit_text("".join(new if len(new := change(char)) == 1 else char for char in whole))


def _position(position: int, whole: str) -> int:
    return position if position < 0 else len(encoded(whole[:position]))


STRINGS_FUNCTIONS: dict[str, tuple[sign.Rule, Callable[..., object]]] = {
    "trim": (sign.overloads(STRING, "string", "string string"), on_text("trim", trim)),
    "trimPrefix": (
        sign.overloads(STRING, "string", "string string"),
        on_text("trimPrefix", lambda whole, mark=" ": whole.removeprefix(mark)),
    ),
    "trimSuffix": (
        sign.overloads(STRING, "string", "string string"),
        on_text("trimSuffix", lambda whole, mark=" ": whole.removesuffix(mark)),
    ),
    "upper": (sign.overloads(STRING, "string"), on_text("upper", mapped(str.upper))),
    "lower": (sign.overloads(STRING, "string"), on_text("lower", mapped(str.lower))),
    "split": (sign.overloads(STRINGS, "string string", "string string int"), split("split", after=False)),
    "splitAfter": (sign.overloads(STRINGS, "string string", "string string int"), split("splitAfter", after=True)),
    "replace": (sign.overloads(STRING, "string string string", "string string string int"), replace),
    "repeat": (sign.overloads(STRING, "string int"), repeat),
    "join": (sign.overloads(STRING, "strings string", "list string", "list", "strings"), join),
    "indexOf": (
        sign.overloads(INT, "string string"),
        on_text("indexOf", lambda whole, part: _position(whole.find(part), whole)),
    ),
    "lastIndexOf": (
        sign.overloads(INT, "string string"),
        on_text("lastIndexOf", lambda whole, part: _position(whole.rfind(part), whole)),
    ),
    "hasPrefix": (sign.overloads(BOOL, "string string"), on_text("hasPrefix", str.startswith)),
    "hasSuffix": (sign.overloads(BOOL, "string string"), on_text("hasSuffix", str.endswith)),
}
