"""Durations as distributions, drawn by inverse transform from one uniform number.

A draw is a function of the uniform alone, so that common random numbers stay common: the same (purpose, entity, index)
gives the same build time whatever happened before (design.md section 3). Seconds, or any amount that is not negative.

>>> Lognormal(median=900.0, p99=14400.0).draw(0.5)
900.0
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from sim.policy.errors import WorldError

Uniforms = Callable[[str, int, int], float]
"""``uniform(purpose, entity, index)`` in [0, 1): a counter-based stream, keyed and never called in order."""

_NORMAL = NormalDist()
Z99 = _NORMAL.inv_cdf(0.99)  # 2.3263..., the quantile of pipeline-systems.md section 6
_SMALLEST = 2.0**-54  # stands in for u = 0, where the normal quantile is minus infinity


@dataclass(frozen=True, slots=True)
class Constant:
    """Always ``value``."""

    value: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.value < math.inf:
            raise WorldError(f"a constant duration must be finite and at least 0, got {self.value}")

    @property
    def mean(self) -> float:
        return self.value

    def draw(self, u: float) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    """Evenly between ``low`` and ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high < math.inf:
            raise WorldError(f"a uniform duration needs 0 <= low <= high, got {self.low} and {self.high}")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def draw(self, u: float) -> float:
        return self.low + (self.high - self.low) * u


@dataclass(frozen=True, slots=True)
class Exponential:
    """Exponential with this ``mean``."""

    mean: float

    def __post_init__(self) -> None:
        if not 0.0 < self.mean < math.inf:
            raise WorldError(f"an exponential duration needs a mean above 0, got {self.mean}")

    def draw(self, u: float) -> float:
        return -self.mean * math.log1p(-u)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Lognormal by its ``median`` and its 99th percentile (pipeline-systems.md section 6)."""

    median: float
    p99: float

    def __post_init__(self) -> None:
        if not 0.0 < self.median <= self.p99 < math.inf:
            raise WorldError(f"a lognormal duration needs 0 < median <= p99, got {self.median} and {self.p99}")

    @classmethod
    def of(cls, *, median: float, mean: float) -> Lognormal:
        """The lognormal with this median and mean: sigma = sqrt(2 ln(mean / median))."""
        if not 0.0 < median <= mean:
            raise WorldError(f"a lognormal duration needs 0 < median <= mean, got {median} and {mean}")
        return cls(median, median * math.exp(Z99 * math.sqrt(2 * math.log(mean / median))))

    @property
    def sigma(self) -> float:
        return math.log(self.p99 / self.median) / Z99

    @property
    def mean(self) -> float:
        return self.median * math.exp(self.sigma**2 / 2)

    def draw(self, u: float) -> float:
        return self.median * math.exp(self.sigma * _NORMAL.inv_cdf(max(u, _SMALLEST)))


Duration = Constant | Uniform | Exponential | Lognormal


def spend(duration: Duration, uniform: Uniforms, purpose: str, entity: int, index: int) -> float:
    """The duration at the address (purpose, entity, index); a constant needs no number."""
    if isinstance(duration, Constant):
        return duration.value
    return duration.draw(uniform(purpose, entity, index))
