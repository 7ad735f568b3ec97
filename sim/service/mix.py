"""Where the requests of one version end up: the cells of the counts, and their probabilities at a moment.

Cells of the old version: good answers per latency bucket, errors. Cells of the new version: good answers per latency bucket; answers
above the latency limit because of the change, per bucket above it; errors it would have had anyway; errors because of the change.
"Because of the change" is the counterfactual label of judges.md section 17: thinning a Poisson count keeps both parts exact and
independent. Requests that no pod could take are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import erf, exp, inf, log, sqrt
from typing import Literal

from sim.faults.effects import VersionEffect
from sim.faults.impact import impact
from sim.service.model import Service

__all__ = ["Law", "Layout", "Mix", "layout"]


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


@dataclass(frozen=True, slots=True)
class Law:
    """How many seconds an answer takes: a lognormal, `add` later, and each `(share of the requests, seconds)` of `tails` later still."""

    median: float
    sigma: float
    add: float
    tails: tuple[tuple[float, float], ...]

    def below(self, bound: float) -> float:
        """The chance that it takes at most `bound` seconds."""
        return sum(p * _below(bound - self.add - wait, self.median, self.sigma) for p, wait in self.tails)

    @property
    def mean(self) -> float:
        """Seconds."""
        return self.median * exp(self.sigma**2 / 2.0) + self.add + sum(p * wait for p, wait in self.tails)


class Mix:
    """Probabilities over the cells of one version, given the effects that concern it.

    Effects on "all" or "stable" are ambient: requests that they break would have been broken without the change. Cold pods are
    ambient too. Effects on "canary" are the change.
    """

    def __init__(
        self, service: Service, version: Literal["stable", "canary"], effects: tuple[VersionEffect, ...]
    ) -> None:
        self._service, self._layout, self._version = service, layout(service), version
        self._effects = tuple(effect for effect in effects if effect.version in ("all", version))
        self._ambient = tuple(effect for effect in self._effects if effect.version in ("all", "stable"))
        self._segments = sorted({effect.segment for effect in self._effects if effect.segment is not None})

    @property
    def steady(self) -> bool:
        """Whether the probabilities stay the same while this version serves."""
        cold = self._service.pods.cold > 0 and self._version == "canary" and self._service.latency is not None
        return not cold and all(_steady(effect) for effect in self._effects)

    def at(self, at: float, served: float, shares: Mapping[str | None, float]) -> tuple[float, ...]:
        """Probabilities, sum 1, for a version that has served since `served`; `shares`: of each segment among its requests."""
        base = self._errors(self._ambient, at, served, shares)
        if self._version == "stable":
            return (*((1.0 - base) * p for p in self._buckets(self._ambient, at, served)), base)
        errors = self._errors(self._effects, at, served, shares)
        good, shape = 1.0 - errors, self._layout
        before, after = self._buckets(self._ambient, at, served), self._buckets(self._effects, at, served)
        slow_before, slow_after = sum(before[shape.slow_from :]), sum(after[shape.slow_from :])
        caused = max(0.0, 1.0 - slow_before / slow_after) if slow_after > 0 else 0.0
        kept = (p if j < shape.slow_from else p * (1.0 - caused) for j, p in enumerate(after))
        slow = (p * caused for p in after[shape.slow_from :])
        return (*(good * p for p in kept), *(good * p for p in slow), base, errors - base)

    def _errors(
        self, effects: tuple[VersionEffect, ...], at: float, served: float, shares: Mapping[str | None, float]
    ) -> float:
        """The error rate: what the service has anyway, joined with the effects on each segment."""

        def rate(segment: str | None) -> float:
            return 1.0 - (1.0 - self._service.errors) * (
                1.0 - impact(effects, self._version, at, served, segment).error
            )

        rest = rate(None)
        return rest + sum(shares.get(segment, 0.0) * (rate(segment) - rest) for segment in self._segments)

    def _buckets(self, effects: tuple[VersionEffect, ...], at: float, served: float) -> tuple[float, ...]:
        """Chances of a good answer's latency buckets: the lognormal, scaled, moved, and for a tail of requests moved further."""
        latency = self._service.latency
        if latency is None:
            return (1.0,)
        law = self._law(effects, at, served)
        below = [0.0, *(law.below(bound) for bound in latency.bounds), 1.0]
        return tuple(high - low for low, high in pairwise(below))

    def _law(self, effects: tuple[VersionEffect, ...], at: float, served: float) -> Law:
        latency = self._service.latency
        assert latency is not None
        hit = impact(effects, self._version, at, served)
        waits = [(1.0, 0.0)]
        for share, more in hit.tails:
            waits = [(p * part, wait + add) for p, wait in waits for part, add in ((1.0 - share, 0.0), (share, more))]
        return Law(
            latency.median * hit.latency_factor * self._cold(at, served), latency.sigma, hit.latency_add, tuple(waits)
        )

    def laws(self, at: float, served: float) -> tuple[Law, Law]:
        """How long answers would take without the change, and how long they take."""
        return self._law(self._ambient, at, served), self._law(self._effects, at, served)

    def _cold(self, at: float, served: float) -> float:
        pods = self._service.pods
        if pods.cold <= 0 or self._version == "stable":
            return 1.0
        return 1.0 + (pods.cold_factor - 1.0) * max(0.0, 1.0 - (at - served) / pods.cold)


def _steady(effect: VersionEffect) -> bool:
    return effect.start <= 0 and effect.end == inf and not effect.ramp and not effect.after and not effect.growth


def _below(bound: float, median: float, sigma: float) -> float:
    """Chance that a lognormal latency is at most `bound`."""
    return 0.5 * (1.0 + erf(log(bound / median) / (sigma * sqrt(2.0)))) if bound > 0 else 0.0
