"""Named measures: what a metric reads off the counts of a window, without a query language.

Two users. A policy file may judge a measure by conditions (`measure: success-rate`, `success: result >= 0.99`): `Asked`. A scenario
may say what the metrics of an imported policy measure, instead of their queries: `MetricTable`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sim.policy.analysis import Assessment, Conditions, Limits
from sim.policy.chance import Key
from sim.policy.errors import PolicyError
from sim.policy.events import Absent, Answer, NotANumber, Value
from sim.policy.judges.base import Arm, AtEnd, Truth, Window
from sim.policy.judges.histogram import quantile

__all__ = ["KINDS", "UNITS", "Asked", "Given", "Kind", "Meaning", "Measure", "MetricTable", "Of", "Unit", "Within"]

Kind = Literal["success-rate", "error-rate", "error-ratio", "latency", "requests"]
Of = Literal["canary", "stable"]
Unit = Literal["ratio", "percent", "seconds", "ms", "count"]

UNITS: dict[Kind, tuple[Unit, ...]] = {
    "success-rate": ("ratio", "percent"),
    "error-rate": ("ratio", "percent"),
    "error-ratio": ("ratio",),
    "latency": ("seconds", "ms"),
    "requests": ("count",),
}
KINDS: tuple[Kind, ...] = tuple(UNITS)
_SCALE: dict[Unit, float] = {"ratio": 1.0, "percent": 100.0, "seconds": 1.0, "ms": 1000.0, "count": 1.0}


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the last `window` seconds: of the canary or the stable version, in `unit` ('': the first that the kind has).

    error-ratio is the error rate of `of` over that of the other version; latency is the `quantile` of good answers, as Prometheus
    interpolates it; requests is how many there were.
    """

    kind: Kind
    of: Of = "canary"
    quantile: float = 0.99
    window: float = 60.0
    unit: Unit | Literal[""] = ""

    def __post_init__(self) -> None:
        if self.unit not in ("", *UNITS[self.kind]):
            raise PolicyError(f"{self.kind} is not measured in {self.unit}; use {' or '.join(UNITS[self.kind])}")
        if not 0 < self.quantile < 1:
            raise PolicyError(f"a quantile lies between 0 and 1, got {self.quantile:g}; write 99%")
        if not self.window > 0:
            raise PolicyError(f"a window is longer than 0 s, got {self.window:g}; write e.g. window: 60s")

    def read(self, window: Window) -> Answer:
        """The number. Without requests there is no number: absent, as the series of a version that was not scraped twice yet.

        A version that is known but got no request in the window would be not-a-number in PromQL (0/0); the counts do not tell the two
        apart, and the first is what every rollout meets at its first look.
        """
        arm, other = (window.canary, window.baseline) if self.of == "canary" else (window.baseline, window.canary)
        if arm is None:
            return Absent(f"no {self.of} version in this window")
        if self.kind == "requests":
            return Value(float(arm.requests))
        if arm.requests == 0:
            return Absent(f"no {self.of} requests in {window.start:g}..{window.end:g} s")
        number = self._number(arm, other, window.bounds)
        return NotANumber() if math.isnan(number) else Value(number * _SCALE[self.unit or UNITS[self.kind][0]])

    def _number(self, arm: Arm, other: Arm | None, bounds: tuple[float, ...]) -> float:
        rate = arm.bad / arm.requests
        match self.kind:
            case "error-rate":
                return rate
            case "success-rate":
                return 1.0 - rate
            case "latency":
                return quantile(self.quantile, arm.latency, bounds) if arm.latency else math.nan
        base = other.bad / other.requests if other is not None and other.requests else math.nan
        return rate / base if base else math.inf if rate else math.nan

    @property
    def key(self) -> str:
        """Its name when none is given."""
        return f"{self.kind}-{self.of}" if self.of == "stable" else self.kind


@dataclass(frozen=True, slots=True)
class Asked:
    """A verdict function: a measure of the window, then conditions over `result`; what is unknown is for `unknown` to say.

    A plain number instead of a window (a trace's script) is taken for the measure itself.
    """

    measure: Measure
    conditions: Conditions
    unknown: Limits = field(default_factory=Limits)

    sequential: ClassVar[bool] = False
    at_end: ClassVar[AtEnd] = "inconclusive"

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Asked:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        if isinstance(answer, Value) and isinstance(answer.value, Window):
            answer = self.measure.read(answer.value)
        if isinstance(answer, Value) and answer.value is not None:
            return self.conditions.assess(at, answer)
        return self.unknown.assess(at, Absent("no data") if isinstance(answer, Value) else answer)


@dataclass(frozen=True, slots=True)
class Within:
    """A verdict: whether a measure lies in [least, most]; what is unknown stays unknown."""

    measure: Measure
    least: float = -math.inf
    most: float = math.inf

    def read(self, window: Window) -> Answer:
        answer = self.measure.read(window)
        number = answer.value if isinstance(answer, Value) else None
        return Value(self.least <= number <= self.most) if isinstance(number, float) else answer


@dataclass(frozen=True, slots=True)
class Given:
    """The same answer, whatever happens."""

    answer: Answer


Meaning = Measure | Within | Given


@dataclass(frozen=True, slots=True)
class MetricTable:
    """What a scenario's `metrics:` says about metrics: by `template/metric` or by metric name."""

    entries: tuple[tuple[str, Meaning], ...] = field(default=())

    def find(self, template: str, metric: str) -> Meaning | None:
        known = dict(self.entries)
        return known.get(f"{template}/{metric}", known.get(metric))
