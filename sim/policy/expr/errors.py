"""Errors of the condition language: the text is wrong, or this result cannot be judged by it."""

from __future__ import annotations

from sim.policy.errors import PolicyError


class ConditionError(PolicyError):
    """A condition that can never be judged: bad syntax, an unknown name, a pair of types that do not go together.

    `text` is the condition, `column` the 1-based character in it (over all lines) where the problem was noticed.
    """

    def __init__(self, text: str, column: int, problem: str, remedy: str = "") -> None:
        self.text = text
        self.column = column
        self.problem = problem
        self.remedy = remedy
        advice = f"; {remedy}" if remedy else ""
        super().__init__(f"column {column} of {shorten(text)!r}: {problem}{advice}")


class EvaluationError(PolicyError):
    """This measurement's result could not be judged; the measurement is an Error (delivery-systems.md 2.2)."""


def shorten(text: str, limit: int = 200) -> str:
    """The text, cut in the middle of nothing: long conditions would drown the message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
