"""Field types and the base model of files: strict, finite, with units, and with a JSON Schema an editor can use.

pydantic's traps that these settle are listed in ecosystem.md section 5.3. File models declare `list`, not `tuple`
(strict mode refuses a YAML list for a tuple) and `Literal`, not Enum (strict mode refuses text for an Enum).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from sim.files.units import format_duration, format_rate, parse_bytes, parse_duration, parse_rate, parse_ratio

_HUGE = 10**12
_TIME = r"^([0-9]+(\.[0-9]*)?(ns|us|ms|s|m|h|d))+$|^0$"


class Strict(BaseModel):
    """Base of every file model: unknown keys are errors, values are not converted, instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_default=False)


def _seconds_or_text(value: object) -> float:
    return parse_duration(value, bare=True)


def _described(kind: str, description: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, "description": description, **more})


_AS_TIME = PlainSerializer(format_duration, return_type=str, when_used="json")
_AS_RATE = PlainSerializer(format_rate, return_type=str, when_used="json")

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    _AS_TIME,
    _described("string", "A duration: 30s, 5m, 1h30m, 250ms, 2d", pattern=_TIME),
]
"""Seconds, written with a unit."""

Seconds = Annotated[
    float,
    BeforeValidator(_seconds_or_text),
    _AS_TIME,
    WithJsonSchema(
        {
            "description": "A duration: 30s, 5m, 1h30m, or a number of seconds",
            "anyOf": [{"type": "string", "pattern": _TIME}, {"type": "number", "minimum": 0}],
        }
    ),
]
"""Seconds, written with a unit or as a bare number."""

Ratio = Annotated[
    float,
    BeforeValidator(parse_ratio),
    WithJsonSchema(
        {
            "description": "A ratio: 5%, 99.9%, or a number from 0 to 1",
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]*)?%$"},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
        }
    ),
]
"""A number in [0, 1], written as a percentage or as such."""

Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    _AS_RATE,
    _described("string", "A rate: 200/s, 12000/m, 3/h", pattern=r"^[0-9]+(\.[0-9]*)?/[smhd]$"),
]
"""Per second, written with its unit."""

Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    WithJsonSchema(
        {
            "description": "A size in bytes: 512Mi, 1G, or a number",
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]*)?([KMGTPE]i|[kMGTPE])$"},
                {"type": "integer", "minimum": 0},
            ],
        }
    ),
]
"""Bytes, written as a Kubernetes quantity or as a number."""

Percent = Annotated[int, Field(strict=True, ge=0, le=100, description="A percentage: a whole number, 0 to 100")]
PositiveInt = Annotated[int, Field(strict=True, gt=0, le=_HUGE)]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0, le=_HUGE)]
Number = Annotated[float, Field(strict=True, ge=-_HUGE, le=_HUGE, allow_inf_nan=False)]
PositiveNumber = Annotated[float, Field(strict=True, gt=0, le=_HUGE, allow_inf_nan=False)]
NonNegativeNumber = Annotated[float, Field(strict=True, ge=0, le=_HUGE, allow_inf_nan=False)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
