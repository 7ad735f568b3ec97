"""Where the requests of one version end up: the cells of the counts, and their probabilities at a moment.

Cells of the old version: good answers per latency bucket, errors. Cells of the new version: good answers per latency bucket; answers
above the latency limit because of the change, per bucket above it; errors it would have had anyway; errors because of the change.
"Because of the change" is the counterfactual label of judges.md section 17: thinning a Poisson count keeps both parts exact and
independent. Requests that no pod could take are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, inf, log, sqrt

from sim.faults.effects import VersionEffect
from sim.service.model import Latency, Service

__all__ = ["Layout", "Mix", "layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Cell indexes: first the old version's, then the new one's."""

    bounds: tuple[float, ...]  # of the latency histogram, without +Inf
    buckets: int
    slow_from: int  # the first bucket above the latency limit

    @property
    def new(self) -> int:
        """Where the new version's cells begin; the old version's errors are the cell before."""
        return self.buckets + 1

    @property
    def slow(self) -> int:
        """Where the new version's answers above the limit because of the change begin."""
        return self.new + self.buckets

    @property
    def errors(self) -> int:
        """The new version's errors that it would have had anyway; those because of the change follow."""
        return self.slow + self.buckets - self.slow_from

    @property
    def width(self) -> int:
        return self.errors + 2


def layout(service: Service) -> Layout:
    """The cells of a service; they do not depend on the policy or on faults, so that common random numbers stay common."""
    latency = service.latency
    if latency is None:
        return Layout((), 1, 1)
    return Layout(latency.bounds, len(latency.bounds) + 1, latency.bounds.index(latency.limit) + 1)


class Mix:
    """Probabilities over the cells of one version, given the effects that concern it."""

    def __init__(self, service: Service, version: str, effects: tuple[VersionEffect, ...]) -> None:
        self._service, self._layout, self._version = service, layout(service), version
        self._ambient = tuple(effect for effect in effects if effect.version in ("all", "stable"))
        self._change = tuple(effect for effect in effects if effect.version == "canary") if version == "canary" else ()
        if version == "canary":
            self._ambient = tuple(effect for effect in effects if effect.version == "all")

    @property
    def steady(self) -> bool:
        """Whether the probabilities stay the same while this version serves."""
        cold = self._service.pods.cold > 0 and self._version == "canary" and self._service.latency is not None
        return not self._ambient and not cold and all(_steady(effect) for effect in self._change)

    def at(self, at: float, served_since: float, shares: dict[str | None, float] | None = None) -> tuple[float, ...]:
        """Probabilities at `at` for a version that has served since `served_since`; sum 1. `shares`: of each segment among its requests."""
        base = _combined(self._service.errors, self._ambient, at, served_since, shares)
        errors = _combined(base, self._change, at, served_since, shares)
        good = 1.0 - errors
        shape, new = self._layout, self._version == "canary"
        if self._service.latency is None:
            return (good, base, errors - base) if new else (good, base)
        before = self._buckets(self._service.latency, self._ambient, at, served_since)
        if not new:
            return (*(good * p for p in before), base)
        after = self._buckets(self._service.latency, (*self._ambient, *self._change), at, served_since)
        slow_before, slow_after = sum(before[shape.slow_from :]), sum(after[shape.slow_from :])
        caused = max(0.0, 1.0 - slow_before / slow_after) if slow_after > 0 else 0.0
        kept = tuple(p if j < shape.slow_from else p * (1.0 - caused) for j, p in enumerate(after))
        slow = tuple(p * caused for p in after[shape.slow_from :])
        return (*(good * p for p in kept), *(good * p for p in slow), base, errors - base)

    def _buckets(self, latency: Latency, effects: tuple[VersionEffect, ...], at: float, since: float) -> tuple[float, ...]:
        factor, add = 1.0, 0.0
        tails = [(1.0, 0.0)]  # (share of the requests, seconds they wait longer)
        for effect in effects:
            level = effect.level(at, since)
            factor *= 1.0 + (effect.latency_factor - 1.0) * level
            add += effect.latency_add * level
            if effect.tail_share > 0.0 and level > 0.0:
                share = effect.tail_share * level
                tails = [(p * part, wait + more) for p, wait in tails for part, more in ((1.0 - share, 0.0), (share, effect.tail_add))]
        pods = self._service.pods
        if self._version == "canary" and pods.cold > 0:
            factor *= 1.0 + (pods.cold_factor - 1.0) * max(0.0, 1.0 - (at - since) / pods.cold)
        below = [0.0]
        for bound in latency.bounds:
            below.append(sum(p * _below(bound - add - wait, latency.median * factor, latency.sigma) for p, wait in tails))
        below.append(1.0)
        return tuple(high - low for low, high in zip(below, below[1:], strict=False))


def _below(bound: float, median: float, sigma: float) -> float:
    """Chance that a lognormal latency is at most `bound`."""
    return 0.5 * (1.0 + erf(log(bound / median) / (sigma * sqrt(2.0)))) if bound > 0 else 0.0


def _steady(effect: VersionEffect) -> bool:
    return effect.start <= 0 and effect.end == inf and not effect.ramp and not effect.after and not effect.growth


def _combined(base: float, effects: tuple[VersionEffect, ...], at: float, since: float, shares: dict[str | None, float] | None) -> float:
    """Independent causes of an error: 1 - product of (1 - p)."""
    kept = 1.0 - base
    for effect in effects:
        error = effect.error(at, since)
        if effect.segment is not None:
            error *= (shares or {}).get(effect.segment, 0.0)
        kept *= 1.0 - error
    return 1.0 - kept
