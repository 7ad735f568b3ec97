"""The loop of the fuzzers: many texts, each with a limit of its own, the first wrong one named so that it can be made again."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from time import perf_counter
from types import FrameType

__all__ = ["Hang", "fuzz", "within"]

LIMIT = 20.0  # seconds of this process for one text: hundreds of times the slowest that is right, so that a busy machine never fails
SHOWN = 10_000  # texts between two lines of progress (pytest -s)


class Hang(BaseException):
    """A text took longer than its limit. No Exception, so that no handler on the way swallows it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Hang if the block uses more of the processor. A loop in C is told of when it ends: Python's signals wait for it."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def fuzz(
    count: int, seed: int, make: Callable[[int, Random], str], check: Callable[[int, str], str], limit: float = LIMIT
) -> Counter[str]:
    """How many of `count` texts ended in what: `make` gives text number n, `check` looks at it, raises if it is wrong, and says its end.

    AssertionError names seed, number and text of the first one that is wrong, whatever was raised.
    """
    random, ends, began = Random(seed), Counter[str](), perf_counter()
    for number in range(count):
        text = make(number, random)
        try:
            with within(limit):
                ends[check(number, text)] += 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise AssertionError(f"seed {seed}, text {number}: {text!r}: {type(error).__name__}: {error}") from error
        if (number + 1) % SHOWN == 0:
            print(f"seed {seed}: {number + 1} texts, {perf_counter() - began:.0f} s, {dict(ends)}", flush=True)
    return ends
