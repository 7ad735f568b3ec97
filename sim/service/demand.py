"""How many requests each cell of the counts expects while nothing changes: arrivals, split by version, less those that no pod takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

from sim.faults.effects import Effect, LoadEffect, VersionEffect
from sim.service import traffic
from sim.service.mix import Mix
from sim.service.model import Service
from sim.service.routing import Class

__all__ = ["Demand", "Standing", "moments", "onsets"]

Means = Callable[[float, float], Sequence[float]]


class Standing(NamedTuple):
    """How traffic and pods stand until the next change; also its key in the ledger, with pods only as far as they matter (`strained`)."""

    classes: tuple[Class, ...]
    mirror: float  # share of the old version's requests that is copied to the new one
    old: int  # available pods
    new: int
    served_since: float  # by the new version
    dead: tuple[tuple[int, float], ...]  # (revision, share of its pods that are listed and do not answer)
    epoch: int  # effects that began or ended so far
    testers: float = 0.0  # requests/s of testers, who call the new version

    @property
    def share(self) -> float:
        """The share of users' requests that goes to the new version."""
        return sum(size * part for _, size, part in self.classes)

    @property
    def copied(self) -> bool:
        """Whether the new version gets requests that no user waits for: copies, or those of testers."""
        return self.mirror > 0 or self.testers > 0


class Demand:
    """The expected counts of a service under these effects."""

    def __init__(self, service: Service, effects: Sequence[Effect]) -> None:
        self._service = service
        self._load = tuple(effect for effect in effects if isinstance(effect, LoadEffect))
        versions = tuple(effect for effect in effects if isinstance(effect, VersionEffect))
        self._old, self._new = Mix(service, "stable", versions), Mix(service, "canary", versions)
        self._steady = self._old.steady and self._new.steady and not self._load

    def strained(self, pods: int) -> int:
        """Pods as far as they matter to the counts: only where they can run short."""
        limits = self._service.pods.capacity, self._service.pods.concurrency
        return min(pods, 1) if limits == (None, None) else pods

    def means(self, standing: Standing) -> Means:
        """The expected counts of a window (start, end), one per cell, then those that were lost of the old and of the new version."""
        share = standing.share
        to_new = share + standing.mirror * (1.0 - share)
        shares = {name: size * part / share for name, size, part in standing.classes} if share > 0 else {}
        rest = {name: size * (1.0 - part) / (1.0 - share) for name, size, part in standing.classes} if share < 1 else {}
        dead = dict(standing.dead)
        dead_old, dead_new = dead.get(1, 0.0), dead.get(2, 0.0)
        rates: list[tuple[float, ...]] = []
        flat = self._steady and isinstance(self._service.traffic, traffic.Constant)
        known: dict[float, Sequence[float]] = {}  # where nothing changes, windows of one length are alike

        def means(start: float, end: float) -> Sequence[float]:
            length = end - start
            if not flat:
                return work(start, end, length)
            if length not in known:
                known[length] = work(start, end, length)
            return known[length]

        def work(start: float, end: float, length: float) -> Sequence[float]:
            middle = (start + end) / 2
            level = self._level(start, end)
            if not self._steady or not rates:
                rates[:] = self._old.at(middle, 0.0, rest), self._new.at(middle, standing.served_since, shares)
            old_load, new_load = level * (1.0 - share), level * to_new + standing.testers
            old_lost = self._lost(old_load, standing.old, dead_old)
            new_lost = self._lost(new_load, standing.new, dead_new)
            kept_old, kept_new = (old_load - old_lost) * length, (new_load - new_lost) * length
            return (
                *(kept_old * p for p in rates[0]), *(kept_new * p for p in rates[1]), old_lost * length, new_lost * length,
            )  # fmt: skip

        return means

    def _level(self, start: float, end: float) -> float:
        level = self._service.traffic.levels((start, end))[0]
        for effect in self._load:
            overlap = max(0.0, min(end, effect.end) - max(start, effect.start)) / (end - start) if end > start else 0.0
            level = (
                level * (1.0 + (effect.factor - 1.0) * overlap)
                if effect.rate is None
                else level + (effect.rate - level) * overlap
            )
        return level

    def _lost(self, load: float, pods: int, dead: float) -> float:
        """Requests/s that no pod can take: none is there, some are dead but listed, or they are saturated (fluid limit)."""
        if pods == 0:
            return load
        reached = load * (1.0 - dead)
        capacity = self._service.pods.capacity
        overload = 0.0 if capacity is None else max(0.0, reached - capacity * pods)
        return load - reached + overload


def moments(effects: Sequence[Effect]) -> list[float]:
    """When what is expected changes by itself: an effect begins or ends."""
    ends = [(one.start, one.end) for one in effects if isinstance(one, VersionEffect | LoadEffect)]
    return [moment for pair in ends for moment in pair if 0 < moment < inf]


def onsets(effects: Sequence[Effect]) -> tuple[float, ...]:
    """Seconds after the new version's first request at which an effect of it begins."""
    return tuple(
        one.after for one in effects if isinstance(one, VersionEffect) and one.version != "stable" and one.after > 0
    )
