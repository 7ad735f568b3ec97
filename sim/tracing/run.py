"""Trace a policy: run it against a script, and keep every change (contracts section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.driver import drive
from sim.policy.commands import Command
from sim.policy.events import Event
from sim.policy.rollout import Policy, Rollout
from sim.tracing.script import Script
from sim.tracing.tracer import Tracer
from sim.tracing.world import ScriptWorld

__all__ = ["Trace", "trace"]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a policy did against a script; `entries` hold only changes, in order."""

    policy: str
    profile: str
    phase: str
    reason: str
    entries: tuple[dict[str, Any], ...]

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        head = {"policy": self.policy, "profile": self.profile, "phase": self.phase, "reason": self.reason}
        return head | {"entries": list(self.entries)}


@dataclass(frozen=True, slots=True)
class _Told:
    """A rollout whose events the tracer hears as well."""

    rollout: Rollout
    tracer: Tracer

    @property
    def wakes_at(self) -> float | None:
        return self.rollout.wakes_at

    def handle(self, at: float, event: Event) -> tuple[Command, ...]:
        self.tracer.happened(at, event)
        return self.rollout.handle(at, event)


def trace(policy: Policy, script: Script, *, replicas: int = 1, name: str = "policy", profile: str = "") -> Trace:
    """Run `policy` with `replicas` pods against `script` until nothing more can happen, or `script.until`.

    Raises WorldError for a metric that the script does not know, PolicyError for a policy that does not get on.
    """
    tracer = Tracer(stable=replicas)
    world = ScriptWorld(script, replicas, tracer.scaled)
    drive(_Told(Rollout(policy, observe=tracer.heard), tracer), world)
    return Trace(name, profile, tracer.phase, tracer.reason, tuple(tracer.entries))
