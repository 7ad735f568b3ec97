"""File models made from our own dataclasses: a file has the same field names, with units where the field is a time, a ratio or a rate.

What a field is follows from `UNITS` by its name (or `Class.name` where one name means two things), else from its type. A form checks
itself by making the value it stands for, so that what a constructor refuses is told at its place, together with all other errors.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core.core_schema import CoreSchema, nullable_schema

from sim.files import Duration, NonNegativeInt, Number, Percent, PositiveInt, Rate, Ratio, Refused, Strict
from sim.files.words import show
from sim.policy.errors import SeatrialError

__all__ = ["UNITS", "Derived", "Form", "Nullable", "Pods", "derive", "given", "made", "unsaid"]

T = TypeVar("T")


class Form(Strict):
    """A file model that stands for a value of ours."""

    # Built with the file that holds it, or never: some hundred forms would cost half a second at import.
    model_config = ConfigDict(defer_build=True)

    @cached_property
    def made(self) -> Any:
        """The value. Raises SeatrialError or Refused, which the check below turns into an error of the file."""
        return None

    @model_validator(mode="after")
    def _makes(self) -> Self:
        try:
            _ = self.made
        except SeatrialError as error:
            raise ValueError(str(error)) from None
        return self

    def said(self, name: str) -> bool:
        """Whether the file gives this field."""
        return name in self.model_fields_set


class Derived(Form):
    """A form with the fields of the dataclass `makes`."""

    makes: ClassVar[type[Any]]

    @cached_property
    def made(self) -> Any:
        return self.makes(**given(self))

    def upon(self, base: T) -> T:
        """`base` with what the file gives in place of its own."""
        changed: T = replace(base, **given(self))  # type: ignore[type-var]
        return changed


def given(form: Strict, *names: str) -> dict[str, Any]:
    """What the file says, as our values, by field name: of all fields, or of these."""
    wanted = names or tuple(type(form).model_fields)
    return {name: made(getattr(form, name)) for name in wanted if name in form.model_fields_set}


def made(value: Any) -> Any:
    """A validated value as ours: forms as what they stand for, lists as tuples."""
    if isinstance(value, Form):
        return value.made
    if isinstance(value, list):
        return tuple(made(item) for item in value)
    return value


def unsaid(*, alias: str | None = None) -> Any:
    """A field that may be left out and has no default to show: only `said` tells."""
    return Field(default_factory=lambda: None, alias=alias)


class Nullable:
    """Marks a type that may also be null. `X | None` would do, but a union must be hashable and a discriminator is not."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return nullable_schema(handler(source))


def _pods(value: object) -> int | str:
    """`Deployment`'s IntOrString: a number of pods, or a percentage of them."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**6:
        return value
    if (
        isinstance(value, str)
        and value.endswith("%")
        and value[:-1].isascii()
        and value[:-1].isdigit()
        and len(value) < 6
    ):
        return value
    raise Refused(f"{show(value)} is not a number of pods", "write e.g. 2 or 25%")


Pods = Annotated[
    Any,
    BeforeValidator(_pods),
    WithJsonSchema(
        {
            "description": "Pods: 2 or 25%",
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+%$"}],
        }
    ),
]

UNITS: dict[str, Any] = {
    # judges
    "alpha": Ratio, "beta": Ratio, "p0": Ratio, "quantile": Ratio, "probability": Ratio, "max_error_rate": Ratio, "slo": Ratio,
    "GroupSequential.margin": Ratio, "EProcessCdf.margin": Duration,  # EProcessCounts.margin is a plain ratio of two error rates
    "max_latency": Duration, "BakeTime.seconds": Duration, "max_seconds": Duration, "hold": Duration,
    "min_requests": NonNegativeInt,
    # policies
    "max_surge": Pods, "max_unavailable": Pods, "min_ready": Duration, "progress_deadline": Duration,
    "scale_down_delay": Duration, "abort_scale_down_delay": Duration, "auto_promotion_after": Duration,
    "progress_threshold": Pods, "scale_down_delay_revisions": NonNegativeInt,
    "preview_replicas": PositiveInt, "min_pods": NonNegativeInt, "max_weight": Percent,
    # service
    "median": Duration, "p99": Duration, "limit": Duration, "bounds": list[Duration], "capacity": Rate, "cold": Duration,
    "scrape": Duration, "lag": Duration, "every": Duration,
    "rollback": Duration, "watch": Duration, "count": PositiveInt, "testers": Rate,
    # traffic
    "mean": Rate, "base": Rate, "peak": Duration, "Diurnal.start": Duration, "Ramp.start": Rate, "Ramp.end": Rate, "over": Duration,
    "lasts": Duration, "first": Duration, "share": Ratio,
    # pipeline
    "p_bad": Ratio, "p_drop": Ratio, "p_fail": Ratio, "p_catch": Ratio, "p_flaky": Ratio, "p_bad_fix": Ratio, "visible": Ratio,
    "period": Duration, "jitter": Duration, "min_gap": Duration, "coalesce": Duration, "Retry.base": Duration, "cap": Duration,
    "max_age": Duration, "gc_every": Duration, "resync": Duration, "Propagation.rate": Rate, "sample": Duration, "evaluate": Duration,
    "pending": Duration, "group_wait": Duration, "lookback": Duration,
}  # fmt: skip


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def derive(
    cls: type, name: str = "", *, types: Mapping[str, Any] | None = None, skip: tuple[str, ...] = ()
) -> type[Derived]:
    """The form of a dataclass. `types` overrides what a field is; fields of `skip` are not the file's business."""
    hints, own = _hints(cls), dict(types or {})
    definitions: dict[str, Any] = {}
    for field in fields(cls):
        if not field.init or field.name.startswith("_") or field.name in skip:
            continue
        kind = own[field.name] if field.name in own else _kind(cls, field.name, hints[field.name])
        definitions[field.name] = (kind, _default(field))
    form = create_model(
        name or cls.__name__, __base__=Derived, __doc__=(cls.__doc__ or "").strip().partition("\n")[0], **definitions
    )
    form.makes = cls
    return form


def _default(field: Any) -> Any:
    """Simple defaults are shown in the schema; others only exist."""
    if field.default is MISSING and field.default_factory is MISSING:
        return Field()
    if isinstance(field.default, bool | int | float | str | types.NoneType):
        return Field(default=field.default)
    return unsaid()


def _kind(cls: type, name: str, hint: Any) -> Any:
    """The file type of a field."""
    optional = _optional(hint)
    kind = UNITS.get(f"{cls.__name__}.{name}", UNITS.get(name))
    if kind is None:
        kind = _plain(optional[0] if optional else hint)
    return Annotated[kind, Nullable()] if optional else kind


def _optional(hint: Any) -> tuple[Any] | None:
    """The X of `X | None`."""
    if get_origin(hint) not in (Union, types.UnionType) or types.NoneType not in get_args(hint):
        return None
    rest = [arg for arg in get_args(hint) if arg is not types.NoneType]
    return (rest[0],) if len(rest) == 1 else (Union[tuple(rest)],)  # noqa: UP007 - built at run time


def _plain(hint: Any) -> Any:
    from sim.durations import Duration as Spread
    from sim.scenario.spreads import Spread as SpreadType

    if hint == Spread:
        return SpreadType
    if hint is float:
        return Number
    if hint in (int, bool, str):
        return Annotated[int, Field(ge=-(10**12), le=10**12)] if hint is int else hint
    if get_origin(hint) is Literal:
        return hint
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        return list[_plain(inner[0])]  # type: ignore[misc]
    if is_dataclass(hint) and isinstance(hint, type):
        return derive(hint)
    raise TypeError(f"no file type for {hint}; name one in UNITS")
