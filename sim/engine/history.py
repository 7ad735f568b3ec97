"""What the old version counted before a rollout began: a query that looks back further than the start finds it there.

The old version served everything at the rate of the first moment, without faults and without weather. Windows are counted backwards from
the scrape at or before the start, so that how far somebody looks back changes no number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.engine.streams import Stream
from sim.engine.tables import draw_cells
from sim.engine.thinning import words

__all__ = ["History"]

Counts = NDArray[np.int64]

_BLOCK = 16  # windows drawn in one call
_AGE = 86_400.0  # seconds that the old pods have run at most
_MOST = 1e6  # requests that they have counted at most: enough that no counter is near 0


class History:
    """Counts of `cells` at scrape -k, k = 0, 1, ..., and at the start itself, for rows of a batch of replications.

    `rates`: expected requests per second in each cell; `scrape` and `base` as those of the ledger (base <= 0).
    """

    def __init__(
        self, seed: int, first: int, count: int, rows: slice | NDArray[np.intp], rates: Sequence[float], scrape: float, base: float,
        windows: int,
    ) -> None:  # fmt: skip
        cells = len(rates)
        rate = np.array(rates, np.float64)
        stream = Stream(seed, "history", _BLOCK * cells)

        def drawn(block: int) -> Counts:
            raw = words(stream, first, count, rows, block, _BLOCK * cells).reshape(-1, _BLOCK, cells)
            return draw_cells(raw, np.broadcast_to(rate * scrape, (_BLOCK, cells)).copy())

        blocks = -(-windows // _BLOCK)
        counts = np.concatenate([drawn(block) for block in range(blocks)], axis=1)[:, :windows] if windows else None
        total = float(rate.sum())
        age = min(_AGE, _MOST / total) if total > 0 else 0.0
        before = draw_cells(words(Stream(seed, "history before", cells), first, count, rows, 0, cells), rate * age)
        rest = draw_cells(words(Stream(seed, "history rest", cells), first, count, rows, 0, cells), rate * -base)
        self._at = [before]  # from the oldest scrape on
        for window in reversed(range(windows)):
            assert counts is not None
            self._at.append(self._at[-1] + counts[:, window])
        self.start = self._at[-1] + rest
        self.oldest = -windows  # the first scrape that is known

    def at(self, scrape: int) -> Counts:
        """int64[rows, cells]: counts at a scrape, from `oldest` to 0."""
        return self._at[scrape - self.oldest]
