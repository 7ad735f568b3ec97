"""Arrivals that are not random: exactly the expected number of requests in every window, only their outcomes are drawn.

The closed forms of the literature (judges.md V12) hold for a given number of requests a check; this is the service they
speak of. Expected numbers are seldom whole. What each version was owed and did not get is carried on, so that nothing
drifts: the window's total is the nearest whole number, and the largest remainders get what whole parts leave over.
Equal plans give equal numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

import numpy as np

from sim.engine.binomial import split
from sim.engine.draws import Draws
from sim.engine.ledger import LOST, Counts, Forecast, Ledger, Rows
from sim.policy.errors import WorldError

__all__ = ["FixedLedger", "allot"]

Dues = tuple[float, ...]
"""Requests owed so far to the old version, the new version, and the lost ones of each; at most about one of each."""


class FixedLedger(Ledger):
    """A ledger whose versions get a given number of requests; `new` is the new version's first cell."""

    def __init__(
        self, draws: Draws, rows: Rows, scrape: float, phase: float = 0.0, forecast: Forecast | None = None, *, new: int
    ) -> None:
        if draws.weather is not None:
            raise WorldError("arrivals that are fixed have no random rates; use noise iid, or arrivals poisson")
        super().__init__(draws, rows, scrape, phase, forecast)
        self._new = new
        self._dues: list[Dues] = [(0.0,) * 4]  # at each scrape
        self._due: Dues = self._dues[0]  # now

    def _draw(self, start: int, stop: int) -> None:
        for _ in range(start, stop):
            self._close()

    def _close(self) -> None:
        super()._close()
        self._dues.append(self._due)

    def _count(self, until: float, expected: Sequence[float]) -> Counts:
        new, width = self._new, self.draws.width
        chances = np.array(expected, np.float64)
        parts = (chances[:new], chances[new:width])
        wanted = (*(float(cells.sum()) for cells in parts), float(expected[width]), float(expected[width + 1]))
        numbers, self._due = allot(self._due, wanted)
        counts = np.empty((len(self.rows), width + LOST), np.int64)
        words = self.draws.part(self._pick, self.scraped, self._part)
        for number, cells, first in zip(numbers, parts, (0, new), strict=False):
            counts[:, first : first + len(cells)] = split(words[:, first : first + len(cells)], number, cells)
        counts[:, width:] = numbers[2:]
        return counts

    def _borrow(self, last: int) -> None:
        before = self.scraped
        super()._borrow(last)
        if self._forecast is not None and self.scraped > before:
            lender = self._forecast.ledger
            assert isinstance(lender, FixedLedger)
            self._dues.extend(lender._dues[before + 1 : self.scraped + 1])
            self._due = self._dues[-1]


def allot(due: Sequence[float], expected: Sequence[float]) -> tuple[tuple[int, ...], Dues]:
    """(whole numbers for what is expected and was owed before, what is owed after). Who expects nothing gets nothing.

    >>> allot((0.0, 0.0), (3.75, 11.25))
    ((4, 11), (-0.25, 0.25))
    """
    owed = [before + now for before, now in zip(due, expected, strict=True)]
    numbers = [floor(max(0.0, much)) if now > 0 else 0 for much, now in zip(owed, expected, strict=True)]
    open_ = [index for index, now in enumerate(expected) if now > 0]
    missing = floor(sum(owed) + 0.5) - sum(numbers)
    while missing > 0 and open_:
        index = max(open_, key=lambda i: owed[i] - numbers[i])
        numbers[index] += 1
        missing -= 1
    while missing < 0 and any(numbers):
        index = min((i for i in open_ if numbers[i]), key=lambda i: owed[i] - numbers[i])
        numbers[index] -= 1
        missing += 1
    return tuple(numbers), tuple(much - number for much, number in zip(owed, numbers, strict=True))
