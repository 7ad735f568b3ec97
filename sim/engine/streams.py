"""Named, counter-based random numbers with a fixed layout.

Every number has an address: (seed, purpose, part, block, replication, position). Nothing that was drawn before, by
whom or in what order changes the number at an address, which is what makes common random numbers, resuming and any
worker count exact (design.md section 3).

Philox4x64-10 (Salmon and others, SC11) maps a 128-bit key and a 256-bit counter to four 64-bit words. Here

    key     = blake2b-128 of (seed, purpose): a new purpose shifts nobody else's numbers
    word 0  = replication * (width / 4) + position / 4
    word 1  = block of windows
    word 2  = part: 0 for the whole grid of windows, k for the k-th time a window was cut

so consecutive replications lie side by side, and one call draws a batch of them. Only `random_raw` is used: numpy
promises no equal `Generator` streams across versions (NEP 19), but the bits of a bit generator are fixed. numpy steps
the counter before it draws; the address above is the state before that step.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random import Philox
from numpy.typing import NDArray

Raw = NDArray[np.uint64]

WORDS = 4  # 64-bit words of one Philox counter
_PIECE = 1 << 14  # numbers that `fill` draws at a time
_LIMIT = 1 << 63  # of a counter word; far beyond any run, and no carry into the next word


class Stream:
    """The random numbers of one purpose, for example `Stream(7, "arrivals", width=320)`.

    `width` is how many numbers one (replication, block, part) owns; it belongs to the layout, so a purpose must keep
    it. It is rounded up to a multiple of 4. Safe to share between threads and to send to other processes.
    """

    __slots__ = ("_bits", "_counter", "_lock", "_state", "_stride", "key", "purpose", "seed", "width")

    def __init__(self, seed: int, purpose: str, width: int) -> None:
        if width < 1:
            raise ValueError(f"width of stream {purpose!r} must be at least 1 number, got {width}")
        self.seed, self.purpose = seed, purpose
        self._stride = -(-width // WORDS)
        self.width = self._stride * WORDS
        digest = blake2b(f"{seed}\0{purpose}".encode(), digest_size=16, person=b"seatrial stream").digest()
        self.key = (int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))
        # One generator is kept and moved by its documented `state`: 1 us, against 11 us for a new one. Plain lists
        # are what the setter reads fastest.
        self._counter = [0, 0, 0, 0]
        self._state: Any = {
            "bit_generator": "Philox",
            "state": {"counter": self._counter, "key": list(self.key)},
            "buffer": [0, 0, 0, 0],
            "buffer_pos": WORDS,  # nothing buffered: the next number comes from the next counter
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._bits = Philox(0)
        self._lock = self._bits.lock

    def raw(self, replication: int, block: int, n: int, part: int = 0) -> Raw:
        """uint64[n]: the numbers of one replication in one block. `n` is at most `width`."""
        self.check(n, replication, 1)
        counter = self._counter
        with self._lock:
            counter[0], counter[1], counter[2] = replication * self._stride, block, part
            self._bits.state = self._state
            return self._bits.random_raw(n)

    def raw_block(self, first: int, count: int, block: int, n: int, part: int = 0) -> Raw:
        """uint64[count, n]: row i is `raw(first + i, block, n, part)`; one call whatever `count` is."""
        self.check(n, first, count)
        return self._from(first, block, part).random_raw(count * self.width).reshape(count, self.width)[:, :n]

    def fill(self, out: Raw, first: int, block: int, part: int = 0) -> None:
        """`raw_block` into `out[count, n]`, some rows at a time: they stay in the cache on their way."""
        count, n = out.shape
        self.check(n, first, count)
        bits, rows = self._from(first, block, part), max(1, _PIECE // self.width)
        for at in range(0, count, rows):
            piece = out[at : at + rows]
            piece[:] = bits.random_raw(len(piece) * self.width).reshape(len(piece), self.width)[:, :n]

    def _from(self, first: int, block: int, part: int) -> Philox:
        """A generator at the first number of a replication; its own, so that threads do not wait for each other."""
        bits = Philox(0)
        state: Any = {**self._state, "state": {"counter": [first * self._stride, block, part, 0], "key": self.key}}
        bits.state = state
        return bits

    def check(self, n: int, first: int, count: int) -> None:
        """ValueError if these numbers are not on the layout."""
        if n > self.width:
            raise ValueError(f"stream {self.purpose!r} holds {self.width} numbers per block, got n={n}; widen it")
        if first < 0 or (first + count) * self._stride >= _LIMIT:
            raise ValueError(f"replications must lie in [0, 2^63 / {self._stride}), got {first} to {first + count}")

    def uniforms(self, replication: int, block: int, n: int, part: int = 0) -> NDArray[np.float64]:
        """float64[n] in [0, 1): the upper 53 bits of `raw`."""
        return uniform(self.raw(replication, block, n, part))

    def uniforms_block(self, first: int, count: int, block: int, n: int, part: int = 0) -> NDArray[np.float64]:
        """float64[count, n] in [0, 1): the upper 53 bits of `raw_block`."""
        return uniform(self.raw_block(first, count, block, n, part))

    def __reduce__(self) -> tuple[type[Stream], tuple[int, str, int]]:
        return Stream, (self.seed, self.purpose, self.width)

    def __repr__(self) -> str:
        return f"Stream({self.seed}, {self.purpose!r}, width={self.width})"


def uniform(raw: Raw) -> NDArray[np.float64]:
    """Raw words as multiples of 2^-53 in [0, 1); exact, so the same on every machine."""
    return (raw >> np.uint64(11)) * np.float64(2.0**-53)
