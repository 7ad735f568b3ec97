"""Rates that vary at random: factors per (replication, window), drawn before the counts; given them the counts stay exact.

Factors come from streams of their own and depend on nothing that a policy does, so two policies meet the same weather. The traffic's
factor multiplies every cell of a window; the errors' factor multiplies the errors that a version would have anyway (at most half of
its requests), at the cost of its good answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.engine.factors import steps
from sim.engine.streams import Stream
from sim.service.mix import Layout
from sim.service.noise import Iid, Noise, factor

__all__ = ["Weather"]

_BLOCK = 512  # windows whose factors are drawn together
_CAP = 0.5  # of a version's requests may fail because of the weather

Factors = NDArray[np.float64]


@dataclass(slots=True)
class _Series:
    """Factors of one kind, float64[count, windows], longer when somebody looks further."""

    stream: Stream
    noise: Noise
    first: int
    count: int
    window: float
    known: Factors

    def upto(self, windows: int) -> Factors:
        if self.known.shape[1] < windows:
            blocks = -(-windows // _BLOCK)
            width = _BLOCK * self.noise.per_window
            u = np.concatenate(
                [self.stream.uniforms_block(self.first, self.count, b, width) for b in range(blocks)], axis=1
            )
            found = steps(self.noise, u, self.window)
            lowest = int(found.min())
            table = np.array([factor(step) for step in range(lowest, int(found.max()) + 1)])
            self.known = table[found - lowest]
        return self.known


class Weather:
    """The weather of a batch of replications, in windows of `window` seconds."""

    def __init__(
        self, seed: int, first: int, count: int, window: float, layout: Layout, traffic: Noise, errors: Noise
    ) -> None:
        self._layout = layout
        self._traffic, self._errors = (
            None if isinstance(noise, Iid) else _Series(
                Stream(seed, f"{name} noise", _BLOCK * noise.per_window), noise, first, count, window, np.ones((count, 0))
            )
            for name, noise in (("traffic", traffic), ("error", errors))
        )  # fmt: skip

    @classmethod
    def over(
        cls, seed: int, first: int, count: int, window: float, layout: Layout, traffic: Noise, errors: Noise
    ) -> Weather | None:
        """The weather, or None where nothing varies."""
        if isinstance(traffic, Iid) and isinstance(errors, Iid):
            return None
        return cls(seed, first, count, window, layout, traffic, errors)

    def means(self, rows: slice | NDArray[np.intp], start: int, expected: Factors) -> Factors:
        """float64[rows, windows, cells]: the expected counts `[windows, cells]` of the windows from `start` on, in this weather."""
        stop = start + len(expected)
        means = np.repeat(expected[None], len(np.arange(self._size)[rows]), axis=0)
        if self._errors is not None:
            factors = self._errors.upto(stop)[rows, start:stop]
            for good, error in self._arms():
                self._break(means, good, error, factors)
        if self._traffic is not None:
            means *= self._traffic.upto(stop)[rows, start:stop, None]
        return means

    @property
    def _size(self) -> int:
        return next(series.count for series in (self._traffic, self._errors) if series is not None)

    def _arms(self) -> tuple[tuple[slice, int], tuple[slice, int]]:
        shape = self._layout
        return (slice(0, shape.buckets), shape.buckets), (slice(shape.new, shape.errors), shape.errors)

    @staticmethod
    def _break(means: Factors, good: slice, error: int, factors: Factors) -> None:
        """More (or fewer) errors in place of good answers."""
        kept, errors = means[:, :, good].sum(axis=2), means[:, :, error]
        wanted = np.minimum(errors * factors, np.maximum(errors, _CAP * (kept + errors)))
        share = np.divide(kept + errors - wanted, kept, out=np.ones_like(kept), where=kept > 0)
        means[:, :, good] *= share[:, :, None]
        means[:, :, error] = np.where(kept > 0, wanted, errors)
