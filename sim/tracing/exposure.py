"""What users saw of a rollout that a real controller carried out: the share of the new version over time, from its history.

With a router it is the weight; in blue-green the Service decides; else it is the ratio of available pods. Flagger without weights
(provider kubernetes) shows users the new version when the primary has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from typing import Any

from sim.tracing.history import History

__all__ = ["decided_at", "shares"]

Entry = dict[str, Any]
Steps = tuple[tuple[float, float], ...]
_ENDS = ("Healthy", "Degraded", "Succeeded", "Failed")


def decided_at(history: History) -> float:
    """When the controller was done; infinite: it was not."""
    if history.ended[0] == "inconclusive":
        return inf
    return float(
        next(one["at"] for one in reversed(history.entries) if one["kind"] == "phase" and one["phase"] in _ENDS)
    )


def shares(history: History) -> Steps:
    """(since, share of the new version), in seconds since revision 2 was applied; only changes."""
    kinds = {one["kind"] for one in history.entries}
    told = _weights(history) if "weight" in kinds else _switches(history) if "switch" in kinds else _pods(history)
    steps: list[tuple[float, float]] = []
    for at, share in told:
        if share != (steps[-1][1] if steps else 0.0):
            steps.append((at, share))
    return tuple(steps)


def _weights(history: History) -> Iterator[tuple[float, float]]:
    """A promoted version leaves the weight to the next one, and all have it from the moment at which it is the stable one: Flagger's
    primary has taken it over before the weight falls."""
    swapped = _swap(history)
    for one in history.entries:
        if one["kind"] == "weight" and one["at"] < swapped:
            yield one["at"], one["weight"] / 100
    yield from _end(history)


def _switches(history: History) -> Iterator[tuple[float, float]]:
    return ((one["at"], float(one["active"] == 2)) for one in history.entries if one["kind"] == "switch")


def _pods(history: History) -> Iterator[tuple[float, float]]:
    swapped = _swap(history)
    for one in history.entries if not history.controller.startswith("flagger") else ():
        total = one["stable"] + one["canary"]
        if one["kind"] == "available" and one["at"] < swapped and total:
            yield one["at"], one["canary"] / total
    yield from _end(history)


def _end(history: History) -> Iterator[tuple[float, float]]:
    """The new version became the stable one."""
    if history.ended[0] == "promoted":
        yield _swap(history), 1.0


def _swap(history: History) -> float:
    """When a promoted version took the place of the stable one: its last pods changed their role."""
    if history.ended[0] != "promoted":
        return inf
    sizes = [one for one in history.entries if one["kind"] == "scale"]
    pairs = pairwise(sizes)
    swaps = [one["at"] for before, one in pairs if before["canary"] and not one["canary"]]
    return float(swaps[-1]) if swaps else decided_at(history)
