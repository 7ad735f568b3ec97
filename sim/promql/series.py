"""Samples as arrays: blocks of series that were sampled at the same times, in all replications at once.

A store hands blocks to a query; `Memory` is the store of tests and of the command line. Axes are always [series, times,
replications], the last contiguous, because a window reads few times of many replications.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.promql.labels import Labels
from sim.promql.selectors import Selector

__all__ = ["MISSING", "SAMPLE", "STALE", "Block", "Memory", "Store"]

SAMPLE, MISSING, STALE = 0, 1, 2  # marks: a value, nothing was scraped, the series ended (a staleness marker)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Series that share their sample times.

    labels: one set per series, with `__name__`. Keep handing out the same tuple object: label work is done once per object.
    times:  int64 [T], milliseconds, strictly rising.
    values: float64 [S, T, R].
    marks:  None when every sample is there, else uint8 broadcastable to [S, T, R]: SAMPLE, MISSING or STALE.
    rows:   which series of `values` and `marks` the labels are; None for all, in order.
    """

    labels: tuple[Labels, ...]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    marks: NDArray[np.uint8] | None = None
    rows: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        series = self.values.shape[0] if self.rows is None else len(self.rows)
        if self.values.ndim != 3 or self.values.shape[1] != len(self.times) or series != len(self.labels):
            raise ValueError(
                f"a block of {len(self.labels)} label sets and {len(self.times)} times has values [series, times, replications], "
                f"got {self.values.shape}"
            )

    def pick(self, labels: tuple[Labels, ...], rows: NDArray[np.intp]) -> Block:
        """Some of the series, without copying a sample; `labels` is the tuple to go on with."""
        return Block(labels, self.times, self.values, self.marks, rows if self.rows is None else self.rows[rows])

    def columns(self, at: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        """Values [S, len(at), R] at some of the times."""
        picked = self.values[:, at]
        return picked if self.rows is None else picked[self.rows]

    def marked(self, at: slice | NDArray[np.intp]) -> NDArray[np.uint8]:
        """Marks [S or 1, len(at), R or 1] at some of the times; only for blocks that have marks."""
        assert self.marks is not None
        picked = self.marks if self.marks.shape[1] == 1 else self.marks[:, at]
        if self.marks.shape[1] == 1:
            width = len(range(*at.indices(len(self.times)))) if isinstance(at, slice) else len(at)
            picked = np.broadcast_to(picked, (picked.shape[0], width, picked.shape[2]))
        return picked if self.rows is None or picked.shape[0] == 1 else picked[self.rows]


class Store(Protocol):
    """Where a query finds its samples."""

    @property
    def replications(self) -> int:
        """R, the last axis of every block."""

    def select(self, selector: Selector) -> Sequence[Block]:
        """The series that match, in a fixed order. It must hold at least the samples of `selector.span` (see there)."""


class Memory:
    """A store of blocks at hand, with the answer to each selector kept."""

    def __init__(self, blocks: Iterable[Block], replications: int = 1) -> None:
        self._blocks = tuple(blocks)
        self.replications = replications
        self._found: dict[Selector, tuple[Block, ...]] = {}

    def select(self, selector: Selector) -> tuple[Block, ...]:
        if selector not in self._found:
            self._found[selector] = tuple(picked for block in self._blocks if (picked := _picked(block, selector)))
        return self._found[selector]


def _picked(block: Block, selector: Selector) -> Block | None:
    rows = [row for row, labels in enumerate(block.labels) if selector.matches(labels)]
    if not rows:
        return None
    if len(rows) == len(block.labels):
        return block
    return block.pick(tuple(block.labels[row] for row in rows), np.array(rows, np.intp))
