"""Our own policy files: short forms and step programs -> policies of `sim.policy`.

Every form is a mapping under one key (`canary:`, `rolling:`, ...), whose fields are those of the policy it makes, plus the analysis
that stands beside them. What the short forms mean, step by step, is in README.md.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sim.files import Duration, Name, PositiveInt, Refused
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Match, Mirror, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.judges.split import Split
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.runbook import Runbook
from sim.policy.steps import Analyse, Pause, ScaleCanary, Step
from sim.scenario.authors import instance, known
from sim.scenario.derive import Derived, Form, derive, given, unsaid
from sim.scenario.judges import ChosenJudge
from sim.scenario.judging import AnalysisForm, BackgroundAnalysis, WholeAnalysis, analysis
from sim.scenario.steps import Percentage, StepType, Weight, program

__all__ = ["FORMS", "PolicyFile", "PolicyForm", "author"]


def _rising(weights: list[float]) -> tuple[float, ...]:
    """Contracts section 11: a short form rises and ends at 100."""
    shown = f"({', '.join(f'{weight:g}' for weight in weights)}{',' if len(weights) == 1 else ''})"
    if any(low >= high for low, high in pairwise(weights)) or not weights or weights[-1] != 100 or weights[0] <= 0:
        raise Refused(f"weights must rise to 100, got {shown}", "list them in order, the last one 100")
    return tuple(weights)


Weights = Annotated[list[Weight], Field(max_length=1000), AfterValidator(_rising)]

_OPTIONS = tuple(field.name for field in fields(Canary) if field.name not in ("steps", "background", "pods"))
_CanaryOptions = derive(Canary, "CanaryOptions", skip=("steps", "background", "pods"))


class _Ramp(AnalysisForm, _CanaryOptions):  # type: ignore[valid-type, misc]
    """What canaries and flag ramps share: weights, how long each is held, and how it is judged."""

    weights: Weights = unsaid()
    guard: Literal["step", "background"] = unsaid()

    def options(self) -> dict[str, Any]:
        return given(self, *_OPTIONS)

    def ramp(self) -> dict[str, Any]:
        """steps, background and starting_step of the weights."""
        if not self.judged:
            raise PolicyError(
                "nothing is judged; add judge:, or metrics:, or measure: and success: (a program without any: steps)"
            )
        if not self.said("interval"):
            raise PolicyError("'interval' is missing; add e.g. interval: 60s")
        settings = self.settings()
        if self._background(settings):
            return self._beside(settings)
        look = Analyse(analysis(settings))
        return {"steps": tuple(step for weight in self.weights for step in (SetWeight(weight), look))}

    def _beside(self, settings: list[dict[str, Any]]) -> dict[str, Any]:
        """One background analysis; each weight below 100 is held for interval x count. No baseline is left at 100."""
        longest = max(one["interval"] * self._looks(one) for one in settings)
        held = [(SetWeight(weight), Pause(longest)) for weight in self.weights if weight < 100]
        if not held:
            raise PolicyError("a background guard needs a weight below 100, got (100,); add one")
        background = analysis(settings, endless=True)
        return {
            "steps": (*(step for pair in held for step in pair), SetWeight(100)),
            "background": background,
            "starting_step": 1,
        }

    def _looks(self, said: dict[str, Any]) -> float:
        if "duration" in said:
            return float(said["duration"] / said["interval"])
        if "count" not in said:
            raise PolicyError("'count' is missing; it says how many intervals a weight is held")
        return float(said["count"])

    def _background(self, settings: list[dict[str, Any]]) -> bool:
        """Sequential judges carry their evidence from weight to weight; batch judges look at each weight anew."""
        if self.said("guard"):
            return self.guard == "background"
        judges = [one.get("judge") for one in settings]
        return bool(judges) and all(isinstance(chosen, ChosenJudge) and chosen.judge.sequential for chosen in judges)


class CanaryBody(_Ramp):
    """Shift traffic by weight: short (`weights`), or as a program (`steps`, with `analysis` and `background`)."""

    steps: list[StepType] = Field(default_factory=list)
    analysis: AnalysisForm = unsaid()
    background: BackgroundAnalysis = unsaid()

    @cached_property
    def made(self) -> Canary:
        if self.said("weights") == self.said("steps"):
            raise PolicyError("a canary has either weights or steps; write e.g. weights: [5, 20, 50, 100]")
        if self.said("weights"):
            for name in ("analysis", "background", "starting_step"):
                if self.said(name):
                    raise PolicyError(f"{name} belongs to steps; remove it, or write the weights as steps")
            return Canary(**{**self.options(), **self.ramp()})
        strange = [name for name in (*AnalysisForm.model_fields, "guard") if self.said(name)]
        if strange:
            raise PolicyError(f"{', '.join(strange)} beside steps; move it below analysis or background")
        shared = self.analysis.settings() if self.said("analysis") else [None]
        if len(shared) != 1:
            raise PolicyError("the analysis that steps share is one metric; list several in the step itself")
        return Canary(**self.options(), steps=program(self.steps, shared[0]), **given(self, "background"))


class FlagBody(_Ramp):
    """A feature flag: the code runs everywhere already, only the weight moves."""

    @cached_property
    def made(self) -> Canary:
        if not self.said("weights"):
            raise PolicyError("'weights' is missing; add e.g. weights: [1, 10, 50, 100]")
        return Canary(**{**self.options(), **self.ramp()}, pods=False)


class _Beside(AnalysisForm, _CanaryOptions):  # type: ignore[valid-type, misc]
    """One analysis while the new version serves beside the old one, then promotion."""

    scale: Annotated[
        int, Field(gt=0, le=100, description="Size of the canary meanwhile, in percent of the service")
    ] = 100

    def around(self, first: Step, last: Step, split: Split | None = None) -> Canary:
        if not self.judged:
            raise PolicyError("nothing is judged; add judge:, or metrics:, or measure: and success:")
        steps = (ScaleCanary(weight=self.scale), first, Analyse(analysis(self.settings(), split=split)), last)
        return Canary(**given(self, *_OPTIONS), steps=steps)


class AbBody(_Beside):
    """An A/B test: these segments see the new version, whatever the weight."""

    segments: Annotated[list[Name], Field(min_length=1)]

    @cached_property
    def made(self) -> Canary:
        return self.around(Match(tuple(self.segments)), Match(()))


class ShadowBody(_Beside):
    """Copies of requests go to the new version, whose answers nobody sees."""

    percent: Percentage = 100.0

    @cached_property
    def made(self) -> Canary:
        if not 0 < self.percent <= 100:
            raise PolicyError("a mirror of 0% shows nothing; write e.g. percent: 10%")
        # Copies come on top of all traffic: the planned weight is 0, so judges compare by the requests counted.
        return self.around(Mirror(self.percent), Mirror(0), split="requests")


BlueGreenBody: type[Derived] = derive(BlueGreen, "BlueGreenBody", types={"pre": WholeAnalysis, "post": WholeAnalysis})
RollingBody: type[Derived] = derive(Rolling, "RollingBody", skip=("recreate",))


class RecreateBody(Form):
    """Everything goes, then everything comes."""

    progress_deadline: Duration = 600.0

    @cached_property
    def made(self) -> Rolling:
        return Rolling(recreate=True, **given(self))


FORMS: tuple[str, ...] = (
    "canary",
    "rolling",
    "recreate",
    "all-at-once",
    "blue-green",
    "ab",
    "shadow",
    "flag",
    "python",
)


class PolicyForm(Form):
    """A policy: a name, and exactly one form."""

    name: Name = unsaid()
    description: str = ""
    replicas: PositiveInt = unsaid()
    canary: CanaryBody = unsaid()
    rolling: RollingBody = unsaid()  # type: ignore[valid-type]
    recreate: RecreateBody = unsaid()
    at_once: RecreateBody = unsaid(alias="all-at-once")
    blue_green: BlueGreenBody = unsaid(alias="blue-green")  # type: ignore[valid-type]
    ab: AbBody = unsaid()
    shadow: ShadowBody = unsaid()
    flag: FlagBody = unsaid()
    python: Annotated[str, AfterValidator(known)] = unsaid()
    values: dict[str, Any] = Field(default_factory=dict, alias="with")
    patience: Duration = 30.0

    @cached_property
    def kind(self) -> str:
        """The form's key."""
        said = [key for key in FORMS if self.said(_FIELD.get(key, key))]
        if len(said) != 1:
            what = (
                f"{' and '.join(said)} in one policy; keep one of them"
                if said
                else f"no policy here; add one of: {', '.join(FORMS)}"
            )
            raise PolicyError(what)
        return said[0]

    @cached_property
    def made(self) -> Policy:
        if self.kind != "python":
            for name, key in (("values", "with"), ("patience", "patience")):
                if self.said(name):
                    raise PolicyError(f"{key!r} belongs to python; remove it")
            policy: Policy = getattr(self, _FIELD.get(self.kind, self.kind)).made
            return policy
        return author(self.python, self.values, **given(self, "patience"))


def author(reference: str, values: dict[str, Any], **options: float) -> Policy:
    """The policy of a Python class: with `machine` it is one itself, with `steps` a runbook. Raises Refused."""
    thing = instance(reference, values)
    if callable(getattr(thing, "machine", None)):
        policy: Policy = thing
        return policy
    if not callable(getattr(thing, "steps", None)):
        raise Refused(
            f"{reference} is neither a runbook nor a policy", "give it steps(self) that yields, or machine(self, emit)"
        )
    return Runbook(thing, **options)


_FIELD = {"all-at-once": "at_once", "blue-green": "blue_green"}


class PolicyFile(PolicyForm):
    """A policy in a file of its own."""

    seatrial: Literal["policy"]
