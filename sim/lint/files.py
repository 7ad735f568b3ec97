"""Everything that a rule may look at: the documents of a set, the policies they give, and the service that is assumed or given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.files import Document, Problem
from sim.lint.finding import Finding, Severity
from sim.lint.spot import Spot
from sim.manifests.catalog import Catalog
from sim.manifests.report import Remark
from sim.policy.analysis import Metric
from sim.policy.rollout import Policy
from sim.service.model import Service

__all__ = ["Files", "Question", "Subject"]


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

    def step(self, index: int) -> Spot:
        """Where a step is written; our short forms have weights instead."""
        holder = self.root.child("strategy", "canary") if self.kind == "Rollout" else self.root
        steps = holder.items("steps")
        if index < len(steps):
            return steps[index]
        return holder.child("weights") if holder.has("weights") else holder

    def metric(self, metric: Metric) -> Spot:
        """Where a metric is written."""
        found = self.metrics.get((metric.template, metric.name))
        if found is not None:
            return found
        for name in ("judge", "metrics", "background", "analysis", "measure"):
            if self.root.has(name):
                return self.root.child(name)
        return self.root


@dataclass(frozen=True, slots=True)
class Files:
    """A set of files. `remarks` of their import, `rejected`: what the real validators refuse."""

    documents: tuple[Document, ...]
    catalog: Catalog
    subjects: tuple[Subject, ...]
    remarks: tuple[Remark, ...]
    rejected: tuple[Problem, ...]
    question: Question
    findings: list[Finding] = field(default_factory=list)

    def objects(self, *kinds: str) -> list[Spot]:
        """The Kubernetes objects of these kinds."""
        return [Spot(document, (), document.value) for document in self.documents if kind_of(document) in kinds]


def kind_of(document: Document) -> str:
    value = document.value
    return str(value.get("kind", "")) if isinstance(value, Mapping) and "apiVersion" in value else ""
