"""Counts before every scrape. Those that few people ask for are worked out when somebody does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sums"]

Counts = NDArray[np.int64]


class Sums(Sequence[Counts]):
    """`sums[s]` are the counts before scrape s, int64[rows, columns]."""

    __slots__ = ("_items",)

    def __init__(self, zero: Counts) -> None:
        self._items: list[Counts | Callable[[], Counts]] = [zero]

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, scrape: int) -> Counts: ...
    @overload
    def __getitem__(self, scrape: slice) -> list[Counts]: ...
    def __getitem__(self, scrape: int | slice) -> Counts | list[Counts]:
        if isinstance(scrape, slice):
            return [self[index] for index in range(*scrape.indices(len(self)))]
        found = self._items[scrape]
        if callable(found):
            found = self._items[scrape] = found()
        return found

    def append(self, counts: Counts) -> None:
        """The counts before the next scrape."""
        self._items.append(counts)

    def run(self, windows: int, end: Counts, between: Callable[[], Sequence[Counts]]) -> None:
        """The counts before the next `windows` scrapes: `end` before the last one, `between` makes the others."""
        made: list[Counts] = []

        def at(index: int) -> Counts:
            if not made:
                made.extend(between())
            return made[index]

        self._items.extend(partial(at, index) for index in range(windows - 1))
        self._items.append(end)

    def lend(self, lender: Sums, rows: NDArray[np.intp], upto: int) -> None:
        """Some `rows` of what somebody else counted, up to a scrape."""
        self._items.extend(partial(lender.part, scrape, rows) for scrape in range(len(self), upto + 1))

    def part(self, scrape: int, rows: NDArray[np.intp]) -> Counts:
        """int64[len(rows), columns]: the counts of some rows before a scrape."""
        return self[scrape][rows]
