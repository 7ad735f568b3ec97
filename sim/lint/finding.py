"""What lint says: a rule, and one place where it applies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sim.files.errors import visible

__all__ = ["Finding", "Rule", "Severity"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `id` is stable, `name` is for people, and either may stand in a suppression.

    error: it cannot work as written; warning: it works, and will hurt; note: worth knowing.
    """

    id: str
    name: str
    severity: Severity
    title: str
    why: str
    remedy: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a file: what is wrong there in the user's own numbers, why that hurts, what to do.

    Line and column count from 1; `path` is dotted, '' for the document itself.
    """

    rule: Rule
    severity: Severity
    file: str
    line: int
    column: int
    path: str
    what: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return visible(f"{place} {self.severity} {self.rule.id} {self.rule.name}: {self.what}; {self.remedy}")

    def order(self) -> tuple[str, int, int, int, str]:
        """Reading order; in one place by the number of the rule."""
        return self.file, self.line, self.column, int(self.rule.id[1:]), self.what

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "file": self.file, "line": self.line, "column": self.column, "path": self.path, "rule": self.rule.id,
            "name": self.rule.name, "severity": self.severity, "what": self.what, "reason": self.reason,
            "remedy": self.remedy,
        }  # fmt: skip
