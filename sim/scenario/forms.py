"""A scenario as a file writes it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sim.faults.presets import CONDITIONS, RELEASES
from sim.files import Duration, Name, NonNegativeInt, PositiveInt, Refused
from sim.files.words import choose, show
from sim.policy.errors import WorldError
from sim.scenario.choices import either
from sim.scenario.delivery import CommitsForm, PipelineForm
from sim.scenario.derive import Form, given, unsaid
from sim.scenario.meanings import MeaningType
from sim.scenario.measures import Meaning
from sim.scenario.policies import PolicyForm
from sim.scenario.quantities import MeasureName, Quantity, Requirement
from sim.scenario.references import policy_reference, service_reference
from sim.scenario.services import PeopleForm, ServiceForm
from sim.scenario.values import Budget, Expectation, Replications

__all__ = ["ReleaseForm", "ScenarioForm", "WrittenFaults"]

WrittenFaults = Annotated[
    list[Any],
    Field(
        description="Faults, each with id, kind, target, params, at_s, duration_s (see sim/faults; `seatrial schema faults`)"
    ),
]


class ReleaseForm(Form):
    """A condition: nothing (a good release), a named one, or faults; `bad` says the truth where the faults leave it open."""

    preset: str = "good"
    release: str = "errors-medium"
    faults: WrittenFaults = Field(default_factory=list)
    bad: bool = unsaid()
    description: str = ""

    @cached_property
    def made(self) -> ReleaseForm:
        if self.preset not in CONDITIONS:
            raise WorldError(f"unknown release {show(self.preset)}; {choose(self.preset, CONDITIONS)}")
        if self.said("release") and self.preset != "metrics-outage":
            raise WorldError(f"release: belongs to preset: metrics-outage, not to {self.preset}; remove it")
        if self.release not in RELEASES:
            raise WorldError(f"unknown release {show(self.release)}; {choose(self.release, tuple(RELEASES))}")
        return self


def _preset(name: str) -> ReleaseForm:
    if name not in CONDITIONS:
        raise Refused(f"unknown release {show(name)}", choose(name, CONDITIONS))
    return ReleaseForm.model_validate({"preset": name})


class ReplicationsForm(Form):
    """How many runs: from `min`, until every interval is as narrow as `half_width` and every budget is decided, to `max`."""

    minimum: PositiveInt = Field(default=200, alias="min")
    maximum: PositiveInt = Field(default=20_000, alias="max")
    batch: PositiveInt = 100
    half_width: Quantity = unsaid()

    @cached_property
    def made(self) -> Replications:
        told = given(self)
        if self.said("half_width") and not self.half_width > 0:
            raise WorldError("a half-width of 0 takes for ever; write e.g. half_width: 1%")
        if self.minimum > self.maximum:
            raise WorldError(f"min must not exceed max, got {self.minimum} and {self.maximum}; swap them")
        return Replications(**{"minimum": self.minimum, "maximum": self.maximum, **told})


def _times(count: int) -> Replications:
    return Replications(count, count)


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value


_SOME = {
    "description": "A name, or a list of names",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
Names = Annotated[list[Name], BeforeValidator(_names), WithJsonSchema(_SOME)]


class WhenForm(Form):
    """Which policies and releases a budget is about; nothing said: all."""

    policy: Names = Field(default_factory=list)
    release: Names = Field(default_factory=list)


class BudgetForm(Form):
    """A requirement on a measure of results."""

    measure: MeasureName
    fail: Requirement
    band: Quantity = 0.0
    when: WhenForm = unsaid()

    @cached_property
    def made(self) -> Budget:
        sense, limit = self.fail
        names = (tuple(self.when.policy), tuple(self.when.release)) if self.said("when") else ((), ())
        return Budget(self.measure, limit, sense, self.band, *names)


class ExpectationForm(Form):
    """The expected answer, with its tolerance."""

    measure: MeasureName
    between: Annotated[list[Quantity], Field(min_length=2, max_length=2)]
    policy: str = ""
    release: str = ""

    @cached_property
    def made(self) -> Expectation:
        low, high = self.between
        if low > high:
            raise WorldError(f"between must rise, got {low:g} and {high:g}; swap them")
        return Expectation(self.measure, low, high, self.policy, self.release)


if TYPE_CHECKING:
    PolicyType = Any
    ServiceType = Any
    ReleaseType = Any
    ReplicationsType = Any
else:
    PolicyType = either(Annotated[str, AfterValidator(policy_reference)], PolicyForm)
    ServiceType = either(Annotated[str, AfterValidator(service_reference)], ServiceForm)
    ReleaseType = either(Annotated[str, AfterValidator(_preset)], ReleaseForm)
    ReplicationsType = either(Annotated[PositiveInt, AfterValidator(_times)], ReplicationsForm)


class ScenarioForm(Form):
    """One question, and all that its answer depends on."""

    seatrial: Literal["scenario"]
    name: Name = unsaid()
    question: str = ""
    service: ServiceType = unsaid()
    policy: PolicyType = unsaid()
    policies: Annotated[dict[Name, PolicyType], Field(min_length=1)] = Field(default_factory=dict)
    releases: Annotated[dict[Name, ReleaseType], Field(min_length=1)] = Field(default_factory=dict)
    faults: WrittenFaults = Field(default_factory=list)
    allow_irreversible: bool = False
    people: PeopleForm = unsaid()  # type: ignore[valid-type]
    metrics: dict[Name, MeaningType] = Field(default_factory=dict)
    replications: ReplicationsType = 1000
    seed: NonNegativeInt = 1
    horizon: Duration = unsaid()
    budgets: list[BudgetForm] = Field(default_factory=list)
    expect: list[ExpectationForm] = Field(default_factory=list)
    pipeline: PipelineForm = unsaid()
    commits: CommitsForm = unsaid()

    @cached_property
    def made(self) -> None:
        if self.said("policy") == self.said("policies"):
            raise WorldError("a scenario has either policy or policies; add policies: {name: PATH}")
        if self.said("horizon") and not self.horizon > 0:
            raise WorldError("a horizon of 0 s shows nothing; write e.g. horizon: 24h")

    def table(self) -> tuple[tuple[str, Meaning], ...]:
        return tuple(
            (name, measure.made if isinstance(measure, Form) else measure) for name, measure in self.metrics.items()
        )
