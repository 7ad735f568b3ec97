"""A place of a document together with the value that stands there. Reading never fails: what is absent is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.files import Document, Refused, format_duration, parse_duration
from sim.files.units import MAX_SECONDS
from sim.files.words import Path
from sim.lint.finding import Finding, Severity
from sim.lint.rules import RULES

__all__ = ["Spot", "said", "seconds"]


@dataclass(frozen=True, slots=True)
class Spot:
    """`value` at `path` of `document`; `value` may differ from the text where arguments were filled in."""

    document: Document
    path: Path
    value: Any

    def get(self, name: str) -> Any:
        return self.value.get(name) if isinstance(self.value, Mapping) else None

    def has(self, name: str) -> bool:
        return self.get(name) is not None

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def whole(self, name: str, default: int) -> int:
        """An integer, also one in quotes; the default for everything else."""
        value = self.get(name)
        if isinstance(value, str) and value.lstrip("-").isdecimal():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def child(self, name: str, *names: str) -> Spot:
        below = Spot(self.document, (*self.path, name), self.get(name))
        return below.child(*names) if names else below

    def items(self, name: str) -> list[Spot]:
        value = self.get(name)
        entries = value if isinstance(value, list) else []
        return [Spot(self.document, (*self.path, name, index), entry) for index, entry in enumerate(entries)]

    def names(self) -> list[str]:
        return [str(name) for name in self.value] if isinstance(self.value, Mapping) else []

    def found(
        self,
        rule: str,
        what: str,
        at: str = "",
        *,
        reason: str = "",
        remedy: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at the field `at` where it is written, else here. The rule's own words where none are given."""
        known = RULES[rule]
        path = (*self.path, at) if at and self.has(at) else self.path
        line, column = self.document.key_of(path)
        return Finding(
            known, severity or known.severity, self.document.file, line, column, self.document.named(path), what,
            reason or known.why, remedy or known.remedy,
        )  # fmt: skip


def seconds(value: object, default: float) -> float:
    """Seconds of a Go duration or a plain number; the default for what is neither."""
    if value is None or value == "":
        return default
    try:
        return parse_duration(value, bare=True, days=False)
    except Refused:
        return default


def said(seconds: float) -> str:
    """A time in words, to the millisecond; one that nobody can mean as a plain number."""
    return format_duration(round(seconds, 3)) if abs(seconds) <= MAX_SECONDS else f"{seconds:g}s"
