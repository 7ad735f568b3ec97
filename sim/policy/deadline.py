"""The progress deadline: it marks a rollout that does not get on, and progress clears the mark (delivery-systems.md section 2.17)."""

from __future__ import annotations

__all__ = ["Deadline"]


class Deadline:
    """Restarted by every progress. Whether it runs at all right now is for the machine to say. Times in seconds."""

    __slots__ = ("_seconds", "_since", "passed")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since = 0.0
        self.passed = False

    @property
    def due(self) -> float:
        return self._since + self._seconds

    def progress(self, at: float) -> None:
        self._since, self.passed = at, False
