"""Operators: their static rules and their runs (delivery-systems.md 3.2, 3.3)."""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.policy.expr import nodes as tree
from sim.policy.expr import shapes, values
from sim.policy.expr.builder import Builder, Built, Rule, truth
from sim.policy.expr.errors import ConditionError, EvaluationError
from sim.policy.expr.nodes import Node
from sim.policy.expr.patterns import compile_literal
from sim.policy.expr.regex import Pattern
from sim.policy.expr.regex_syntax import PatternError
from sim.policy.expr.shapes import BOOL, FLOAT, INT, Shape, together
from sim.policy.expr.state import Run, State
from sim.policy.expr.strings import text

Pair = Callable[[object, object], object]
AND, OR = frozenset(("and", "&&")), frozenset(("or", "||"))
ORDER: dict[str, Callable[[object, object], bool]] = {
    "<": values.less,
    ">": values.more,
    "<=": values.at_most,
    ">=": values.at_least,
}
ARITHMETIC: dict[str, Pair] = {
    "+": values.add,
    "-": values.subtract,
    "*": values.multiply,
    "/": values.divide,
    "%": values.remainder,
    "**": values.power,
    "^": values.power,
}
TEXTUAL: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda whole, part: part in whole,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}


def unary(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Unary)
    shape, operand = builder.build(node.operand)
    if node.operator in ("not", "!"):
        if shape.kind != "bool" and not shape.unknown:
            raise builder.fail(node, f"not {shape} is impossible", "not binds tighter than ==; write not (a == b)")
        return BOOL, lambda state: not truth(operand(state), "not")
    if not (shape.number or shape.unknown):
        raise builder.fail(node, f"{node.operator} {shape} is impossible", "use a number")
    if node.operator == "+":
        return (shapes.UNKNOWN if shape.unknown else shape), operand
    return (shapes.UNKNOWN if shape.unknown else shape), lambda state: values.negate(operand(state))


def binary(builder: Builder, node: Node) -> Built:
    assert isinstance(node, tree.Binary)
    left, right = builder.build(node.left), builder.build(node.right)
    if node.operator in AND or node.operator in OR:
        return _logic(builder, node, left, right)
    if node.operator in ("==", "!="):
        return _equality(builder, node, left, right)
    if node.operator in ARITHMETIC:
        return _arithmetic(builder, node, left, right)
    if node.operator == "??":
        return _coalesce(left, right)
    if node.operator == "in":
        return _inside(builder, node, left, right)
    if node.operator == "..":
        return _range(builder, node, left, right)
    return _textual(builder, node, left, right)


def refused(builder: Builder, node: Node, operator: str, left: Shape, right: Shape) -> ConditionError:
    """The complaint about two shapes that an operator cannot join."""
    remedy = "convert one side with asFloat(…), asInt(…) or string(…)"
    if "nil" in (left.kind, right.kind):
        remedy = "nil joins with == and ?? only; use default(result, 0) or (result ?? 0)"
    elif "list" in (left.kind, right.kind):
        remedy = "take an element, e.g. result[0], or a summary, e.g. max(result)"
    return builder.fail(node, f"{left} {operator} {right} is impossible", remedy)


def _logic(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    if not (one.kind == two.kind == "bool" or together(one, two, "bool")):
        raise refused(builder, node, node.operator, one, two)
    stop = node.operator in OR
    if constant(node.right) is stop:  # the original folds `x or true`, `x and false` without looking at x
        return BOOL, lambda state: stop
    where = node.operator

    def run(state: State) -> object:
        value = first(state)
        if value is stop:
            return stop
        truth(value, where)
        return truth(second(state), where)

    return BOOL, run


def constant(node: Node) -> bool | int | float | str | None:
    """The value of a node that the original computes before the run; None if it has none."""
    if isinstance(node, tree.Literal):
        return node.value
    if isinstance(node, tree.Unary):
        inner = constant(node.operand)
        if node.operator in ("not", "!"):
            return not inner if isinstance(inner, bool) else None
        if isinstance(inner, bool) or not isinstance(inner, (int, float)):
            return None
        return -inner if node.operator == "-" else inner
    if isinstance(node, tree.Binary) and node.operator == "==":
        left, right = constant(node.left), constant(node.right)
        if type(left) is type(right) and isinstance(left, (int, str)):
            return left == right
    return None


def _equality(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    if not shapes.comparable(one, two):
        raise refused(builder, node, node.operator, one, two)
    wanted = node.operator == "=="
    if not builder.profile.modern and one.kind == two.kind == "list":
        return BOOL, _same_list(first, second, one.element == two.element, wanted)
    strict = {"int": int, "string": str}.get(one.kind) if one.kind == two.kind and builder.profile.modern else None
    if strict is None:
        return BOOL, lambda state: values.equal(first(state), second(state)) is wanted
    sure: type = strict

    def run(state: State) -> object:
        a, b = first(state), second(state)
        if type(a) is sure and type(b) is sure:
            return (a == b) is wanted
        # The original compares what the check promised, and fails on a nil or a float in its place.
        pair = f"{values.kind(a)} {node.operator} {values.kind(b)}"
        raise EvaluationError(f"{pair} is impossible where {one} was expected; test for nil first")

    return BOOL, run


def _same_list(first: Run, second: Run, possible: bool, wanted: bool) -> Run:
    """== of lists before 1.10: Go's deep equality, where a Prometheus vector never equals a list in the condition."""
    return lambda state: (values.identical(first(state), second(state), 0) and possible) is wanted


def _arithmetic(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    operator, act = node.operator, ARITHMETIC[node.operator]
    kinds = {"+": ("number", "string"), "%": ("integer",)}.get(operator, ("number",))
    fits = (one.integer and two.integer) if operator == "%" else (one.number and two.number)
    texts = operator == "+" and one.kind == two.kind == "string"
    if not (fits or texts or together(one, two, *kinds)):
        raise refused(builder, node, operator, one, two)
    if operator == "%" and constant(node.right) == 0 and isinstance(constant(node.left), int):
        raise builder.fail(node, "a remainder by zero has no value", "change the divisor")
    if operator in ("/", "**", "^"):
        shape = FLOAT
    elif operator == "%":
        shape = INT if builder.profile.modern or fits else shapes.UNKNOWN
    elif texts:
        shape = shapes.STRING
    elif fits:
        shape = FLOAT if "float" in (one.kind, two.kind) else INT
    else:
        shape = shapes.UNKNOWN
    return shape, lambda state: act(first(state), second(state))


def _coalesce(left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    shape = one if two.kind == "nil" or shapes.assignable(two, one) else shapes.UNKNOWN
    if one.kind == "nil":
        shape = two

    def run(state: State) -> object:
        value = first(state)
        return second(state) if value is None else value

    return shape, run


def _inside(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    if two.kind == "map":
        wanted = ("string",) if builder.profile.modern else ("string", "nil")
        fits = one.unknown or two.element == "any" or one.kind in wanted
    elif two.kind == "list":
        fits = shapes.comparable(one, two.item or shapes.ANY)
    else:
        fits = two.unknown or (one.unknown and two.kind == "string")
    if not builder.profile.modern and isinstance(node.right, tree.ListOf):
        fits = fits and _fits_literals(one, node.right)
    if not fits:
        raise refused(builder, node, "in", one, two)
    if isinstance(node.right, tree.ListOf) and (texts := _literal_texts(node.right)):
        return BOOL, lambda state: values.lookup(texts, first(state), False) is True

    def run(state: State) -> object:
        needle, haystack = first(state), second(state)
        if isinstance(haystack, list):
            state.spend(len(haystack))
        return values.contains(needle, haystack)

    return BOOL, run


def _fits_literals(needle: Shape, listed: tree.ListOf) -> bool:
    """`x in [1, 2]` before 1.10, whose lists have elements of unknown shape everywhere but here."""
    found = [shapes.infer(item.value) for item in listed.items if isinstance(item, tree.Literal)]
    if len(found) < len(listed.items) or len({shape.kind for shape in found}) != 1:
        return True
    return shapes.comparable(needle, found[0])


def _literal_texts(node: tree.ListOf) -> dict[str, object]:
    """`x in ["a", "b"]`: the original makes a map of the texts, so a number as x is an error, and nil means ""."""
    texts = [item.value for item in node.items if isinstance(item, tree.Literal)]
    known: dict[str, object] = {value: True for value in texts if isinstance(value, str)}
    return known if all(isinstance(value, str) for value in texts) and len(texts) == len(node.items) else {}


def _range(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    if not ((one.integer and two.integer) or together(one, two, "integer")):
        raise refused(builder, node, "..", one, two)

    def run(state: State) -> object:
        low, high = values.truncated(first(state), "a range"), values.truncated(second(state), "a range")
        state.grow(max(high - low + 1, 0))
        return list(range(low, high + 1))

    return shapes.list_of(INT), run


def _textual(builder: Builder, node: tree.Binary, left: Built, right: Built) -> Built:
    (one, first), (two, second) = left, right
    if not (one.kind == two.kind == "string" or together(one, two, "string")):
        raise refused(builder, node, node.operator, one, two)
    if node.operator == "matches":
        return _matches(builder, node, first, second)
    operator, act, modern = node.operator, TEXTUAL[node.operator], builder.profile.modern

    def run(state: State) -> object:
        whole, part = first(state), second(state)
        if modern and (whole is None or part is None):
            return False
        return act(text(whole, operator), text(part, operator))

    return BOOL, run


def _matches(builder: Builder, node: tree.Binary, first: Run, second: Run) -> Built:
    modern = builder.profile.modern
    fixed = compile_literal(builder.text, node)

    def run(state: State) -> object:
        whole = first(state)
        pattern = second(state) if fixed is None else ""
        if modern and (whole is None or pattern is None):
            return False
        try:
            search = fixed or Pattern(text(pattern, "matches"))
        except PatternError as error:
            raise EvaluationError(str(error)) from None
        return search.search(text(whole, "matches"), state)

    return BOOL, run


def comparison(builder: Builder, node: Node) -> Built:
    """`a < b`, and chains: every pair must hold; each operand is evaluated once, later ones only if needed."""
    assert isinstance(node, tree.Comparison)
    built = [builder.build(operand) for operand in node.operands]
    for operator, (one, _), (two, _) in zip(node.operators, built, built[1:], strict=False):
        alike = (one.number and two.number) or one.kind == two.kind == "string"
        if not (alike or together(one, two, "number", "string")):
            raise refused(builder, node, operator, one, two)
    if len(node.operators) == 1:
        return BOOL, _pair(node, built[0][1], built[1][1])
    steps = [(ORDER[operator], run) for operator, (_, run) in zip(node.operators, built[1:], strict=True)]
    begin = built[0][1]

    def run(state: State) -> object:
        left = begin(state)
        for holds, operand in steps:
            right = operand(state)
            if not holds(left, right):
                return False
            left = right
        return True

    return BOOL, run


def _pair(node: tree.Comparison, first: Run, second: Run) -> Run:
    """One comparison; the usual case, a float against a literal, without detours."""
    holds, right = ORDER[node.operators[0]], node.operands[1]
    if not (isinstance(right, tree.Literal) and type(right.value) in (int, float)):
        return lambda state: holds(first(state), second(state))
    limit = right.value
    bound = float(limit)  # type: ignore[arg-type]
    below, strict = node.operators[0] in ("<", "<="), node.operators[0] in ("<", ">")
    if math.isnan(bound):
        return lambda state: holds(first(state), limit)

    def run(state: State) -> object:
        value = first(state)
        if type(value) is not float:
            return holds(value, limit)
        if below:
            return value < bound if strict else value <= bound
        return value > bound if strict else value >= bound

    return run


OPERATORS: dict[type[Node], Rule] = {tree.Unary: unary, tree.Binary: binary, tree.Comparison: comparison}
