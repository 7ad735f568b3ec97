"""Keeping the most recently used results of a pure function, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar


class Sized(Protocol):
    """What can be kept: it knows how many bytes it takes."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class Memo(Generic[T]):
    """Results of `make` by key. What it holds changes the time of an answer, never the answer. Threads may share it."""

    def __init__(self, make: Callable[..., T], limit: int) -> None:
        self._make, self._limit, self.nbytes = make, limit, 0
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, *args: Any) -> T:
        """The result kept under `key`, else `make(*args)`."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = self._make(*args)  # outside the lock: two threads may make the same result, which is harmless
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self.nbytes += made.nbytes
            while self.nbytes > self._limit and len(self._kept) > 1:
                self.nbytes -= self._kept.popitem(last=False)[1].nbytes
        return made

    def __len__(self) -> int:
        return len(self._kept)
