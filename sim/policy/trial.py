"""An experiment under way: fresh pods of both revisions beside the service, and what is found out with them.

Rules (delivery-systems.md section 2.16; Argo: experiments/experiment.go).
1. Its time and its analysis begin once all its pods are available. One kind of pods that does not come within the progress
   deadline, counted from its last change, fails it.
2. A run that is not Successful ends it at once. A run that is `required` ends it when it is Successful, and is waited for.
   Any other is cut off when the time is over, and without a time nothing but a person ends the experiment.
3. Its pods stay for a while after it, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sim.policy.commands import SetExperiment
from sim.policy.events import ExperimentReady

if TYPE_CHECKING:
    from sim.policy.steps import Experiment

__all__ = ["Trial"]


class Trial:
    """The experiment of the current step, and the pods of the last one. Times are seconds."""

    __slots__ = ("_deadline", "_gone_at", "_min_ready", "_moved", "_pods", "_say", "_step", "since")

    def __init__(self, deadline: float, min_ready: float, say: Callable[[SetExperiment], None]) -> None:
        self._deadline, self._min_ready, self._say = deadline, min_ready, say
        self._step: Experiment | None = None
        self._pods = (0, 0)  # available ones: baseline, canary
        self._moved = [0.0, 0.0]  # when that changed
        self._gone_at: float | None = None
        self.since: float | None = None  # when all pods were available for the first time

    def begin(self, at: float, step: Experiment) -> None:
        """Make its pods; nothing if it has begun."""
        if self._step is not None:
            return
        if self._gone_at is not None:
            self._clear()
        self._step, self._moved, self.since = step, [at, at], None
        self._pods = (0, 0)
        self._say(SetExperiment(step.baseline, step.canary, self._min_ready))
        self._look(at)

    def see(self, at: float, event: ExperimentReady) -> None:
        pods = (event.baseline, event.canary)
        self._moved = [
            at if new != old else moved for new, old, moved in zip(pods, self._pods, self._moved, strict=True)
        ]
        self._pods = pods
        self._look(at)

    def _look(self, at: float) -> None:
        if self._step is not None and self.since is None and not self._missing(self._step):
            self.since = at

    def _missing(self, step: Experiment) -> list[int]:
        """Which of the two lack pods."""
        return [arm for arm, wanted in enumerate((step.baseline, step.canary)) if self._pods[arm] != wanted]

    def failed(self, at: float) -> str:
        """Why its pods have failed it, or nothing."""
        late = [name for due, name in self._deadlines(self._step) if at >= due] if self._step is not None else []
        return f"Template '{late[0]}' exceeded its progressDeadlineSeconds ({self._deadline:g})" if late else ""

    def _deadlines(self, step: Experiment) -> list[tuple[float, str]]:
        return [(self._moved[arm] + self._deadline, step.names[arm]) for arm in self._missing(step)]

    def over(self, at: float, phase: str) -> bool:
        """Whether it has ended well; `phase` is that of its run."""
        step = self._step
        if step is None or self.since is None:
            return False
        if step.required:
            return phase == "Successful"
        return step.duration is not None and at >= self.since + step.duration

    def due(self, looked_at: bool) -> Iterator[float]:
        """When time alone changes something; of pods that do not come only where they are `looked_at`."""
        if self._gone_at is not None:
            yield self._gone_at
        step = self._step
        if step is None:
            return
        if looked_at:
            yield from (due for due, _ in self._deadlines(step))
        if self.since is not None and step.duration is not None and not step.required:
            yield self.since + step.duration

    def leave(self, at: float) -> None:
        """The step is over: its pods stay for the delay."""
        if self._step is not None:
            self._gone_at, self._step = at + self._step.scale_down_delay, None
            self.tidy(at)

    def tidy(self, at: float) -> None:
        """Let pods go whose time has come."""
        if self._gone_at is not None and at >= self._gone_at:
            self._clear()

    def _clear(self) -> None:
        self._gone_at = None
        self._say(SetExperiment(0, 0, self._min_ready))
