"""The record of a trace: one entry per change, in order, in the form that contracts section 8 fixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

from sim.policy.commands import Command, Promote, SetScale, SetWeight, Switch
from sim.policy.events import Event, Human, NewRevision, PodsReady
from sim.policy.judges.base import Window
from sim.policy.notes import AnalysisIs, Measurement, MetricIs, Note, PhaseIs, StepIs, TickIs

__all__ = ["Tracer"]

Entry = dict[str, Any]


@dataclass(slots=True)
class Tracer:
    """Hears commands and notes (as `Rollout`'s observer) and events (from the trace), and keeps what changed."""

    stable: int
    canary: int = 0
    older: int = 0
    weight: float = 0
    step: int = 0
    phase: str = ""
    reason: str = ""
    entries: list[Entry] = field(default_factory=list)
    _available: tuple[int, int] = field(init=False)
    _switch: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        self._available = (self.stable, self.canary)

    def heard(self, at: float, item: Command | Note) -> None:
        match item:
            case SetWeight(weight):
                if weight != self.weight:
                    self.weight = _number(weight)
                    self._add(at, "weight")
            case SetScale(stable, canary, older):
                self.scaled(at, stable, canary, older)
            case Promote() if self.canary:  # stable and canary change places
                self.scaled(at, self.canary, 0, self.older + self.stable)
            case Switch(active, preview):
                if (active, preview) != self._switch:
                    self._switch = (active, preview)
                    self._add(at, "switch", active=active, preview=preview)
            case StepIs(index):
                if index != self.step:
                    self.step = index
                    self._add(at, "step", index=index)
            case PhaseIs(phase, reason):
                if (phase, reason) != (self.phase, self.reason):
                    self.phase, self.reason = phase, reason
                    self._add(at, "phase", phase=phase, reason=reason)
            case AnalysisIs():
                self._add(at, "analysis", run=item.run, index=item.index, template=item.template, phase=item.phase)
            case MetricIs():
                self._add(at, "metric", run=item.run, metric=item.metric, phase=item.phase)
            case Measurement():
                value = _plain(item.value)
                self._add(at, "measurement", run=item.run, metric=item.metric, value=value, verdict=item.verdict)
            case TickIs(failed, iterations):
                self._add(at, "tick", failedChecks=failed, iterations=iterations)

    def scaled(self, at: float, stable: int, canary: int, older: int) -> None:
        """Wanted sizes changed, by the policy or by the world's own arithmetic."""
        if (stable, canary, older) != (self.stable, self.canary, self.older):
            self.stable, self.canary, self.older = stable, canary, older
            self._add(at, "scale", older=older)

    def happened(self, at: float, event: Event) -> None:
        match event:
            case PodsReady(stable, canary):
                if (stable, canary) != self._available:
                    self._available = (stable, canary)
                    self._add(at, "available", stable=stable, canary=canary)
            case Human(action):
                self._add(at, "human", action=action)
            case NewRevision(revision):
                self._add(at, "revision", revision=revision)
                self.happened(at, PodsReady(self._available[0], 0))  # what is available has other roles now

    def _add(self, at: float, kind: str, **more: Any) -> None:
        state = {"at": round(at, 3), "kind": kind, "step": self.step, "weight": self.weight}
        self.entries.append(state | {"stable": self.stable, "canary": self.canary} | more)


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _plain(value: object) -> object:
    """JSON has no NaN and no infinity: they are written as text. Counts are written as what they count."""
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Inf" if value > 0 else "-Inf"
    if isinstance(value, Window):
        return {"requests": value.canary.requests, "bad": value.canary.bad}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    return repr(value)
