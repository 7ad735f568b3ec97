"""Progress on standard error: a bar on a terminal, a plain line every few seconds elsewhere, nothing under a second or when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.cli.console import err

if TYPE_CHECKING:
    from sim.session import Progress

__all__ = ["progress"]

_AFTER = 1.0  # seconds of silence before the first word
_EVERY = 5.0  # seconds between plain lines


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """Something that hears (finished, planned) while the block runs."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar(what) as tell:
            yield tell
    else:
        yield _Lines(what)


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=err(), transient=True)
    task = bar.add_task(what, total=None, said="")
    begun = time.monotonic()
    shown = False

    def tell(done: int, planned: int) -> None:
        nonlocal shown
        if not shown and time.monotonic() - begun > _AFTER:
            bar.start()
            shown = True
        bar.update(task, completed=done, total=planned, said=f"{done:,} of {planned:,} rollouts")

    try:
        yield tell
    finally:
        if shown:
            bar.stop()


class _Lines:
    """A line now and then, for logs."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = time.monotonic()
        self._next = self._begun + _EVERY

    def __call__(self, done: int, planned: int) -> None:
        now = time.monotonic()
        if now < self._next or done == 0:
            return
        self._next = now + _EVERY
        left = (now - self._begun) / done * (planned - done)
        print(
            f"{self._what}: {done:,} of {planned:,} rollouts, {done / planned:.0%}, about {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )
