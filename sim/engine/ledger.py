"""The exact counts of one path: what happened in every window, for all replications that follow the same plan.

Time is cut into scrape windows; a window is cut again where the plan changes. Given the plan, the cells of each part are independent
Poisson counts, which is exactly what a simulation of single requests without feedback produces (design.md section 3). Counts are
drawn when somebody looks, whole runs of windows in one call. A ledger may start from a `Forecast`: the counts of a sibling path, used
for as long as the two plans agree.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engine.draws import Draws
from sim.engine.sums import Sums
from sim.engine.tables import add_windows, draw_cells, draw_windows

__all__ = ["Change", "Forecast", "Ledger", "Means", "Rows"]

Counts = NDArray[np.int64]
Rows = NDArray[np.intp]
Means = Callable[[float, float], Sequence[float]]
"""Expected counts between two moments: one per cell, then the requests lost by the old and by the new version."""

LOST = 2  # columns after the cells


class Change(NamedTuple):
    """From `at` on the plan is `key`: equal keys at equal times mean equal counts."""

    at: float
    key: Hashable
    means: Means


class Forecast(NamedTuple):
    """A sibling's ledger, and the positions of our replications among its."""

    ledger: Ledger
    rows: Rows


class Ledger:
    """Counts of the replications `rows` (of the batch of `draws`) per scrape window, under a plan that `change` extends.

    Scrape s happens at `base + s * scrape` seconds; `cumulative[s]` are the counts before it, int64[rows, cells + 2]. `every`: somebody
    will ask for every scrape; else those between looks are kept as recipes.
    """

    def __init__(
        self,
        draws: Draws,
        rows: Rows,
        scrape: float,
        phase: float = 0.0,
        forecast: Forecast | None = None,
        *,
        every: bool = False,
    ) -> None:
        self.draws, self.rows, self.scrape = draws, rows, scrape
        self.base = phase - scrape if phase > 0 else 0.0
        self.changes: list[Change] = []
        self.cumulative = Sums(np.zeros((draws.width + LOST, len(rows)), np.int64).T)
        self._pick: slice | Rows = slice(None) if len(rows) == draws.count else rows
        self._forecast, self._every = forecast, every
        self._done = 0.0  # everything before is drawn
        self._part = 0  # of the window under way
        self._open: Counts | None = None  # counts of its parts so far

    @property
    def scraped(self) -> int:
        """The last scrape whose counts are known."""
        return len(self.cumulative) - 1

    def time(self, scrape: int) -> float:
        """When a scrape happens, in seconds."""
        return self.base + scrape * self.scrape

    def change(self, at: float, key: Hashable, means: Means) -> None:
        """The plan from `at` on; what was before is drawn now."""
        if self.changes and self.changes[-1].at == at:
            self.changes[-1] = Change(at, key, means)
            return
        if self.changes and self.changes[-1].key == key:
            return
        self.settle(at)
        self._cut(at)
        self.changes.append(Change(at, key, means))

    def settle(self, until: float) -> None:
        """Draw every window that ends at or before `until`."""
        last = int((until - self.base) / self.scrape + 1e-9)
        if last <= self.scraped:
            return
        self._borrow(last)
        if self._open is not None and self.scraped < last:
            self._close()
        if self.scraped < last:
            self._draw(self.scraped, last)

    def follow(self, changes: Sequence[Change], until: float) -> None:
        """Take over a whole plan, and draw it up to `until`."""
        for change in changes:
            self.change(*change)
        self.settle(until)

    def total(self, at: float) -> Counts:
        """int64[rows, cells + 2]: everything before `at`; the plan must have been extended to `at`."""
        self.settle(at)
        self._cut(at)
        counts = self.cumulative[-1]
        return counts if self._open is None else counts + self._open

    def expected(self, start: float, end: float) -> NDArray[np.float64]:
        """float64[cells + 2]: the expected counts between two moments, whatever the plans in between; the weather is left out.

        Given a count, its requests are spread over time as these are: that is how windows are split after they were drawn.
        """
        total = np.zeros(self.draws.width + LOST)
        for index, change in enumerate(self.changes):
            until = self.changes[index + 1].at if index + 1 < len(self.changes) else inf
            low, high = max(start, change.at), min(end, until)
            if low < high:
                total += np.array(change.means(low, high))
        return total

    def close(self) -> None:
        """Forget the counts now: worlds and their rollouts refer to each other, and wait for the collector with all they hold."""
        self.cumulative, self._open = Sums(self.cumulative[0][:0]), None

    # ---- drawing ----

    def _draw(self, start: int, stop: int) -> None:
        """Whole windows [start, stop), all under the present plan."""
        means = self.changes[-1].means
        edges = [max(0.0, self.time(k)) for k in range(start, stop + 1)]
        expected = [means(low, high) for low, high in pairwise(edges)]
        rates = self._in_weather(start, expected)
        if self._every or rates[..., -LOST:].any():
            for counts in self._cumulated(start, stop, rates):
                self.cumulative.append(counts)
        else:
            end = self.cumulative[-1].copy("K")
            add_windows(self._raw(start, stop), _by_window(rates)[..., :-LOST], end[:, :-LOST])
            self.cumulative.run(stop - start, end, lambda: self._cumulated(start, stop, rates))
        self._done = edges[-1]

    def _raw(self, start: int, stop: int) -> NDArray[np.uint64]:
        return self.draws.whole(self._pick, start, stop)

    def _drawn(self, start: int, stop: int, rates: NDArray[np.float64]) -> Counts:
        """int64[windows, rows, cells]; the same however often it is asked for."""
        return draw_windows(self._raw(start, stop), _by_window(rates)[..., :-LOST])

    def _cumulated(self, start: int, stop: int, rates: NDArray[np.float64]) -> list[Counts]:
        """Counts before each of the scrapes after `start` up to `stop`."""
        sums, drawn = [self.cumulative[start]], self._drawn(start, stop, rates)
        for index in range(stop - start):
            counts = sums[-1].copy("K")
            counts[:, :-LOST] += drawn[index]
            if rates[..., index, -LOST:].any():
                counts[:, -LOST:] += self._lose(start + index, 0, rates[..., index, -LOST:])
            sums.append(counts)
        return sums[1:]

    def _close(self) -> None:
        """Draw the rest of a window that was cut."""
        end = self.time(self.scraped + 1)
        self._add(end)
        assert self._open is not None
        self.cumulative.append(self.cumulative[-1] + self._open)
        self._open, self._part = None, 0

    def _cut(self, at: float) -> None:
        """Draw the window under way up to `at`, if it has begun."""
        if at > max(self._done, 0.0):
            self._add(at)

    def _add(self, until: float) -> None:
        counts = self._count(until, self.changes[-1].means(self._done, until))
        self._open = counts if self._open is None else self._open + counts
        self._part += 1
        self._done = until

    def _count(self, until: float, expected: Sequence[float]) -> Counts:
        """int64[rows, cells + 2]: what happens from here to `until`, within the window under way."""
        window, width = self.scraped, self.draws.width
        rates = self._in_weather(window, [expected])[..., 0, :]
        counts = np.zeros((len(self.rows), width + LOST), np.int64)
        counts[:, :width] = draw_cells(self.draws.part(self._pick, window, self._part), rates[..., :width])
        if expected[width] or expected[width + 1]:
            counts[:, width:] = self._lose(window, self._part, rates[..., width:])
        return counts

    def _in_weather(self, window: int, expected: Sequence[Sequence[float]]) -> NDArray[np.float64]:
        """Expected counts float64[windows, cells + 2], or [rows, windows, cells + 2] where rates vary at random."""
        rates = np.array(expected, np.float64)
        weather = self.draws.weather
        return rates if weather is None else weather.means(self._pick, window, rates)

    def _lose(self, window: int, part: int, means: NDArray[np.float64]) -> Counts:
        return draw_cells(self.draws.lost(self._pick, window, part), means)

    # ---- borrowing ----

    def _borrow(self, last: int) -> None:
        """Take windows from the forecast while its plan is ours."""
        if self._forecast is None:
            return
        ledger, rows = self._forecast
        agreed = self._agreed(ledger)
        stop = min(last, ledger.scraped)
        while stop > self.scraped and ledger.time(stop) > agreed:
            stop -= 1
        if stop <= self.scraped:
            return
        self.cumulative.lend(ledger.cumulative, rows, stop)
        self._open, self._part, self._done = None, 0, self.time(stop)

    def _agreed(self, ledger: Ledger) -> float:
        """Until when two plans are the same."""
        for index in range(max(len(self.changes), len(ledger.changes))):
            mine = self.changes[index] if index < len(self.changes) else None
            theirs = ledger.changes[index] if index < len(ledger.changes) else None
            if mine is None or theirs is None or (mine.at, mine.key) != (theirs.at, theirs.key):
                return min(change.at for change in (mine, theirs) if change is not None)
        return inf


def _by_window(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected counts with the windows first, as the words are."""
    return rates.swapaxes(0, 1) if rates.ndim == 3 else rates
