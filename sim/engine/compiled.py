"""The same counts from compiled code, for whoever installed the extra `fast` (numba).

Reach it through `fast.compiled()`, which knows whether numba is there. Results are identical to `cells.py`
bit for bit: the same guide, the same thresholds, integer arithmetic only. The interpreter lock is released, so
threads scale.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from sim.engine.cells import Cells, Counts, Raw
from sim.engine.streams import WORDS, Stream

# Philox4x64-10: multipliers and key steps (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC11,
# table 2).
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)


def raw_block(stream: Stream, first: int, count: int, block: int, n: int, part: int = 0) -> Raw:
    """`stream.raw_block(first, count, block, n, part)`: uint64[count, n]."""
    stream.check(n, first, count)
    out = np.empty((count, stream.width), np.uint64)
    key0, key1 = (np.uint64(word) for word in stream.key)
    _philox(key0, key1, np.uint64(first * (stream.width // WORDS)), np.uint64(block), np.uint64(part), out.reshape(-1))
    return out[:, :n]


def draw(cells: Cells, raw: Raw, which: NDArray[np.intp]) -> Counts:
    """`cells.draw(raw, which)`: int64 of the shape of `raw`."""
    if which.shape != raw.shape[raw.ndim - which.ndim :]:
        raise ValueError(f"tables {which.shape} must have the shape of the words {raw.shape} or of their last axes")
    out = np.empty(raw.shape, np.int64)
    width = max(1, which.size)
    tables = (cells.shift, cells.offset, cells.base, cells.end, cells.first)
    _fill(raw.reshape(-1, width), which.reshape(-1), cells.guide, cells.last, *tables, out.reshape(-1, width))
    return out


@numba.njit(nogil=True, cache=True)
def _fill(
    words: Raw,
    which: NDArray[np.intp],
    guide: Raw,
    last: Raw,
    shift: Counts,
    offset: Counts,
    base: Counts,
    end: Counts,
    first: Counts,
    out: Counts,
) -> None:
    for row in range(words.shape[0]):
        for column in range(words.shape[1]):
            table = which[column]
            word = words[row, column]
            move = shift[table]
            value = np.int64(guide[np.int64(word >> np.uint64(move)) + offset[table]] + word) >> move
            if value < 0:  # a crowded cell: bisection
                low, high = base[table], end[table]
                while low < high:
                    middle = (low + high) >> 1
                    if last[middle] < word:
                        low = middle + 1
                    else:
                        high = middle
                value = low - base[table]
            out[row, column] = value + first[table]


def _product(_context: Any, _a: Any, _b: Any) -> Any:
    """The upper half of the 128-bit product of two uint64; numba has no 128-bit integers."""

    def build(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), build


_high: Any = intrinsic(_product)


@numba.njit(nogil=True, cache=True)
def _philox(key0: np.uint64, key1: np.uint64, start: np.uint64, word1: np.uint64, word2: np.uint64, out: Raw) -> None:
    for i in range(out.size // 4):
        c0 = start + np.uint64(i + 1)  # numpy steps the counter before it draws
        c1, c2, c3, k0, k1 = word1, word2, np.uint64(0), key0, key1
        for _ in range(10):
            c0, c1, c2, c3 = _high(_M1, c2) ^ c1 ^ k0, _M1 * c2, _high(_M0, c0) ^ c3 ^ k1, _M0 * c0
            k0, k1 = k0 + _W0, k1 + _W1
        out[4 * i], out[4 * i + 1], out[4 * i + 2], out[4 * i + 3] = c0, c1, c2, c3
