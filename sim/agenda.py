"""What is going to happen in one world, in order of time; ties keep the order in which they were planned."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Agenda"]

T = TypeVar("T")


class Agenda(Generic[T]):
    """A heap keyed by time and a running number."""

    __slots__ = ("_heap", "_numbers")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = count()

    def plan(self, at: float, item: T) -> None:
        heappush(self._heap, (at, next(self._numbers), item))

    @property
    def next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[float, T]:
        at, _, item = heappop(self._heap)
        return at, item

    def __len__(self) -> int:
        return len(self._heap)
