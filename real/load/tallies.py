"""The generator's counts as they lie in the folder of a recorded run: windows of a second, in seconds since the rollout started."""

from __future__ import annotations

from collections.abc import Iterator

from real.load.truth import Truth
from sim.results.recorded import Tally

__all__ = ["tallies"]


def tallies(truth: Truth, started: float) -> Iterator[Tally]:
    """`started`: the wall clock at `Started`. Who answered is a revision; nobody is 0."""
    offset = truth.begun - started
    for second in sorted(truth.arrived):
        start = round(second + offset, 3)
        for (at, revision), cell in sorted(truth.cells.items()):
            if at == second:
                who = int(revision) if revision.isdigit() else 0
                yield Tally(start, start + 1.0, who, cell.answers, bad=cell.bad, slow=cell.slow)
        lost = truth.missing[second]
        if lost:
            yield Tally(start, start + 1.0, 0, lost, lost=lost)
