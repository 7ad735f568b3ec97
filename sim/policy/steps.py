"""The typed steps of a declarative policy. A step that is itself a command (set weight, match, mirror) is that command."""

from __future__ import annotations

from dataclasses import dataclass

from sim.policy.analysis import Analysis
from sim.policy.commands import Match, Mirror, SetWeight
from sim.policy.errors import PolicyError

__all__ = ["Analyse", "Experiment", "Gate", "Match", "Mirror", "Pause", "ScaleCanary", "SetWeight", "Step"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold for `duration` seconds; None holds until a person promotes."""

    duration: float | None = None

    def __post_init__(self) -> None:
        if self.duration is not None and not self.duration >= 0:
            raise PolicyError(f"a pause lasts 0 s or more, got {self.duration}; leave it out to wait for a person")


@dataclass(frozen=True, slots=True)
class Analyse:
    """Run an analysis that ends by itself, and go on only if it is Successful."""

    analysis: Analysis

    def __post_init__(self) -> None:
        endless = [metric.name for metric in self.analysis.metrics if metric.effective_count is None]
        if endless:
            raise PolicyError(f"a blocking analysis must end: give {', '.join(endless)} a count")


@dataclass(frozen=True, slots=True)
class ScaleCanary:
    """From here on size the canary apart from its weight: by pods, by the weight they could carry, or by the weight again."""

    replicas: int | None = None
    weight: int | None = None
    match_weight: bool = False

    def __post_init__(self) -> None:
        if (self.replicas is not None) + (self.weight is not None) + self.match_weight != 1:
            raise PolicyError(f"set exactly one of replicas, weight and matchTrafficWeight, got {self}")


@dataclass(frozen=True, slots=True)
class Gate:
    """Ask a gate by name and wait for its yes; a no aborts."""

    name: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """Run fresh baseline and canary pods beside the service: for `duration` seconds, or, if the analysis is `required`, until that is
    Successful; with neither until a person promotes. The pods stay for `scale_down_delay` seconds more. `names`: of the two."""

    duration: float | None = None
    analysis: Analysis | None = None
    baseline: int = 1
    canary: int = 1
    required: bool = False
    scale_down_delay: float = 30.0
    names: tuple[str, str] = ("baseline", "canary")

    def __post_init__(self) -> None:
        if self.required and (self.analysis is None or not self.analysis.finite):
            raise PolicyError("a required analysis of an experiment must end; give its metrics a count")


Step = SetWeight | ScaleCanary | Pause | Analyse | Gate | Match | Mirror | Experiment
