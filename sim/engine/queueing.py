"""The second rung of fidelity: requests that wait for a free place in a pod, one by one, first come first served.

The pods of a version are c = pods x concurrency places with one queue (M/G/c). The wait of each request follows from
the moments at which the places become free (Kiefer and Wolfowitz, "On the theory of queues with many servers", Trans.
Amer. Math. Soc. 78, 1955):

    start = max(arrival, earliest free place),   that place is free again at start + work

which is exact for any arrivals and any work. `waits` is this recursion; with numba installed it is compiled, and the
same sums and comparisons give the same numbers. `saturated` says whether a plan needs the rung: at a utilization above
0.7, and where places are so few that requests wait even below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heapreplace
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from sim.faults.effects import Effect, VersionEffect
from sim.service.mix import Mix
from sim.service.model import Service

__all__ = ["LIMIT", "Use", "erlang", "queues", "saturated", "waits"]

LIMIT = 0.7  # utilization above which the rung is needed (design.md section 3)
RARE = 0.01  # share of requests that may wait unseen below it (ours)

Seconds = NDArray[np.float64]


def waits(arrivals: Seconds, work: Seconds, free: Seconds) -> tuple[Seconds, Seconds]:
    """(how long each request waits, when each place is free afterwards), all in seconds, float64[n] and float64[c].

    `arrivals` rise; `free` are the moments from which each place is free at the beginning, in any order.

    >>> waits(np.array([0.0, 1.0, 2.0]), np.array([3.0, 3.0, 3.0]), np.zeros(1))[0].tolist()
    [0.0, 2.0, 4.0]
    """
    if not free.size:
        raise ValueError(
            "requests need at least 1 place to be served, got 0; a version without pods loses its requests"
        )
    return _recursion()(arrivals, work, np.sort(free))


def plain(arrivals: Seconds, work: Seconds, free: Seconds) -> tuple[Seconds, Seconds]:
    """The recursion in plain Python: places are a heap of moments."""
    heap, waited = free.tolist(), []
    heapify(heap)
    for arrival, seconds in zip(arrivals.tolist(), work.tolist(), strict=True):
        start = max(arrival, heap[0])
        waited.append(start - arrival)
        heapreplace(heap, start + seconds)
    return np.array(waited, np.float64), np.array(sorted(heap), np.float64)


@lru_cache(maxsize=1)
def _recursion() -> Callable[[Seconds, Seconds, Seconds], tuple[Seconds, Seconds]]:
    """Compiled where the extra `fast` is installed; found on first use, because numba takes about a second to load."""
    if find_spec("numba") is None:
        return plain
    compiled: Callable[[Seconds, Seconds, Seconds], tuple[Seconds, Seconds]]
    compiled = import_module("sim.engine.compiled_queueing").waits
    return compiled


def erlang(places: int, load: float) -> float:
    """The chance to wait for one of `places` under Poisson arrivals of `load` (rate x mean work) with exponential work:
    Erlang's C.

    >>> round(erlang(10, 8.0), 4)
    0.4092
    """
    if load >= places:
        return 1.0
    blocked = 1.0  # Erlang's B by its recursion: B(c) = a B(c-1) / (c + a B(c-1))
    for c in range(1, places + 1):
        blocked = load * blocked / (c + load * blocked)
    return blocked / (1.0 - load / places * (1.0 - blocked))


def queues(places: int, load: float) -> bool:
    """Whether so many requests wait that the aggregated rung, on which nobody does, is too kind."""
    return load > LIMIT * places or erlang(places, load) > RARE


@dataclass(frozen=True, slots=True)
class Use:
    """Utilization of each version's places, above 1 when they cannot keep up, and whether that takes the queueing
    rung."""

    old: float
    new: float
    queues: bool


def saturated(
    service: Service,
    share: float,
    pods: tuple[int, int],
    effects: Sequence[Effect] = (),
    at: float = 0.0,
    served: float = 0.0,
) -> Use:
    """What a plan asks of the pods at `at` seconds: `share` of the requests to the new version, which has served since
    `served`.

    `pods` are the available ones of the old and the new version. Without `concurrency`, or without a latency, nothing
    is used up.
    """
    versions = tuple(effect for effect in effects if isinstance(effect, VersionEffect))
    rate, places = service.traffic.rate(at), service.pods.concurrency
    if places is None or service.latency is None:
        return Use(0.0, 0.0, False)
    mixes = Mix(service, "stable", versions), Mix(service, "canary", versions)
    loads = [
        rate * part * mix.laws(at, served)[1].mean if count else 0.0
        for part, mix, count in zip((1.0 - share, share), mixes, pods, strict=True)
    ]
    old, new = (load / (count * places) if count else 0.0 for load, count in zip(loads, pods, strict=True))
    waiting = any(queues(count * places, load) for load, count in zip(loads, pods, strict=True) if count)
    return Use(old, new, waiting)
