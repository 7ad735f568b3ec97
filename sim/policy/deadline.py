"""The progress deadline: it marks a rollout that does not get on, and progress clears the mark (delivery-systems.md section 2.17)."""

from __future__ import annotations

from sim.policy.errors import PolicyError

__all__ = ["Deadline", "check_deadline"]


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


def check_deadline(seconds: float, min_ready: float) -> None:
    """A deadline that could be met: pods count as available `min_ready` seconds after they are ready. Raises PolicyError."""
    if min_ready < 0:
        raise PolicyError(f"minReadySeconds is 0 or more, got {min_ready:g}")
    if not seconds > 0:
        raise PolicyError(f"the progress deadline is more than 0 s, got {seconds:g}")
    if seconds <= min_ready:
        raise PolicyError(f"the progress deadline must exceed minReadySeconds, got {seconds:g}")
