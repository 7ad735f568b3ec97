"""Trace a policy: run it against a script, and keep every change (contracts section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.policy.events import Event
from sim.policy.rollout import Policy, Rollout
from sim.trace.script import Script
from sim.trace.tracer import Tracer
from sim.trace.world import ScriptWorld

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


def trace(policy: Policy, script: Script, *, replicas: int = 1, name: str = "policy", profile: str = "") -> Trace:
    """Run `policy` with `replicas` pods against `script` until nothing more can happen, or `script.until`."""
    tracer = Tracer(stable=replicas)
    rollout = Rollout(policy, observe=tracer.heard)
    world = ScriptWorld(script, replicas, tracer.scaled)
    following: tuple[float, Event] | None = world.start()
    while following is not None:
        at, event = following
        tracer.happened(at, event)
        world.carry(at, rollout.handle(at, event))
        following = world.next(rollout.wakes_at)
    return Trace(name, profile, tracer.phase, tracer.reason, tuple(tracer.entries))
