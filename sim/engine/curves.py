"""The search in many thresholds by straight lines: what a guide (`guides.py`) is for few.

The count of a word grows smoothly where a table has thousands of values, so that in each of some cells a line tells it, and a
table takes 50 kB of cache where a guide takes a megabyte. Lines are wrong by at most half of `_NEAR`: an answer less than `_NEAR`
above a whole number may be one too high, and is marked. That this holds for every word is not assumed but checked, cell by cell,
when the lines are made; in cells where it does not hold (the far tails: one word in ten thousand) every word is marked.

Cells are narrow where words are rare: they are the sign, the exponent and the first bits of the word as a floating point number, when
2^64 is subtracted from its upper half. So 0 and -1 are the ends of the two tails, and a cell is as wide as it is far from the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.engine.scratch import scratch

__all__ = ["LEAST", "Curve"]

Raw = NDArray[np.uint64]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST = 4097  # values from which lines are faster than a guide
_NEAR = 1.0 / 128
_POINT = 30  # bits of an answer behind the point
_ONE = 2.0 ** (52 - _POINT)  # added to an answer, so that its bits are those of a fixed-point number
_WHOLE = (1023 + 52 - _POINT) << (52 - _POINT)  # what that makes of 0
_PART = np.int64((1 << _POINT) - 1)
_LIMIT = np.int64(_NEAR * (1 << _POINT))
_OCTAVES = range(47, 63)  # exponents with lines: all but 2^-16 of the words


class Curve:
    """The lines of a table whose answers are the indexes of `last`, see `guides.py`."""

    __slots__ = ("_bits", "_heights", "_slopes")

    def __init__(self, last: Raw) -> None:
        self._bits = _fineness(last.size)
        self._heights, self._slopes = np.full(128 << self._bits, _ONE), np.zeros(128 << self._bits)
        lows, highs = _borders(self._bits)
        cells = self._cells(lows)
        self._heights[cells], self._slopes[cells] = _lines(last, lows, highs)
        wrong = self._wrong(last, lows, highs)
        self._heights[wrong], self._slopes[wrong] = _ONE, 0.0

    @staticmethod
    def nbytes(values: int) -> int:
        """Bytes for a table of so many values; the lines of all but one word in a hundred take a tenth of it."""
        return 2048 << _fineness(values)

    def search(self, words: Raw, cell: Counts, values: Counts) -> None:
        """Answers for `words` into `values`; `~answer` (negative) if it may be one too high, or (if 0) anything. `cell`: room to work."""
        at, step = (scratch(name, words.shape).view(np.float64) for name in ("at", "step"))
        found = values.view(np.float64)
        np.copyto(at, words.view(np.int64))
        self._cells(at, cell.view(np.uint64))
        self._heights.take(cell, out=found, mode="clip")
        self._slopes.take(cell, out=step, mode="clip")
        np.multiply(step, at, out=step)
        np.add(found, step, out=found)
        np.bitwise_and(values, _PART, out=cell)
        np.subtract(cell, _LIMIT, out=cell)
        np.right_shift(cell, 63, out=cell)  # -1 if near, else 0
        np.right_shift(values, _POINT, out=values)
        np.subtract(values, _WHOLE, out=values)
        np.bitwise_xor(values, cell, out=values)

    def _cells(self, at: Floats, out: Raw | None = None) -> Raw:
        """The cell of each word: seven bits for sign and exponent (its upper bits follow from the others), then those of the fraction."""
        bits = at.view(np.uint64)
        cell = np.right_shift(bits, np.uint64(5), out=out)
        np.bitwise_xor(cell, bits, out=cell)
        np.right_shift(cell, np.uint64(52 - self._bits), out=cell)
        return np.bitwise_and(cell, np.uint64((128 << self._bits) - 1), out=cell)

    def _wrong(self, last: Raw, lows: Floats, highs: Floats) -> Raw:
        """The cells whose line fails somewhere.

        A line rises, and so do the counts: it is enough to look at the words around each threshold and at both ends of each cell.
        """
        ends = np.concatenate([_words(lows), _words(highs)])
        words = np.concatenate([last[:-1], last[:-1] + np.uint64(1), ends])
        at = np.concatenate(
            [last[:-1].view(np.int64).astype(np.float64), (last[:-1] + np.uint64(1)).view(np.int64), lows, highs]
        )
        cells = self._cells(at)
        found = self._heights[cells] + self._slopes[cells] * at - _ONE
        true = last.searchsorted(words)
        wrong: Raw = cells[(found < true) | (found >= true + 1 + _NEAR)]
        return wrong


def _fineness(values: int) -> int:
    """Bits of the fraction: the error of a line grows with the values, and falls with the square of the number of cells."""
    return values.bit_length() // 2


def _borders(bits: int) -> tuple[Floats, Floats]:
    """The lowest and the highest number of each cell, lower half of the words first."""
    steps = np.arange((1 << bits) + 1) / (1 << bits)
    edges = [2.0**octave * (1.0 + steps) for octave in _OCTAVES]
    near, far = np.concatenate([edge[:-1] for edge in edges]), np.concatenate([edge[1:] for edge in edges])
    far = np.nextafter(far, 0.0)
    return np.concatenate([near, -far]), np.concatenate([far, -near])


def _lines(last: Raw, lows: Floats, highs: Floats) -> tuple[Floats, Floats]:
    """Height at 0 and slope of each cell's line: through the ends, moved to halve its error, and to be never too low."""
    middles = (lows + highs) / 2
    low, middle, high = (_heights(last, at) for at in (lows, middles, highs))
    slopes = (high - low) / (highs - lows)
    heights = low - slopes * lows + (middle - (low + high) / 2) / 2
    return heights + _NEAR / 2 + _ONE, slopes


def _heights(last: Raw, at: Floats) -> Floats:
    """Counts between which straight lines run from threshold to threshold."""
    counts = np.arange(1.0, last.size + 1)
    half = 1 << 62
    lower, upper = last < np.uint64(3 * half), last >= np.uint64(half)
    below = np.interp(at, last[lower].astype(np.float64), counts[lower])
    above = np.interp(at, -((~last[upper]).astype(np.float64) + 1.0), counts[upper])
    heights: Floats = np.where(at >= 0, below, above)
    return heights


def _words(at: Floats) -> Raw:
    """The words that are these numbers."""
    return np.clip(at, -(2.0**63), np.nextafter(2.0**63, 0)).astype(np.int64).view(np.uint64)
