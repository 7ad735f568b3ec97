"""How many requests per second arrive, over time: shapes that the simulator and a real load generator share.

A shape answers two questions, both without chance: `rate(at)`, the requests/s at `at` seconds, and `levels(edges)`,
the mean rate in each window `[edges[i], edges[i + 1])`. Times are seconds since the start of the run. Where a window
lies inside a stretch of constant rate its level is that rate to the last bit, so that equal windows stay equal (and
share a table of counts). Chance around a shape is the business of `noise.py`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Literal, Protocol

from sim.policy.errors import WorldError

DAY = 86_400.0
WEEK = 7 * DAY


class Traffic(Protocol):
    """A rate of arrivals over time."""

    def rate(self, at: float) -> float:
        """Requests/s at `at` seconds."""
        ...

    def levels(self, edges: Sequence[float]) -> list[float]:
        """Mean requests/s of each window between neighboring edges, which must rise."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """The same `level` (requests/s) at all times."""

    level: float

    def __post_init__(self) -> None:
        _least("level", self.level, 0.0)

    def rate(self, at: float) -> float:
        return self.level

    def levels(self, edges: Sequence[float]) -> list[float]:
        return [self.level for _ in _windows(edges)]


@dataclass(frozen=True, slots=True)
class Diurnal:
    """Day and night: the log of the rate is a sinusoid with two harmonics, times a factor for the day of the week.

    mean     requests/s over a day with factor 1
    swing    highest over lowest rate of a day; 1.9 fits a large social site, 2.8 load balancers (judges.md section 18)
    peak     seconds after midnight of the highest rate (estimate: 20 h)
    second   weight of the second harmonic, 0 to 0.25: sharpens the peak, flattens the night (estimate)
    week     factors from Monday to Sunday; all 1 unless you know better
    start    when the run starts, in seconds since Monday 00:00
    """

    mean: float
    swing: float = 1.9
    peak: float = 20 * 3600.0
    second: float = 0.15
    week: tuple[float, ...] = (1.0,) * 7
    start: float = 9 * 3600.0
    _scale: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _least("mean", self.mean, 0.0)
        _least("swing", self.swing, 1.0)
        _least("start", self.start, 0.0)
        if (
            not 0.0 <= self.second <= 0.25
        ):  # beyond 1/4 the lowest point leaves midnight + peak / 2, and `swing` its meaning
            raise WorldError(f"second must lie in [0, 0.25], got {self.second}")
        if len(self.week) != 7:
            raise WorldError(f"week must have 7 factors, Monday first, got {self.week}")
        for factor in self.week:
            _least("a factor of week", factor, 0.0)
        # The trapezoid rule on a full period is exact to the last digits for so smooth a function.
        total = math.fsum(self._shape(DAY * i / 256) for i in range(256))
        object.__setattr__(self, "_scale", self.mean * 256 / total)

    def rate(self, at: float) -> float:
        now = (self.start + at) % WEEK
        return self._scale * self._shape(now) * self.week[int(now // DAY) % 7]

    def levels(self, edges: Sequence[float]) -> list[float]:
        """Midpoint rule on pieces of at most 300 s: relative error below 2e-5, and 1e-7 for windows of 30 s or less."""
        return [self._level(low, high) for low, high in _windows(edges)]

    def _level(self, low: float, high: float) -> float:
        pieces = math.ceil((high - low) / 300.0)
        step = (high - low) / pieces
        return math.fsum(self.rate(low + step * (i + 0.5)) for i in range(pieces)) / pieces

    def _shape(self, now: float) -> float:
        """exp(A (cos x + h cos 2x)): for h <= 1/4 the exponent lies in A (h - 1) to A (h + 1), so A = ln(swing) / 2."""
        x = 2.0 * math.pi * (now - self.peak) / DAY
        return math.exp(0.5 * math.log(self.swing) * (math.cos(x) + self.second * math.cos(2.0 * x)))


@dataclass(frozen=True, slots=True)
class Bursts:
    """`base` times `factor` for `lasts` seconds, `every` seconds; first at `first` (default: after `every`)."""

    base: Traffic
    every: float
    lasts: float
    factor: float
    first: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.lasts <= self.every < math.inf:
            raise WorldError(f"a burst must last more than 0 s and at most every {self.every} s, got {self.lasts}")
        _least("factor", self.factor, 0.0)
        if self.first is not None:
            _least("first", self.first, 0.0)

    def rate(self, at: float) -> float:
        return self.base.rate(at) * (self.factor if self._bursting(at) else 1.0)

    def levels(self, edges: Sequence[float]) -> list[float]:
        """As exact as those of `base`: windows are cut where a burst starts and ends."""
        return [_level(self._pieces(low, high)) for low, high in _windows(edges)]

    def _pieces(self, low: float, high: float) -> Iterator[tuple[float, float]]:
        cuts = sorted({low, *self._cuts(low, high), high})
        for (start, end), level in zip(pairwise(cuts), self.base.levels(cuts), strict=True):
            yield end - start, level * (self.factor if self._bursting(0.5 * (start + end)) else 1.0)

    def _cuts(self, low: float, high: float) -> Iterator[float]:
        """Starts and ends of bursts strictly inside a window."""
        start = self.every if self.first is None else self.first
        for k in range(max(0, math.floor((low - start) / self.every)), math.ceil((high - start) / self.every) + 1):
            begin = start + k * self.every
            yield from (cut for cut in (begin, begin + self.lasts) if low < cut < high)

    def _bursting(self, at: float) -> bool:
        since = at - (self.every if self.first is None else self.first)
        return since >= 0.0 and since % self.every < self.lasts


@dataclass(frozen=True, slots=True)
class Ramp:
    """From `start` to `end` requests/s in a straight line over `over` seconds, then `end`."""

    start: float
    end: float
    over: float

    def __post_init__(self) -> None:
        _least("start", self.start, 0.0)
        _least("end", self.end, 0.0)
        if not 0.0 < self.over < math.inf:
            raise WorldError(f"a ramp must take more than 0 s, got over={self.over}; use a constant rate for a jump")

    def rate(self, at: float) -> float:
        if at >= self.over:
            return self.end
        return self.start + (self.end - self.start) * max(0.0, at) / self.over

    def levels(self, edges: Sequence[float]) -> list[float]:
        """Exact: the mean of a straight line is its value in the middle."""
        return [_level(self._pieces(low, high)) for low, high in _windows(edges)]

    def _pieces(self, low: float, high: float) -> Iterator[tuple[float, float]]:
        for start, end in pairwise([low, *(cut for cut in (0.0, self.over) if low < cut < high), high]):
            yield end - start, self.rate(0.5 * (start + end))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, as steps: `rates[i]` requests/s from `times[i]` to `times[i + 1]` seconds; `times[0]` is moved to 0.

    The last step is as long as the one before it (60 s if it is alone). After the end the recording repeats, or its
    last rate holds. Loaders: `sim.service.recordings`.
    """

    times: tuple[float, ...]
    rates: tuple[float, ...]
    after: Literal["repeat", "hold"] = "repeat"
    _sums: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.times) != len(self.rates) or not self.times:
            raise WorldError(f"a recording needs as many times as rates, got {len(self.times)} and {len(self.rates)}")
        if any(not low < high for low, high in pairwise(self.times)):
            raise WorldError("the times of a recording must rise; sort them and drop repetitions")
        for rate in self.rates:
            _least("a rate of the recording", rate, 0.0)
        if self.after not in ("repeat", "hold"):
            raise WorldError(f"after the recording: 'repeat' or 'hold', got {self.after!r}")
        object.__setattr__(self, "times", tuple(time - self.times[0] for time in self.times))
        ends = (*self.times[1:], self.length)
        requests = (rate * (end - start) for rate, start, end in zip(self.rates, self.times, ends, strict=True))
        object.__setattr__(self, "_sums", tuple(accumulate(requests, initial=0.0)))

    @property
    def length(self) -> float:
        """Seconds of the recording, its last step included."""
        return 60.0 if len(self.times) == 1 else 2.0 * self.times[-1] - self.times[-2]

    def rate(self, at: float) -> float:
        return self.rates[self._step(at)[1]]

    def levels(self, edges: Sequence[float]) -> list[float]:
        """Exact integrals of the steps."""
        return [self._level(low, high) for low, high in _windows(edges)]

    def _level(self, low: float, high: float) -> float:
        (turn, first, start), (last_turn, last, end) = self._step(low), self._step(high)
        if (turn, first) == (last_turn, last) or (start - self.times[first]) + (high - low) <= self._span(first):
            return self.rates[first]
        total = self._requests(last, end) - self._requests(first, start)
        return max(0.0, total + (last_turn - turn) * self._sums[-1]) / (high - low)

    def _step(self, at: float) -> tuple[int, int, float]:
        """(how often the recording was through, the step, seconds into the recording) at a time."""
        at = max(0.0, at)
        if self.after == "hold":
            return 0, bisect_right(self.times, at) - 1, at
        turn = math.floor(at / self.length)
        inside = at - turn * self.length
        return turn, max(0, bisect_right(self.times, inside) - 1), inside

    def _span(self, step: int) -> float:
        if step + 1 < len(self.times):
            return self.times[step + 1] - self.times[step]
        return math.inf if self.after == "hold" else self.length - self.times[step]

    def _requests(self, step: int, inside: float) -> float:
        """Requests since the start of the recording."""
        return self._sums[step] + self.rates[step] * (inside - self.times[step])


def _windows(edges: Sequence[float]) -> list[tuple[float, float]]:
    windows = list(pairwise(edges))
    for low, high in windows:
        if not 0.0 <= low < high < math.inf:
            raise WorldError(f"the edges of windows must rise from 0 or later, got {low} before {high}")
    return windows


def _level(pieces: Iterable[tuple[float, float]]) -> float:
    """Mean over (seconds, rate) pieces; exactly the rate where all pieces have the same."""
    known = list(pieces)
    if all(rate == known[0][1] for _, rate in known):
        return known[0][1]
    return math.fsum(span * rate for span, rate in known) / math.fsum(span for span, _ in known)


def _least(name: str, value: float, least: float) -> None:
    if not least <= value < math.inf:
        raise WorldError(f"{name} must be a number of at least {least:g}, got {value}")
