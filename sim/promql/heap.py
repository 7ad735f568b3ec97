"""Which samples topk keeps. Equal values make it depend on the order inside a heap, so the heap is Go's, step by step.

Source: container/heap of Go, and promql/engine.go: 2.x takes the root out and pushes the new sample, 3.x puts it in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["chosen"]

Heap = list[tuple[float, int]]


def chosen(values: Sequence[float], count: int, modern: bool) -> list[int]:
    """Indices of the `count` largest values, the largest first; NaN counts as the smallest.

    >>> chosen([1.0, 5.0, float("nan"), 3.0], 2, True)
    [1, 3]
    """
    heap: Heap = []
    for index, value in enumerate(values):
        if len(heap) < count:
            heap.append((value, index))
            _up(heap, len(heap) - 1)
        elif _replaces(value, heap[0][0], modern):
            if modern or count == 1:
                heap[0] = (value, index)
                _down(heap, 0, len(heap))
            else:
                heap[0], heap[-1] = heap[-1], heap[0]
                _down(heap, 0, len(heap) - 1)
                heap[-1] = (value, index)
                _up(heap, len(heap) - 1)
    numbers = sorted((one for one in heap if one[0] == one[0]), key=lambda one: -one[0])
    return [index for _, index in (*numbers, *(one for one in heap if one[0] != one[0]))]


def _replaces(value: float, root: float, modern: bool) -> bool:
    return root < value or (root != root and (not modern or value == value))


def _less(a: tuple[float, int], b: tuple[float, int]) -> bool:
    return a[0] != a[0] or a[0] < b[0]


def _up(heap: Heap, j: int) -> None:
    while j > 0:
        i = (j - 1) // 2
        if not _less(heap[j], heap[i]):
            return
        heap[i], heap[j] = heap[j], heap[i]
        j = i


def _down(heap: Heap, i: int, n: int) -> None:
    while (j := 2 * i + 1) < n:
        if j + 1 < n and _less(heap[j + 1], heap[j]):
            j += 1
        if not _less(heap[j], heap[i]):
            return
        heap[i], heap[j] = heap[j], heap[i]
        i = j
