"""`queueing.plain` from compiled code, for whoever installed the extra `fast` (numba): the same sums, the same
numbers."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["waits"]

Seconds = NDArray[np.float64]


def waits(arrivals: Seconds, work: Seconds, free: Seconds) -> tuple[Seconds, Seconds]:
    """See `queueing.waits`; `free` is sorted, which makes it a heap."""
    heap, waited = free.copy(), np.empty(arrivals.size, np.float64)
    _serve(np.ascontiguousarray(arrivals), np.ascontiguousarray(work), heap, waited)
    return waited, np.sort(heap)


@numba.njit(nogil=True, cache=True)
def _serve(arrivals: Seconds, work: Seconds, heap: Seconds, waited: Seconds) -> None:
    places = heap.size
    for i in range(arrivals.size):
        start = max(arrivals[i], heap[0])
        waited[i] = start - arrivals[i]
        moment, at = start + work[i], 0
        while True:  # the place is free again later: it sinks in the heap
            child = 2 * at + 1
            if child >= places:
                break
            if child + 1 < places and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= moment:
                break
            heap[at] = heap[child]
            at = child
        heap[at] = moment
