"""The built-in functions without predicates (delivery-systems.md 3.4): name, static rule, run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cmp_to_key

from sim.policy.expr import signatures as sign
from sim.policy.expr.aggregates import (
    Body,
    absolute,
    as_list,
    flat_numbers,
    half_away,
    largest,
    mean,
    median,
    plain_extreme,
    rounded,
    smallest,
    to_number,
    total,
)
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.formats import from_json, plain, to_json
from sim.policy.expr.literals import decimal, whole
from sim.policy.expr.shapes import ANY, FLOAT, INT, KEYED, LIST, STRING
from sim.policy.expr.state import State
from sim.policy.expr.strings import STRINGS_FUNCTIONS
from sim.policy.expr.values import (
    Keyed,
    deeper,
    encoded,
    equal,
    fetch,
    kind,
    less,
    lookup,
    more,
    tagged,
    truncated,
    untagged,
)


@dataclass(frozen=True, slots=True)
class Function:
    """One built-in: `run(state, *arguments)` gets evaluated arguments."""

    rule: sign.Rule
    run: Body


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
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        raise EvaluationError(f"take() of {amount!r} elements is impossible; use a whole number from 0")
    return items[:amount]


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
    """The items by their keys; up to 12 by insertion, as Go's sort does, which shows when a key is NaN."""
    if order not in ("asc", "desc"):
        raise EvaluationError(f'the order {order!r} is not one; use "asc" or "desc"')
    before = (lambda a, b: less(b, a)) if order == "desc" else less
    pairs = list(zip(keys, items, strict=True))
    if len(pairs) <= 12:
        for end in range(1, len(pairs)):
            while end > 0 and before(pairs[end][0], pairs[end - 1][0]):
                pairs[end - 1], pairs[end] = pairs[end], pairs[end - 1]
                end -= 1
        return [item for _, item in pairs]

    def order_of(one: tuple[object, object], two: tuple[object, object]) -> int:
        return before(two[0], one[0]) - before(one[0], two[0])

    return [item for _, item in sorted(pairs, key=cmp_to_key(order_of))]


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
    return to_number("float", value)


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
    "round": Function(sign.ROUNDED, rounded("round", half_away)),
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
