"""What a scenario is once it has been read: plain frozen values, without a trace of the file's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sim.faults.effects import Effect
from sim.faults.fault import Fault
from sim.policy.judges.base import Truth
from sim.policy.rollout import Policy
from sim.scenario.measures import MetricTable
from sim.scenario.providers import Providers, asked_texts
from sim.scenario.walking import asked
from sim.service.model import Service
from sim.service.telemetry.names import Identity

if TYPE_CHECKING:
    from sim.engine.paths import Case
    from sim.pipeline.commits import Change
    from sim.pipeline.model import PipelineModel

__all__ = ["Budget", "Expectation", "NamedPolicy", "Release", "Replications", "Scenario"]

T = TypeVar("T")
Sense = Literal["<=", ">="]


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy and where it comes from.

    `kind` is the form of an own file (canary, rolling, ...), else the kind of the manifest's object. `replicas` is what the file says,
    if it does. `report` holds the remarks of an import (`sim.manifests.Remark`); `profile` is the version it reproduces; `identity` says
    what the objects of the rollout are called.
    """

    name: str
    policy: Policy
    source: str
    replicas: int | None = None
    kind: str = ""
    report: tuple[Any, ...] = ()
    profile: str = ""
    identity: Identity | None = None

    def named(self, name: str) -> NamedPolicy:
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Release:
    """A condition under which every policy is tried: the faults of the new version and of its surroundings, and the truth about it."""

    name: str
    effects: tuple[Effect, ...] = ()
    truth: Truth = field(default_factory=lambda: Truth(bad=False))
    description: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Replications:
    """How many runs: looks at `minimum`, then every `batch`, to `maximum`; `half_width` is wanted of the intervals (None: of none)."""

    minimum: int = 1000
    maximum: int = 1000
    batch: int = 100
    half_width: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A requirement on a measure, `measure <= limit` (or >=), for the policies and releases named (empty: for all)."""

    measure: str
    limit: float
    sense: Sense = "<="
    band: float = 0.0
    policies: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected answer: this measure of this policy under this release lies within [low, high]. Empty names: all together."""

    measure: str
    low: float
    high: float
    policy: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A question, and everything that its answer depends on. `file` is where it was read from ('' if nowhere), not part of `digest`."""

    name: str
    question: str
    service: Service
    policies: tuple[NamedPolicy, ...]
    releases: tuple[Release, ...]
    metrics: MetricTable = field(default_factory=MetricTable)
    replications: Replications = field(default_factory=Replications)
    seed: int = 1
    budgets: tuple[Budget, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    pipeline: PipelineModel | None = None
    changes: tuple[Change, ...] | None = None
    digest: str = ""
    file: Path | None = None
    default_service: bool = False

    def cases(self) -> tuple[tuple[str, str, Case], ...]:
        """(policy, release, what the engine runs), policies outermost, in the order of the file."""
        from sim.engine.paths import Case

        def case(policy: NamedPolicy, release: Release) -> Case:
            return Case(policy.policy, self.service, release.effects, release.truth, self.metrics_of(policy))

        return tuple(
            (policy.name, release.name, case(policy, release)) for policy in self.policies for release in self.releases
        )

    def policy(self, name: str) -> NamedPolicy:
        """The policy with this name; KeyError names those there are."""
        return _one("policy", name, {policy.name: policy for policy in self.policies})

    def release(self, name: str) -> Release:
        """The release with this name; KeyError names those there are."""
        return _one("release", name, {release.name: release for release in self.releases})

    def metrics_of(self, policy: NamedPolicy) -> Providers | None:
        """Who answers what a policy asks in a provider's language; None if it asks nothing in one."""
        texts = asked_texts([*asked(policy.policy)])
        return Providers(self.metrics, self.service, policy.identity, texts) if texts else None


def _one(what: str, name: str, found: Mapping[str, T]) -> T:
    if name not in found:
        raise KeyError(f"no {what} {name!r}; there are {', '.join(found) or 'none'}")
    return found[name]
