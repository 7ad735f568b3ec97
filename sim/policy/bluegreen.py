"""Blue-green: the new revision stands complete beside the stable one, then the active service switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sim.policy.analysis import Analysis
from sim.policy.commands import Command
from sim.policy.deadline import check_deadline
from sim.policy.errors import PolicyError
from sim.policy.notes import Note
from sim.policy.swap import Swap

__all__ = ["BlueGreen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreen:
    """Switch all traffic at once. Times are seconds; defaults are Argo's (utils/defaults/defaults.go).

    `auto_promotion` False waits for a person before the switch; `auto_promotion_after` waits that long. `preview_replicas` keeps the
    preview small until then. The former stable pods go `scale_down_delay` (None: 30 s) after the new revision has become stable, which
    a post-promotion analysis puts off until it is Successful. The abort delay None keeps the new pods for ever.
    `rollback_window`: a return to a revision older than stable, with fewer revisions than that between them, skips pause and runs.
    `scale_down_delay_revisions`: only so many older revisions keep their pods for the delay (None: all).
    `paused`: it begins so, until a person resumes. `min_ready`: a pod counts as available that long after it is ready.
    """

    pre: Analysis | None = None
    post: Analysis | None = None
    auto_promotion: bool = True
    auto_promotion_after: float = 0.0
    preview_replicas: int | None = None
    scale_down_delay: float | None = None
    abort_scale_down_delay: float | None = 30.0
    preview: bool = True
    progress_deadline: float = 600.0
    progress_deadline_abort: bool = False
    rollback_window: int = 0
    on_inconclusive: Literal["pause", "abort"] = "pause"
    min_ready: float = 0.0
    scale_down_delay_revisions: int | None = None
    paused: bool = False

    def __post_init__(self) -> None:
        if self.auto_promotion_after < 0:
            raise PolicyError(f"autoPromotionSeconds is 0 or more, got {self.auto_promotion_after:g}")
        if self.preview_replicas is not None and self.preview_replicas < 1:
            raise PolicyError(
                f"previewReplicaCount is 1 or more, got {self.preview_replicas}; leave it out for the full size"
            )
        check_deadline(self.progress_deadline, self.min_ready)

    def machine(self, emit: Callable[[Command | Note], None]) -> Swap:
        return Swap(self, emit)
