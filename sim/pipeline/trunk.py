"""The trunk: what was merged in which order, which flaws it carries, and how much of it is live.

Rules: a change is on the trunk when its CI is green; a revision holds every change up to its own place; a flaw is in
a revision from the flaw's place on, up to the place of its fix. Place 0 is the revision that runs when the simulation
starts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.pipeline.commits import Change


@dataclass(slots=True, eq=False)
class Flaw:
    """A bad change on the trunk; ``healed`` is the place of its fix, ``known`` that people have found it."""

    change: int
    place: int
    severity: float
    healed: int | None = None
    known: bool = False
    landed: float | None = None  # when it last went live

    def within(self, place: int) -> bool:
        """Whether the revision at ``place`` has it."""
        return self.place <= place and (self.healed is None or place < self.healed)


def combined(flaws: Sequence[Flaw]) -> float:
    """The share of requests that at least one of ``flaws`` breaks; they hit independently. None break none."""
    if len(flaws) == 1:
        return flaws[0].severity
    return 1.0 - math.prod(1.0 - flaw.severity for flaw in flaws)


class Trunk:
    """Places, flaws, and the place that is ``live``.

    Healed flaws are kept in the order of their fixes, so that a question about a late place looks at few of them.
    """

    def __init__(self) -> None:
        self.changes = [0]
        self.live = 0
        self._places = {0: 0}
        self._open: dict[int, Flaw] = {}
        self._healed: list[Flaw] = []
        self._fixes: list[int] = []  # places, rising, beside _healed

    def place(self, revision: int) -> int:
        return self._places[revision]

    def merge(self, change: Change, *, bad: bool) -> int:
        """Put ``change`` at the end; it heals what it fixes and brings its own flaw if it is ``bad``."""
        place = len(self.changes)
        self.changes.append(change.id)
        self._places[change.id] = place
        for fixed in change.fixes:
            flaw = self._open.pop(fixed)
            flaw.healed = place
            self._healed.append(flaw)
            self._fixes.append(place)
        if bad:
            self._open[change.id] = Flaw(change.id, place, change.severity)
        return place

    def flaws(self, place: int) -> list[Flaw]:
        """The flaws of the revision at ``place``: those with a fix, then the others, each oldest first."""
        late = self._healed[bisect_right(self._fixes, place) :]
        return [flaw for group in (late, self._open.values()) for flaw in group if flaw.within(place)]

    def fresh(self, place: int) -> tuple[Flaw, ...]:
        """The flaws that the revision at ``place`` would bring into production."""
        return tuple(flaw for flaw in self.flaws(place) if not flaw.within(self.live))

    def clean(self, place: int) -> bool:
        """Whether the revision at ``place`` has no flaw that people know."""
        return not any(flaw.known for flaw in self.flaws(place))

    def held(self, place: int) -> bool:
        """Whether a flaw that people know keeps the revision at ``place`` from production.

        Any such flaw does, unless all of them are live anyway and the revision mends another one.
        """
        known = [flaw for flaw in self.flaws(place) if flaw.known]
        return bool(known) and not (all(flaw.within(self.live) for flaw in known) and self.mends(place))

    def mends(self, place: int) -> bool:
        """Whether the revision at ``place`` is without a known flaw that is live now."""
        return any(flaw.known and not flaw.within(place) for flaw in self.flaws(self.live))

    def lives(self, flaws: Iterable[Flaw]) -> bool:
        """Whether any of ``flaws`` is live."""
        return any(flaw.within(self.live) for flaw in flaws)
