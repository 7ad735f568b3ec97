"""What is wrong with a person's file: every problem at once, each with its place and its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sim.policy.errors import SeatrialError

# libyaml counts all of these as one line break each (YAML 1.1, section 4.2), and its marks are what we print.
BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 100  # characters of a source line shown around the caret


class Refused(ValueError):
    """A value that is not accepted, as the two halves of a message: `problem` and `remedy`.

    A ValueError, so that pydantic collects it when a validator raises it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}" if self.remedy else self.problem


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in one place. Line and column count from 1; `path` is dotted, '' for the document itself."""

    file: str
    line: int
    column: int
    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        head = f"{place} {self.path}: " if self.path else f"{place}: "
        return visible(f"{head}{self.problem}; {self.remedy}" if self.remedy else f"{head}{self.problem}")

    def order(self) -> tuple[str, int, int, str, str]:
        """Sorting key: reading order."""
        return (self.file, self.line, self.column, self.path, self.problem)


class FileErrors(SeatrialError):
    """The file is at fault. `problems` in reading order; `sources` maps a file's name to its text, for `render`."""

    def __init__(self, problems: Iterable[Problem], sources: Mapping[str, str] | None = None) -> None:
        self.problems = tuple(sorted(problems, key=Problem.order))
        self.sources = dict(sources or {})
        super().__init__(self.problems, self.sources)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    def render(self) -> str:
        """All problems, each with its source line and a caret where the text is at hand."""
        lines = {name: BREAKS.split(text) for name, text in self.sources.items()}
        return "\n".join(_draw(problem, lines.get(problem.file, [])) for problem in self.problems)


def render(problem: Problem, text: str) -> str:
    """The problem, the line of `text` it is on, and a caret below its column (no line: the problem alone)."""
    return _draw(problem, BREAKS.split(text) if text else [])


def _draw(problem: Problem, lines: list[str]) -> str:
    if problem.line > len(lines):
        return str(problem)
    line, column = _window(lines[problem.line - 1], problem.column - 1)
    line = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in line)
    # A tab stays a tab in the padding, so that the caret lands right whatever the terminal makes of tabs.
    pad = "".join("\t" if char == "\t" else " " for char in line[:column])
    return f"{problem}\n{problem.line:5} | {line}\n      | {pad}^"


def visible(text: str) -> str:
    """`text` on one line, with every character that a terminal would act on written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around a column, and the column inside that part."""
    start = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    return line[start : start + _WIDTH], column - start
