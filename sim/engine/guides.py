"""Searching sorted 64-bit thresholds for many random words at once: a guide table with one gather.

A guide table (Chen and Asau, 1974) cuts the words into 2^b equal cells of 2^s words and starts the search where the
cell says. Here a cell with at most one threshold stores one number, chosen so that the carry of one addition is the
comparison:

    (guide[word >> s] + word) >> s  =  thresholds below the cell, plus 1 if the word is beyond the one inside

A cell with several thresholds (the tails: 0.1-1% of the words) sets the top bit: the answers of those words are negative,
and whoever searches finishes them. Thresholds are given as `last[k]`, the largest word whose answer is k; the final entry
is 2^64 - 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Guide"]

Raw = NDArray[np.uint64]
Counts = NDArray[np.int64]


class Guide:
    """The guide of one table."""

    __slots__ = ("cells", "shift")

    def __init__(self, last: Raw) -> None:
        bits = _fineness(last.size)
        self.cells, self.shift = _cells(last, bits), 64 - bits

    @staticmethod
    def nbytes(values: int) -> int:
        """Bytes for a table of so many values."""
        return 8 << _fineness(values)

    def search(self, words: Raw, cell: Counts, values: Counts) -> None:
        """Answers for `words` into `values`; `cell` is room to work in."""
        found = values.view(np.uint64)
        np.right_shift(words, np.uint64(self.shift), out=cell.view(np.uint64))
        self.cells.take(cell, out=found, mode="clip")
        np.add(found, words, out=found)
        np.right_shift(values, self.shift, out=values)  # arithmetic: crowded cells become negative


def _fineness(values: int) -> int:
    """b, so that 2^b cells are at least twice the values: one bit of an answer marks crowded cells."""
    bits = max(9, (values - 1).bit_length() + 1)
    return bits + 1 if bits < 14 else bits


def _cells(last: Raw, bits: int) -> Raw:
    """uint64[2^bits]; sums are modulo 2^64."""
    shift = np.uint64(64 - bits)
    inside = np.bincount((last[:-1] >> shift).view(np.int64), minlength=1 << bits)
    below = np.cumsum(inside) - inside
    start = np.arange(1 << bits, dtype=np.uint64) << shift
    cells = (below.astype(np.uint64) << shift) - start
    one = np.flatnonzero(inside == 1)
    cells[one] += start[one] + ((np.uint64(1) << shift) - np.uint64(1)) - last[below[one]]
    cells[inside > 1] += np.uint64(1 << 63)
    return cells
