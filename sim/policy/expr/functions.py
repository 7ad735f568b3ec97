"""The built-in functions without predicates (delivery-systems.md 3.4): name, static rule, run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Callable

from sim.policy.expr import signatures as sign
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.formats import from_json, plain, to_json
from sim.policy.expr.literals import decimal, whole
from sim.policy.expr.shapes import ANY, FLOAT, INT, KEYED, LIST, STRING
from sim.policy.expr.state import State
from sim.policy.expr.strings import STRINGS_FUNCTIONS
from sim.policy.expr.values import (
    Keyed, add, deeper, encoded, equal, fetch, fit, kind, less, lookup, more, tagged, truncated, untagged,
)

Body = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Function:
    """One built-in: `run(state, *arguments)` gets evaluated arguments."""

    rule: sign.Rule
    run: Body


def as_list(value: object, name: str, state: State) -> list[object]:
    """The list itself, with the work of walking it accounted for."""
    if not isinstance(value, list):
        raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a list")
    state.spend(len(value))
    return value


def length(state: State, value: object) -> int:
    if isinstance(value, (list, dict, str)):
        return len(value) if not isinstance(value, str) else len(encoded(value).decode("utf-8", "replace"))
    raise EvaluationError(f"len() of {kind(value)} is impossible; use a list, a map or a string")


def length_in_bytes(state: State, value: object) -> int:
    return len(encoded(value)) if isinstance(value, str) else length(state, value)


def first(state: State, value: object) -> object:
    return _end(value, 0)


def last(state: State, value: object) -> object:
    return _end(value, -1)


def _end(value: object, position: int) -> object:
    try:
        return fetch(value, position)
    except EvaluationError:
        return None


def get(state: State, base: object, key: object) -> object:
    """Like base[key], but nil where there is nothing."""
    if isinstance(base, dict):
        return lookup(base, key)
    if isinstance(base, (list, str)):
        items = base if isinstance(base, list) else encoded(base)
        position = truncated(key, "a position")
        return items[position] if -len(items) <= position < len(items) else None
    return None


def get_leniently(state: State, base: object, key: object) -> object:
    """get before 1.10: nil also for keys of a wrong kind."""
    try:
        return fetch(base, key)
    except EvaluationError:
        return None


def take(state: State, value: object, amount: object) -> object:
    items = as_list(value, "take", state)
    if kind(amount) != "int" or amount < 0:  # type: ignore[operator]
        raise EvaluationError(f"take() of {amount!r} elements is impossible; use a whole number from 0")
    return items[:amount]  # type: ignore[misc]


def reverse(state: State, value: object) -> object:
    items = as_list(value, "reverse", state)
    state.grow(len(items))
    return items[::-1]


def uniq(state: State, value: object) -> object:
    kept: list[object] = []
    for item in as_list(value, "uniq", state):
        state.spend(len(kept))
        if not any(equal(item, known) for known in kept):
            kept.append(item)
    return kept


def concat(state: State, *lists: object) -> object:
    joined = [item for value in lists for item in as_list(value, "concat", state)]
    state.grow(len(joined))
    return joined


def flatten(state: State, value: object) -> object:
    flat = _flat(as_list(value, "flatten", state), 0, state)
    state.grow(len(flat))
    return flat


def _flat(items: list[object], depth: int, state: State) -> list[object]:
    flat: list[object] = []
    for item in items:
        if isinstance(item, list):
            flat.extend(_flat(as_list(item, "flatten", state), deeper(depth), state))
        else:
            flat.append(item)
    return flat


def sort(state: State, value: object, order: object = "asc") -> object:
    items = as_list(value, "sort", state) if isinstance(value, list) else []  # the original sorts nil to an empty list
    state.grow(len(items))
    return ordered(items, items, order)


def sort_alike(state: State, value: object, order: object = "asc") -> object:
    """sort before 1.10: all elements of one kind."""
    kinds = dict.fromkeys(kind(item) for item in as_list(value, "sort", state))
    if len(kinds) > 1:
        raise EvaluationError(f"sort() of {' and '.join(kinds)} together is impossible; use elements of one kind")
    return sort(state, value, order)


def ordered(items: list[object], keys: list[object], order: object) -> list[object]:
    """The items by their keys. Up to 12 by insertion, as Go's sort does, which shows when a key is NaN; otherwise stable."""
    if order not in ("asc", "desc"):
        raise EvaluationError(f'the order {order!r} is not one; use "asc" or "desc"')
    before = (lambda a, b: less(b, a)) if order == "desc" else less
    pairs = list(zip(keys, items))
    if len(pairs) <= 12:
        for end in range(1, len(pairs)):
            while end > 0 and before(pairs[end][0], pairs[end - 1][0]):
                pairs[end - 1], pairs[end] = pairs[end], pairs[end - 1]
                end -= 1
        return [item for _, item in pairs]
    pairs.sort(key=cmp_to_key(lambda a, b: before(b[0], a[0]) - before(a[0], b[0])))
    return [item for _, item in pairs]


def largest(state: State, *values: object) -> object:
    return _extreme("max", less, values, state, 0)


def smallest(state: State, *values: object) -> object:
    return _extreme("min", more, values, state, 0)


def _extreme(name: str, worse: Callable[[object, object], bool], values: tuple[object, ...], state: State, depth: int) -> object:
    """The best number of numbers and nested lists; nil of nothing; a single other thing is returned as it is."""
    best: object = None
    for value in values:
        if isinstance(value, list):
            found = [_element(name, worse, item, state, depth) for item in as_list(value, name, state)]
        elif kind(value) in ("int", "float"):
            found = [value]
        elif len(values) == 1:
            return value
        else:
            raise EvaluationError(f"{name}() of {kind(value)} is impossible; use numbers")
        for number in found:
            if number is not None and (best is None or worse(best, number)):
                best = number
    return best


def _element(name: str, worse: Callable[[object, object], bool], item: object, state: State, depth: int) -> object:
    if isinstance(item, list):
        return _extreme(name, worse, (item,), state, deeper(depth))
    if kind(item) in ("int", "float"):
        return item
    raise EvaluationError(f"{name}() over {kind(item)} is impossible; use numbers")


def plain_extreme(worse: Callable[[object, object], bool]) -> Body:
    """min, max before 1.10: any values that can be compared."""

    def run(state: State, *values: object) -> object:
        best: object = None
        for value in values:
            if best is None or worse(best, value):
                best = value
        return best

    return run


def numbers(name: str, values: tuple[object, ...], state: State, depth: int = 0) -> list[float]:
    """All numbers of nested lists, as floats."""
    found: list[float] = []
    for value in values:
        if isinstance(value, list):
            found.extend(numbers(name, tuple(as_list(value, name, state)), state, deeper(depth)))
        elif kind(value) in ("int", "float"):
            found.append(float(value))  # type: ignore[arg-type]
        else:
            raise EvaluationError(f"{name}() of {kind(value)} is impossible; use numbers")
    return found


def mean(state: State, *values: object) -> float:
    found = numbers("mean", values, state)
    total = 0.0
    for number in found:
        total += number
    return total / len(found) if found else 0.0


def median(state: State, *values: object) -> float:
    found = sorted(numbers("median", values, state), key=lambda number: (not math.isnan(number), number))
    middle = len(found) // 2
    if not found:
        return 0.0
    return found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2


def flat_numbers(body: Callable[..., float]) -> Body:
    """mean, median before 1.10: one list without lists in it."""

    def run(state: State, value: object) -> float:
        if any(isinstance(item, list) for item in as_list(value, "mean or median", state)):
            raise EvaluationError("lists inside the list are unknown to argo-rollouts@1.8; use numbers")
        return body(state, value)

    return run


def total(state: State, value: object) -> object:
    """sum before 1.10."""
    result: object = 0
    for item in as_list(value, "sum", state):
        result = add(result, item)
    return result


def absolute(state: State, value: object) -> object:
    if kind(value) == "int":
        return fit(abs(value))  # type: ignore[arg-type]
    return math.fabs(_float("abs", value))


def rounded(name: str, how: Callable[[float], float]) -> Body:
    """ceil, floor, round: floats out; NaN and infinity stay."""

    def run(state: State, value: object) -> float:
        number = _float(name, value)
        return float(how(number)) if math.isfinite(number) and abs(number) < 2.0**52 else number

    return run


def _half_away(number: float) -> float:
    return math.copysign(_half_up(abs(number)), number)


def _half_up(number: float) -> float:
    low = math.floor(number)
    return float(low + (number - low >= 0.5))


def _float(name: str, value: object) -> float:
    if kind(value) in ("int", "float"):
        return float(value)  # type: ignore[arg-type]
    raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a number")


def to_int(state: State, value: object) -> int:
    if isinstance(value, str):
        number = whole(value)
        if number is None:
            raise EvaluationError(f"int({value!r}) is impossible; use a text of decimal digits, or int(float(…))")
        return number
    return truncated(value, "int()")


def to_float(state: State, value: object) -> float:
    if isinstance(value, str):
        number = decimal(value)
        if number is None:
            raise EvaluationError(f"float({value!r}) is impossible; use a text such as 1.5, 1e3 or NaN")
        return number
    return _float("float", value)


def type_name(state: State, value: object) -> str:
    name = kind(value)
    return {"list": "array"}.get(name, name)


def keys(state: State, value: object) -> object:
    return [key for key, _ in pairs_of(value, "keys", state)]


def values(state: State, value: object) -> object:
    return [item for _, item in pairs_of(value, "values", state)]


def to_pairs(state: State, value: object) -> object:
    return [[key, item] for key, item in pairs_of(value, "toPairs", state)]


def pairs_of(value: object, name: str, state: State) -> list[tuple[object, object]]:
    """The entries of a map in the order they were put in; the original's order is random."""
    if not isinstance(value, dict):
        raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a map")
    state.spend(len(value))
    if not isinstance(value, Keyed):
        return list(value.items())
    if name != "keys" and any(key[0] == "NaN" for key in value):
        raise EvaluationError(f"{name}() cannot look up the key NaN; filter NaN out first")
    return [(untagged(key), item) for key, item in value.items()]


def from_pairs(state: State, value: object) -> object:
    table = Keyed()
    for pair in as_list(value, "fromPairs", state):
        if not isinstance(pair, list) or len(pair) != 2:
            raise EvaluationError("fromPairs() takes a list of [key, value] pairs")
        table[tagged(pair[0])] = pair[1]
    return table


FUNCTIONS: dict[str, Function] = {
    "len": Function(sign.LENGTH, length),
    "first": Function(sign.end_of_list, first),
    "last": Function(sign.end_of_list, last),
    "get": Function(sign.element, get),
    "take": Function(sign.some_of_list, take),
    "reverse": Function(sign.one_of("list", returns=LIST), reverse),
    "uniq": Function(sign.one_of("list", returns=LIST), uniq),
    "concat": Function(sign.several_lists(LIST), concat),
    "flatten": Function(sign.one_of("list", returns=LIST), flatten),
    "sort": Function(
        sign.overloads(LIST, "list", "floats", "strings", "list string", "floats string", "strings string"), sort
    ),
    "max": Function(sign.aggregate, largest),
    "min": Function(sign.aggregate, smallest),
    "mean": Function(sign.aggregate, mean),
    "median": Function(sign.aggregate, median),
    "abs": Function(sign.one_of("number"), absolute),
    "ceil": Function(sign.ROUNDED, rounded("ceil", math.ceil)),
    "floor": Function(sign.ROUNDED, rounded("floor", math.floor)),
    "round": Function(sign.ROUNDED, rounded("round", _half_away)),
    "int": Function(sign.one_of("number", "string", returns=INT), to_int),
    "float": Function(sign.one_of("number", "string", returns=FLOAT), to_float),
    "string": Function(sign.overloads(STRING, "value"), lambda state, value: plain(value)),
    "type": Function(sign.overloads(STRING, "value"), type_name),
    "keys": Function(sign.one_of("map", returns=LIST), keys),
    "values": Function(sign.one_of("map", returns=LIST), values),
    "toPairs": Function(sign.one_of("map", returns=LIST), to_pairs),
    "fromPairs": Function(sign.one_of("list", returns=KEYED), from_pairs),
    "toJSON": Function(sign.overloads(STRING, "value"), lambda state, value: to_json(value)),
    "fromJSON": Function(sign.overloads(ANY, "string"), from_json),
    **{name: Function(rule, run) for name, (rule, run) in STRINGS_FUNCTIONS.items()},
}

# What the engine of Argo 1.8 does differently (delivery-systems.md 2.20).
OLD_FUNCTIONS: dict[str, Function] = {
    "len": Function(sign.LENGTH, length_in_bytes),
    "get": Function(sign.element, get_leniently),
    "max": Function(sign.numbers_only, plain_extreme(less)),
    "min": Function(sign.numbers_only, plain_extreme(more)),
    "mean": Function(sign.one_of("list", returns=FLOAT), flat_numbers(mean)),
    "median": Function(sign.one_of("list", returns=FLOAT), flat_numbers(median)),
    "sort": Function(FUNCTIONS["sort"].rule, sort_alike),
    "sum": Function(sign.sum_before_1_10, total),
}
