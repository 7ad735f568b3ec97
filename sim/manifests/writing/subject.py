"""What is written, and what is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sim.files import format_duration
from sim.policy.rollout import Policy

__all__ = ["Loss", "Losses", "Object", "Subject", "duration", "seconds"]

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of a policy that the target says differently (approximated), not at all (lost), or asks for besides (placeholder)."""

    policy: str
    place: str
    status: Literal["approximated", "lost", "placeholder"]
    text: str

    def __str__(self) -> str:
        return f"{self.policy} {self.place}: {self.status}: {self.text}".replace(" : ", ": ")


@dataclass(slots=True)
class Losses:
    """What was lost of one policy."""

    policy: str
    found: list[Loss] = field(default_factory=list)

    def near(self, place: str, text: str) -> None:
        """Said, but not with quite the same meaning."""
        self._add(place, "approximated", text)

    def lose(self, place: str, text: str) -> None:
        """Not said at all."""
        self._add(place, "lost", text)

    def fill(self, place: str, text: str) -> None:
        """Written with a placeholder, for a person to fill in."""
        self._add(place, "placeholder", text)

    def _add(self, place: str, status: Literal["approximated", "lost", "placeholder"], text: str) -> None:
        loss = Loss(self.policy, place, status, text)
        if loss not in self.found:
            self.found.append(loss)


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy to write: its name and number of pods; and what a set of manifests says about the pods: their selector and
    template, or the name of the Deployment that has them."""

    name: str
    policy: Policy
    replicas: int = 1
    namespace: str = ""
    pods: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    losses: Losses = field(default_factory=lambda: Losses(""))

    def thing(self, version: str, kind: str, name: str, spec: Object) -> Object:
        """An object of Kubernetes."""
        metadata = {"name": name} | ({"namespace": self.namespace} if self.namespace else {})
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    def workload(self) -> Object:
        """Selector and pod template; with placeholders where no manifest gave them."""
        if "template" in self.pods:
            return dict(self.pods)
        self.losses.fill("pods", "a policy says nothing about containers: fill in the image, ports and probes")
        labels = {"app": self.name}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": self.name, "image": "IMAGE"}]}}
        return {"selector": {"matchLabels": labels}, "template": pod}


def duration(value: float) -> str:
    """A duration as Go reads it."""
    return format_duration(value, days=False)


def seconds(value: float, place: str, losses: Losses, least: int = 0) -> int:
    """Whole seconds, for fields that hold nothing else."""
    whole = max(least, round(value))
    if whole != value:
        losses.near(place, f"{value:g} s is written as {whole}: only whole seconds of at least {least} are said there")
    return whole
