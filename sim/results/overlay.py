"""A recorded rollout laid over simulated ones: is it one of them?

Each check is a Monte Carlo test (Barnard, 1963): of N simulated rollouts and the recorded one, exchangeable if the model is right, the rank
of the recorded value is uniform, so `2 (1 + min(below, above)) / (N + 1)` is a p-value for any distribution, ties included. The n checks of
one run are joint at `alarm`: each is held against alarm / n (contracts section 10), so that a right model is doubted in at most `alarm` of
runs. Reality has a grain (its driver looks every few seconds): times closer than `grain` to a simulated one count as equal to it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.policy.errors import WorldError

__all__ = ["ALARM", "GRAIN", "Band", "Check", "Overlay", "Shape", "overlay"]

ALARM = 0.01
GRAIN = 2.0  # seconds: how often a real driver looks at the cluster at the latest (real/driver/plan.py, resync)
_POINTS = 200  # moments at which weights are compared


@dataclass(frozen=True, slots=True)
class Shape:
    """One rollout as it can be seen in both worlds. Times in seconds since `Started`, infinite: never.

    `failed`: requests of users that got an error or no answer, from `Started` until the traffic was where it belonged (`until`); None:
    nobody counted. `steps`: (since, share of the new version).
    """

    outcome: str
    exposed_at: float
    decided_at: float
    until: float
    failed: int | None
    steps: tuple[tuple[float, float], ...]

    @property
    def detection(self) -> float:
        """From the first exposed request to the decision; from the start where the decision is what showed it to users."""
        return self.decided_at - self.exposed_at if self.exposed_at + GRAIN < self.decided_at < inf else self.decided_at

    def share(self, at: float) -> float:
        index = bisect_right(self.steps, (at, inf)) - 1
        return self.steps[index][1] if index >= 0 else 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """`low`..`high`: where a simulated value lies but for `level`; `p`: how rare one as far out as the recorded one is. `values`: the
    simulated ones in order, where they are numbers that a person would look at."""

    name: str
    unit: str
    observed: float | str
    low: float | str
    middle: float | str
    high: float | str
    p: float
    level: float
    values: tuple[float, ...] = ()

    @property
    def inside(self) -> bool:
        return self.p > self.level


@dataclass(frozen=True, slots=True)
class Band:
    """Shares of the new version at some moments: where the simulated ones lie (but for the level of a check), the half of them that is
    in the middle, and the recorded one."""

    times: tuple[float, ...]
    low: tuple[float, ...]
    lower: tuple[float, ...]
    middle: tuple[float, ...]
    upper: tuple[float, ...]
    high: tuple[float, ...]
    observed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """All checks of one run; `measured`: (middle of a window, share of its requests that the new version answered, requests)."""

    checks: tuple[Check, ...]
    band: Band
    count: int
    alarm: float
    grain: float
    measured: tuple[tuple[float, float, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def inside(self) -> bool:
        return all(check.inside for check in self.checks)

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        checks = [
            {"name": c.name, "unit": c.unit, "observed": _plain(c.observed), "low": _plain(c.low), "middle": _plain(c.middle),
             "high": _plain(c.high), "p": round(c.p, 6), "level": round(c.level, 6), "inside": c.inside}
            for c in self.checks
        ]  # fmt: skip
        band = {name: [round(value, 6) for value in getattr(self.band, name)] for name in Band.__slots__}
        return {
            "inside": self.inside, "alarm": self.alarm, "grain": self.grain, "simulated": self.count, "checks": checks, "weights": band,
            "notes": list(self.notes),
        }  # fmt: skip


def overlay(
    seen: Shape,
    simulated: Sequence[Shape],
    *,
    alarm: float = ALARM,
    grain: float = GRAIN,
    measured: Sequence[tuple[float, float, int]] = (),
) -> Overlay:
    """Judge one recorded rollout. Raises WorldError if there are too few simulated ones to doubt anything."""
    kinds: list[Callable[[Shape, Sequence[Shape], float, float], Check]] = [_outcome, _detection, _weights]
    notes: list[str] = []
    if seen.failed is None:
        notes.append("nobody counted the requests from outside, so failed requests are not compared")
    else:
        kinds.insert(2, _failed)
    level = alarm / len(kinds)
    if 2 / (len(simulated) + 1) > level:
        raise WorldError(
            f"{len(simulated)} simulated rollouts can doubt nothing at {level:g}; take at least {math.ceil(2 / level)}"
        )
    checks = tuple(kind(seen, simulated, level, grain) for kind in kinds)
    if any(shape.outcome != seen.outcome for shape in simulated):
        others = sum(shape.outcome != seen.outcome for shape in simulated)
        notes.append(f"{others} of {len(simulated)} simulated rollouts ended otherwise")
    return Overlay(checks, _band(seen, simulated, level), len(simulated), alarm, grain, tuple(measured), tuple(notes))


# ---- the checks ----


def _outcome(seen: Shape, simulated: Sequence[Shape], level: float, grain: float) -> Check:
    counts: dict[str, int] = {}
    for shape in simulated:
        counts[shape.outcome] = counts.get(shape.outcome, 0) + 1
    common = sorted(counts, key=lambda outcome: (-counts[outcome], outcome))
    p = (1 + counts.get(seen.outcome, 0)) / (len(simulated) + 1)
    shown = ", ".join(f"{outcome} {counts[outcome] / len(simulated):.3g}" for outcome in common)
    return Check("outcome", "", seen.outcome, "", shown, "", p, level)


def _detection(seen: Shape, simulated: Sequence[Shape], level: float, grain: float) -> Check:
    return _ranked("time to the decision", "s", seen.detection, [shape.detection for shape in simulated], level, grain)


def _failed(seen: Shape, simulated: Sequence[Shape], level: float, grain: float) -> Check:
    values = [float(shape.failed or 0) for shape in simulated]
    return _ranked("failed requests", "requests", float(seen.failed or 0), values, level, 0.0)


def _weights(seen: Shape, simulated: Sequence[Shape], level: float, grain: float) -> Check:
    """How much traffic was for how long not where the middle rollout has it: the area between the two, in seconds of all traffic.

    Its own grain: an edge of every change of weight may be off by `grain`.
    """
    times = _moments([seen, *simulated])
    width = times[1] - times[0]
    shares = _shares(simulated, times)
    middle = _quantiles(shares, 0.5)
    areas = np.abs(shares - middle).sum(axis=1) * width
    found = float(np.abs(_shares([seen], times)[0] - middle).sum() * width)
    moved = sum(abs(after - before) for (_, before), (_, after) in zip(seen.steps, seen.steps[1:], strict=False))
    p = (1 + int((areas >= found - grain * moved).sum())) / (len(areas) + 1)  # only too far off is strange
    usual, high = (float(_quantiles(areas[:, None], q)[0]) for q in (0.5, 1 - level / 2))
    return Check("weights over time", "s of all traffic", found, 0.0, usual, high, p, level)


def _ranked(name: str, unit: str, observed: float, values: list[float], level: float, grain: float) -> Check:
    below = sum(value <= observed + grain for value in values)
    above = sum(value >= observed - grain for value in values)
    p = min(1.0, 2 * (1 + min(below, above)) / (len(values) + 1))
    ordered = sorted(values)
    low, middle, high = (_quantile(ordered, q) for q in (level / 2, 0.5, 1 - level / 2))
    return Check(name, unit, observed, low, middle, high, p, level, tuple(ordered))


def _band(seen: Shape, simulated: Sequence[Shape], level: float) -> Band:
    times = _moments([seen, *simulated])
    shares = _shares(simulated, times)
    low, lower, middle, upper, high = (
        tuple(_quantiles(shares, q).tolist()) for q in (level / 2, 0.25, 0.5, 0.75, 1 - level / 2)
    )
    observed = tuple(_shares([seen], times)[0].tolist())
    return Band(tuple(times.tolist()), low, lower, middle, upper, high, observed)


def _shares(shapes: Sequence[Shape], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[shapes, times]; shapes on one path have the same steps."""
    known: dict[tuple[tuple[float, float], ...], NDArray[np.float64]] = {}
    for shape in shapes:
        if shape.steps not in known:
            since, share = (np.array(column) for column in zip((-inf, 0.0), *shape.steps, strict=True))
            known[shape.steps] = share[np.searchsorted(since, times, side="right") - 1]
    return np.stack([known[shape.steps] for shape in shapes])


def _quantiles(columns: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """An order statistic of every column: no value in between is made up."""
    count = len(columns)
    row: NDArray[np.float64] = np.sort(columns, axis=0)[min(count - 1, max(0, math.ceil(q * count) - 1))]
    return row


def _moments(shapes: Sequence[Shape]) -> NDArray[np.float64]:
    """Equally spaced moments up to the last end."""
    last = max((shape.until for shape in shapes if shape.until < inf), default=1.0) or 1.0
    return last * (np.arange(_POINTS) + 0.5) / _POINTS


def _quantile(ordered: Sequence[float], q: float) -> float:
    """An order statistic: no value in between is made up."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(q * len(ordered)) - 1))]


def _plain(value: float | str) -> float | str | None:
    if isinstance(value, str):
        return value
    return round(value, 6) if math.isfinite(value) else None
