"""What a kind of fault and its parameters are, as data; the kinds are in `catalogue` (faults.md section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Value = float | int | str | bool | tuple[str, ...] | tuple[float, ...] | None
"""A parameter's value inside: seconds, ratios in [0, 1], bytes, bit/s, words; None where it is not given."""

Unit = Literal[
    "s",
    "ratio",
    "ratio/s",
    "1/s",
    "bytes",
    "bit/s",
    "factor",
    "count",
    "ppm",
    "code",
    "word",
    "text",
    "texts",
    "flag",
    "burst",
]
Join = Literal["either", "sum", "product", "or", "same"]
Group = Literal["pods", "build", "network", "pipeline"]
Capability = Literal["sim", "both"]

# faults.md section 1: probabilities 1-(1-a)(1-b), delays and byte counts add, factors multiply, booleans OR. What is
# none of these (a status, a shape, a threshold) cannot be merged, so it must be equal.
_JOINS: dict[str, Join] = {
    "ratio": "either",
    "s": "sum",
    "bytes": "sum",
    "ratio/s": "sum",
    "factor": "product",
    "flag": "or",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind. `low` and `high` bound numbers, `choices` words; `join` says how two active faults
    combine.

    `simulates` are the only values that the simulator carries out in its present form; None: it carries out every
    value.
    """

    name: str
    unit: Unit
    default: Value
    required: bool
    low: float
    high: float
    doc: str
    choices: tuple[str, ...]
    join: Join
    simulates: tuple[Value, ...] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: its parameters, its effect in the simulator, and how it is injected, proved and undone for
    real.

    `real`, `proof` and `undo` are '' where there is none. `alternatives` are groups of parameters of which one is
    given, in full. `bound`: it belongs to a version and lasts as long as that version, so that its duration may be left
    out.
    """

    name: str
    group: Group
    parameters: tuple[Parameter, ...]
    instant: bool
    reversible: bool
    simulated: str
    real: str
    proof: str
    undo: str
    modelled: bool
    bound: bool
    alternatives: tuple[tuple[str, ...], ...]

    @property
    def capability(self) -> Capability:
        """Where it can be injected: 'sim' alone when there is no real injection (faults.md section 2.5, note 0)."""
        return "both" if self.real else "sim"


def kind(
    name: str,
    group: Group,
    *parameters: Parameter,
    simulated: str,
    real: str = "",
    proof: str = "",
    undo: str = "",
    instant: bool = False,
    reversible: bool = True,
    modelled: bool = False,
    bound: bool = False,
    alternatives: Sequence[tuple[str, ...]] = (),
) -> Kind:
    """A `Kind` with the usual defaults."""
    return Kind(
        name, group, parameters, instant, reversible, simulated, real, proof, undo, modelled, bound, tuple(alternatives)
    )


def parameter(
    name: str,
    unit: Unit,
    doc: str,
    default: Value = None,
    *,
    required: bool = False,
    low: float = 0.0,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    join: Join | None = None,
    simulates: tuple[Value, ...] | None = None,
) -> Parameter:
    """A `Parameter` with the bounds and the way of joining that its unit suggests."""
    high = high if high is not None else _HIGHEST.get(unit, 1e12)
    return Parameter(
        name, unit, default, required, low, high, doc, choices, join or _JOINS.get(unit, "same"), simulates
    )


_HIGHEST = {"ratio": 1.0, "ratio/s": 1.0, "code": 599.0, "s": 10 * 365 * 86_400.0, "bytes": 1e15}
