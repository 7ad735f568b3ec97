"""How faults that are active together combine (faults.md section 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from sim.faults.kind import Join, Kind, Parameter, Value
from sim.policy.errors import WorldError


def either(probabilities: Iterable[float]) -> float:
    """The probability of at least one of independent events: 1 - (1-a)(1-b)...; exactly `a` for one."""
    joined = 0.0
    for p in probabilities:
        joined = p if joined == 0.0 else joined + p - joined * p
    return joined


def combine(kind: Kind, active: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The parameters of several active faults of one kind on one target, as those of one fault; at least one is needed.

    Probabilities join as independent events, delays and byte counts add, factors multiply, flags OR. Whatever is none
    of these (a status, a shape, a threshold) must be equal: else WorldError.
    """
    return {one.name: _join(kind, one, [params[one.name] for params in active]) for one in kind.parameters}


def _join(kind: Kind, parameter: Parameter, values: list[Value]) -> Value:
    if parameter.join == "same":
        if any(value != values[0] for value in values):
            shown = " and ".join(map(str, values))
            remedy = "keep them apart or make them equal"
            raise WorldError(f"{kind.name} {parameter.name}: {shown} on one target at one time; {remedy}")
        return values[0]
    numbers = [value for value in values if isinstance(value, (int, float))]
    return _JOINS[parameter.join](numbers) if numbers else None  # not given at all stays so


_JOINS: dict[Join, Callable[[list[float]], float]] = {
    "either": either,
    "sum": sum,
    "product": math.prod,
    "or": any,
}
