"""What faults do in the simulator, as values that the world reads.

Seconds since the rollout's start; probabilities and shares in [0, 1]. A window is active on [start, end); `end` is
math.inf for a fault that lasts as long as its version, and equals the start of an instant. A fault of zero intensity
gives effects that change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Version = Literal["canary", "stable", "all"]


@dataclass(frozen=True, slots=True)
class VersionEffect:
    """Requests of a version fail or are slow.

    It bites from `onset` on: `after` seconds after the version first served (strictly later, when `after` is not 0),
    and not before `start`. Failures: min(cap, level x error_add + growth x (time since onset)). Latency: x (1 + level x
    (latency_factor - 1)) + level x latency_add; a share level x tail_share of the requests waits tail_add longer.
    `level` rises from 0 to 1 over `ramp`. `segment`: only requests of that class; None: all.
    """

    version: Version
    start: float
    end: float
    ramp: float = 0.0
    error_add: float = 0.0
    latency_add: float = 0.0
    latency_factor: float = 1.0
    after: float = 0.0
    growth: float = 0.0
    cap: float = 1.0
    segment: str | None = None
    tail_share: float = 0.0
    tail_add: float = 0.0

    def onset(self, served: float) -> float:
        """When it begins to bite a version that first served at `served` (math.inf: has not served yet)."""
        return max(self.start, served + self.after)

    def level(self, at: float, served: float) -> float:
        """The share of its full strength, in [0, 1]."""
        onset = self.onset(served)
        early = at <= onset if self.after > 0 and onset > self.start else at < onset
        if early or at >= self.end:
            return 0.0
        return min(1.0, (at - onset) / self.ramp) if self.ramp > 0 else 1.0

    def error(self, at: float, served: float) -> float:
        """The added probability that a request fails."""
        level = self.level(at, served)
        grown = self.growth * (at - self.onset(served)) if level > 0 and self.growth > 0 else 0.0
        return min(self.cap, level * self.error_add + grown)


@dataclass(frozen=True, slots=True)
class PodEffect:
    """Pods of a version are hit: `count` of them, or (count 0) a `fraction` of them.

    kill        at `at` they go; requests in flight have `delay` seconds to finish; replacements are scheduled at once.
    crash_loop  a start within the window ends after `delay` seconds with `probability`; the next start is `back_after`
                seconds later, doubling up to 300 s.
    slow_start  a pod that starts within the window is ready `delay` seconds later than it would be.
    node_loss   requests to them fail for `delay` seconds (until the node counts as lost) with `probability`; they are
                rescheduled `back_after` seconds after `at`, or are back at `end`, whichever comes first.
    node_reboot as node_loss, but the node has forgotten them: they start again, and are available so much later.
    """

    kind: Literal["kill", "crash_loop", "slow_start", "node_loss", "node_reboot"]
    version: Version
    at: float
    end: float
    count: int = 0
    fraction: float = 0.0
    delay: float = 0.0
    probability: float = 1.0
    back_after: float = 0.0


@dataclass(frozen=True, slots=True)
class TelemetryEffect:
    """Measurements are wrong or missing.

    gap    a `fraction` of the samples is missing: absent, never 0.
    lag    samples arrive `delay` seconds late, with their own time stamps.
    nan    what is measured is `code`: nan, inf, or empty (an answer without series).
    error  a query fails with `code` (an HTTP status) with probability `fraction`.
    reset  counters restart at 0, at `start`.
    """

    kind: Literal["gap", "lag", "nan", "error", "reset"]
    start: float
    end: float
    fraction: float = 1.0
    delay: float = 0.0
    code: str = ""


@dataclass(frozen=True, slots=True)
class LoadEffect:
    """Arrivals are multiplied by `factor`, or (rate not None) come at `rate` per second whatever was planned."""

    start: float
    end: float
    factor: float = 1.0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class DriverEffect:
    """The rollout's controller is down and sees nothing; at `end` it starts again from its journal."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PipelineEffect:
    """The delivery system is disrupted; the fields are those of `sim.pipeline.disruptions.Disruption`.

    `kind` is a name of the catalogue, `intensity` a probability or a share, `target` a stage ('': every one it can
    hit).
    """

    kind: str
    start: float
    end: float
    intensity: float = 1.0
    target: str = ""


Effect = VersionEffect | PodEffect | TelemetryEffect | LoadEffect | DriverEffect | PipelineEffect
