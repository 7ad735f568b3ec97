"""`# seatrial: ignore L7, few-requests` on a line hides those findings there; alone on a line it speaks for the next one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sim.files import Document
from sim.files.errors import BREAKS
from sim.files.words import choose
from sim.lint.finding import Finding
from sim.lint.rules import RULES, named

__all__ = ["Suppression", "apply", "suppressions"]

_COMMENT = re.compile(r"(?:^|\s)#\s*seatrial:\s*ignore\b[:\s]*([^#]*)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A word of a comment: where it stands, and the line that it speaks for."""

    file: str
    line: int
    column: int
    word: str
    speaks_for: int

    def hides(self, finding: Finding) -> bool:
        rule = named(self.word)
        return (
            rule is not None and rule == finding.rule and (self.file, self.speaks_for) == (finding.file, finding.line)
        )


def suppressions(documents: Iterable[Document]) -> list[Suppression]:
    """Every word of every comment, in reading order."""
    texts = {document.file: document.text for document in documents if "seatrial:" in document.text}
    return [found for file, text in texts.items() for found in _of(file, BREAKS.split(text))]


def apply(findings: Iterable[Finding], documents: Iterable[Document]) -> tuple[list[Finding], int]:
    """What is left of the findings, with one more for each comment that hides nothing, and how many were hidden."""
    comments = suppressions(documents)
    left: list[Finding] = []
    used: set[Suppression] = set()
    hidden = 0
    for finding in findings:
        hiding = [comment for comment in comments if comment.hides(finding)]
        used.update(hiding)
        hidden += bool(hiding)
        if not hiding:
            left.append(finding)
    left += [_useless(comment) for comment in comments if comment not in used]
    return left, hidden


def _of(file: str, lines: list[str]) -> list[Suppression]:
    found = []
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        if match is None:
            continue
        alone = not line[: match.start()].strip()
        target = _next(lines, index) if alone else index
        column = line.index("#", match.start()) + 1
        words = re.split(r"[,\s]+", match[1].strip()) if match[1].strip() else [""]
        found += [Suppression(file, index + 1, column, word, target + 1) for word in words]
    return found


def _next(lines: list[str], index: int) -> int:
    """The next line that holds more than a comment."""
    return next(
        (at for at in range(index + 1, len(lines)) if lines[at].strip() and not lines[at].lstrip().startswith("#")),
        index,
    )


def _useless(comment: Suppression) -> Finding:
    rule = RULES["L40"]
    if not comment.word:
        what, remedy = "names no rule", "write e.g. # seatrial: ignore L7"
    elif named(comment.word) is None:
        names = [*RULES, *(one.name for one in RULES.values())]
        what, remedy = (
            f"there is no rule {comment.word}",
            choose(comment.word, names) if len(comment.word) > 3 else "see seatrial lint --rules",
        )
    else:
        what, remedy = f"{comment.word} is not found on line {comment.speaks_for}", rule.remedy
    return Finding(rule, rule.severity, comment.file, comment.line, comment.column, "", what, rule.why, remedy)
