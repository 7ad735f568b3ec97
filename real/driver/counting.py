"""Which pods a policy is told of as available: those that were ready for as long as their workload says (minReadySeconds)."""

from __future__ import annotations

from collections import deque

__all__ = ["Counting"]

Pods = dict[int, int]


class Counting:
    """Keeps how many pods of each revision were ready over the last `wait` seconds; the fewest of them count.

    What was ready at the first look counts at once, as after a crash. One pod that leaves at the very look at which another one becomes
    ready lends it its time: pods are known by their number only.
    """

    __slots__ = ("_looks",)

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Pods]] = deque()

    def __call__(self, at: float, wait: float, ready: Pods) -> Pods:
        """Pods by revision that count at this look."""
        if not self._looks:
            self._looks.append((at - wait, ready))
        self._looks.append((at, ready))
        while len(self._looks) > 1 and self._looks[1][0] <= at - wait:  # what stood `wait` seconds ago is kept
            self._looks.popleft()
        return {revision: min(one.get(revision, 0) for _, one in self._looks) for revision in ready}
