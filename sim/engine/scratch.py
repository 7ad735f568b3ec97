"""Room to work in, the same memory at every call in a thread: fresh pages cost as much as a search."""

from __future__ import annotations

import threading
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["scratch"]

_LEAST = 1 << 15
_held = threading.local()


def scratch(name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """int64 of this shape, valid until the next call with this name."""
    size = prod(shape)
    held: NDArray[np.int64] | None = getattr(_held, name, None)
    if held is None or held.size < size:
        held = np.empty(max(size, _LEAST), np.int64)
        setattr(_held, name, held)
    return held[:size].reshape(shape)
