"""Searching sorted 64-bit thresholds for many random words at once: a guide table with one gather.

A guide table (Chen and Asau, 1974) cuts the words into 2^b equal cells of 2^s words and starts the search where the
cell says. Here a cell with at most one threshold stores one number, chosen so that the carry of one addition is the
comparison:

    (guide[word >> s] + word) >> s  =  thresholds below the cell, plus 1 if the word is beyond the one inside

A cell with several thresholds (the tails: 0.1-1% of the words) sets the top bit; those words are finished by bisection.
Thresholds are given as `last[k]`, the largest word whose answer is k; the final entry is 2^64 - 1.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Raw = NDArray[np.uint64]
Counts = NDArray[np.int64]
T = TypeVar("T", bound=np.generic)

# Words a pass: enough to hide the cost of a call, few enough to stay in cache (measured from 2^12 to 2^16).
_CHUNK = 1 << 15
# Up to here a bisection in Python for each word is faster than 15 numpy calls for all.
_FEW = 8


class Table(Protocol):
    """A distribution that can be searched: answers are `first + k`."""

    first: int
    last: Raw
    bits: int

    @property
    def guide(self) -> Raw: ...


def fineness(values: int) -> int:
    """b, so that 2^b cells are at least twice the values: one bit of an answer marks crowded cells."""
    bits = max(9, (values - 1).bit_length() + 1)
    return bits + 1 if bits < 14 else bits


def guide(last: Raw, bits: int) -> Raw:
    """uint64[2^bits]: the guide of sorted thresholds; sums are modulo 2^64."""
    shift = np.uint64(64 - bits)
    inside = np.bincount((last[:-1] >> shift).view(np.int64), minlength=1 << bits)
    below = np.cumsum(inside) - inside
    start = np.arange(1 << bits, dtype=np.uint64) << shift
    cells = (below.astype(np.uint64) << shift) - start
    one = np.flatnonzero(inside == 1)
    cells[one] += start[one] + ((np.uint64(1) << shift) - np.uint64(1)) - last[below[one]]
    cells[inside > 1] += np.uint64(1 << 63)
    return cells


@dataclass(frozen=True, slots=True)
class Columns:
    """What a search needs of the table of each column, gathered once: see `Cells.columns`."""

    which: NDArray[np.intp]
    shift: NDArray[np.int64]
    offset: NDArray[np.int64]
    first: NDArray[np.int64] | None

    def tile(self, rows: int) -> Columns:
        """The columns of this many rows in a row: numpy is fastest along one long axis."""
        first = None if self.first is None else _tiled("first", self.first, rows)
        return Columns(self.which, _tiled("shift", self.shift, rows), _tiled("offset", self.offset, rows), first)


class Cells:
    """Several tables searched together: a word and the index of its table give a count.

    The number of numpy calls depends neither on the number of tables nor on the number of columns.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self.guide = _joined([table.guide for table in tables])
        self.last = _joined([table.last for table in tables])
        self.shift = np.array([64 - table.bits for table in tables], np.int64)
        self.offset = _starts([1 << table.bits for table in tables])  # of the table's cells in `guide`
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
        return self.guide.nbytes + 2 * self.last.nbytes

    def columns(self, which: NDArray[np.intp]) -> Columns:
        """Prepares the tables of the words of one row (or of every word): `which` is flattened."""
        which = which.reshape(-1)
        shift, offset, first = self.shift.take(which), self.offset.take(which), self.first.take(which)
        if (shift == shift[:1]).all():
            shift = shift[:1]  # a scalar operand makes the shifts twice as fast
        offset = offset if offset.any() else offset[:1]
        return Columns(which, shift, offset, first if first.any() else None)

    def draw(self, raw: Raw, which: NDArray[np.intp]) -> Counts:
        """int64 of the shape of `raw`; `which` is the table of each word, of the shape of `raw` or of its last axes."""
        if which.shape != raw.shape[raw.ndim - which.ndim :]:
            raise ValueError(f"tables {which.shape} must have the shape of the words {raw.shape} or of their last axes")
        if which.ndim < raw.ndim or raw.ndim < 2:
            return self.fill(raw, self.columns(which))
        # A table for every word: cut the tables along with the words.
        rows = max(1, _CHUNK * len(raw) // max(1, raw.size))
        cuts = range(0, len(raw), rows)
        parts = [self.fill(raw[at : at + rows], self.columns(which[at : at + rows])) for at in cuts]
        return np.concatenate(parts) if parts else np.empty(raw.shape, np.int64)

    def fill(self, raw: Raw, columns: Columns, out: Counts | None = None) -> Counts:
        """int64 of the shape of `raw`, whose last axes together are the prepared columns.

        `out`, contiguous and of the same shape, is filled and returned: a large new array costs more in page faults
        than the search does.
        """
        if out is None:
            out = np.empty(raw.shape, np.int64)
        elif out.shape != raw.shape or out.dtype != np.int64 or not out.flags.c_contiguous:
            raise ValueError(f"out must be a contiguous int64 array of shape {raw.shape}, got {out.dtype} {out.shape}")
        if raw.size == 0:
            return out
        width = columns.which.size
        words, found = raw.reshape(-1), out.reshape(-1)
        rows = min(words.size, _CHUNK) // width or 1
        size = rows * width
        tiled, cell = columns.tile(rows), _scratch("cell", size)
        crowded = []
        for at in range(0, words.size, size):
            part = words[at : at + size]
            left = self._search(part, tiled, cell[: part.size], found[at : at + size])
            if left.size:
                crowded.append(left + at)
        if crowded:  # all at once, because a search of few words costs as much as one of many
            places = _joined(crowded)
            found[places] = self._bisect(words[places], columns.which.take(places % width))
        return out

    def add(self, raw: Raw, columns: Columns) -> Counts:
        """int64[R, C]: the counts of `raw[W, R, C]` with a table for each of the C columns, summed over W.

        The counts themselves never leave the cache.
        """
        windows, count, width = raw.shape
        words, sums = raw.reshape(windows, -1), np.empty((count, width), np.int64)
        found = sums.reshape(-1)
        rows = min(count, _CHUNK // (windows * width)) or 1
        size = rows * width
        tiled = columns.tile(rows)
        crowded = []
        for at in range(0, found.size, size):
            part = words[:, at : at + size]
            cell, values = (_scratch(name, part.size).reshape(part.shape) for name in ("cell", "values"))
            left = self._search(part, tiled, cell, values)
            if left.size:
                values.reshape(-1)[left] = 0  # added below
                window, place = np.divmod(left, part.shape[1])
                crowded.append(window * found.size + place + at)
            np.add.reduce(values, axis=0, out=found[at : at + size])
        if crowded:
            window, place = np.divmod(_joined(crowded), found.size)
            np.add.at(found, place, self._bisect(words[window, place], columns.which.take(place % width)))
        return sums

    def _search(self, part: Raw, tiled: Columns, cell: Counts, values: Counts) -> NDArray[np.intp]:
        """Counts of a chunk into `values`; returns the flat places of words in crowded cells, whose values mean nothing."""
        size = part.shape[-1]
        results, shift = values.view(np.uint64), tiled.shift[:size]
        np.right_shift(part, shift.view(np.uint64), out=cell.view(np.uint64))
        np.add(cell, tiled.offset[:size], out=cell)
        self.guide.take(cell, out=results, mode="clip")
        np.add(results, part, out=results)
        np.right_shift(values, shift, out=values)  # arithmetic: crowded cells become negative
        left: NDArray[np.intp] = (values.reshape(-1) < 0).nonzero()[0]
        if tiled.first is not None:
            np.add(values, tiled.first[:size], out=values)
        return left

    def _bisect(self, words: Raw, table: NDArray[np.intp]) -> Counts:
        """Answers for words in crowded cells, each with the index of its table."""
        if words.size <= _FEW:
            return np.array(
                [self._bisect_one(*one) for one in zip(words.tolist(), table.tolist(), strict=True)], np.int64
            )
        place = self._keys.searchsorted((words >> self._dropped) + (table.astype(np.uint64) << self._kept))
        while (beyond := self.last.take(place) < words).any():  # the dropped bits; nearly always none
            place = place + beyond
        return place - (self.base - self.first).take(table)

    def _bisect_one(self, word: int, table: int) -> int:
        base, end, first = self.base.item(table), self.end.item(table), self.first.item(table)
        return first - base + bisect_left(self.last.data, word, base, end)


def _tiled(name: str, column: Counts, rows: int) -> Counts:
    """A column's value for each of many rows, valid until the next search; one value stays one."""
    if column.size == 1:
        return column
    tiled = _scratch(name, rows * column.size)
    tiled.reshape(rows, -1)[:] = column
    return tiled


def _scratch(name: str, size: int) -> Counts:
    """int64[size], the same memory at every call in this thread: fresh pages cost as much as the search."""
    held: Counts | None = getattr(_held, name, None)
    if held is None or held.size < size:
        held = np.empty(max(size, _CHUNK), np.int64)
        setattr(_held, name, held)
    return held[:size]


_held = threading.local()


def _joined(parts: list[NDArray[T]]) -> NDArray[T]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _starts(sizes: list[int]) -> Counts:
    return np.cumsum([0, *sizes], dtype=np.int64)[:-1]
