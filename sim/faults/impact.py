"""What all effects together do to the requests of one version at one moment (the rules: faults.md section 1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sim.faults.effects import Effect, VersionEffect
from sim.faults.joining import either


@dataclass(frozen=True, slots=True)
class Impact:
    """The added probability of failure; latency is multiplied by `latency_factor`, then `latency_add` seconds are
    added.

    `tails` are (share of the requests, seconds they wait longer), independent of each other.
    """

    error: float = 0.0
    latency_add: float = 0.0
    latency_factor: float = 1.0
    tails: tuple[tuple[float, float], ...] = ()


def impact(effects: Iterable[Effect], version: str, at: float, served: float, segment: str | None = None) -> Impact:
    """The impact at `at` on requests of a segment (None: of no class) to a version that first served at `served`.

    Probabilities join as independent events, delays add, factors multiply; `Impact()` when nothing is active. Effects
    of other sorts than VersionEffect are passed over.
    """
    errors: list[float] = []
    tails: list[tuple[float, float]] = []
    added, factor = 0.0, 1.0
    for effect in effects:
        if not isinstance(effect, VersionEffect) or not _hits(effect, version, segment):
            continue
        level = effect.level(at, served)
        errors.append(effect.error(at, served))
        added += level * effect.latency_add
        factor *= 1.0 + level * (effect.latency_factor - 1.0)
        if level * effect.tail_share > 0 and effect.tail_add > 0:
            tails.append((level * effect.tail_share, effect.tail_add))
    return Impact(either(errors), added, factor, tuple(tails))


def _hits(effect: VersionEffect, version: str, segment: str | None) -> bool:
    return effect.version in ("all", version) and effect.segment in (None, segment)
