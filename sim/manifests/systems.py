"""Which system an object belongs to, told by its group and kind; what belongs to none is a companion and passes through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.files import Document
from sim.manifests.catalog import kind_and_name

__all__ = ["group_of", "owners", "system_of", "workload"]

_SYSTEMS: Mapping[tuple[str, str], str] = {
    ("argoproj.io", "Rollout"): "argo-rollouts", ("argoproj.io", "AnalysisTemplate"): "argo-rollouts",
    ("argoproj.io", "Experiment"): "argo-rollouts",
    ("argoproj.io", "ClusterAnalysisTemplate"): "argo-rollouts", ("flagger.app", "Canary"): "flagger",
    ("flagger.app", "MetricTemplate"): "flagger", ("apps", "Deployment"): "kubernetes",
    ("rollouts.kruise.io", "Rollout"): "openkruise",
}  # fmt: skip


def group_of(value: Mapping[str, Any]) -> str:
    """The API group of an object; empty for the core group."""
    return str(value.get("apiVersion", "")).rpartition("/")[0]


def system_of(document: Document) -> str:
    """The system whose object this is ('compose', 'spinnaker' and 'kayenta' for their files); '' for a companion."""
    hint = document.kind_hint
    if not hint.startswith("kubernetes:"):
        return hint if hint in ("compose", "spinnaker", "kayenta") else ""
    return _SYSTEMS.get((group_of(document.value), kind_and_name(document.value)[0]), "")


def owners(documents: list[Document]) -> dict[tuple[str, str], tuple[str, str]]:
    """Workloads that an object of the set drives: (kind, name) -> (system, who)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for document in documents:
        kind, name = kind_and_name(document.value)
        spec = document.value.get("spec") if kind in ("Rollout", "Canary") else None
        reference = workload(spec) if isinstance(spec, dict) else None
        if reference is not None:
            who = f"{kind} {name}"
            found[str(reference.get("kind")), str(reference.get("name"))] = (system_of(document), who)
    return found


def workload(spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The reference to the workload that a Rollout or a Canary drives."""
    inside = spec.get("objectRef")  # OpenKruise v1alpha1
    inside = inside if isinstance(inside, dict) else {}
    for reference in (spec.get("workloadRef"), spec.get("targetRef"), inside.get("workloadRef")):
        if isinstance(reference, dict):
            return reference
    return None
