"""Counts for many random words and many distributions: each word is searched in the sorted thresholds of its table.

Most answers come from one gather (`guides.py`) or from a straight line (`curves.py`). Both mark a few answers as unsure; those are
finished here, all at once: a search of few words costs as much as one of many.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.engine.curves import LEAST, Curve
from sim.engine.guides import Guide
from sim.engine.scratch import scratch

__all__ = ["Cells", "Columns", "Counts", "Raw", "Table"]

Raw = NDArray[np.uint64]
Counts = NDArray[np.int64]
Places = NDArray[np.intp]
T = TypeVar("T", bound=np.generic)

# Words a pass: enough to hide the cost of a call, few enough to stay in cache (measured from 2^12 to 2^16).
_CHUNK = 1 << 15
# Up to here a bisection in Python for each word is faster than 15 numpy calls for all.
_FEW = 8


class Table:
    """A distribution that can be searched: a word gives `first + k` if it is at most `last[k]`, and no more than that."""

    def __init__(self, first: int, last: Raw) -> None:
        self.first, self.last = first, last

    @property
    def thresholds(self) -> Raw:
        """uint64[values - 1]: `floor(CDF(first + k) * 2^64)`; a draw is `first + searchsorted(it, raw, "right")`."""
        return self.last[:-1] + np.uint64(1)

    @property
    def nbytes(self) -> int:
        """Bytes of the thresholds and of what searches them, whether or not it was needed yet."""
        return self.last.nbytes + (Curve if self.last.size >= LEAST else Guide).nbytes(self.last.size)

    @cached_property
    def guide(self) -> Guide:
        return Guide(self.last)

    @cached_property
    def search(self) -> Guide | Curve | None:
        """What is fastest for many words; None: there is one value only."""
        if self.last.size == 1:
            return None
        return Curve(self.last) if self.last.size >= LEAST else self.guide

    @cached_property
    def _cells(self) -> tuple[Cells, Columns]:
        cells = Cells([self])
        return cells, cells.columns(np.zeros(1, np.intp))

    def draw(self, raw: Raw) -> Counts:
        """Counts of the shape of `raw`."""
        cells, columns = self._cells
        return cells.draw_columns(raw[..., None], columns)[..., 0]

    def draw_one(self, raw: int) -> int:
        """The count of one word, in plain Python and without a guide: for a table that is met once."""
        return self.first + bisect_left(self.last.data, raw)


@dataclass(frozen=True, slots=True)
class Columns:
    """The tables of some columns: see `Cells.columns`."""

    which: Places
    first: Counts  # int64[columns, 1]
    ways: tuple[tuple[int, Guide | Curve], ...]  # of the columns with more than one value
    lines: Counts  # int64[columns]: 1 if searched by lines, else 0


class _Unsure(NamedTuple):
    """Answers that a search was not sure of, and their flat places among those of some columns and rows."""

    columns: Places
    rows: slice
    places: Places
    said: Counts

    def where(self, windows: int) -> tuple[Places, Places, Places]:
        """Their windows, columns and rows."""
        number, place = np.divmod(self.places, windows * (self.rows.stop - self.rows.start))
        window, row = np.divmod(place, self.rows.stop - self.rows.start)
        return window, self.columns.take(number), row + self.rows.start


class Cells:
    """Several tables searched together: a word and the index of its table give a count.

    Words come as [windows, columns, rows], each column with a table of its own: numpy is fastest along long rows that are treated
    alike, and one table after the other finds room in the cache. Or every word has a table of its own: then the number of numpy calls
    does not depend on the number of tables.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self.last = _joined([table.last for table in tables])
        self.base = _starts([table.last.size for table in tables])  # of the table's values in `last`
        self.end = self.base + np.array([table.last.size - 1 for table in tables], np.int64)
        self.first = np.array([table.first for table in tables], np.int64)
        # One sorted array of all thresholds: the number of the table in front, their lowest bits dropped.
        self._dropped = np.uint64((len(tables) - 1).bit_length())
        self._kept = np.uint64(64) - self._dropped
        number = np.repeat(np.arange(len(tables), dtype=np.uint64), self.end - self.base + 1)
        self._keys = self.last if len(tables) == 1 else (self.last >> self._dropped) + (number << self._kept)

    @property
    def nbytes(self) -> int:
        return 2 * self.last.nbytes + sum(table.nbytes for table in self._tables)

    def columns(self, which: Places) -> Columns:
        """Prepares the tables of columns: `which` is flattened."""
        which = which.reshape(-1)
        found = [self._tables[table].search for table in which.tolist()]
        ways = tuple((column, way) for column, way in enumerate(found) if way is not None)
        lines = np.array([isinstance(way, Curve) for way in found], np.int64)
        return Columns(which, self.first.take(which)[:, None], ways, lines)

    def draw(self, raw: Raw, which: Places) -> Counts:
        """int64 of the shape of `raw`; `which` is the table of each word, of the shape of `raw` or of its last axes."""
        if which.shape != raw.shape[raw.ndim - which.ndim :]:
            raise ValueError(f"tables {which.shape} must have the shape of the words {raw.shape} or of their last axes")
        if which.ndim < raw.ndim:
            return self.draw_columns(raw, self.columns(which))
        words, tables, found = raw.reshape(-1), which.reshape(-1), np.empty(raw.size, np.int64)
        for at in range(0, raw.size, _CHUNK):
            part = slice(at, at + _CHUNK)
            self._draw_each(words[part], tables[part], found[part])
        return found.reshape(raw.shape)

    def draw_columns(self, raw: Raw, columns: Columns) -> Counts:
        """int64 of the shape of `raw`, whose last axes together are the prepared columns."""
        found = self.fill(raw.reshape(1, -1, columns.which.size).swapaxes(1, 2), columns)
        return found.swapaxes(1, 2).reshape(raw.shape)

    def fill(self, raw: Raw, columns: Columns, out: Counts | None = None) -> Counts:
        """int64[W, C, R]: counts for the words `raw[W, C, R]`; `out` is filled and returned."""
        out = np.empty(raw.shape, np.int64) if out is None else out
        out[:] = columns.first
        unsure: list[_Unsure] = []
        for own, rows, values in self._searched(raw, columns, unsure):
            out[:, own, rows] += values.swapaxes(0, 1)
        if unsure:
            place, found = self._settled(raw, columns, unsure)
            out[place] += found
        return out

    def add(self, raw: Raw, columns: Columns, sums: Counts) -> None:
        """Counts for the words `raw[W, C, R]`, added over W to `sums[C, R]`. The counts themselves never leave the cache."""
        sums += columns.first * len(raw)
        unsure: list[_Unsure] = []
        for own, rows, values in self._searched(raw, columns, unsure):
            sums[own, rows] += np.add.reduce(values, axis=1)
        if unsure:
            place, found = self._settled(raw, columns, unsure)
            np.add.at(sums, place[1:], found)

    def _searched(
        self, raw: Raw, columns: Columns, unsure: list[_Unsure]
    ) -> Iterator[tuple[slice | Places, slice, Counts]]:
        """Some columns, some rows, and their answers [columns, windows, rows], valid until the next: right, or 0 and in `unsure`."""
        windows, _, count = raw.shape
        across = max(1, min(count, _CHUNK // max(1, windows)))
        down = max(1, _CHUNK // max(1, windows * across))
        for start in range(0, len(columns.ways), down):
            ways = columns.ways[start : start + down]
            own = np.array([column for column, _ in ways], np.intp)
            side_by_side = own[-1] - own[0] < own.size
            for row in range(0, count, across):
                rows = slice(row, min(row + across, count))
                values = scratch("values", (len(ways), windows, rows.stop - row))
                cell = scratch("cell", values.shape[1:])
                for (column, way), found in zip(ways, values, strict=True):
                    way.search(raw[:, column, rows], cell, found)
                flat = values.reshape(-1)
                if (places := (flat < 0).nonzero()[0]).size:
                    unsure.append(_Unsure(own, rows, places, flat[places]))
                    flat[places] = 0
                yield slice(own[0], own[-1] + 1) if side_by_side else own, rows, values

    def _settled(
        self, raw: Raw, columns: Columns, unsure: list[_Unsure]
    ) -> tuple[tuple[Places, Places, Places], Counts]:
        """Where [windows, columns, rows] answers were unsure, and the right ones."""
        windows, own, rows = zip(*(each.where(len(raw)) for each in unsure), strict=True)
        column = _joined([*own])
        place = _joined([*windows]), column, _joined([*rows])
        words, table = raw[place], columns.which.take(column)
        # A line says `~answer`, and may be one too high. Where it says 0, and for all others, all thresholds are searched.
        answer = ~_joined([each.said for each in unsure]) * columns.lines.take(column)
        far = (answer == 0).nonzero()[0]
        answer -= self.last.take(self.base.take(table) + answer - 1, mode="clip") >= words
        answer[far] = self._bisect(words[far], table[far])
        return place, answer

    # ---- a table for every word ----

    @cached_property
    def _guides(self) -> tuple[Raw, Counts, Counts]:
        """All guides in one array; of each table its shift, and where its guide begins."""
        guides = [table.guide for table in self._tables]
        shifts = np.array([guide.shift for guide in guides], np.int64)
        return _joined([guide.cells for guide in guides]), shifts, _starts([guide.cells.size for guide in guides])

    def _draw_each(self, words: Raw, which: Places, values: Counts) -> None:
        """Counts for `words[n]` into `values[n]`; `which[n]` is the table of each."""
        guide, shifts, starts = self._guides
        shift, found = shifts.take(which), values.view(np.uint64)
        cell = np.right_shift(words, shift.view(np.uint64)).view(np.int64)
        np.add(cell, starts.take(which), out=cell)
        guide.take(cell, out=found, mode="clip")
        np.add(found, words, out=found)
        np.right_shift(values, shift, out=values)
        if (places := (values < 0).nonzero()[0]).size:
            values[places] = self._bisect(words[places], which[places])
        np.add(values, self.first.take(which), out=values)

    # ---- what is left over ----

    def _bisect(self, words: Raw, table: Places) -> Counts:
        """Answers for any words, each with the index of its table."""
        if words.size <= _FEW:
            return np.array(
                [self._bisect_one(*one) for one in zip(words.tolist(), table.tolist(), strict=True)], np.int64
            )
        place = self._keys.searchsorted((words >> self._dropped) + (table.astype(np.uint64) << self._kept))
        while (beyond := self.last.take(place) < words).any():  # the dropped bits; nearly always none
            place = place + beyond
        return place - self.base.take(table)

    def _bisect_one(self, word: int, table: int) -> int:
        base, end = self.base.item(table), self.end.item(table)
        return bisect_left(self.last.data, word, base, end) - base


def _joined(parts: list[NDArray[T]]) -> NDArray[T]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _starts(sizes: list[int]) -> Counts:
    return np.cumsum([0, *sizes], dtype=np.int64)[:-1]
