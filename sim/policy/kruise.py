"""OpenKruise's Rollout as a policy: steps of pods, traffic and a pause, in three styles (delivery-systems.md section 6).

`sim.policy.kruise_steps` is its course.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.policy.commands import Command
from sim.policy.errors import PolicyError
from sim.policy.kruise_steps import Steps, count
from sim.policy.notes import Note
from sim.policy.scale import bounds

__all__ = ["Kruise", "KruiseStep", "Style"]

Style = Literal["partition", "canary", "blueGreen"]
_MOST = 50  # steps; OpenKruise's own limit (CRD: MaxItems)


@dataclass(frozen=True, slots=True, kw_only=True)
class KruiseStep:
    """`traffic` in percent, or `matches`; `replicas` a number or a percentage; `pause` in seconds, None until a person approves."""

    replicas: int | str
    traffic: float | None = None
    matches: tuple[str, ...] = ()
    pause: float | None = None

    def __post_init__(self) -> None:
        count(1, self.replicas)
        if self.traffic is not None and not 0 <= self.traffic <= 100:
            raise PolicyError(f"traffic lies in 0%..100%, got {self.traffic:g}%")
        if self.pause is not None and self.pause < 0:
            raise PolicyError(f"a pause lasts 0 s or more, got {self.pause:g}")

    @property
    def routes(self) -> bool:
        return self.traffic is not None or bool(self.matches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kruise:
    """Times are seconds. `routing`: there is something that routes. The last three are the workload's own update strategy."""

    steps: tuple[KruiseStep, ...]
    style: Style = "partition"
    routing: bool = False
    failure_threshold: int | str = 0
    grace: float = 3.0
    paused: bool = False
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_ready: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= _MOST:
            raise PolicyError(f"OpenKruise takes 1 to {_MOST} steps, got {len(self.steps)}")
        if any(step.routes for step in self.steps) and not self.routing:
            raise PolicyError("traffic and matches need trafficRoutings; add them or write replicas only")
        sizes = [count(1000, step.replicas) if isinstance(step.replicas, str) else None for step in self.steps]
        known = [size for size in sizes if size is not None]
        if known != sorted(known):
            raise PolicyError("the replicas of the steps must not fall")
        count(1, self.failure_threshold)
        bounds(1, self.max_surge, self.max_unavailable)

    def machine(self, emit: Callable[[Command | Note], None]) -> Steps:
        return Steps(self, emit)
