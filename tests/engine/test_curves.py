"""Lines instead of a guide: whatever they are not sure of, they mark."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.engine.curves import LEAST, Curve
from sim.engine.streams import Stream
from sim.engine.tables import PoissonTable

TOP = (1 << 64) - 1
EDGES = [0, 1, 2, (1 << 63) - 600, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 63) + 600, TOP - 1, TOP]
EDGES += [
    sign % (1 << 64)
    for power in range(40, 63)
    for at in range(-600, 601, 200)
    for sign in ((1 << power) + at, at - (1 << power))
]


def searched(last: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(what a curve says, the truth) for every threshold, the words next to it, the ends of cells, and many words."""
    many = Stream(20261128, "curves", 320).raw_block(0, 500, 0, 320).reshape(-1)
    around = [last, last[:-1] + np.uint64(1), last[1:] - np.uint64(1)]
    words = np.concatenate([*around, np.array(EDGES, np.uint64), many])
    said, cell = np.empty(words.size, np.int64), np.empty(words.size, np.int64)
    Curve(last).search(words, cell, said)
    return said, last.searchsorted(words)


def sound(said: NDArray[np.int64], true: NDArray[np.int64]) -> bool:
    """What is not marked is right, and what is marked is right, one too high, or nothing."""
    guess = ~said
    return bool(np.where(said >= 0, said == true, (guess == true) | (guess == true + 1) | (guess == 0)).all())


@pytest.mark.parametrize("mean", [6e4, 1e6, 1e7, 4e8])
def test_counts_are_right_and_few_are_marked(mean: float) -> None:
    last = PoissonTable(mean).last
    assert last.size >= LEAST
    said, true = searched(last)
    assert sound(said, true)
    many = said[-160_000:]
    assert 0.006 < (many < 0).mean() < 0.010  # one in 128: those less than that above a whole number
    assert (many == -1).mean() < 1e-3  # all thresholds are searched for these


@pytest.mark.parametrize("shape", ["uneven", "steep", "equal"])
def test_what_no_line_fits_is_marked(shape: str) -> None:
    rng = Stream(7, shape, 8000).raw(0, 0, 8000)
    last = np.sort({"uneven": rng, "steep": rng >> np.uint64(20), "equal": np.repeat(rng[::4], 4)}[shape])
    last[-1] = TOP
    assert sound(*searched(last))
