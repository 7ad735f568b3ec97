"""The delivery system of a scenario as a file writes it -> `sim.pipeline.PipelineModel`, and its commits."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sim.files import Name, NonNegativeNumber, PositiveInt, PositiveNumber, Refused
from sim.pipeline.commits import Change
from sim.pipeline.git_history import read_history
from sim.pipeline.model import (
    Alerting,
    Artifacts,
    Commits,
    Delivery,
    Hop,
    Integration,
    PipelineModel,
    Poll,
    Propagation,
    Recovery,
    Retry,
    Risk,
    Wakeups,
    Webhook,
)  # fmt: skip
from sim.policy.errors import WorldError
from sim.scenario.derive import Derived, derive, given, unsaid
from sim.scenario.reader import reading
from sim.scenario.spreads import Amount, Share

__all__ = ["CommitsForm", "PipelineForm"]

_Risk = derive(Risk, "PipelineRisk", types={"severity": Share, "typical": PositiveNumber})
_Webhook = derive(Webhook, "PipelineWebhook")
_Poll = derive(Poll, "PipelinePoll")
_Wakeups = derive(Wakeups, "PipelineWakeups", types={"webhook": _Webhook | None, "poll": _Poll | None})
_Integration = derive(Integration, "PipelineIntegration", types={"wakeups": _Wakeups, "workers": PositiveInt})
_Artifacts = derive(Artifacts, "PipelineArtifacts", types={"retry": derive(Retry, "PipelineRetry")})
_Delivery = derive(Delivery, "PipelineDelivery", types={"wakeups": _Wakeups})
_Propagation = derive(Propagation, "PipelinePropagation", types={"hops": list[derive(Hop, "PipelineHop")]})  # type: ignore[misc]
_Alerting = derive(Alerting, "PipelineAlerting")
_Recovery = derive(Recovery, "PipelineRecovery")
_STAGES: dict[str, type[Derived]] = {
    "integration": _Integration, "artifacts": _Artifacts, "delivery": _Delivery, "propagation": _Propagation, "alerting": _Alerting,
    "recovery": _Recovery,
}  # fmt: skip


class PipelineForm(derive(PipelineModel, "PipelineStages", types=_STAGES, skip=("commits",))):  # type: ignore[misc]
    """The stages of a delivery system; what is not said keeps its default (`sim/pipeline/model.py`)."""

    @cached_property
    def made(self) -> PipelineModel:
        return self.upon(PipelineModel())

    def upon(self, model: PipelineModel) -> PipelineModel:
        stages = {
            field.name: getattr(self, field.name)
            for field in fields(PipelineModel)
            if field.name in self.model_fields_set
        }
        return replace(model, **{name: _over(stage, getattr(model, name)) for name, stage in stages.items()})


def _over(stage: Derived, base: Any) -> Any:
    """The stage with what the file gives, part by part: a poll's period alone keeps the default jitter."""
    told = {}
    for name in stage.model_fields_set:
        value, old = getattr(stage, name), getattr(base, name)
        told[name] = _over(value, old) if isinstance(value, Derived) and old is not None else given(stage, name)[name]
    return replace(base, **told)


def _hours(value: list[float]) -> tuple[float, ...]:
    return tuple(value)


_SYNTHETIC: dict[str, Any] = {
    "size": Amount, "risk": _Risk, "per_hour": PositiveNumber, "batch": list[NonNegativeNumber],
    "hours": Annotated[list[NonNegativeNumber], Field(min_length=2, max_length=2), AfterValidator(_hours)],
}  # fmt: skip


class CommitsForm(derive(Commits, "SyntheticCommits", types=_SYNTHETIC)):  # type: ignore[misc]
    """Commits: from a git repository (`from_git`), or synthetic. `risk` says which of them are bad, in both."""

    from_git: Name = unsaid()
    limit: PositiveInt = unsaid()
    since: int | str = unsaid()
    until: int | str = unsaid()
    merges: bool = False

    @cached_property
    def made(self) -> tuple[Commits, tuple[Change, ...] | None]:
        """(synthetic commits and risk, the changes of a repository or None)."""
        own = {name: value for name, value in given(self).items() if name not in _GIT}
        if not self.said("from_git"):
            strange = [name for name in _GIT if self.said(name)]
            if strange:
                raise WorldError(f"{', '.join(strange)} without from_git; add from_git: PATH")
            return Commits(**own), None
        strange = [name for name in own if name != "risk"]
        if strange:
            raise WorldError(f"{', '.join(strange)} beside from_git; remove it: the repository says it")
        return Commits(**own), self._history()

    def _history(self) -> tuple[Change, ...]:
        options = given(self, "limit", "since", "until", "merges")
        try:
            return read_history(Path(reading().locate(self.from_git)), **options)
        except WorldError as error:
            problem, _, remedy = str(error).rpartition("; ")
            raise Refused(problem or str(error), remedy) from None


_GIT = ("from_git", "limit", "since", "until", "merges")
