"""Hops: how news travels from where it is decided to each receiver, computed ahead instead of simulated."""

from __future__ import annotations

import math

from sim.durations import Uniforms, spend
from sim.pipeline.model import Propagation


def tick(at: float, phase: float, period: float) -> float:
    """The first tick of phase + k * period at or after ``at``."""
    return phase + math.ceil((at - phase) / period) * period


class Chain:
    """Hops in series to every receiver; each receiver has its own phase on each hop (pipeline-systems.md section 5.1).

    Draws: ``hop.N.phase`` by receiver, ``hop.N.delay`` and ``hop.N.drop`` by (what travels, receiver).
    """

    def __init__(self, propagation: Propagation, uniform: Uniforms) -> None:
        self.propagation = propagation
        self._uniform = uniform
        self._names = [f"hop.{i}" for i in range(len(propagation.hops))]
        self._phases = [
            [uniform(f"{name}.phase", receiver, 0) for receiver in range(propagation.receivers)] for name in self._names
        ]

    def arrivals(self, at: float, entity: int) -> tuple[float, float]:
        """When the first and the last receiver know what was decided at ``at``."""
        times = [self.arrival(at, entity, receiver) for receiver in range(self.propagation.receivers)]
        return min(times), max(times)

    def arrival(self, at: float, entity: int, receiver: int) -> float:
        """When one ``receiver`` knows it."""
        for name, phases, hop in zip(self._names, self._phases, self.propagation.hops, strict=True):
            if hop.period is not None:
                at = tick(at, phases[receiver] * hop.period, hop.period)
            at += spend(hop.delay, self._uniform, f"{name}.delay", entity, receiver)
            if hop.resync is not None and self._uniform(f"{name}.drop", entity, receiver) < hop.p_drop:
                at = tick(at, phases[receiver] * hop.resync, hop.resync)
        return at
