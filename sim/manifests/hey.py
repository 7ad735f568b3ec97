"""How many requests `hey` sends, the load generator of Flagger's own examples and of its load tester."""

from __future__ import annotations

import shlex
from itertools import pairwise

__all__ = ["hey"]

_WORKERS = 50  # hey: -c


def hey(command: str) -> float | None:
    """Requests/s of `hey -q RATE -c WORKERS`; None for another program, or one without a limit."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or words[0].rpartition("/")[2] != "hey":
        return None
    given = {word: following for word, following in pairwise(words) if word in ("-q", "-c")}
    try:
        rate = float(given["-q"]) * float(given.get("-c", _WORKERS))
    except (KeyError, ValueError):
        return None
    return rate if 0 < rate < float("inf") else None
