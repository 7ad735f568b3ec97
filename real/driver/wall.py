"""The clock of the real world, and its inbox: other threads and signals speak, the driver listens."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from real.ports.ports import Changed, Stop
from sim.policy.events import Event

__all__ = ["WallClock"]


class WallClock:
    """A `Clock`."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Event | Changed | Stop] = queue.SimpleQueue()

    def wall(self) -> float:
        return time.time()

    def mono(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    def tell(self, item: Event | Changed | Stop) -> None:
        self._inbox.put(item)

    def wait(self, seconds: float | None) -> Event | Changed | Stop | None:
        try:
            return self._inbox.get(timeout=None if seconds is None else max(0.0, seconds))
        except queue.Empty:
            return None

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and SIGHUP become `Stop`: the first restores, a second shortens the waiting, none skips the way back.

        A handler only puts a word into the inbox; the call that is under way is finished first.
        """

        def stop(number: int, frame: FrameType | None) -> None:
            self.tell(Stop(f"stopped by {signal.Signals(number).name}"))

        kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {kind: signal.signal(kind, stop) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)
