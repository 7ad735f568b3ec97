"""What really happened to requests, counted from outside: per second of arrival and revision: sent, good, bad, lost, latency."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BOUNDS", "Cell", "Truth", "joined"]

BOUNDS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
)  # seconds; the Prometheus client's defaults, as a histogram
_LOST = "lost"


@dataclass(slots=True)
class Cell:
    """Answers of one revision to requests that were due within one second."""

    good: int = 0
    bad: int = 0  # answers that are errors
    slow: int = 0  # good, and later than the limit
    seconds: float = 0.0
    latency: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    @property
    def answers(self) -> int:
        return self.good + self.bad

    def add(self, other: Cell) -> None:
        self.good += other.good
        self.bad += other.bad
        self.slow += other.slow
        self.seconds += other.seconds
        self.latency = [a + b for a, b in zip(self.latency, other.latency, strict=True)]


class Truth:
    """Counts of one generator. A lost request has no revision: nobody answered it.

    sent = good + bad + lost + in flight, at every moment (contracts.md section 11).
    """

    def __init__(self, begun: float = 0.0) -> None:
        self.begun = begun  # the wall clock at second 0
        self.arrived: Counter[int] = Counter()  # second -> requests
        self.missing: Counter[int] = Counter()
        self.reasons: Counter[str] = Counter()
        self.codes: Counter[int] = Counter()
        self.cells: defaultdict[tuple[int, str], Cell] = defaultdict(Cell)
        self.segments: Counter[tuple[str, str]] = Counter()  # (segment, revision) -> answers
        self.mix: Counter[tuple[int, str]] = Counter()  # (second, segment) -> requests
        self.rules: dict[str, float] = {}  # faults of users in force -> the second since when
        self.until = 0.0  # all that was due by then has been sent

    def sent(self, due: float, segment: str = "") -> None:
        self.arrived[int(due)] += 1
        if segment:
            self.mix[int(due), segment] += 1

    def answered(self, due: float, segment: str, revision: str, code: int, took: float, limit: float) -> None:
        cell = self.cells[int(due), revision]
        cell.good += code < 500
        cell.bad += code >= 500
        cell.slow += code < 500 and took > limit
        cell.seconds += took
        cell.latency[bisect_left(BOUNDS, took)] += 1
        self.codes[code] += 1
        if segment:
            self.segments[segment, revision] += 1

    def lost(self, due: float, segment: str, reason: str) -> None:
        self.missing[int(due)] += 1
        self.reasons[reason] += 1

    # ---- sums over [start, end) seconds ----

    def answers(self, start: float = 0.0, end: float = float("inf")) -> dict[str, Cell]:
        """Answers per revision."""
        found: dict[str, Cell] = {}
        for (second, revision), cell in sorted(self.cells.items()):
            if start <= second < end:
                found.setdefault(revision, Cell()).add(cell)
        return found

    def share(self, revision: str, start: float = 0.0, end: float = float("inf")) -> float:
        """The share of answers that came from a revision; 0 where there are none."""
        found = self.answers(start, end)
        total = sum(cell.answers for cell in found.values())
        return found[revision].answers / total if revision in found else 0.0

    def totals(self) -> dict[str, int]:
        """Sent, good (slow among them), bad, lost and in flight."""
        good = sum(cell.good for cell in self.cells.values())
        slow = sum(cell.slow for cell in self.cells.values())
        bad = sum(cell.bad for cell in self.cells.values())
        sent, lost = sum(self.arrived.values()), sum(self.missing.values())
        return {
            "sent": sent,
            "good": good,
            "slow": slow,
            "bad": bad,
            "lost": lost,
            "in_flight": sent - good - bad - lost,
        }

    def document(self) -> dict[str, Any]:
        """The counts as JSON; a cell is `[second, revision, good, bad, slow, seconds, latency]`."""
        rows = [
            [second, revision, cell.good, cell.bad, cell.slow, round(cell.seconds, 6), cell.latency]
            for (second, revision), cell in sorted(self.cells.items())
        ]
        return {
            "begun": self.begun, "totals": self.totals(), "bounds": list(BOUNDS), "reasons": dict(sorted(self.reasons.items())),
            "codes": {str(code): count for code, count in sorted(self.codes.items())}, "sent": sorted(self.arrived.items()),
            "lost": sorted(self.missing.items()), "cells": rows,
            "segments": [[*key, count] for key, count in sorted(self.segments.items())],
            "mix": [[*key, count] for key, count in sorted(self.mix.items())], "rules": self.rules, "until": self.until,
        }  # fmt: skip

    @classmethod
    def of(cls, document: dict[str, Any]) -> Truth:
        """Counts from what `document` wrote."""
        truth = cls(document["begun"])
        truth.arrived.update(dict(document["sent"]))
        truth.missing.update(dict(document["lost"]))
        truth.reasons.update(document["reasons"])
        truth.codes.update({int(code): count for code, count in document["codes"].items()})
        for second, revision, good, bad, slow, seconds, latency in document["cells"]:
            truth.cells[second, revision] = Cell(good, bad, slow, seconds, list(latency))
        truth.segments.update({(segment, revision): count for segment, revision, count in document["segments"]})
        truth.mix.update({(second, segment): count for second, segment, count in document["mix"]})
        truth.rules, truth.until = dict(document["rules"]), document["until"]
        return truth


def joined(truths: Sequence[Truth]) -> Truth:
    """The counts of one generator after another (a run that went on after a crash), in seconds since the first began, to the nearest."""
    sent = [one for one in truths if one.arrived]
    whole = Truth(sent[0].begun if sent else 0.0)
    for one in sent:
        shift = round(one.begun - whole.begun)
        whole.arrived.update({second + shift: count for second, count in one.arrived.items()})
        whole.missing.update({second + shift: count for second, count in one.missing.items()})
        whole.mix.update({(second + shift, segment): count for (second, segment), count in one.mix.items()})
        for counts in ("reasons", "codes", "segments"):
            getattr(whole, counts).update(getattr(one, counts))
        for (second, revision), cell in one.cells.items():
            whole.cells[second + shift, revision].add(cell)
        whole.until = one.until + shift
    return whole
