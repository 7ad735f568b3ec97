"""What `metrics:` of a scenario says about a metric: a measure, a measure within limits (a verdict), or one answer for ever."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from sim.files.unions import branch
from sim.policy.errors import PolicyError
from sim.scenario.answers import AnswerType
from sim.scenario.choices import choice
from sim.scenario.derive import Form, given, unsaid
from sim.scenario.judging import MeasureForm, measured
from sim.scenario.measures import Given, Meaning, Within
from sim.scenario.quantities import Quantity
from sim.tracing.script import HANG

__all__ = ["AnswerForm", "MeaningForm", "MeaningType"]


class MeaningForm(MeasureForm):
    """What a metric measures; with limits it answers true or false, as a job that tests the new version would."""

    least: Quantity = unsaid()
    most: Quantity = unsaid()

    @cached_property
    def made(self) -> Meaning:
        limits = given(self, "least", "most")
        measure = self.measure_of(skip=tuple(limits))
        return Within(measure, **limits) if limits else measure


class AnswerForm(Form):
    """`{answer: Successful}`: a metric that answers the same whatever happens."""

    answer: AnswerType

    @cached_property
    def made(self) -> Given:
        if self.answer is HANG:
            raise PolicyError(
                "a metric that never answers is a fault; use answer: error, or a fault telemetry.provider_error"
            )
        return Given(self.answer)


_MEANINGS: dict[str, type] = {"measure": MeaningForm, "answer": AnswerForm}
if TYPE_CHECKING:
    MeaningType = Any
else:
    MeaningType = Annotated[
        Annotated[MeaningForm, branch("measure")]
        | Annotated[AnswerForm, branch("answer")]
        | Annotated[str, AfterValidator(measured), branch("text")],
        choice("meaning", _MEANINGS, text=True),
    ]
