"""CPU time of alternatives that take turns, so that what else the machine does meets all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

__all__ = ["fresh", "ratio", "turns"]


def turns(times: int, *alternatives: Callable[[], object]) -> list[tuple[float, ...]]:
    """CPU seconds of each alternative, for each turn; a first turn warms caches and is not counted."""
    for run in alternatives:
        run()
    return [tuple(_seconds(run) for run in alternatives) for _ in range(times)]


def ratio(seconds: Sequence[tuple[float, ...]], upper: int, lower: int) -> float:
    """The median over turns of one alternative's seconds over another's."""
    return median(turn[upper] / turn[lower] for turn in seconds)


def fresh(module: str, *arguments: object) -> Any:
    """The JSON that a module prints, run in an interpreter of its own."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _seconds(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return process_time() - start
