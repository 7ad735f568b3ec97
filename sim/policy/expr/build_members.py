"""Members, indexes, slices and optional chains: static rules and runs (delivery-systems.md 3.3)."""

from __future__ import annotations

from sim.policy.expr import nodes as tree
from sim.policy.expr import shapes
from sim.policy.expr.builder import Builder, Built, Rule
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.nodes import Node
from sim.policy.expr.shapes import Shape
from sim.policy.expr.state import Run, State
from sim.policy.expr.values import cut, fetch

ABSENT = object()  # the base of a ?. was nil: the whole link is


def member(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Member)
    base, fetch_base = builder.build(node.base)
    key, fetch_key = builder.build(node.key)
    shape = _member_shape(builder, node, base, key)
    if node.optional or isinstance(node.base, tree.Member):
        return shape, _linked(fetch_base, fetch_key, node.optional)
    if isinstance(node.key, tree.Literal) and type(node.key.value) is int and base.kind == "list":
        return shape, _at(fetch_base, node.key.value, isinstance(node.base, tree.Result))
    return shape, lambda state: fetch(fetch_base(state), fetch_key(state))


def _linked(base: Run, key: Run, optional: bool) -> Run:
    def run(state: State) -> object:
        value = base(state)
        if value is ABSENT or (optional and value is None):
            return ABSENT
        return fetch(value, key(state))

    return run


def _at(base: Run, position: int, whole_result: bool) -> Run:
    """`list[3]`, the usual case."""

    def run(state: State) -> object:
        items = state.result if whole_result else base(state)
        if type(items) is list:
            try:
                return items[position]
            except IndexError:
                pass
        return fetch(items, position)

    return run


def _member_shape(builder: Builder, node: tree.Member, base: Shape, key: Shape) -> Shape:
    if base.unknown:
        return shapes.UNKNOWN
    if base.kind == "map":
        if not (key.unknown or key.kind == "string" or base.element == "any"):
            raise builder.fail(node, f"{key} cannot be a key of a map", "use a string")
        return base.item or shapes.ANY
    if base.kind == "list":
        if not (key.unknown or key.integer):
            raise builder.fail(
                node, f"a list has no member by {key}", "take an element by a whole number, e.g. result[0]"
            )
        return base.item or shapes.ANY
    remedy = "compare it as it is"
    if base.kind == "nil":
        remedy = "nil has no members and ?. does not help when all of result is nil; use default(result, …)"
    raise builder.fail(node, f"{base} has no members", remedy)


def link(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Link)
    shape, body = builder.build(node.body)

    def run(state: State) -> object:
        value = body(state)
        return None if value is ABSENT else value

    return shape, run


def slice_of(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Slice)
    base, items = builder.build(node.base)
    low, high = _bound(builder, node.low), _bound(builder, node.high)
    if base.kind not in ("list", "string") and not base.unknown:
        raise builder.fail(node, f"{base} cannot be sliced", "use a list or a string")

    def run(state: State) -> object:
        value = items(state)
        end = high(state) if high else None
        if high and end is None:
            raise EvaluationError("nil cannot be a position; test for nil first")
        part = cut(value, low(state) if low else 0, end)
        state.spend(len(part))  # type: ignore[arg-type]
        return part

    return (shapes.UNKNOWN if base.unknown else base), run


def _bound(builder: Builder, node: Node | None) -> Run | None:
    if node is None:
        return None
    shape, run = builder.build(node)
    if not (shape.integer or shape.unknown):
        raise builder.fail(node, f"{shape} cannot be a position", "use a whole number")
    return run


MEMBERS: dict[type[Node], Rule] = {tree.Member: member, tree.Link: link, tree.Slice: slice_of}
