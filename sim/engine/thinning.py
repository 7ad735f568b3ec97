"""Splitting counts that are drawn already: among pods, or before and after a moment.

Given a Poisson count, which of its requests went where are independent choices (thinning), so each part is a binomial of what the
parts before it left over. The parts of a count add up to it, and a larger word never gives a smaller part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.engine.binomial import binomials
from sim.engine.streams import Raw, Stream

__all__ = ["thin", "words"]

Counts = NDArray[np.int64]

_FEW = 4  # rows that are cheaper to draw one by one than with the whole batch


def thin(raw: Raw, counts: Counts, chances: NDArray[np.float64]) -> Counts:
    """int64[R, C]: of `counts[R, C]` those that a choice with `chances[C]` takes, for the words `raw[R, C]`."""
    taken = np.zeros_like(counts)
    for cell, chance in enumerate(np.clip(chances, 0.0, 1.0).tolist()):
        if chance <= 0.0:
            continue
        column = counts[:, cell]
        if chance >= 1.0:
            taken[:, cell] = column
            continue
        for number in np.unique(column).tolist():
            if number:
                rows = np.flatnonzero(column == number)
                taken[rows, cell] = binomials(number, chance).draw(raw[rows, cell])
    return taken


def words(stream: Stream, first: int, count: int, rows: slice | NDArray[np.intp], block: int, n: int) -> Raw:
    """uint64[rows, n]: the words of some rows of a batch of replications [first, first + count) in one block."""
    if isinstance(rows, slice) or len(rows) > _FEW:
        return stream.raw_block(first, count, block, n)[rows]
    return np.stack([stream.raw(first + row, block, n) for row in rows.tolist()])
