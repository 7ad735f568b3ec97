"""A syntax tree and the shape of the result to a checked, runnable program.

The original compiles each condition against the actual type of each measurement's result. Here the check and the
compilation are one walk: `build` gives the shape of a node and a closure that evaluates it, or raises ConditionError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.policy.expr import nodes as tree
from sim.policy.expr import shapes
from sim.policy.expr.errors import ConditionError, EvaluationError
from sim.policy.expr.nodes import Node
from sim.policy.expr.profile import Profile
from sim.policy.expr.shapes import Shape
from sim.policy.expr.state import Run, State
from sim.policy.expr.values import kind

Built = tuple[Shape, Run]
Rule = Callable[["Builder", Node], Built]


@dataclass(frozen=True, slots=True)
class Scope:
    """The predicate around a node: the list it walks, and which of #index and #acc it offers."""

    collection: Shape
    pointers: tuple[str, ...]


class Builder:
    """One walk over one tree for one shape of the result. `rules` maps each type of node to its rule."""

    def __init__(self, text: str, profile: Profile, result: Shape, slots: int, rules: dict[type[Node], Rule]) -> None:
        self.text = text
        self.profile = profile
        self.result = result
        self.variables = [shapes.UNKNOWN] * slots
        self.scopes: list[Scope] = []
        self.rules = rules

    def build(self, node: Node) -> Built:
        return self.rules[type(node)](self, node)

    def fail(self, node: Node, problem: str, remedy: str = "") -> ConditionError:
        return ConditionError(self.text, node.at + 1, problem, remedy)


def truth(value: object, where: str) -> bool:
    """A boolean as it is; anything else cannot decide."""
    if value is True or value is False:
        return value
    raise EvaluationError(f"{where} needs true or false, got {kind(value)}; compare it with something")


def literal(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Literal)
    value = node.value
    return shapes.infer(value), lambda state: value


def result(builder: Builder, node: Node) -> Built:
    return builder.result, lambda state: state.result


def variable(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Variable)
    slot = node.slot
    return builder.variables[slot], lambda state: state.variables[slot]


def let(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Let)
    slot = node.slot
    builder.variables[slot], value = builder.build(node.value)
    shape, body = builder.build(node.body)

    def run(state: State) -> object:
        state.variables[slot] = value(state)
        return body(state)

    return shape, run


def sequence(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Sequence)
    built = [builder.build(part) for part in node.parts]
    runs = [run for _, run in built]

    def run(state: State) -> object:
        value: object = None
        for part in runs:
            value = part(state)
        return value

    return built[-1][0], run


def conditional(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Conditional)
    condition = decision(builder, node.condition)
    first, then = builder.build(node.then)
    second, otherwise = builder.build(node.otherwise)

    def run(state: State) -> object:
        return then(state) if truth(condition(state), "the condition before ?") else otherwise(state)

    return branches(builder.profile, first, second), run


def elvis(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Elvis)
    first, condition = builder.build(node.condition)
    _boolean(builder, node.condition, first)
    second, otherwise = builder.build(node.otherwise)

    def run(state: State) -> object:
        return truth(condition(state), "the condition before ?:") or otherwise(state)

    return branches(builder.profile, first, second), run


def decision(builder: Builder, node: Node) -> Run:
    shape, run = builder.build(node)
    _boolean(builder, node, shape)
    return run


def _boolean(builder: Builder, node: Node, shape: Shape) -> None:
    if shape.kind != "bool" and not shape.unknown:
        raise builder.fail(node, f"the condition before ? is {shape}, not true or false", "compare it with something")


def branches(profile: Profile, first: Shape, second: Shape) -> Shape:
    """The shape of `c ? first : second`: nil gives way; otherwise the first if Go may assign it to the second."""
    if first.kind == "nil" or second.kind == "nil":
        return second if first.kind == "nil" else first
    if not shapes.assignable(first, second):
        return shapes.UNKNOWN
    if profile.modern and first.kind == second.kind == "list":
        one, two = first.item or shapes.ANY, second.item or shapes.ANY
        if not (shapes.assignable(one, two) and shapes.assignable(two, one)):
            return shapes.LIST
    return first


def list_of(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.ListOf)
    built = [builder.build(item) for item in node.items]
    runs, size = [run for _, run in built], len(built)

    def run(state: State) -> object:
        state.grow(size)
        return [item(state) for item in runs]

    same = {_go_kind(shape): shape for shape, _ in built}
    if len(same) > 1 or not builder.profile.modern:
        return shapes.LIST, run
    return shapes.list_of(built[-1][0] if built else shapes.UNKNOWN), run


def _go_kind(shape: Shape) -> str:
    return "unknown" if shape.kind == "nil" else shape.kind


def map_of(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.MapOf)
    runs = [builder.build(item)[1] for item in node.items]
    pairs = list(zip(runs[::2], runs[1::2], strict=True))

    def run(state: State) -> object:
        state.grow(len(pairs))
        entries = [(key(state), value(state)) for key, value in pairs]
        made: dict[str, object] = {}
        for key, value in entries:
            if not isinstance(key, str):
                raise EvaluationError(f"{kind(key)} cannot be a key of a map; use a string")
            made.setdefault(key, value)  # the original fills maps from the last entry on, so the first one stays
        return made

    return shapes.MAP, run


def pointer(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Pointer)
    scope = builder.scopes[-1]
    if node.name and node.name not in scope.pointers:
        raise builder.fail(
            node, f"#{node.name} is unknown in this predicate", "#index works in map and reduce, #acc in reduce"
        )
    if node.name == "index":
        return shapes.INT, lambda state: state.index
    if node.name == "acc":
        return shapes.UNKNOWN, lambda state: state.acc
    collection = scope.collection
    return (shapes.UNKNOWN if collection.unknown else collection.item or shapes.ANY), lambda state: state.item


RULES: dict[type[Node], Rule] = {
    tree.Literal: literal,
    tree.Result: result,
    tree.Variable: variable,
    tree.Let: let,
    tree.Sequence: sequence,
    tree.Conditional: conditional,
    tree.Elvis: elvis,
    tree.ListOf: list_of,
    tree.MapOf: map_of,
    tree.Pointer: pointer,
}
