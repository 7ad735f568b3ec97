"""What a rollout tells an observer besides its commands: how it came to them. Notes change nothing and are never journaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.policy.commands import Command

__all__ = ["AnalysisIs", "Measurement", "MetricIs", "Note", "Observer", "PhaseIs", "StepIs", "TickIs"]


@dataclass(frozen=True, slots=True)
class PhaseIs:
    """The rollout's phase, in the words of the system that the policy follows; `waits`: for a person, without end."""

    phase: str
    reason: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class StepIs:
    """The index of the current step; equal to the number of steps at the end."""

    index: int


@dataclass(frozen=True, slots=True)
class AnalysisIs:
    """An analysis run (step, background, pre, post) changed its phase."""

    run: str
    index: int
    template: str
    phase: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class MetricIs:
    """A metric of a run changed its phase."""

    run: str
    metric: str
    phase: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement was judged."""

    run: str
    metric: str
    value: object
    verdict: str
    message: str = ""
    evidence: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TickIs:
    """The counters of a tick-driven controller after a tick."""

    failed_checks: int
    iterations: int


Note = PhaseIs | StepIs | AnalysisIs | MetricIs | Measurement | TickIs
Observer = Callable[[float, Command | Note], None]
