"""The compiled forms give the same words and counts. Needs the extra `fast`; the other modules work without it."""

from __future__ import annotations

import numpy as np

from sim.engine.cells import Cells
from sim.engine.fast import compiled
from sim.engine.streams import Stream
from sim.engine.tables import tables

MEANS = (0.0, 0.02, 3.0, 300.0, 3e4, 2e6)


def test_words_and_counts_are_identical() -> None:
    kernels = compiled()
    assert kernels is not None, "numba is missing: pip install 'seatrial[fast]'"
    stream = Stream(5, "arrivals", 318)
    for address in ((0, 40, 0, 318, 0), (10**9, 3, 10**6, 5, 2)):
        assert np.array_equal(kernels.raw_block(stream, *address), stream.raw_block(*address))
    cells = Cells([tables(mean) for mean in MEANS])
    raw = stream.raw_block(0, 200, 3, 318)
    per_column, per_word = np.arange(318) % 6, (np.arange(raw.size) % 6).reshape(raw.shape)
    for which in (per_column, per_word):
        assert np.array_equal(kernels.draw(cells, raw, which), cells.draw(raw, which))
    ends = np.concatenate([cells.last, cells.last + np.uint64(1)])[:, None].repeat(6, 1)
    assert np.array_equal(kernels.draw(cells, ends, np.arange(6)), cells.draw(ends, np.arange(6)))
