"""Numbers of results as a file writes them: `2%`, `6m`, `500`, and requirements on them: `<= 2%`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from sim.files import Refused, parse_duration
from sim.files.words import choose, show
from sim.policy.errors import WorldError

__all__ = ["MeasureName", "Quantity", "Requirement"]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SENSE = re.compile(r"(<=|>=)\s*(\S+)")


def _quantity(value: object) -> float:
    """The number inside: ratios as such, times in seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:  # nan is not less
        return float(value)
    if isinstance(value, str) and len(value) < 40:
        if _NUMBER.fullmatch(value.removesuffix("%")):
            number = float(value.removesuffix("%"))
            return round(number / 100, 15) if value.endswith("%") else number
        if value[-1:].isalpha():
            return parse_duration(value)
    raise Refused(f"{show(value)} is not a quantity", "write e.g. 2%, 6m or 500")


def _requirement(value: object) -> tuple[str, float]:
    match = _SENSE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Refused(f"{show(value)} is not a requirement", 'write e.g. "<= 2%" or ">= 99%"')
    return match[1], _quantity(match[2])


def _measure(value: str) -> str:
    """A measure of results by name, with or without a statistic; what there is, the results say. Of rollouts or of deliveries."""
    from sim.results.delivery import MEASURES as DELIVERED
    from sim.results.measures import ALIASES, MEASURES, named

    if value in DELIVERED:
        return value
    names = (*MEASURES, *ALIASES)
    stem = value.partition(".")[0]
    if stem not in names:
        raise Refused(f"unknown measure {show(value)}", choose(stem, (*names, *DELIVERED)))
    try:
        named(value)
    except WorldError as error:
        problem, _, remedy = str(error).rpartition("; ")
        raise Refused(problem, remedy) from None
    return value


if TYPE_CHECKING:
    Quantity = Any
    Requirement = Any
    MeasureName = Any
else:
    Quantity = Annotated[
        float,
        BeforeValidator(_quantity),
        WithJsonSchema({"description": "A quantity: 2%, 6m or 500", "anyOf": [{"type": "number"}, {"type": "string"}]}),
    ]
    Requirement = Annotated[
        Any,
        BeforeValidator(_requirement),
        WithJsonSchema({"type": "string", "description": 'A requirement: "<= 2%"', "pattern": r"^(<=|>=) *\S+$"}),
    ]
    MeasureName = Annotated[str, AfterValidator(_measure)]
