"""Making many frozen values at once, for policies that read values: a look at 500 replications is 2,500 of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from itertools import repeat
from typing import Any, TypeVar

__all__ = ["many"]

T = TypeVar("T")


def many(kind: type[T], count: int, *columns: Iterable[object]) -> list[T]:
    """`count` values of a frozen dataclass with slots, from one column per field, in order; a column may go on for longer.

    The values are as any others; only their checks are left out, so columns must be known to be right. Slots are set column by column
    without running Python code: 0.1 us a field, where a frozen dataclass's own constructor takes 0.3 us.

    >>> from sim.policy.commands import Switch
    >>> many(Switch, 2, [1, 1], repeat(2))
    [Switch(active=1, preview=2), Switch(active=1, preview=2)]
    """
    made: list[T] = list(map(object.__new__, repeat(kind, count)))
    for put, column in zip(_slots(kind), columns, strict=True):  # type: ignore[arg-type]  # a class is hashable
        deque(map(put, made, column), maxlen=0)
    return made


@lru_cache
def _slots(kind: type) -> tuple[Any, ...]:
    """What sets each field, past the guard that freezes it."""
    return tuple(getattr(kind, field.name).__set__ for field in fields(kind))
