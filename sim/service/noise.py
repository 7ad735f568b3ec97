"""Chance around a rate: factors per window, drawn before the counts (judges.md section 18).

A model turns uniform numbers into one factor per window; the rate of the window is multiplied by it, and given the
rate the counts are exact. Factors lie on the geometric grid `2 ** (k / 64)` (steps of 1.1%): few distinct rates, few
tables of counts. `steps` gives the whole numbers k, `multipliers` the factors. Window i always uses the uniforms from
`i * per_window` on, and a larger uniform never gives a smaller factor, so equal uniforms are common random numbers.
Everything is table look-ups, sums and products in a fixed order; tables are made once with `math`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from statistics import NormalDist
from types import MappingProxyType
from typing import ClassVar, Protocol

from sim.policy.errors import WorldError
from sim.service.traffic import Traffic

GRID = 64  # steps per doubling
LOWEST, HIGHEST = -24 * GRID, 8 * GRID  # range of the gamma table: factors from 6e-8 to 256
QUANTILES = 4096  # entries of the normal table: its variance is 0.05% below 1, its extremes are +-3.7


class Noise(Protocol):
    """A model of chance around a rate."""

    per_window: ClassVar[int]

    def steps(self, u: Sequence[float], window: float = 60.0) -> list[int]:
        """Grid steps k of each `window` seconds; `u` holds `per_window` uniforms per window, in order of time."""
        ...


def multipliers(noise: Noise, u: Sequence[float], window: float = 60.0) -> list[float]:
    """Factors `2 ** (k / 64)` of the rate, one per window."""
    return [factor(k) for k in noise.steps(u, window)]


@cache
def factor(step: int) -> float:
    """The factor of a grid step; exactly 1 at 0 and exactly 2 at 64."""
    return float(2.0 ** (step / GRID))


def snap(rate: float) -> float:
    """The nearest rate on the grid, at most 0.55% away: for a shape that would need a table for every window."""
    return factor(round(GRID * math.log2(rate))) if rate > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Noisy:
    """Traffic with chance already drawn: `base` times `factors[i]` from `i * window` seconds on; later `base` alone."""

    base: Traffic
    factors: tuple[float, ...]
    window: float

    def __post_init__(self) -> None:
        if not 0.0 < self.window < math.inf:
            raise WorldError(f"window must be more than 0 s, got {self.window}")

    def rate(self, at: float) -> float:
        return self.base.rate(at) * self._factor(at)

    def levels(self, edges: Sequence[float]) -> list[float]:
        """As exact as those of `base`; a window inside one factor is the level of `base` times it, to the last bit."""
        return [self._level(low, high) for low, high in pairwise(edges)]

    def _level(self, low: float, high: float) -> float:
        inner = range(math.floor(low / self.window) + 1, min(len(self.factors), math.ceil(high / self.window) - 1) + 1)
        cuts = [low, *(cut for cut in (i * self.window for i in inner) if low < cut < high), high]
        levels, spans = self.base.levels(cuts), [(b - a, self._factor(0.5 * (a + b))) for a, b in pairwise(cuts)]
        if len(levels) == 1:
            return levels[0] * spans[0][1]
        return math.fsum(level * a * b for level, (a, b) in zip(levels, spans, strict=True)) / (high - low)

    def _factor(self, at: float) -> float:
        index = int(at / self.window)
        return self.factors[index] if index < len(self.factors) else 1.0


@dataclass(frozen=True, slots=True)
class Iid:
    """No chance in the rate: counts are Poisson, nothing more."""

    per_window: ClassVar[int] = 1

    def steps(self, u: Sequence[float], window: float = 60.0) -> list[int]:
        return [0] * _count(u, 1)


@dataclass(frozen=True, slots=True)
class Drift:
    """A logarithm of the rate that wanders: the sum of two stationary AR(1) processes. Mean factor 1.

    sd      standard deviation of the log-rate per minute: 0.04-0.06 in public series
    fast    autocorrelation per minute of the first process, with `share` of the variance
    slow    autocorrelation per minute of the second. Defaults: .2 with 73% and .995 with 27%, which match the observed
            autocorrelations .41, .25, .24 at lags 1, 10, 30 minutes; plain AR(1) cannot (judges.md section 18)

    For windows of w seconds the autocorrelation is `phi ** (w / 60)`.
    """

    sd: float = 0.05
    fast: float = 0.2
    slow: float = 0.995
    share: float = 0.73

    per_window: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if not 0.0 <= self.sd <= 1.0:
            raise WorldError(f"sd of the log-rate must lie in [0, 1], got {self.sd}; public series have 0.04 to 0.06")
        for name, value in (("fast", self.fast), ("slow", self.slow)):
            if not 0.0 <= value < 1.0:
                raise WorldError(f"{name} is an autocorrelation and must lie in [0, 1), got {value}")
        if not 0.0 <= self.share <= 1.0:
            raise WorldError(f"share of the fast process must lie in [0, 1], got {self.share}")

    def steps(self, u: Sequence[float], window: float = 60.0) -> list[int]:
        count, normal, center, paths = _count(u, 2), normals(), self.center, []
        for offset, (scale, keep, push) in enumerate(self.processes(window)):
            state, path = 0.0, []
            for i in range(count):
                z = normal[int(u[2 * i + offset] * QUANTILES)]
                state = keep * state + push * z if i else scale * z
                path.append(state)
            paths.append(path)
        return [round(a + b + center) for a, b in zip(*paths, strict=True)]

    @property
    def center(self) -> float:
        """Grid steps to add so that the mean factor is 1."""
        return -0.5 * self.sd * self.sd * GRID / math.log(2.0)

    def processes(self, window: float) -> list[tuple[float, float, float]]:
        """(standard deviation in grid steps, share kept from window to window, standard deviation of what is new)."""
        found = []
        for phi, share in ((self.fast, self.share), (self.slow, 1.0 - self.share)):
            keep, scale = phi ** (window / 60.0), self.sd * math.sqrt(share) * GRID / math.log(2.0)
            found.append((scale, keep, scale * math.sqrt(1.0 - keep * keep)))
        return found


@dataclass(frozen=True, slots=True)
class Gamma:
    """Overdispersed counts: a gamma factor with mean 1, variance 1/k makes them negative binomial, Var = mu + mu^2/k.

    k       5-minute counts of public series: 0.9 to 5.1 (judges.md section 18)
    every   seconds that a factor holds; 300, because the k above are of 5-minute counts

    On an error rate it is the small-rate form of a beta-distributed error probability: with intra-window correlation
    rho, `k = p0 * (1 / rho - 1)`.
    """

    k: float = 5.0
    every: float = 300.0

    per_window: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0.01 <= self.k <= 1e6:
            raise WorldError(
                f"k of a negative binomial must lie in [0.01, 1e6], got {self.k}; without dispersion use iid"
            )
        if not 0.0 < self.every < math.inf:
            raise WorldError(f"every must be more than 0 s, got {self.every}")

    def steps(self, u: Sequence[float], window: float = 60.0) -> list[int]:
        count, cdf, span = _count(u, 1), gamma_steps(self.k), self.span(window)
        drawn = [LOWEST + bisect_right(cdf, u[i]) for i in range(0, count, span)]
        return [drawn[i // span] for i in range(count)]

    def span(self, window: float) -> int:
        """Windows that share a factor: whole ones, so that none has two."""
        return max(1, round(self.every / window))


@dataclass(frozen=True, slots=True)
class Outbreaks:
    """Bursty errors: a chain of two states, calm (factor 1) and burst (`factor`). Made for error rates.

    lasts   mean seconds of a burst: 1 to 10 minutes
    every   mean seconds of calm between bursts (estimate: 2 h)
    factor  of the rate in a burst: 5 to 50 (all judges.md section 18, estimates to sweep)

    The mean factor is above 1: bursts come on top.
    """

    lasts: float = 300.0
    every: float = 7200.0
    factor: float = 10.0

    per_window: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for name, value in (("lasts", self.lasts), ("every", self.every)):
            if not 0.0 < value < math.inf:
                raise WorldError(f"{name} must be more than 0 s, got {value}")
        if not 1.0 <= self.factor <= 1e4:
            raise WorldError(f"factor of a burst must lie in [1, 10000], got {self.factor}")

    def steps(self, u: Sequence[float], window: float = 60.0) -> list[int]:
        """The chain in continuous time, seen at the windows: exact for any window length."""
        (bound, after_calm, after_burst), found = self.bounds(window), []
        for i in range(_count(u, 1)):
            bursting = u[i] >= bound
            bound = after_burst if bursting else after_calm
            found.append(self.step if bursting else 0)
        return found

    @property
    def step(self) -> int:
        """Grid step of a burst."""
        return round(GRID * math.log2(self.factor))

    def bounds(self, window: float) -> tuple[float, float, float]:
        """The uniforms from which on there is a burst: in the first window, after calm, after a burst."""
        share = self.lasts / (self.lasts + self.every)
        memory = math.exp(-window * (1.0 / self.lasts + 1.0 / self.every))
        return 1.0 - share, 1.0 - share * (1.0 - memory), (1.0 - share) * (1.0 - memory)


# Names of judges.md section 18; `ar1` has log-sd .1 and phi .4 or .8 per window of a minute, `drift` is the measured
# mixture.
PRESETS: Mapping[str, Noise] = MappingProxyType(
    {
        "iid": Iid(),
        "drift": Drift(),
        "ar1": Drift(sd=0.1, fast=0.4, slow=0.0, share=1.0),
        "ar1-strong": Drift(sd=0.1, fast=0.8, slow=0.0, share=1.0),
        "negbin": Gamma(k=5.0),
        "bursty-errors": Outbreaks(),
    }
)


def _count(u: Sequence[float], per_window: int) -> int:
    if len(u) % per_window:
        raise WorldError(f"this noise needs {per_window} uniforms per window, got {len(u)} in all")
    return len(u) // per_window


@cache
def normals() -> tuple[float, ...]:
    """Quantiles of the standard normal in the middle of 4096 equal steps; the lower half mirrors the upper."""
    upper = [NormalDist().inv_cdf((i + 0.5) / QUANTILES) for i in range(QUANTILES // 2, QUANTILES)]
    return (*(-z for z in reversed(upper)), *upper)


@lru_cache(maxsize=64)
def gamma_steps(k: float) -> tuple[float, ...]:
    """P(factor below the upper boundary of a grid step), from `LOWEST` up; boundaries lie halfway between factors."""
    bounds = (factor(step) * 2.0 ** (0.5 / GRID) for step in range(LOWEST, HIGHEST))
    return tuple(_gamma_cdf(k, k * bound) for bound in bounds)


def _gamma_cdf(shape: float, x: float) -> float:
    """Regularized lower incomplete gamma function: a series, or beyond shape + 1 a fraction (DLMF 8.7.1, 8.9.2)."""
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape + 1.0)) if x < 700.0 + 20.0 * shape else 0.0
    if x < shape + 1.0:
        term, total, a = 1.0, 1.0, shape
        while term > total * 1e-16:
            a += 1.0
            term *= x / a
            total += term
        return min(1.0, front * total)
    b = x + 1.0 - shape
    c, d = 1e300, 1.0 / b
    value = d
    for i in range(1, 10_000):
        a = -i * (i - shape)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return max(0.0, 1.0 - front * shape * value)
