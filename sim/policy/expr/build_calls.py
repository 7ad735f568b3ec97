"""Calls of built-ins and of Argo's functions (delivery-systems.md 3.4, 3.5)."""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.policy.expr import nodes as tree
from sim.policy.expr import signatures as sign
from sim.policy.expr.builder import Builder, Built, Rule
from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.functions import FUNCTIONS, OLD_FUNCTIONS, Function
from sim.policy.expr.literals import decimal, whole
from sim.policy.expr.nodes import Node
from sim.policy.expr.shapes import ANY, BOOL, FLOAT, INT64
from sim.policy.expr.state import State
from sim.policy.expr.values import kind, truncated


def as_int(state: State, value: object) -> int:
    """Numbers are cut towards zero, texts must be decimal integers. NaN and infinity are errors (undefined in Go)."""
    if isinstance(value, str):
        number = whole(value)
        if number is None:
            raise EvaluationError(f"asInt({value!r}) is impossible; use asFloat, or a text of decimal digits")
        return number
    return truncated(value, "asInt()")


def as_float(state: State, value: object) -> float:
    if isinstance(value, str):
        number = decimal(value)
        if number is None:
            raise EvaluationError(f"asFloat({value!r}) is impossible; use a text such as 1.5, 1e3 or NaN")
        return number
    if kind(value) in ("int", "float"):
        return float(value)  # type: ignore[arg-type]
    raise EvaluationError(f"asFloat() of {kind(value)} is impossible; use a number or a text")


def float_test(name: str, test: Callable[[float], bool]) -> Callable[[State, object], bool]:
    """isNaN, isInf: an integer that is not a literal fails, because Go does not convert it."""

    def run(state: State, value: object) -> bool:
        if isinstance(value, float):
            return test(value)
        raise EvaluationError(f"{name}() of {kind(value)} is impossible; use {name}(asFloat(…))")

    return run


ARGO: dict[str, Function] = {
    "asInt": Function(sign.overloads(INT64, "value"), as_int),
    "asFloat": Function(sign.overloads(FLOAT, "value"), as_float),
    "isNaN": Function(sign.overloads(BOOL, "float"), float_test("isNaN", math.isnan)),
    "isInf": Function(sign.overloads(BOOL, "float"), float_test("isInf", math.isinf)),
    "isNil": Function(sign.overloads(BOOL, "value"), lambda state, value: state.result is None),
    "default": Function(
        sign.overloads(ANY, "value value"), lambda state, value, other: other if state.result is None else state.result
    ),
}


def call(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Call)
    function = ARGO.get(node.name) or (None if builder.profile.modern else OLD_FUNCTIONS.get(node.name))
    function = function or FUNCTIONS[node.name]
    built = [builder.build(argument) for argument in node.arguments]
    try:
        shape = function.rule([argument for argument, _ in built])
    except ValueError as error:
        raise builder.fail(node, f"{node.name}() {error}", "change the arguments") from None
    if node.name in ("isNaN", "isInf") and built[0][0].integer:
        built = [builder.build(floated(node.arguments[0]))]
    body, runs = function.run, tuple(run for _, run in built)
    if len(runs) == 1:
        only = runs[0]
        return shape, lambda state: body(state, only(state))
    return shape, lambda state: body(state, *[run(state) for run in runs])


def floated(node: Node) -> Node:
    """The node with its integer literals made floats, also below signs, +, - and *, as in the original."""
    if isinstance(node, tree.Literal) and type(node.value) is int:
        return tree.Literal(node.at, float(node.value))
    if isinstance(node, tree.Unary):
        return tree.Unary(node.at, node.operator, floated(node.operand))
    if isinstance(node, tree.Binary) and node.operator in ("+", "-", "*"):
        return tree.Binary(node.at, node.operator, floated(node.left), floated(node.right))
    return node


CALLS: dict[type[Node], Rule] = {tree.Call: call}
