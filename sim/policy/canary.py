"""The canary family of policies: a program of steps with a background analysis; A/B, shadow and flag ramps are programs too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.policy.analysis import Analysis
from sim.policy.commands import Command
from sim.policy.deadline import check_deadline
from sim.policy.errors import PolicyError
from sim.policy.notes import Note
from sim.policy.program import Program
from sim.policy.steps import ScaleCanary, SetWeight, Step

__all__ = ["Canary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Shift traffic step by step. Times are seconds; defaults are Argo's (utils/defaults/defaults.go).

    With a `router` a weight is exact and pods follow it (rounded up); without one the pods' ratio is the weight. `pods=False`: the new
    code runs everywhere already and only the weight moves (a feature flag). `abort_scale_down_delay` None (Argo: an explicit 0): after
    an abort pods go at once, except those of a `ScaleCanary` that is the first step. `pods_follow_abort`: with `dynamic_stable_scale`
    they go together with their weight instead (Argo: unless abortScaleDownDelaySeconds is written). `paused`: it begins so, until a
    person resumes. `min_ready`: a pod counts as available that long after it is ready; it takes traffic before that.
    `progress_threshold`: so many pods, or such a share of those wanted ("60%"), are enough to get on and to be promoted; None: all
    (Argo: replicaProgressThreshold, of 1.10). `scale_down_delay_revisions`: of so many older revisions pods stay for the scale-down
    delay, those of further ones go at once; None: of all. `rollback_window`: a return to a revision older than stable, with fewer
    revisions than that between them, skips the steps. `profile`: the release of Argo Rollouts to follow (delivery-systems.md section
    2.20).
    """

    steps: tuple[Step, ...] = ()
    background: Analysis | None = None
    starting_step: int = 0
    router: bool = True
    pods: bool = True
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_pods: int = 0
    dynamic_stable_scale: bool = False
    scale_down_delay: float = 30.0
    abort_scale_down_delay: float | None = 30.0
    max_weight: int = 100
    progress_deadline: float = 600.0
    progress_deadline_abort: bool = False
    rollback_window: int = 0
    on_inconclusive: Literal["pause", "abort"] = "pause"
    pods_follow_abort: bool = True
    paused: bool = False
    min_ready: float = 0.0
    scale_down_delay_revisions: int | None = None
    progress_threshold: int | str | None = None
    profile: Literal["argo-rollouts@1.10", "argo-rollouts@1.8"] = "argo-rollouts@1.10"

    def __post_init__(self) -> None:
        for step in self.steps:
            if isinstance(step, SetWeight) and not 0 <= step.weight <= self.max_weight:
                raise PolicyError(f"a weight lies between 0 and {self.max_weight}, got {step.weight:g}")
            if isinstance(step, ScaleCanary) and not self.router:
                raise PolicyError("setCanaryScale needs a router; without one the pods' ratio is the weight")
        if not (self.router or self.pods):
            raise PolicyError("a flag without pods of its own moves by a router's weight; set router: true")
        if self.dynamic_stable_scale and not self.router:
            raise PolicyError("dynamicStableScale needs a router")
        if self.progress_threshold is not None:
            self._check_threshold(self.progress_threshold)
        check_deadline(self.progress_deadline, self.min_ready)

    def _check_threshold(self, threshold: int | str) -> None:
        number = threshold.removesuffix("%") if isinstance(threshold, str) else str(threshold)
        if not number.isdecimal() or (isinstance(threshold, str) and not threshold.endswith("%")):
            raise PolicyError(
                f"the progress threshold is a number of pods or a percentage, got {threshold!r}; write 3 or 60%"
            )
        if self.profile == "argo-rollouts@1.8":
            raise PolicyError(
                "replicaProgressThreshold came with Argo Rollouts 1.10; take the profile argo-rollouts@1.10"
            )

    def machine(self, emit: Callable[[Command | Note], None]) -> Program:
        return Program(self, emit)
