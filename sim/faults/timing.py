"""When a fault is active and how strongly (faults.md section 1). The caller brings the draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count

from sim.faults.fault import Fault
from sim.policy.errors import WorldError

Uniform = Callable[[int], float]
"""Draw k of the fault's own stream (`Fault.seed_stream`): a number in [0, 1) that depends on k alone."""

MOST = 100_000  # windows of one fault; more is a slip of units, and would only fill the memory


def undrawn(index: int) -> float:
    """The draw of a caller who has none."""
    raise WorldError(f"draw {index}: this fault repeats with jitter; pass the uniforms of its stream")


def windows(fault: Fault, until: float, uniform: Uniform = undrawn) -> list[tuple[float, float]]:
    """[start, end) of every occurrence that starts before `until`; end is math.inf for a fault without an end.

    An instant is (start, start). Raises WorldError for a fault that waits for a trigger, and above `MOST` occurrences.
    """
    found: list[tuple[float, float]] = []
    for start in _starts(fault, uniform):
        if start >= until:
            break
        if len(found) == MOST:
            raise WorldError(f"fault {fault.id} occurs more than {MOST} times before {until:g} s; raise repeat.every_s")
        found.append((start, _end(fault, start)))
    return found


def intensity(fault: Fault, at: float, uniform: Uniform = undrawn) -> float:
    """The share of its full strength: 0 outside its windows (an instant has none), rising over `ramp_s`, else 1."""
    began = None
    for start in _starts(fault, uniform):
        if start > at:
            break
        began = start
    if began is None or at >= _end(fault, began):
        return 0.0
    return min(1.0, (at - began) / fault.ramp_s) if fault.ramp_s > 0 else 1.0


def _starts(fault: Fault, uniform: Uniform) -> Iterator[float]:
    """Every start in turn: next = previous + every_s + U(0, jitter_s)."""
    if fault.at_s is None:
        raise WorldError(f"fault {fault.id} waits for a trigger; give it at_s once that has happened")
    start, repeat = fault.at_s, fault.repeat
    yield start
    if repeat is None:
        return
    for index in count() if repeat.times is None else range(repeat.times - 1):
        start += repeat.every_s + (repeat.jitter_s * uniform(index) if repeat.jitter_s > 0 else 0.0)
        yield start


def _end(fault: Fault, start: float) -> float:
    if fault.duration_s is not None:
        return start + fault.duration_s
    return start if fault.about.instant else math.inf
