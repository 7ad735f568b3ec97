"""Measures, metrics and analyses as a file writes them -> `sim.policy` values."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sim.files import Duration, Name, NonNegativeInt, PositiveInt, Ratio, Refused, branch
from sim.files.words import choose, show
from sim.policy.analysis import Analysis, Conditions, Judged, Limits, Metric, OnUnknown, Rule
from sim.policy.commands import Counts
from sim.policy.errors import PolicyError
from sim.policy.expr import Condition, ConditionError, parse_condition
from sim.policy.judges import Judge
from sim.policy.judges.split import Split
from sim.scenario.choices import choice
from sim.scenario.derive import Form, given, unsaid
from sim.scenario.judges import JudgeType
from sim.scenario.measures import KINDS, Asked, Kind, Measure, Of, Unit

__all__ = [
    "AnalysisForm", "BackgroundAnalysis", "MeasureForm", "MeasureType", "MetricForm", "WholeAnalysis", "analysis",
    "measured",
]  # fmt: skip


class MeasureForm(Form):
    """What a metric measures."""

    measure: Kind
    of: Of = "canary"
    quantile: Ratio = 0.99
    window: Duration = 60.0
    unit: Unit | Literal[""] = ""

    @cached_property
    def made(self) -> Any:
        return self.measure_of()

    def measure_of(self, skip: tuple[str, ...] = ()) -> Measure:
        """The measure, without what a form with more fields means by those in `skip`."""
        values = {name: value for name, value in given(self).items() if name not in skip}
        if "quantile" in values and self.measure != "latency":
            raise PolicyError(f"{self.measure} has no quantile; remove it")
        return Measure(values.pop("measure"), **values)


def measured(name: str) -> Measure:
    if name not in KINDS:
        raise Refused(f"unknown measure {show(name)}", choose(name, KINDS))
    return Measure(name)


_MEASURES: dict[str, type] = {"measure": MeasureForm}
# `success-rate` or `{measure: latency, of: stable, quantile: 95%}`.
if TYPE_CHECKING:
    MeasureType = Any
else:
    MeasureType = Annotated[
        Annotated[MeasureForm, branch("measure")] | Annotated[str, AfterValidator(measured), branch("text")],
        choice("measure", _MEASURES, text=True),
    ]


def _condition(text: str) -> Condition:
    try:
        return parse_condition(text)
    except ConditionError as error:
        raise Refused(f"column {error.column}: {error.problem}", error.remedy) from None


if TYPE_CHECKING:
    ConditionType = Any
else:
    ConditionType = Annotated[str, AfterValidator(_condition)]


class MetricForm(Form):
    """One metric: a judge, or conditions over a measure; when it is measured; and what its limits are. Names as in `Metric`."""

    name: Name = unsaid()
    judge: JudgeType = unsaid()
    measure: MeasureType = unsaid()
    success: ConditionType = unsaid()
    failure: ConditionType = unsaid()
    interval: Duration = unsaid()
    count: PositiveInt = unsaid()
    duration: Duration = unsaid()
    window: Duration = unsaid()
    initial_delay: Duration = unsaid()
    failure_limit: Annotated[int, Field(ge=-1, le=10**6)] = 0
    inconclusive_limit: NonNegativeInt = 0
    consecutive_error_limit: NonNegativeInt = 4
    consecutive_success_limit: NonNegativeInt = 0
    retry: Duration = 10.0
    dry_run: bool = False
    on_nodata: OnUnknown = "inconclusive"
    on_nan: OnUnknown = "inconclusive"
    on_error: OnUnknown = "inconclusive"


class AnalysisForm(MetricForm):
    """A metric, or several that share what stands beside them."""

    metrics: list[MetricForm] = Field(default_factory=list)

    @property
    def judged(self) -> bool:
        """Whether anything is said about how to judge."""
        return any(self.said(name) for name in ("judge", "success", "failure", "metrics"))

    def settings(self) -> list[dict[str, Any]]:
        """What is said about each metric, with what all of them share."""
        shared = given(self, *MetricForm.model_fields)
        own = [shared | given(metric) for metric in self.metrics] if self.said("metrics") else [shared]
        if self.said("metrics") and self.said("name"):
            raise PolicyError("the name belongs to one metric; move it into metrics")
        return own


class WholeAnalysis(AnalysisForm):
    """An analysis that says all about itself."""

    @cached_property
    def made(self) -> Analysis:
        return analysis(self.settings())


class BackgroundAnalysis(AnalysisForm):
    """An analysis beside the steps: without data it is inconclusive and stops for a person, unless it says otherwise."""

    @cached_property
    def made(self) -> Analysis:
        return analysis(self.settings())


LIMITS = (
    "failure_limit",
    "inconclusive_limit",
    "consecutive_error_limit",
    "consecutive_success_limit",
    "retry",
    "dry_run",
)


def analysis(
    settings: list[dict[str, Any]],
    *,
    endless: bool = False,
    on_nodata: OnUnknown | None = None,
    split: Split | None = None,
) -> Analysis:
    """The analysis of these metrics. `endless`: it runs until it is ended. `on_nodata`, `split`: where the file does not say."""
    if not settings:
        raise PolicyError("an analysis needs at least one metric; list one under metrics")
    return Analysis(tuple(_metric({"on_nodata": on_nodata, **one}, endless, split) for one in settings))


def _metric(said: dict[str, Any], endless: bool, split: Split | None) -> Metric:
    interval = said.get("interval")
    count = None if endless else _count(said)
    window = said.get("window") or _own_window(said) or interval or 60.0
    rule, name, points = _rule(said, window, split)
    return Metric(
        said.get("name", name), Counts(window, points), rule, interval, count,
        said.get("initial_delay", interval or window),  # the first look comes when there is a whole window to look at
        **{key: said[key] for key in LIMITS if key in said},
    )  # fmt: skip


def _own_window(said: dict[str, Any]) -> float | None:
    """The window that the measure itself names; 60 s is what it has when it names none."""
    measure = said.get("measure")
    return measure.window if measure is not None and measure.window != 60.0 else None


def _count(said: dict[str, Any]) -> int | None:
    """How many measurements: `count`, or as many as fit into `duration`."""
    interval, duration = said.get("interval"), said.get("duration")
    if duration is None:
        count: int | None = said.get("count", 1 if interval is None else None)
        return count
    if "count" in said:
        raise PolicyError("count and duration say the same; keep one of them")
    if interval is None:
        raise PolicyError("a duration needs an interval; write e.g. interval: 60s")
    whole: int = round(duration / interval)
    if whole < 1 or abs(whole * interval - duration) > 1e-6 * duration:
        raise PolicyError(
            f"a duration of {duration:g} s is not a whole number of intervals of {interval:g} s; make it a multiple"
        )
    return whole


def _rule(said: dict[str, Any], window: float, split: Split | None) -> tuple[Rule, str, tuple[str, ...]]:
    """(verdict function, name of the metric, series that the judge reads)."""
    unknown = {key: said[key] for key in ("on_nan", "on_error") if key in said}
    chosen, conditions = said.get("judge"), "success" in said or "failure" in said
    if (chosen is not None) == conditions:
        raise PolicyError(
            "judge and conditions at once; keep one of them"
            if conditions
            else "nothing judges here; add judge:, or measure: and success:"
        )
    if chosen is not None:
        if "measure" in said:
            raise PolicyError(
                "a judge reads counts, not a measure; write success: or failure: for the measure, or remove it"
            )
        judge = chosen.filled(on_nodata=said["on_nodata"], split=split)
        return Judged(judge, **unknown), chosen.name, _points(judge)
    if "measure" not in said:
        raise PolicyError("conditions need something to look at; add e.g. measure: success-rate")
    measure = replace(said["measure"], window=window)
    limits = Limits(**unknown, **({"on_nodata": said["on_nodata"]} if said["on_nodata"] else {}))
    return Asked(measure, Conditions(said.get("success"), said.get("failure"), vector=False), limits), measure.key, ()


def _points(judge: Judge) -> tuple[str, ...]:
    """The series that a judge of samples names."""
    series = getattr(judge, "metrics", ()) or ((judge,) if getattr(judge, "metric", "") else ())
    return tuple(getattr(one, "name", "") if one is not judge else judge.metric for one in series)  # type: ignore[attr-defined]
