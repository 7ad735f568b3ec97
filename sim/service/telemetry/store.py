"""What Prometheus has scraped on one path: the store that a query reads.

Samples have the times of their scrapes; a query sees those that are visible by now (lag) and were made (gaps). A series begins with the
first scrape after its first request (or with its pod, where counters are initialized), restarts at 0 with a reset, and is marked stale
at the first scrape after its pod is gone. Pods kept together are one target that lives as long as one of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, inf

import numpy as np
from numpy.typing import NDArray

from sim.engine.history import History
from sim.engine.ledger import LOST, Ledger
from sim.engine.pod_counts import PodCounts
from sim.engine.streams import Stream
from sim.engine.thinning import thin, words
from sim.faults.effects import TelemetryEffect
from sim.promql.labels import Labels
from sim.promql.selectors import Selector
from sim.promql.series import MISSING, SAMPLE, STALE, Block
from sim.service.fleet import Life
from sim.service.mix import Mix, layout
from sim.service.model import Service
from sim.service.telemetry.names import Version
from sim.service.telemetry.plans import Group, Plan
from sim.service.telemetry.pods import REVISIONS

__all__ = ["Scrapes"]

_GOLDEN = 0.6180339887498949  # multiples of it are spread evenly over [0, 1)
_SLACK = 1e-9  # a scrape at the very moment of a query is seen by it

Floats = NDArray[np.float64]
Shown = Callable[[float], bool]
Counted = Callable[[int], NDArray[np.int64]]


class Scrapes:
    """All samples of a path. `lives` are the pods so far; `back`: how many seconds before its moment a query looks; moments rise."""

    def __init__(
        self, service: Service, ledger: Ledger, lives: Callable[[], Sequence[Life]], effects: Sequence[TelemetryEffect], back: float,
        own_pods: bool,
    ) -> None:  # fmt: skip
        self.ledger, self.replications = ledger, len(ledger.rows)
        self._phases, self._zero = service.telemetry.phases, round((service.base - ledger.base) / ledger.scrape)
        self._lives, self._own_pods, self._back = lives, own_pods, back
        self._gaps = tuple(effect for effect in effects if effect.kind == "gap")
        self._breaks = tuple(sorted(effect.start for effect in effects if effect.kind == "reset"))
        self.switched_at = inf
        shape, draws = layout(service), ledger.draws
        self._rows: slice | NDArray[np.intp] = slice(None) if len(ledger.rows) == draws.count else ledger.rows
        rate = service.traffic.rate(0.0)
        rates = [rate * p for p in Mix(service, "stable", ()).at(0.0, 0.0, {})]
        windows = ceil(back / ledger.scrape) + 1
        self._history = History(
            draws.seed, draws.first, draws.count, self._rows, rates, ledger.scrape, ledger.base, windows
        )
        self._columns: dict[Version, slice] = {"stable": slice(0, shape.new), "canary": slice(shape.new, shape.width)}
        self._totals: dict[int, Floats] = {}
        self._pods: dict[Version, PodCounts] = {}
        self._restarts: dict[object, NDArray[np.int64]] = {}
        self._missed: dict[int, NDArray[np.bool_]] = {}

    def store(self, plan: Plan, at: float, visible: float) -> _Store:
        """What a query at `at` finds: samples with times up to `visible`."""
        self.ledger.settle(visible)
        oldest = floor((at - self._back - self.ledger.base) / self.ledger.scrape) - 1
        self._totals = {scrape: totals for scrape, totals in self._totals.items() if scrape >= oldest}
        for pods in self._pods.values():
            pods.forget(oldest)
        return _Store(self, plan, at, visible)

    # ---- scrapes ----

    def between(self, low: float, high: float) -> list[int]:
        """Scrapes in [low, high] that were made."""
        ledger = self.ledger
        first = max(self._history.oldest, ceil((low - ledger.base) / ledger.scrape - _SLACK))
        last = min(ledger.scraped, floor((high - ledger.base) / ledger.scrape + _SLACK))
        return [scrape for scrape in range(first, last + 1) if not self._gone(scrape)]

    def slot(self, scrape: int) -> int:
        """Which of the moments of an interval a scrape is: 0 is that of the service, and of everything that is no pod."""
        return (scrape - self._zero) % self._phases

    def slot_of(self, pod: Life) -> int:
        """When in an interval a pod is scraped: spread evenly, the same for all replications (Prometheus: by a hash of the target)."""
        return int((pod.number * _GOLDEN + pod.revision * _GOLDEN / 2) % 1.0 * self._phases)

    def _gone(self, scrape: int) -> bool:
        at = self.ledger.time(scrape)
        return any(gap.fraction >= 1.0 and gap.start <= at < gap.end for gap in self._gaps)

    def missed(self, scrape: int) -> NDArray[np.bool_] | None:
        """bool[R]: the replications in which this scrape is missing, if a fault takes only a part of them."""
        at = self.ledger.time(scrape)
        fraction = max((gap.fraction for gap in self._gaps if gap.start <= at < gap.end), default=0.0)
        if fraction <= 0.0:
            return None
        if scrape not in self._missed:
            draws = self.ledger.draws
            raw = words(Stream(draws.seed, "gap", 4), draws.first, draws.count, self._rows, scrape, 1)[:, 0]
            self._missed[scrape] = (raw >> np.uint64(11)) * 2.0**-53 < fraction
        return self._missed[scrape]

    # ---- counts ----

    def totals(self, scrape: int) -> Floats:
        """float64[cells + 2, R]: what both versions have counted at a scrape since their pods started."""
        if scrape not in self._totals:
            counts = self._raw(scrape)
            base = self._restarted(self.ledger.time(scrape), None, self._raw)
            self._totals[scrape] = np.ascontiguousarray((counts if base is None else counts - base).T, np.float64)
        return self._totals[scrape]

    def pod(self, version: Version, life: Life, scrape: int) -> Floats:
        """The same of one pod."""
        if version not in self._pods:
            history = self._history if version == "stable" else None
            self._pods[version] = PodCounts(self.ledger, self._columns[version], self._rows, history)
        lives, pods = self.lives(version), self._pods[version]
        base = self._restarted(self.ledger.time(scrape), life, lambda scrape: pods.at(lives, life, scrape))
        counts = pods.at(lives, life, scrape)
        return np.ascontiguousarray((counts if base is None else counts - base).T, np.float64)

    def lives(self, version: Version) -> list[Life]:
        """The pods of a version so far; a new version without pods of its own runs in those of the old one."""
        revision = REVISIONS[version] if self._own_pods else 1
        return sorted((life for life in self._lives() if life.revision == revision), key=lambda life: life.number)

    def _raw(self, scrape: int) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = np.zeros((self.replications, self.ledger.draws.width + LOST), np.int64)
        if scrape > 0:
            counts += self.ledger.cumulative[scrape]
        counts[:, self._columns["stable"]] += self._history.start if scrape > 0 else self._history.at(scrape)
        return counts

    def _restarted(self, at: float, pod: Life | None, counts: Counted) -> NDArray[np.int64] | None:
        """int64[R, cells + 2]: the counts at the last reset before a moment, which counters (of one pod) have forgotten."""
        past = [moment for moment in self._breaks if moment <= at]
        if not past:
            return None
        moment, ledger = past[-1], self.ledger
        key = (moment, None if pod is None else (pod.revision, pod.number))
        if key not in self._restarts:
            scrape = floor((moment - ledger.base) / ledger.scrape + _SLACK)
            start, end = ledger.time(scrape), ledger.time(scrape + 1)
            before = counts(scrape)
            if moment > start:
                draws = ledger.draws
                whole, early = ledger.expected(start, end), ledger.expected(start, moment)
                chances = np.divide(early, whole, out=np.zeros_like(whole), where=whole > 0)
                stream = Stream(
                    draws.seed, "reset" if pod is None else f"reset {pod.revision} {pod.number}", len(whole)
                )
                raw = words(stream, draws.first, draws.count, self._rows, scrape, len(whole))
                before = before + thin(raw, counts(scrape + 1) - before, chances)
            self._restarts[key] = before
        return self._restarts[key]


class _Store:
    """One evaluation's view of the samples (`sim.promql.Store`)."""

    def __init__(self, scrapes: Scrapes, plan: Plan, at: float, visible: float) -> None:
        self._scrapes, self._plan, self._at, self._visible = scrapes, plan, at, visible
        self.replications = scrapes.replications

    def select(self, selector: Selector) -> Sequence[Block]:
        low, high = (self._at + offset for offset in selector.span)
        scrapes = self._scrapes.between(low, min(high, self._visible))
        reading = self._plan.readings[selector]
        found: list[Block] = []
        for group in reading.groups:
            if group.apart:
                found += self._apart(group, scrapes, reading.matchers)
            else:
                found += self._together(group, scrapes)
        return found

    def _together(self, group: Group, scrapes: Sequence[int]) -> Iterator[Block]:
        lives = () if group.proxy else self._scrapes.lives(group.version)
        shown: Shown = (lambda at: True) if group.proxy else lambda at: any(life.at(at) for life in lives)
        yield from self._block(
            group, group.labels, range(len(group.labels)), self._told(scrapes, group, shown, 0), self._scrapes.totals
        )

    def _apart(self, group: Group, scrapes: Sequence[int], matchers: tuple) -> Iterator[Block]:  # type: ignore[type-arg]
        for life in self._scrapes.lives(group.version):
            labels, rows = group.of_pod(life.number, matchers)
            if labels:
                counts = lambda scrape, life=life: self._scrapes.pod(group.version, life, scrape)  # noqa: E731
                yield from self._block(
                    group, labels, rows, self._told(scrapes, group, life.at, self._scrapes.slot_of(life)), counts
                )

    def _told(self, scrapes: Sequence[int], group: Group, shown: Shown, slot: int) -> list[tuple[int, bool]]:
        """(scrape, whether the series is shown) for those scrapes at which a sample or a staleness marker is written."""
        told: list[tuple[int, bool]] = []
        switch = self._scrapes.switched_at
        for scrape in scrapes:
            if self._scrapes.slot(scrape) != slot:
                continue
            at = self._scrapes.ledger.time(scrape)
            here = shown(at) and (group.switched is None or group.switched == (at >= switch))
            if here or (told and told[-1][1]):
                told.append((scrape, here))
        return told

    def _block(
        self, group: Group, labels: tuple[Labels, ...], rows: Sequence[int], told: list[tuple[int, bool]],
        counts: Callable[[int], Floats],
    ) -> Iterator[Block]:  # fmt: skip
        if not told:
            return
        ledger = self._scrapes.ledger
        times = np.array([round(ledger.time(scrape) * 1000) for scrape, _ in told], np.int64)
        shape = (len(labels), len(told), self.replications)
        values, marks = np.ones(shape), np.zeros(shape, np.uint8)
        for index, (scrape, here) in enumerate(told):
            if not here:
                marks[:, index] = STALE
                continue
            if not group.constant:
                seen = counts(scrape)
                for place, row in enumerate(rows):
                    values[place, index] = group.values[row].of(seen)
                if not group.lasting:
                    present = group.present(rows, seen, values[:, index])
                    marks[:, index] = np.where(present, SAMPLE, MISSING)
            missed = self._scrapes.missed(scrape)
            if missed is not None:
                marks[:, index, missed] = MISSING
        yield Block(labels, times, values, marks if marks.any() else None)
