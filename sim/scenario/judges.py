"""Judges as a file writes them: by registry name with their fields, or a Python class."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from sim.files import Number, Refused, branch, parse_duration
from sim.files.words import choose, show
from sim.policy.judges import JUDGES, Judge
from sim.policy.judges.kayenta_metric import Metric as Series
from sim.scenario.authors import instance, known
from sim.scenario.choices import Single, choice, single
from sim.scenario.derive import Derived, Form, derive

__all__ = ["Bounds", "ChosenJudge", "JudgeType"]


@dataclass(frozen=True, slots=True)
class ChosenJudge:
    """A judge and the fields that the file gave it; what it did not give may be filled in by where the judge stands."""

    name: str
    judge: Judge
    said: frozenset[str] = frozenset()

    def filled(self, **values: object) -> Judge:
        """The judge with these fields, as far as it has them and the file does not say otherwise."""
        known = {field.name for field in fields(self.judge)}  # type: ignore[arg-type]
        wanted = {
            name: value
            for name, value in values.items()
            if name in known and name not in self.said and value is not None
        }
        filled: Judge = replace(self.judge, **wanted) if wanted else self.judge  # type: ignore[type-var]
        return filled


class _OwnJudge(Single):
    @cached_property
    def made(self) -> ChosenJudge:
        return ChosenJudge(self.key, self.body.made, frozenset(self.body.model_fields_set))


class PythonJudge(Form):
    """`python: module:Class`, with its fields under `with`."""

    python: Annotated[str, AfterValidator(known)]
    values: dict[str, Any] = Field(default_factory=dict, alias="with")

    @cached_property
    def made(self) -> ChosenJudge:
        judge = instance(self.python, self.values)
        if not (callable(getattr(judge, "start", None)) and isinstance(getattr(judge, "sequential", None), bool)):
            raise Refused(
                f"{self.python} is no judge", "give it start(seed, truth), name and sequential; see sim.policy.judges"
            )
        return ChosenJudge(getattr(judge, "name", type(judge).__name__), judge, frozenset(self.values))


_Pair = Annotated[
    list[Any],
    Field(min_length=3, max_length=3, description="[long window, short window, burn rate], e.g. [1h, 5m, 14.4]"),
]


def _pairs(value: list[list[Any]]) -> tuple[tuple[float, float, float], ...]:
    read = []
    for long, short, factor in value:
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            raise Refused(f"{show(factor)} is not a burn rate", "write e.g. 14.4")
        read.append((parse_duration(long), parse_duration(short), float(factor)))
    return tuple(read)


# Burn-rate windows: [[1h, 5m, 14.4], [6h, 30m, 6]].
if TYPE_CHECKING:
    Bounds = Any
else:
    Bounds = Annotated[list[_Pair], AfterValidator(_pairs)]

_Weights = Annotated[dict[str, Number], AfterValidator(lambda value: tuple(value.items()))]


def _judge_form(cls: type) -> type[Derived]:
    types: dict[str, Any] = {}
    names = {field.name for field in fields(cls)}
    if "page" in names:
        types = {"page": Bounds, "ticket": Bounds}
    if "weights" in names:
        types = {"weights": _Weights, "metrics": list[derive(Series, "KayentaMetric")]}  # type: ignore[misc]
    return derive(cls, types=types)


_FORMS: dict[str, type[Single]] = {name: single(name, _judge_form(cls), _OwnJudge) for name, cls in JUDGES.items()}


def _named(name: str) -> ChosenJudge:
    if name not in JUDGES:
        raise Refused(f"unknown judge {show(name)}", choose(name, tuple(JUDGES)))
    try:
        return ChosenJudge(name, JUDGES[name]())
    except TypeError:
        raise Refused(f"judge {name} has no defaults", f"write its fields: {{{name}: ...}}") from None


_CHOICES: list[Any] = [Annotated[form, branch(name)] for name, form in _FORMS.items()]
_CHOICES.append(Annotated[PythonJudge, branch("python")])
_CHOICES.append(Annotated[str, AfterValidator(_named), branch("text")])

# `threshold`, `{threshold: {...}}` or `{python: module:Class}`.
if TYPE_CHECKING:
    JudgeType = Any
else:
    JudgeType = Annotated[reduce(or_, _CHOICES), choice("judge", {**_FORMS, "python": PythonJudge}, text=True)]
