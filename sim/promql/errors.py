"""What can be wrong with a query: its text (with the column), or one evaluation of it."""

from __future__ import annotations

from sim.policy.errors import SeatrialError

__all__ = ["EvaluationError", "PromqlError"]


class PromqlError(SeatrialError):
    """The text is not a query of this profile. `column` counts characters from 1; `query` is the text itself."""

    def __init__(self, query: str, column: int, problem: str) -> None:
        super().__init__(query, column, problem)
        self.query, self.column, self.problem = query, column, problem

    def __str__(self) -> str:
        return f"column {self.column}: {self.problem}"


class EvaluationError(SeatrialError):
    """Prometheus answers this evaluation with an error (`errorType: execution`); the text is its own where it has one."""
