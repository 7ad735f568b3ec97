"""The random numbers of a batch of replications, one per (replication, window, part, cell): the same whatever the policy did before.

Part 0 is the whole window; a window that was cut k times has parts 0 to k, each with numbers of its own (design.md section 3).
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from sim.engine.streams import Raw, Stream
from sim.engine.weather import Weather

__all__ = ["BLOCK", "Draws"]

BLOCK = 64  # windows drawn in one call
_FEW = 4  # rows that are cheaper to draw one by one than with the whole batch
_KEPT = 4  # blocks kept in memory: a rollout goes forward, its siblings start again
_ROWS = 64  # replications whose words are laid out at a time
_APART = 8  # words between the replications of a block: at a distance of a power of two they would drive each other out of the cache
_SPARE = 4  # blocks whose memory is used again: fresh pages cost more than the numbers in them


class Draws:
    """Raw words for `count` replications from `first` on, `width` cells a window; `weather` if their rates vary at random."""

    def __init__(self, seed: int, first: int, count: int, width: int, weather: Weather | None = None) -> None:
        self.seed, self.first, self.count, self.width = seed, first, count, width
        self.weather = weather
        self._whole = Stream(seed, "traffic", BLOCK * width)
        self._cut = Stream(seed, "traffic cut", width)
        self._lost = Stream(seed, "lost", 4)
        self._responses: NDArray[np.float64] | None = None
        self._blocks: OrderedDict[int, Raw] = OrderedDict()

    @property
    def responses(self) -> NDArray[np.float64]:
        """Uniform numbers, one per replication: how soon a person called by an alert acts."""
        if self._responses is None:
            self._responses = Stream(self.seed, "alert response", 4).uniforms_block(self.first, self.count, 0, 1)[:, 0]
        return self._responses

    def whole(self, rows: slice | NDArray[np.intp], start: int, stop: int) -> Raw:
        """uint64[stop - start, rows, width]: part 0 of the windows [start, stop), the words of one cell side by side in memory."""
        count = self.count if isinstance(rows, slice) else len(rows)
        laid = np.empty(((stop - start) * self.width, count), np.uint64)
        at = start
        while at < stop:
            block, offset = divmod(at, BLOCK)
            end = min(stop, (block + 1) * BLOCK)
            words = self._words(rows, block, offset * self.width, (offset + end - at) * self.width)
            _turn(words, laid[(at - start) * self.width : (end - start) * self.width])
            at = end
        return laid.reshape(stop - start, self.width, count).swapaxes(1, 2)

    def part(self, rows: slice | NDArray[np.intp], window: int, part: int) -> Raw:
        """uint64[rows, width]: one part of one window."""
        if part == 0:
            words: Raw = self.whole(rows, window, window + 1)[0]
            return words
        return self._few(self._cut, rows, window, self.width, part)

    def lost(self, rows: slice | NDArray[np.intp], window: int, part: int) -> Raw:
        """uint64[rows, 2]: for the requests that the old and the new version lost in a part."""
        return self._few(self._lost, rows, window, 2, part)

    def close(self) -> None:
        """Forget the blocks now, see `Ledger.close`; nobody may still look at what `whole` gave."""
        _spare.extend(self._blocks.values())
        del _spare[:-_SPARE]
        self._blocks.clear()

    def _few(self, stream: Stream, rows: slice | NDArray[np.intp], block: int, n: int, part: int) -> Raw:
        """uint64[rows, n]: of the whole batch in one call, or of a few rows one by one."""
        if isinstance(rows, slice) or len(rows) > _FEW:
            return stream.raw_block(self.first, self.count, block, n, part)[rows]
        return np.stack([stream.raw(self.first + row, block, n, part) for row in rows.tolist()])

    def _words(self, rows: slice | NDArray[np.intp], block: int, start: int, stop: int) -> Raw:
        """uint64[rows, stop - start] of a block, which is kept for the others of the batch unless only a few rows want it."""
        if isinstance(rows, slice) or len(rows) > _FEW or block in self._blocks:
            return self._block(block)[rows, start:stop]
        return self._few(self._whole, rows, block, BLOCK * self.width, 0)[:, start:stop]

    def _block(self, block: int) -> Raw:
        """uint64[count, BLOCK * width]"""
        if block in self._blocks:
            self._blocks.move_to_end(block)
        else:
            self._blocks[block] = self._drawn(block)
            if len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[block][:, : BLOCK * self.width]

    def _drawn(self, block: int) -> Raw:
        raw = _memory((self.count, BLOCK * self.width + _APART))
        self._whole.fill(raw[:, : BLOCK * self.width], self.first, block)
        return raw


def _turn(words: Raw, out: Raw) -> None:
    """Rows become columns, some at a time: what is read must stay in the cache until all of it is used."""
    for at in range(0, len(words), _ROWS):
        out[:, at : at + _ROWS] = words[at : at + _ROWS].T


# glibc returns freed memory to the system above a threshold that grows with the largest block freed so far, up to 32 MiB
# (mallopt(3), M_MMAP_THRESHOLD). One block, never touched, raises it: the counts of the next path then lie in the pages of the
# last one (2 to 4% of a run). Elsewhere this does nothing.
np.empty(31 << 20, np.uint8)

_spare: list[Raw] = []


def _memory(shape: tuple[int, ...]) -> Raw:
    """uint64 of this shape, in memory of an earlier block if one has it."""
    for index, raw in enumerate(_spare):
        if raw.shape == shape:
            return _spare.pop(index)
    return np.empty(shape, np.uint64)
