"""Disruptions of the delivery system as windows of time, and what the blocks ask about them.

A window is active on [start, end). Overlapping windows of one kind combine as probabilities do, 1 - (1-a)(1-b); a
window of intensity 0 changes nothing (faults.md section 1). Nothing here is random: a block draws, keyed by its own
entity.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from sim.policy.errors import WorldError

KINDS: dict[str, tuple[str, ...]] = {
    # kind (names of faults.md section 2.4): stages it can hit; intensity is ...
    "trigger.drop": ("integration", "delivery"),  # the probability that a webhook is lost
    "pool.offline": ("integration",),  # the share of workers that leave; what they were doing is lost
    "store.outage": ("artifacts",),  # the probability that a push or a pull fails
    "driver.crash": ("delivery",),  # 1: the reconciler is down, and reads everything anew when it is back
    "telemetry.gap": ("alerting",),  # the share of samples that are missing
}


@dataclass(frozen=True, slots=True)
class Disruption:
    """One fault window of the delivery system; an empty ``target`` means every stage its kind can hit."""

    kind: str
    start: float
    end: float
    intensity: float = 1.0
    target: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise WorldError(f"unknown disruption {self.kind!r}; known: {', '.join(KINDS)}")
        if not 0.0 <= self.start < self.end < math.inf:
            raise WorldError(f"{self.kind} needs 0 <= start < end, got {self.start} and {self.end}")
        if not 0.0 <= self.intensity <= 1.0:
            raise WorldError(f"{self.kind} needs an intensity in [0, 1], got {self.intensity}")
        if self.kind == "driver.crash" and self.intensity not in (0.0, 1.0):
            raise WorldError(f"driver.crash is on or off: intensity must be 0 or 1, got {self.intensity}")
        if self.target not in ("", *KINDS[self.kind]):
            raise WorldError(f"{self.kind} hits {' or '.join(KINDS[self.kind])}, got target {self.target!r}")


class Track:
    """The intensity of one kind at one stage as a step function of time."""

    def __init__(self, windows: Iterable[Disruption] = ()) -> None:
        self.windows = tuple(sorted((w for w in windows if w.intensity > 0), key=lambda w: (w.start, w.end)))
        self._edges = sorted(dict.fromkeys(edge for w in self.windows for edge in (w.start, w.end)))
        self._levels = [self._combined(edge) for edge in self._edges]

    def _combined(self, at: float) -> float:
        spared = 1.0
        for window in self.windows:
            if window.start <= at < window.end:
                spared *= 1.0 - window.intensity
        return 1.0 - spared

    def intensity(self, at: float) -> float:
        """The combined intensity at ``at``; 0 outside every window."""
        i = bisect_right(self._edges, at)
        return self._levels[i - 1] if i else 0.0

    def first(self, start: float, end: float) -> tuple[float, float] | None:
        """The first moment in [start, end] with a disruption, and its intensity there; None when all is quiet."""
        if not self._edges or start >= self._edges[-1]:
            return None
        here = self.intensity(start)
        if here > 0:
            return start, here
        i = bisect_right(self._edges, start)
        while i < len(self._edges) and self._edges[i] < end:
            if self._levels[i] > 0:
                return self._edges[i], self._levels[i]
            i += 1
        return None

    def clear(self, at: float) -> float:
        """The first moment at or after ``at`` without a disruption."""
        i = bisect_right(self._edges, at)
        if not i or self._levels[i - 1] == 0.0:
            return at
        while self._levels[i] > 0.0:
            i += 1
        return self._edges[i]

    def relief(self, at: float) -> float:
        """The first end of a disruption after ``at`` (inf: none to come)."""
        for i in range(bisect_right(self._edges, at), len(self._edges)):
            if self._levels[i] == 0.0:
                return self._edges[i]
        return math.inf


class Windows:
    """All disruptions of a run, by kind and stage."""

    def __init__(self, disruptions: Iterable[Disruption] = ()) -> None:
        self._all = tuple(disruptions)

    def on(self, kind: str, stage: str) -> Track:
        """The track of ``kind`` at ``stage``."""
        if stage not in KINDS[kind]:
            raise WorldError(f"{kind} cannot hit {stage}; it hits {' or '.join(KINDS[kind])}")
        return Track(w for w in self._all if w.kind == kind and w.target in ("", stage))
