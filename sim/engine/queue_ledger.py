"""The counts of one replication whose pods can run short of places: the aggregated counts, and requests that wait.

The counts of a part of a window are those of the aggregated rung, number by number; cells are marks of requests, the
latency among them. Where a version's load `queues`, or a queue is left from before, each request gets a moment of
arrival (uniform in the part: Poisson arrivals, given their number) and an amount of work that fits its mark, and waits
as the recursion says. A good answer that waited moves to the bucket of wait plus work. So without waits nothing
changes, and two rungs meet the same users.

Whether an answer is late because of the change is asked a second time, of the same arrivals with the work they would
have been without the change (and the queue that would have been). Requests count in the window of their arrival
(contracts section 11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp

import numpy as np
from numpy.typing import NDArray

from sim.engine.draws import Draws
from sim.engine.ledger import Counts, Ledger, Rows
from sim.engine.queueing import queues, waits
from sim.engine.streams import Stream
from sim.faults.effects import Effect, VersionEffect
from sim.policy.errors import WorldError
from sim.service.demand import Standing
from sim.service.mix import Law, Mix, layout
from sim.service.model import Service

__all__ = ["QueueLedger"]

_MOST = 1 << 24  # requests of one version in one part of a window
_DEEP = 6.5  # standard deviations of the logarithm of work: what lies beyond has a chance of 4e-11
_FINE = 64  # knots per standard deviation

Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Version:
    """The queue of one version: when each place is free, and when it would be without the change; None: no queue."""

    mix: Mix
    cells: slice
    stream: Stream
    good: NDArray[np.intp]  # the bucket of each cell, errors -1
    free: Floats | None = None
    free_before: Floats | None = None


class QueueLedger(Ledger):
    """A ledger of one replication (`rows` has one), whose changes have a `Standing` as their key."""

    def __init__(
        self, draws: Draws, rows: Rows, scrape: float, phase: float, service: Service, effects: Sequence[Effect]
    ) -> None:
        if len(rows) != 1 or service.pods.concurrency is None or service.latency is None:
            raise WorldError(
                "requests wait one by one: the queueing rung needs a concurrency, a latency and one replication"
            )
        if service.arrivals == "fixed":
            raise WorldError("requests that wait arrive at random; leave arrivals: fixed or the concurrency out")
        super().__init__(draws, rows, scrape, phase)
        self._layout, self._places, self._limit = layout(service), service.pods.concurrency, service.latency.limit
        self._replication = draws.first + int(rows[0])
        self.queued = False  # whether anybody's wait was worked out
        shape, changes = self._layout, tuple(effect for effect in effects if isinstance(effect, VersionEffect))
        buckets, slow = list(range(shape.buckets)), list(range(shape.slow_from, shape.buckets))
        streams = (Stream(draws.seed, f"queue of the {version} version", 3 * _MOST) for version in ("old", "new"))
        old, new = Mix(service, "stable", changes), Mix(service, "canary", changes)
        self._versions = (
            _Version(old, slice(0, shape.new), next(streams), np.array([*buckets, -1])),
            _Version(new, slice(shape.new, shape.width), next(streams), np.array([*buckets, *slow, -1, -1])),
        )

    def _draw(self, start: int, stop: int) -> None:
        for _ in range(start, stop):
            self._close()

    def _count(self, until: float, expected: Sequence[float]) -> Counts:
        counts, plan = super()._count(until, expected), self.changes[-1].key
        assert isinstance(plan, Standing)
        for version, pods, served in zip(self._versions, (plan.old, plan.new), (0.0, plan.served_since), strict=True):
            if pods > 0:
                self._serve(
                    version, pods * self._places, served, until, expected[version.cells], counts[0, version.cells]
                )
            else:
                version.free = version.free_before = None
        return counts

    def _serve(
        self, version: _Version, places: int, served: float, until: float, expected: Sequence[float], counts: Counts
    ) -> None:
        """Let the requests of a part wait, and move those that did: `counts` changes in place."""
        start = self._done
        before, after = version.mix.laws((start + until) / 2, served)
        load = max(sum(expected), float(counts.sum())) / (until - start) * after.mean
        if not queues(places, load) and (version.free is None or version.free.min() <= start):
            version.free = version.free_before = None
            return
        self.queued = True
        requests = _requests(self._words(version, int(counts.sum())), counts, start, until)
        free = _staffed(version.free, places, start)
        own, changed = self._work(version, requests, before, after), before != after or version.free_before is not None
        waited, version.free = waits(requests.at, own[1], free)
        late = self._bucket(waited + own[1])
        without = late
        if changed:
            free_before = free if version.free_before is None else _staffed(version.free_before, places, start)
            waited_before, version.free_before = waits(requests.at, own[0], free_before)
            without = self._bucket(waited_before + own[0])
        self._move(version, requests.cell, np.maximum(late, version.good[requests.cell]), without, counts)

    def _words(self, version: _Version, number: int) -> Floats:
        """float64[number, 3] in [0, 1): arrival, work, and the work it would have been."""
        if number > _MOST:
            raise WorldError(
                f"{number} requests in one window are too many to let each of them wait; use a shorter scrape interval"
            )
        return version.stream.uniforms(self._replication, self.scraped, 3 * number, self._part).reshape(number, 3)

    def _work(self, version: _Version, requests: _Requests, before: Law, after: Law) -> tuple[Floats, Floats]:
        """Seconds of work of each request without the change, and as it is, both within its mark."""
        shape, bounds = self._layout, self._layout.bounds
        bucket = version.good[requests.cell]
        now, then = _Quantiles.of(after, bounds), _Quantiles.of(before, bounds)
        edges = np.array([0.0, *(after.below(bound) for bound in bounds), 1.0])
        low, high = np.where(bucket < 0, 0.0, edges[bucket]), np.where(bucket < 0, 1.0, edges[bucket + 1])
        place = low + (high - low) * requests.work
        work = now.at(place)
        if before == after:
            return work, work
        # As in Mix: the slow answers are those that would be slow anyway, and those that the change makes slow.
        fast_now, fast_then = after.below(self._limit), before.below(self._limit)
        other = place.copy()
        if fast_now < fast_then:
            caused = (requests.cell >= shape.slow - shape.new) & (bucket >= 0) & (version.cells.start > 0)
            anyway = (bucket >= shape.slow_from) & ~caused
            other[caused] = fast_now + (fast_then - fast_now) * requests.other[caused]
            other[anyway] = fast_then + (1.0 - fast_then) * requests.other[anyway]
        return then.at(other), work

    def _bucket(self, seconds: Floats) -> NDArray[np.intp]:
        return np.searchsorted(np.array(self._layout.bounds), seconds - 1e-12, "left")

    def _move(
        self,
        version: _Version,
        cell: NDArray[np.intp],
        late: NDArray[np.intp],
        without: NDArray[np.intp],
        counts: Counts,
    ) -> None:
        shape, good = self._layout, version.good[cell] >= 0
        found = np.bincount(cell[~good], minlength=len(counts))
        caused = (late >= shape.slow_from) & (without < shape.slow_from) & (version.cells.start > 0)
        target = np.where(caused, late - shape.slow_from + shape.slow - shape.new, late)
        counts[:] = found + np.bincount(target[good], minlength=len(counts))


@dataclass(frozen=True, slots=True)
class _Requests:
    """Requests in the order of arrival: moment, cell, and two uniforms."""

    at: Floats
    cell: NDArray[np.intp]
    work: Floats
    other: Floats


def _requests(words: Floats, counts: Counts, start: float, until: float) -> _Requests:
    at = start + words[:, 0] * (until - start)
    order = np.argsort(at, kind="stable")
    return _Requests(at[order], np.repeat(np.arange(len(counts)), counts)[order], words[order, 1], words[order, 2])


def _staffed(free: Floats | None, places: int, start: float) -> Floats:
    """The places from `start` on: new ones are free at once; of too many those that are free first end."""
    kept = np.zeros(0) if free is None else np.sort(free)[max(0, free.size - places) :]
    return np.concatenate([kept, np.full(places - kept.size, start)])


@dataclass(frozen=True, slots=True)
class _Quantiles:
    """The inverse of a law between knots: its distribution is exact at each knot and even in between."""

    chance: Floats
    seconds: Floats

    def at(self, u: Floats) -> Floats:
        return np.interp(u, self.chance, self.seconds)

    @staticmethod
    @lru_cache(maxsize=256)
    def of(law: Law, bounds: tuple[float, ...]) -> _Quantiles:
        """Built with `math`, so that the same seconds come out everywhere."""
        steps = range(-int(_DEEP * _FINE), int(_DEEP * _FINE) + 1)
        spread = [law.median * exp(law.sigma * step / _FINE) for step in steps]
        knots = sorted({law.add + wait + value for _, wait in law.tails for value in spread} | set(bounds))
        pairs = [(law.below(knot), knot) for knot in knots]
        kept = [pair for pair, following in pairwise(pairs) if pair[0] < following[0]] + pairs[-1:]
        return _Quantiles(np.array([pair[0] for pair in kept]), np.array([pair[1] for pair in kept]))
