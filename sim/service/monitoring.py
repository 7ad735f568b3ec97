"""What monitoring shows of a service: counters as they were scraped, never the truth.

A query over the last T seconds sees the scrapes in that range which are visible (lag) and were made (gaps); it needs two of them, and
counts what lies between the first and the last, as `increase` does without extrapolation. The new version's series begins at the first
scrape after it received requests: what was counted before that scrape is invisible. All pods of a version are read in one scrape.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import repeat
from math import ceil, floor
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.engine.frozen import many
from sim.engine.ledger import Ledger, Rows
from sim.faults.effects import TelemetryEffect
from sim.policy.commands import Measure
from sim.policy.errors import WorldError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.judges.base import Arm, Window
from sim.policy.runbook import seen
from sim.service.mix import Layout

if TYPE_CHECKING:
    from sim.service.telemetry.store import Scrapes

__all__ = ["Bad", "Coarse", "Looks", "Metrics", "Monitor", "Numbers", "Observed", "Seen", "View", "Windows"]

Weigh = Callable[[float, float], float]
Split = Callable[[NDArray[np.int64]], "Seen"]

_SLACK = 1e-9  # a scrape at the very moment of a query is seen by it


@dataclass(frozen=True)
class Seen:
    """One version's counts in one look: int64[n] bad answers, int64[n, buckets] good ones by latency.

    `late` are further good answers, of the last buckets. What is made of several parts is made when somebody asks: few ask for
    latency, and few for the old version.
    """

    bad: NDArray[np.int64]
    good: NDArray[np.int64]
    late: NDArray[np.int64] | None = None
    points: tuple[tuple[str, NDArray[np.float64]], ...] = ()  # per named series float64[n, scrapes]

    @cached_property
    def requests(self) -> NDArray[np.int64]:
        """int64[n]: all answers. Few columns are added four times faster one after the other than as many short rows."""
        parts = (self.good,) if self.late is None else (self.good, self.late)
        return reduce(np.add, (column for part in parts for column in part.T), self.bad)

    @cached_property
    def latency(self) -> NDArray[np.int64]:
        """int64[n, buckets]: all good answers by latency."""
        if self.late is None:
            return self.good
        latency = self.good.copy("K")
        latency[:, -self.late.shape[1] :] += self.late
        return latency


@dataclass(frozen=True, slots=True)
class View:
    """One look at all replications of a path."""

    start: float
    end: float
    weight: float
    canary: Seen
    baseline: Seen
    bounds: tuple[float, ...]

    def window(self, row: int) -> Window:
        """What one replication's policy sees."""
        return Window(self.start, self.end, self.weight, _arm(self.canary, row), _arm(self.baseline, row), self.bounds)

    def windows(self, rows: Rows) -> list[Window]:
        """What the policies of some replications see."""
        canary, baseline = _arms(self.canary, rows), _arms(self.baseline, rows)
        shared = (repeat(self.start), repeat(self.end), repeat(self.weight))
        return many(Window, len(canary), *shared, canary, baseline, repeat(self.bounds))


Bad = Absent | NotANumber | Failed
"""What comes back when nothing can be measured, the same for all replications."""


class Looks(ABC):
    """The answers to one question for all replications of a path: each would get its own."""

    @abstractmethod
    def of(self, row: int) -> Answer:
        """The answer for one replication."""

    @abstractmethod
    def each(self, rows: Rows) -> list[Answer]:
        """The answers for some."""

    def seen(self, rows: Rows) -> list[object]:
        """What authors see of the answers for some."""
        return [seen(answer) for answer in self.each(rows)]


@dataclass(frozen=True, slots=True)
class Windows(Looks):
    """Windows of counts, for judges."""

    view: View

    def of(self, row: int) -> Answer:
        return Value(self.view.window(row))

    def each(self, rows: Rows) -> list[Answer]:
        return [*many(Value, len(rows), self.view.windows(rows))]

    def seen(self, rows: Rows) -> list[object]:
        return [*self.view.windows(rows)]


@dataclass(frozen=True, slots=True)
class Numbers(Looks):
    """A number read off every window."""

    view: View
    read: Callable[[Window], Answer]

    def of(self, row: int) -> Answer:
        return self.read(self.view.window(row))

    def each(self, rows: Rows) -> list[Answer]:
        return [self.read(window) for window in self.view.windows(rows)]


class Observed(Protocol):
    """What can be seen of a service, at a moment."""

    def look(self, at: float, span: float) -> View | Bad:
        """The counts of the last `span` seconds."""
        ...

    def scraped(self, at: float) -> tuple[Scrapes, float] | Bad:
        """All samples, and the time of the last one that is visible by now."""
        ...


class Metrics(Protocol):
    """What metrics measure that a policy asks for in a provider's own language."""

    @property
    def back(self) -> float | None:
        """How many seconds before its moment a question reads samples; None: nobody reads samples."""
        ...

    def ask(self, question: Measure, at: float, world: Observed) -> Looks | Answer:
        """The answers of all at a moment, or one for all."""
        ...


class Coarse:
    """A ledger at every n-th of its counts, from `base` on: what is scraped where a ledger counts more often."""

    def __init__(self, ledger: Ledger, every: int, base: float) -> None:
        self._ledger, self._every = ledger, every
        self.base, self.scrape = base, ledger.scrape * every
        self._first = round((base - ledger.base) / ledger.scrape)
        self.cumulative = self

    def __getitem__(self, scrape: int) -> NDArray[np.int64]:
        return self._ledger.cumulative[max(0, self._first + scrape * self._every)]

    def time(self, scrape: int) -> float:
        """When a scrape happens, in seconds."""
        return self.base + scrape * self.scrape

    def settle(self, until: float) -> None:
        self._ledger.settle(until)


class Monitor:
    """Reads a ledger the way a monitoring system would; `effects` are its own failures."""

    def __init__(self, ledger: Ledger | Coarse, layout: Layout, lag: float, effects: Sequence[TelemetryEffect]) -> None:
        self._ledger, self._layout, self._lag = ledger, layout, float(lag)
        self._effects = tuple(effects)
        self._born: int | None = None  # the first scrape that shows the new version

    def expose(self, at: float) -> None:
        """The new version receives its first requests."""
        if self._born is None:
            self._born = ceil((at - self._ledger.base) / self._ledger.scrape - _SLACK)

    def lag(self, at: float) -> float | Bad:
        """How many seconds late samples are at a moment, or what every query answers then."""
        lag = self._lag
        for effect in self._effects:
            if effect.start <= at < effect.end:
                if effect.kind == "error":
                    return Failed(f"the provider answered {effect.code}" if effect.code else "the provider failed")
                if effect.kind == "nan":
                    return Absent("the query answered with nothing") if effect.code == "empty" else NotANumber()
                if effect.kind == "lag":
                    lag += effect.delay
        return lag

    def look(self, at: float, span: float, weigh: Weigh, points: tuple[str, ...] = ()) -> View | Bad:
        """The counts of the last `span` seconds as a query at `at` gets them; `weigh` tells the planned weight of a stretch of time."""
        lag = self.lag(at)
        if not isinstance(lag, float):
            return lag
        ledger = self._ledger
        last = floor((at - lag - ledger.base) / ledger.scrape + _SLACK)
        first = max(0, ceil((at - lag - span - ledger.base) / ledger.scrape - _SLACK))
        last = self._made(last, first, -1)
        first = self._made(first, last, 1)
        if last <= first:
            return Absent(f"fewer than two scrapes in the last {span:g} s")
        ledger.settle(ledger.time(last))
        since = first if self._born is None else min(last, max(first, self._born))
        hidden = [k for k in self._resets() if first < k <= last]
        counts = self._counts(first, last, hidden)
        old, new = self._old(counts), self._new(counts if since == first else self._counts(since, last, hidden))
        start, end = max(0.0, ledger.time(first)), ledger.time(last)
        if points:
            new = replace(new, points=self._series(points, since, last, self._new))
            old = replace(old, points=self._series(points, first, last, self._old))
        return View(start, end, weigh(start, end), new, old, self._layout.bounds)

    def _series(
        self, names: tuple[str, ...], first: int, last: int, split: Split
    ) -> tuple[tuple[str, NDArray[np.float64]], ...]:
        """One sample per scrape for judges that read series; not a number where nothing was requested."""
        counts = self._ledger.cumulative
        seen = [split(counts[scrape] - counts[scrape - 1]) for scrape in range(first + 1, last + 1)]
        pairs = [name.rpartition("=") for name in names]  # `name=series`, or a series by its own name
        return tuple(
            (name or series, np.stack([_sample(series, one) for one in seen], axis=1)) for name, _, series in pairs
        )

    def _made(self, scrape: int, end: int, step: int) -> int:
        """The next scrape from here on that was really made."""
        while scrape != end and any(
            effect.kind == "gap" and effect.start <= self._ledger.time(scrape) < effect.end for effect in self._effects
        ):
            scrape += step
        return scrape

    def _resets(self) -> list[int]:
        """The scrapes after a counter reset: what was counted since the scrape before is lost."""
        ledger = self._ledger
        return [
            ceil((effect.start - ledger.base) / ledger.scrape) for effect in self._effects if effect.kind == "reset"
        ]

    def _counts(self, first: int, last: int, hidden: list[int]) -> NDArray[np.int64]:
        """What was counted between two scrapes, without what resets have hidden."""
        counts = self._ledger.cumulative
        total = counts[last] - counts[first]
        for scrape in hidden:
            if scrape > first:
                total -= counts[scrape] - counts[scrape - 1]
        return total

    def _old(self, counts: NDArray[np.int64]) -> Seen:
        shape = self._layout
        bad = counts[:, shape.buckets] + counts[:, shape.width]
        return Seen(bad, counts[:, : shape.buckets])

    def _new(self, counts: NDArray[np.int64]) -> Seen:
        shape = self._layout
        bad = counts[:, shape.errors] + counts[:, shape.errors + 1] + counts[:, shape.width + 1]
        good, late = counts[:, shape.new : shape.slow], counts[:, shape.slow : shape.errors]
        return Seen(bad, good, late if late.shape[1] else None)


def _arms(seen: Seen, rows: Rows) -> list[Arm]:
    if seen.points:
        return [_arm(seen, row) for row in rows.tolist()]
    requests, bad, *latency = (counts.take(rows).tolist() for counts in (seen.requests, seen.bad, *seen.latency.T))
    return many(
        Arm, len(rows), requests, bad, zip(*latency, strict=True), repeat(())
    )  # zip: three times faster than one by one


def _arm(seen: Seen, row: int) -> Arm:
    points = tuple((name, tuple(series[row].tolist())) for name, series in seen.points)
    return Arm(int(seen.requests[row]), int(seen.bad[row]), tuple(seen.latency[row].tolist()), points)


def _sample(name: str, seen: Seen) -> NDArray[np.float64]:
    """One sample of a named series for every replication."""
    requests = seen.requests.astype(np.float64)
    if name == "requests":
        return requests
    if name == "errors":
        return seen.bad.astype(np.float64)
    if name == "unchanged":  # what the service does not have, and no release changes
        return np.ones(len(requests))
    if name == "error-rate":
        rate: NDArray[np.float64] = np.divide(
            seen.bad, requests, out=np.full(len(requests), np.nan), where=requests > 0
        )
        return rate
    raise WorldError(f"no series {name!r} is measured; write requests, errors or error-rate")
