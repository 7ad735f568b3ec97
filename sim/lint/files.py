"""Everything that a rule may look at: the documents of a set, the policies they give, and the service that is assumed or given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sim.files import Document, Problem
from sim.lint.finding import Severity
from sim.lint.spot import Spot
from sim.manifests.catalog import Catalog
from sim.manifests.report import Remark
from sim.manifests.systems import group_of
from sim.policy.rollout import Policy
from sim.scenario.providers import Providers
from sim.service.model import Service

__all__ = ["Files", "Question", "Subject"]

_GROUPS = {
    **dict.fromkeys(("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment"), "argoproj.io"),
    **dict.fromkeys(("Canary", "MetricTemplate"), "flagger.app"), "Deployment": "apps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What the person cares about: their service (or the default one), and the regression to be seen (a ratio of requests)."""

    service: Service
    regression: float = 0.02
    given: bool = False  # the service is the person's own

    @property
    def grave(self) -> Severity:
        """What follows from an assumed service is a note."""
        return "warning" if self.given else "note"

    def about(self) -> str:
        """The service in words."""
        rate = self.service.traffic.rate(0.0)
        whose = self.service.name if self.given else "the assumed service"
        return f"{whose}, {rate:,.4g} requests/s, {100 * self.service.errors:.3g}% errors"


@dataclass(frozen=True, slots=True)
class Subject:
    """One policy. `root` holds its fields as written: a Rollout's, Canary's or Deployment's spec, a Compose service, a form of ours."""

    name: str
    kind: str
    policy: Policy
    replicas: int
    root: Spot
    question: Question
    metrics: Mapping[tuple[str, str], Spot] = field(default_factory=dict)  # (template, metric) -> where it is written
    answers: Providers | None = None  # to its queries, by the telemetry of a service that is given

    def step(self, index: int) -> Spot:
        """Where a step is written; our short forms have weights instead."""
        holder = self.root.child("strategy", "canary") if self.kind == "Rollout" else self.root
        steps = holder.items("steps")
        if index < len(steps):
            return steps[index]
        return holder.child("weights") if holder.has("weights") else holder

    def analysis(self) -> Spot:
        """The analysis of a Flagger Canary."""
        return self.root.child("analysis" if self.root.has("analysis") else "canaryAnalysis")

    def metric(self, name: str, template: str = "") -> Spot:
        """Where a metric is written."""
        found = self.metrics.get((template, name))
        if found is not None:
            return found
        if self.kind == "Canary":
            entries = self.analysis().items("metrics")
            return next((entry for entry in entries if entry.text("name") == name), self.analysis())
        for field_name in ("judge", "metrics", "background", "analysis", "measure"):
            if self.root.has(field_name):
                return self.root.child(field_name)
        return self.root


@dataclass(frozen=True)
class Files:
    """A set of files. `remarks` of their import, `rejected`: what the real validators refuse."""

    documents: tuple[Document, ...]
    catalog: Catalog
    subjects: tuple[Subject, ...]
    remarks: tuple[Remark, ...]
    rejected: tuple[Problem, ...]
    question: Question
    profile: str = ""  # that is wanted; the default of each system without it

    @cached_property
    def _by_kind(self) -> dict[str, list[Spot]]:
        found: dict[str, list[Spot]] = {}
        for document in self.documents:
            found.setdefault(_kind_of(document), []).append(Spot(document, (), document.value))
        return found

    def objects(self, *kinds: str) -> list[Spot]:
        """The Kubernetes objects of these kinds, those of one kind after the other."""
        return [spot for kind in kinds for spot in self._by_kind.get(kind, ())]


def _kind_of(document: Document) -> str:
    """The kind of a Kubernetes object; '' for another group's kind of the same name (OpenKruise has a Rollout too)."""
    value = document.value
    if not isinstance(value, Mapping) or "apiVersion" not in value:
        return ""
    kind = str(value.get("kind", ""))
    return kind if _GROUPS.get(kind, group_of(value)) == group_of(value) else ""
