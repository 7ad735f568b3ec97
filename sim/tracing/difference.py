"""Two traces of one script side by side: which entries are the same, the first that differs, and what comes before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sim.tracing.run import Trace

__all__ = ["Beside", "Difference", "Row", "beside"]

Entry = dict[str, Any]
_BEFORE = 3  # entries shown before the first difference


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison: the same entry on both sides, or what only one has at this place."""

    a: Entry | None
    b: Entry | None

    @property
    def same(self) -> bool:
        return self.a == self.b

    @property
    def at(self) -> float:
        return min(float(entry["at"]) for entry in (self.a, self.b) if entry is not None)

    def document(self) -> dict[str, Any]:
        return {"same": self.same, "a": self.a, "b": self.b}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first entry that is not the same: its number (from 0), when, both entries (None: the trace has ended), what came before."""

    index: int
    at: float
    a: Entry | None
    b: Entry | None
    before: tuple[Entry, ...]

    def document(self) -> dict[str, Any]:
        return {"index": self.index, "at": self.at, "a": self.a, "b": self.b, "before": list(self.before)}


@dataclass(frozen=True, slots=True)
class Beside:
    """Two traces, their rows, and the first difference; None: they are the same."""

    a: Trace
    b: Trace
    rows: tuple[Row, ...]
    first: Difference | None


def beside(a: Trace, b: Trace) -> Beside:
    """Lay two traces side by side."""
    return Beside(a, b, tuple(_rows(a.entries, b.entries)), _first(a.entries, b.entries))


def _first(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Difference | None:
    for index in range(max(len(a), len(b))):
        one, other = (side[index] if index < len(side) else None for side in (a, b))
        if one != other:
            at = min(float(entry["at"]) for entry in (one, other) if entry is not None)
            return Difference(index, at, one, other, a[max(0, index - _BEFORE) : index])
    return None


def _rows(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Iterator[Row]:
    """Equal entries on one row; between them what each side has alone, in the order of time."""
    left, right = ([json.dumps(entry, sort_keys=True) for entry in side] for side in (a, b))
    for tag, low, high, start, end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (Row(entry, entry) for entry in a[low:high])
        else:
            yield from _apart(list(a[low:high]), list(b[start:end]))


def _apart(a: list[Entry], b: list[Entry]) -> Iterator[Row]:
    """Entries of one kind at one time share a row, everything else has its own."""
    while a or b:
        if a and b and (a[0]["at"], a[0]["kind"]) == (b[0]["at"], b[0]["kind"]):
            yield Row(a.pop(0), b.pop(0))
        elif a and (not b or a[0]["at"] <= b[0]["at"]):
            yield Row(a.pop(0), None)
        else:
            yield Row(None, b.pop(0))
