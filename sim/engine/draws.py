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
_PIECE = 1 << 16  # words drawn at a time on their way into a block: they stay in the cache
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
        """uint64[stop - start, rows, width]: part 0 of the windows [start, stop)."""
        pieces = []
        while start < stop:
            block, offset = divmod(start, BLOCK)
            end = min(stop, (block + 1) * BLOCK)
            pieces.append(self._windows(rows, block, offset, offset + end - start))
            start = end
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

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

    def _windows(self, rows: slice | NDArray[np.intp], block: int, start: int, stop: int) -> Raw:
        """uint64[stop - start, rows, width] of a block, which is kept for the others of the batch unless only a few rows want it."""
        if isinstance(rows, slice) or len(rows) > _FEW or block in self._blocks:
            return self._block(block)[start:stop, rows]
        words = self._few(self._whole, rows, block, BLOCK * self.width, 0)
        return words.reshape(len(rows), BLOCK, self.width)[:, start:stop].swapaxes(0, 1)

    def _block(self, block: int) -> Raw:
        if block in self._blocks:
            self._blocks.move_to_end(block)
            return self._blocks[block]
        raw = self._blocks[block] = self._drawn(block)
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return raw

    def _drawn(self, block: int) -> Raw:
        """uint64[BLOCK, count, width]: windows first, because whole windows are drawn and added."""
        words = BLOCK * self.width
        raw = _memory((BLOCK, self.count, self.width))
        rows = max(1, _PIECE // words)
        for at in range(0, self.count, rows):
            count = min(rows, self.count - at)
            piece = self._whole.raw_block(self.first + at, count, block, words)
            raw[:, at : at + count] = piece.reshape(count, BLOCK, self.width).swapaxes(0, 1)
        return raw


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
