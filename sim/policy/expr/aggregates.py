"""The built-in functions of numbers and of lists of numbers (delivery-systems.md 3.4)."""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.policy.expr.errors import EvaluationError
from sim.policy.expr.state import State
from sim.policy.expr.values import add, deeper, fit, kind, less, more

Body = Callable[..., object]


def as_list(value: object, name: str, state: State) -> list[object]:
    """The list itself, with the work of walking it accounted for."""
    if not isinstance(value, list):
        raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a list")
    state.spend(len(value))
    return value


def largest(state: State, *values: object) -> object:
    return _extreme("max", less, values, state, 0)


def smallest(state: State, *values: object) -> object:
    return _extreme("min", more, values, state, 0)


def _extreme(
    name: str, worse: Callable[[object, object], bool], values: tuple[object, ...], state: State, depth: int
) -> object:
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
    return math.fabs(to_number("abs", value))


def rounded(name: str, how: Callable[[float], float]) -> Body:
    """ceil, floor, round: floats out; NaN and infinity stay."""

    def run(state: State, value: object) -> float:
        number = to_number(name, value)
        return float(how(number)) if math.isfinite(number) and abs(number) < 2.0**52 else number

    return run


def half_away(number: float) -> float:
    return math.copysign(_half_up(abs(number)), number)


def _half_up(number: float) -> float:
    low = math.floor(number)
    return float(low + (number - low >= 0.5))


def to_number(name: str, value: object) -> float:
    if kind(value) in ("int", "float"):
        return float(value)  # type: ignore[arg-type]
    raise EvaluationError(f"{name}() of {kind(value)} is impossible; use a number")
