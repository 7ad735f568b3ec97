"""The moments of a journal: seconds since `Started` (contracts section 4).

The wall clock at the start plus monotonic time, so that a wall clock that jumps moves nothing; after a crash the wall clock, because
monotonic time does not outlive a process. Never decreasing.
"""

from __future__ import annotations

from real.ports.ports import Clock

__all__ = ["Stopwatch"]


class Stopwatch:
    """`started` is the wall clock at the start, seconds since 1970; `last` the last moment that is known, after a crash."""

    __slots__ = ("_begun", "_clock", "_last", "_offset", "started")

    def __init__(self, clock: Clock, started: float | None = None, last: float = 0.0) -> None:
        self._clock, self._begun = clock, clock.mono()
        self.started = clock.wall() if started is None else started
        self._offset = 0.0 if started is None else max(last, clock.wall() - started)
        self._last = last

    def at(self) -> float:
        """Now, in seconds since the start, to the microsecond."""
        self._last = max(self._last, round(self._offset + self._clock.mono() - self._begun, 6))
        return self._last
