"""`export`: a set of manifests, or policies of ours, as the manifests of one system, with what cannot be said there.

What belongs to that system already, and companions (Service, Ingress, Secret, ...), pass through as written; policies of other
systems are written anew, their templates with them. Nothing is dropped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.files import Document
from sim.files.words import choose, show
from sim.manifests.catalog import kind_and_name
from sim.manifests.report import Imported, ImportedPolicy
from sim.manifests.sources import objects
from sim.manifests.systems import owners, system_of, workload
from sim.manifests.writing.argo import write_rollout
from sim.manifests.writing.compose import write_service
from sim.manifests.writing.flagger import write_canary
from sim.manifests.writing.kruise import write_kruise
from sim.manifests.writing.kubernetes import write_deployment
from sim.manifests.writing.subject import Loss, Losses, Object, Subject
from sim.manifests.writing.text import dump
from sim.policy.errors import PolicyError
from sim.policy.rollout import Policy

__all__ = ["TARGETS", "Exported", "Target", "export", "write"]


@dataclass(frozen=True, slots=True)
class Target:
    """A system to write for: its own name in `systems`, and what writes a policy for it."""

    system: str
    write: Callable[[Subject], list[Object]]


TARGETS: Mapping[str, Target] = {
    "argo-rollouts": Target("argo-rollouts", write_rollout),
    "flagger": Target("flagger", write_canary),
    "deployment": Target("kubernetes", write_deployment),
    "compose": Target("compose", write_service),
    "openkruise": Target("openkruise", write_kruise),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """Documents as plain values, in order, and what was lost. `exact`: read again, they give policies with the same traces."""

    documents: tuple[Any, ...]
    losses: tuple[Loss, ...]

    @property
    def exact(self) -> bool:
        return all(loss.status == "placeholder" for loss in self.losses)

    @property
    def text(self) -> str:
        """The documents as YAML."""
        return dump(self.documents)


def export(imported: Imported, to: str) -> Exported:
    """The set for another system, or the same one. PolicyError for a system that is not known."""
    return _Exporting(imported, target(to)).run()


def write(policies: Iterable[tuple[str, Policy, int]], to: str) -> Exported:
    """Policies of ours (name, policy, number of pods) for a system."""
    chosen = target(to)
    found: list[Any] = []
    losses: list[Loss] = []
    for name, policy, replicas in policies:
        subject = Subject(_named(name), policy, replicas, losses=Losses(name))
        found += chosen.write(subject)
        losses += subject.losses.found
    return Exported(tuple(found), tuple(losses))


def target(to: str) -> Target:
    if to not in TARGETS:
        raise PolicyError(f"no system to export to is called {show(to)}; {choose(to, tuple(TARGETS))}")
    return TARGETS[to]


def _named(name: str) -> str:
    """A name that Kubernetes takes (RFC 1123)."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63] or "policy"


def _values(part: Document) -> list[Any]:
    """The values that policies of a document were read from: the object, the services of a Compose file, the stages of a pipeline."""
    if part.kind_hint == "compose":
        return list(part.value["services"].values())
    stages = part.value.get("stages") if isinstance(part.value, dict) else None
    return [*stages, part.value] if part.kind_hint == "spinnaker" and isinstance(stages, list) else [part.value]


@dataclass(slots=True)
class _Exporting:
    imported: Imported
    target: Target
    found: list[Any] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def run(self) -> Exported:
        """Documents in order; for Compose the companions of Kubernetes have no place."""
        for document in self.imported.documents:
            parts = list(objects(document))
            if all(self._stays(part) for part in parts):
                self.found.append(document.value)
            else:
                for part in parts:
                    self._part(part)
        return Exported(tuple(self.found), tuple(self.losses))

    def _stays(self, part: Document) -> bool:
        system = system_of(part)
        return system == self.target.system or (not system and self.target.system != "compose")

    def _part(self, part: Document) -> None:
        if system_of(part) == "" and self.target.system == "compose":
            kind, name = kind_and_name(part.value)
            self.losses.append(Loss(name, kind, "lost", "a Compose file has no place for it"))
            return
        if self._stays(part):
            self.found.append(part.value)
            return
        policies = [one for one in self.imported.policies if any(one.document is value for value in _values(part))]
        for one in policies:
            self._policy(one, part)
        if part.kind_hint == "compose":
            text = "networks, volumes, images and all else of a service have no place in a rollout: only its update is written"
            self.losses.append(Loss("compose", "", "lost", text))
            return
        kind, name = kind_and_name(part.value)
        driven = (kind, name) in owners(list(self.imported.objects))
        if kind == "Deployment" and self.target.system in ("argo-rollouts", "flagger", "openkruise"):
            self.found.append(part.value)  # the workload stays
        elif not policies and not driven:
            self.losses.append(
                Loss(name, kind, "approximated", "of another system: its metrics stand where they are used")
            )

    def _policy(self, one: ImportedPolicy, part: Document) -> None:
        if one.policy is None:
            self.losses.append(Loss(one.name, one.kind, "lost", "it gives no policy: see seatrial validate"))
            return
        subject = Subject(_named(one.name), one.policy, one.replicas, *self._around(one, part), Losses(one.name))
        self.found += self.target.write(subject)
        self.losses += subject.losses.found

    def _around(self, one: ImportedPolicy, part: Document) -> tuple[str, Mapping[str, Any], str]:
        """The namespace, the pods if they stand in the object itself, and the Deployment of the set that has them else."""
        metadata, spec = part.value.get("metadata"), part.value.get("spec")
        namespace = str(metadata.get("namespace") or "") if isinstance(metadata, dict) else ""
        spec = spec if isinstance(spec, dict) else {}
        if one.kind == "Deployment" and self.target.system != "kubernetes":
            return namespace, {}, one.name
        reference = workload(spec)
        if reference is not None:
            return self._referred(reference, namespace)
        return namespace, {key: spec[key] for key in ("selector", "template") if key in spec}, ""

    def _referred(self, reference: Mapping[str, Any], namespace: str) -> tuple[str, Mapping[str, Any], str]:
        wanted = (reference.get("kind"), reference.get("name"))
        found = [one.value for one in self.imported.objects if kind_and_name(one.value) == wanted]
        if self.target.system != "kubernetes" or not found:
            return namespace, {}, str(reference.get("name") or "") if found else ""
        spec = found[0].get("spec") or {}
        return namespace, {key: spec[key] for key in ("selector", "template") if key in spec}, ""
