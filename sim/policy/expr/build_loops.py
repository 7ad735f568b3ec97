"""Built-ins with a predicate: all, filter, reduce, ... (delivery-systems.md 3.3, 3.4).

A loop binds `#` (and #index, #acc) for its predicate and restores what the loop around it had bound.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.expr import nodes as tree
from sim.policy.expr import shapes
from sim.policy.expr.builder import Builder, Built, Rule, Scope, truth
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.functions import ordered
from sim.policy.expr.nodes import Node
from sim.policy.expr.shapes import BOOL, INT, LIST, Shape
from sim.policy.expr.state import Run, State
from sim.policy.expr.values import Keyed, add, encoded, kind, tagged

Walk = Callable[[State, list[object], Run], object]
ASKING = frozenset(("all", "none", "any", "one", "filter", "count", "find", "findIndex", "findLast", "findLastIndex"))
POINTERS = {"map": ("index",), "reduce": ("index", "acc")}


def loop(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Loop)
    collection, items = builder.build(node.collection)
    if collection.kind != "list" and not collection.unknown:
        raise builder.fail(node.collection, f"{node.name}() of {collection} is impossible", "use a list")
    extra, start = builder.build(node.extra) if node.extra else (shapes.UNKNOWN, None)
    if node.name == "sortBy" and not (extra.unknown or extra.kind == "string"):
        raise builder.fail(node, f"sortBy() in the order {extra}", 'use "asc" or "desc"')
    out, predicate = _predicate(builder, node, collection)
    name = node.name
    weight = 1 + tree.size(node.predicate) if node.predicate else 1
    walk: Walk = _reduce(start) if name == "reduce" else _sort(start) if name == "sortBy" else WALKS[name]

    def run(state: State) -> object:
        values = elements(items(state), name)
        state.spend(weight * len(values))
        kept = state.item, state.index, state.acc
        found = walk(state, values, predicate)
        state.item, state.index, state.acc = kept
        return found

    return _returns(name, collection, out, node.predicate is not None), run


def _predicate(builder: Builder, node: tree.Loop, collection: Shape) -> Built:
    """The predicate with its scope; without one, each element stands for itself."""
    if node.predicate is None:
        return (collection.item or shapes.ANY), lambda state: state.item
    builder.scopes.append(Scope(collection, POINTERS.get(node.name, ())))
    out, run = builder.build(node.predicate)
    builder.scopes.pop()
    if out.kind == "nil":
        raise builder.fail(node.predicate, "the predicate is nil", "give it a value")
    if node.name in ASKING and not (out.kind == "bool" or out.unknown):
        raise builder.fail(
            node.predicate, f"the predicate of {node.name}() is {out}, not true or false", "compare # with something"
        )
    return out, run


def _returns(name: str, collection: Shape, out: Shape, mapped: bool) -> Shape:
    item = shapes.UNKNOWN if collection.unknown else collection.item or shapes.ANY
    if name in ("all", "none", "any", "one"):
        return BOOL
    if name in ("count", "findIndex", "findLastIndex"):
        return INT
    if name in ("find", "findLast"):
        return item
    if name == "filter":
        return LIST if collection.unknown else shapes.list_of(item)
    if name == "map":
        return shapes.list_of(out)
    if name == "groupBy":
        return Shape("map", shapes.list_of(item), "any")
    if name == "sortBy":
        return collection
    if name == "reduce":
        return out
    return shapes.erase(out) if mapped else item  # sum


def elements(value: object, name: str) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return list(encoded(value))  # the original walks the bytes of a text that the check did not know to be one
    if isinstance(value, dict) and not value:
        return []  # an empty map has nothing to look at, and the original never looks
    raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a list")


def decider(name: str, stop: bool, result: bool) -> Walk:
    """all, none, any: the first element whose predicate is `stop` decides for `result`."""
    where = f"{name}()"

    def walk(state: State, items: list[object], predicate: Run) -> object:
        for state.item in items:
            if truth(predicate(state), where) is stop:
                return result
        return not result

    return walk


def _count(state: State, items: list[object], predicate: Run) -> int:
    hits = 0
    for state.item in items:
        hits += truth(predicate(state), "count()")
    return hits


def _one(state: State, items: list[object], predicate: Run) -> object:
    return _count(state, items, predicate) == 1


def _filter(state: State, items: list[object], predicate: Run) -> object:
    kept: list[object] = []
    for item in items:
        state.item = item
        if truth(predicate(state), "filter()"):
            kept.append(item)
    state.grow(len(kept))
    return kept


def _map(state: State, items: list[object], predicate: Run) -> object:
    made: list[object] = []
    for index, item in enumerate(items):
        state.index, state.item = index, item
        made.append(predicate(state))
    state.grow(len(made))
    return made


def _sum(state: State, items: list[object], predicate: Run) -> object:
    total: object = 0
    for state.item in items:
        total = add(predicate(state), total)
    return total


def finder(backwards: bool, position: bool) -> Walk:
    """find, findIndex and their Last forms: nil if nothing is found."""

    def walk(state: State, items: list[object], predicate: Run) -> object:
        places = range(len(items) - 1, -1, -1) if backwards else range(len(items))
        for place in places:
            state.item = items[place]
            if truth(predicate(state), "find()"):
                return place if position else items[place]
        return None

    return walk


def _group(state: State, items: list[object], predicate: Run) -> object:
    groups = Keyed()
    for item in items:
        state.item = item
        bucket = groups.setdefault(tagged(predicate(state)), [])
        assert isinstance(bucket, list)
        bucket.append(item)
    return groups


def _sort(order: Run | None) -> Walk:
    def walk(state: State, items: list[object], predicate: Run) -> object:
        direction = order(state) if order else "asc"
        keys: list[object] = []
        for state.item in items:
            keys.append(predicate(state))
        state.grow(len(items))
        return ordered(items, keys, direction)

    return walk


def _reduce(start: Run | None) -> Walk:
    def walk(state: State, items: list[object], predicate: Run) -> object:
        if start is None and not items:
            raise EvaluationError("reduce() of an empty list has no first value; give one: reduce(list, #acc + #, 0)")
        first = 0 if start else 1
        state.acc = start(state) if start else items[0]
        for index in range(first, len(items)):
            state.index, state.item = index, items[index]
            state.acc = predicate(state)
        return state.acc

    return walk


WALKS: dict[str, Walk] = {
    "all": decider("all", False, False),
    "none": decider("none", True, False),
    "any": decider("any", True, True),
    "one": _one,
    "filter": _filter,
    "map": _map,
    "count": _count,
    "sum": _sum,
    "find": finder(backwards=False, position=False),
    "findIndex": finder(backwards=False, position=True),
    "findLast": finder(backwards=True, position=False),
    "findLastIndex": finder(backwards=True, position=True),
    "groupBy": _group,
}
LOOPS: dict[type[Node], Rule] = {tree.Loop: loop}
