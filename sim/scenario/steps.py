"""The steps of a program, each a mapping with one key: `- setWeight: 20`."""

from __future__ import annotations

from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from sim.files import Duration, Name, Number, PositiveInt, Ratio, Refused, branch
from sim.policy.commands import Match, Mirror, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.steps import Analyse, Experiment, Gate, Pause, ScaleCanary, Step
from sim.scenario.choices import Single, choice, either, single
from sim.scenario.derive import Form, given, unsaid
from sim.scenario.judging import AnalysisForm, WholeAnalysis, analysis

__all__ = ["AnalyseStep", "Percentage", "StepType", "Weight", "percent", "whole"]


def whole(number: float) -> float:
    """20.0 as 20, which is how the policies print it."""
    return int(number) if number == int(number) else number


def percent(ratio: float) -> float:
    """A ratio in percent, free of the last digit's noise."""
    return whole(round(ratio * 100, 9))


def _weight(value: float) -> float:
    if not 0 <= value <= 100:
        raise Refused(f"{value:g} is {'less than 0' if value < 0 else 'more than 100'}", "use 0 to 100")
    return whole(value)


_PERCENT = {"type": "number", "minimum": 0, "maximum": 100, "description": "A weight in percent, 0 to 100"}
Weight = Annotated[Number, AfterValidator(_weight), WithJsonSchema(_PERCENT)]
Percentage = Annotated[Ratio, AfterValidator(percent)]


class PauseBody(Form):
    """`{duration: 5m}`, or `{}` to wait for a person."""

    duration: Duration = unsaid()

    @cached_property
    def made(self) -> Pause:
        return Pause(self.duration if self.said("duration") else None)


class ScaleBody(Form):
    """Size of the canary: `{replicas: 3}`, `{weight: 50}` or `{matchTrafficWeight: true}`."""

    replicas: Annotated[int, Field(ge=0, le=10**6)] = unsaid()
    weight: Annotated[int, Field(ge=0, le=100)] = unsaid()
    match: bool = Field(default=False, alias="matchTrafficWeight")

    @cached_property
    def made(self) -> ScaleCanary:
        told = given(self)
        if len(told) != 1:
            raise PolicyError("set exactly one of replicas, weight and matchTrafficWeight; see ScaleCanary")
        return ScaleCanary(told.get("replicas"), told.get("weight"), bool(told.get("match", False)))


class ExperimentBody(Form):
    """Fresh baseline and canary pods beside the service."""

    duration: Duration = unsaid()
    analysis: WholeAnalysis = unsaid()
    baseline: PositiveInt = 1
    canary: PositiveInt = 1

    @cached_property
    def made(self) -> Experiment:
        told = given(self)
        if told.get("duration") is None and told.get("analysis") is None:
            raise PolicyError("an experiment needs a duration or an analysis that ends; write e.g. duration: 5m")
        return Experiment(**told, required=told.get("duration") is None)


class AnalyseStep(Single):
    """Run an analysis that ends by itself; what is not said here is taken from the policy's `analysis`."""

    @cached_property
    def made(self) -> AnalyseStep:
        return self

    def step(self, shared: dict[str, Any] | None) -> Analyse:
        settings = (
            self.body.settings()
            if shared is None or self.body.said("metrics")
            else [shared | one for one in self.body.settings()]
        )
        return Analyse(analysis(settings))


class _Weighed(Single):
    @cached_property
    def made(self) -> Step:
        return SetWeight(self.body)


class _Matched(Single):
    @cached_property
    def made(self) -> Step:
        return Match(tuple(self.body))


class _Mirrored(Single):
    @cached_property
    def made(self) -> Step:
        return Mirror(self.body)


class _Gated(Single):
    @cached_property
    def made(self) -> Step:
        return Gate(self.body)


class _Paused(Single):
    @cached_property
    def made(self) -> Step:
        return self.body.made if isinstance(self.body, Form) else Pause(self.body)


STEPS: dict[str, type[Single]] = {
    "setWeight": single("setWeight", Weight, _Weighed),
    "pause": single("pause", either(Duration, PauseBody), _Paused),
    "analyse": single("analyse", AnalysisForm, AnalyseStep),
    "setCanaryScale": single("setCanaryScale", ScaleBody),
    "match": single("match", list[Name], _Matched),
    "mirror": single("mirror", Percentage, _Mirrored),
    "gate": single("gate", Name, _Gated),
    "experiment": single("experiment", ExperimentBody),
}

if TYPE_CHECKING:
    StepType = Any
else:
    StepType = Annotated[
        reduce(or_, [Annotated[form, branch(name)] for name, form in STEPS.items()]), choice("step", STEPS)
    ]


def program(steps: list[Any], shared: dict[str, Any] | None) -> tuple[Step, ...]:
    """The steps of a policy; `shared` is what its `analysis` says for steps that do not."""
    return tuple(step.step(shared) if isinstance(step, AnalyseStep) else step.made for step in steps)
