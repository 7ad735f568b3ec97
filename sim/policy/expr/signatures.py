"""The static rules of functions: shapes of the arguments in, shape of the return out (delivery-systems.md 3.4, 3.5).

A rule raises ValueError with the problem. Unknown arguments pass and are looked at in the run.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.expr.shapes import ANY, FLOAT, INT, Shape, erase

Rule = Callable[[list[Shape]], Shape]


def count(arguments: list[Shape], low: int, high: int | None = None) -> None:
    """Complain unless there are `low` to `high` arguments (no `high`: exactly `low`; -1: any number above)."""
    high = low if high is None else high
    if len(arguments) < low or (0 <= high < len(arguments)):
        wanted = f"{low}" if low == high else f"at least {low}" if high < 0 else f"{low} to {high}"
        raise ValueError(f"takes {wanted} arguments, got {len(arguments)}")


def overloads(returns: Shape, *signatures: str) -> Rule:
    """Any of several signatures, each a blank-separated list of parameter types."""
    parsed = [signature.split() for signature in signatures]

    def rule(arguments: list[Shape]) -> Shape:
        sizes = sorted({len(signature) for signature in parsed})
        if len(arguments) not in sizes:
            raise ValueError(f"takes {' or '.join(map(str, sizes))} arguments, got {len(arguments)}")
        for signature in parsed:
            if len(signature) == len(arguments) and all(map(accepts, signature, arguments)):
                return returns
        shown = ", ".join(map(str, arguments))
        wanted = " or ".join(f"({', '.join(signature)})" for signature in parsed if len(signature) == len(arguments))
        raise ValueError(f"takes {wanted}, got ({shown})")

    return rule


def accepts(parameter: str, shape: Shape) -> bool:
    """Whether an argument of this shape may be passed. Integers pass as floats (and fail in the run unless literal)."""
    if parameter == "value" or shape.unknown:
        return True
    if parameter == "float":
        return shape.number
    if parameter == "int":
        return shape.integer
    element = {"list": "any", "floats": "float", "strings": "string"}.get(parameter)
    if element is not None:
        return shape.kind == "list" and shape.element == element
    return shape.kind == parameter


def one_of(*kinds: str, returns: Shape | None = None) -> Rule:
    """One argument of one of the kinds; the return is `returns`, or what the argument is."""

    def rule(arguments: list[Shape]) -> Shape:
        count(arguments, 1)
        shape = arguments[0]
        _demand(shape, kinds)
        return returns or erase(shape)

    return rule


def _demand(shape: Shape, kinds: tuple[str, ...]) -> None:
    if not shape.unknown and shape.kind not in kinds and not ("number" in kinds and shape.number):
        raise ValueError(f"takes a {' or '.join(kinds)}, got {shape}")


def end_of_list(arguments: list[Shape]) -> Shape:
    """first, last: an element by the list's Go type, so a list made by the condition gives an unknown."""
    count(arguments, 1)
    _demand(arguments[0], ("list",))
    return ANY if arguments[0].unknown else erase(arguments[0]).item or ANY


def aggregate(arguments: list[Shape]) -> Shape:
    """min, max, mean, median: numbers and lists; the check stops at the first list or unknown."""
    count(arguments, 1, -1)
    for shape in arguments:
        if shape.unknown or shape.kind == "list":
            return ANY
        _demand(shape, ("number", "list"))
    return arguments[0]


def numbers_only(arguments: list[Shape]) -> Shape:
    """min, max before 1.10."""
    count(arguments, 1, -1)
    for shape in arguments:
        if shape.unknown:
            return ANY
        _demand(shape, ("number",))
    return arguments[0]


def some_of_list(arguments: list[Shape]) -> Shape:
    """take."""
    count(arguments, 2)
    _demand(arguments[0], ("list",))
    if not arguments[1].unknown and not arguments[1].integer:
        raise ValueError(f"takes a whole number of elements, got {arguments[1]}")
    return erase(arguments[0])


def several_lists(returns: Shape) -> Rule:
    """concat."""

    def rule(arguments: list[Shape]) -> Shape:
        count(arguments, 1, -1)
        for shape in arguments:
            _demand(shape, ("list",))
        return returns

    return rule


def element(arguments: list[Shape]) -> Shape:
    """get: a list by position, a map by key."""
    count(arguments, 2)
    base, key = arguments
    if base.unknown:
        return ANY
    _demand(base, ("list", "map"))
    if base.kind == "list" and not (key.unknown or key.integer):
        raise ValueError(f"takes a whole position in a list, got {key}")
    if base.kind == "map" and not (key.unknown or base.element == "any" or key.kind == "string"):
        raise ValueError(f"takes a string as the key of a map, got {key}")
    return base.item or ANY


def sum_before_1_10(arguments: list[Shape]) -> Shape:
    count(arguments, 1)
    _demand(arguments[0], ("list",))
    return ANY


ROUNDED = one_of("number", returns=FLOAT)
LENGTH = one_of("list", "map", "string", returns=INT)
