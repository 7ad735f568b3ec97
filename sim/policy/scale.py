"""Weight to pods: how many pods of each revision a weight needs, and how far one pass may move towards it.

Source: Argo Rollouts utils/replicaset/canary.go, as described in delivery-systems.md sections 2.9 and 2.10. Weights are parts of
`maximum` (100 unless the router counts otherwise); sizes are wanted pods.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from sim.policy.errors import PolicyError

__all__ = ["Bounds", "Pods", "bounds", "move", "move_older", "routed", "shared"]


class Bounds(NamedTuple):
    """How many pods beyond, and how many available pods below, the wanted size are allowed while moving."""

    surge: int
    unavailable: int


@lru_cache(maxsize=1024)
def bounds(replicas: int, max_surge: int | str, max_unavailable: int | str) -> Bounds:
    """Resolve counts or percentages of `replicas`: surge rounds up, unavailable down; both 0 becomes unavailable 1.

    Argo reads a string without a percent sign as a percentage too ("25" is 25 %).
    """
    surge = _count(replicas, max_surge, ceil)
    unavailable = _count(replicas, max_unavailable, floor)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(surge, min(unavailable, replicas))


def _count(replicas: int, value: int | str, rounding: Callable[[Fraction], int]) -> int:
    if isinstance(value, int):
        number = value
    else:
        text = value.removesuffix("%")
        if not text.isdigit():
            raise PolicyError(f"maxSurge and maxUnavailable are a count or a percentage, got {value!r}; write 1 or 25%")
        share = Fraction(int(text) * replicas, 100)
        number = rounding(share)
    if number < 0:
        raise PolicyError(f"maxSurge and maxUnavailable must be 0 or more, got {value!r}")
    return number


@lru_cache(maxsize=4096)
def shared(replicas: int, weight: float, surge: int, maximum: int = 100) -> tuple[int, int]:
    """(canary, stable) pods whose ratio is nearest to `weight` when pods share the traffic evenly (no router)."""
    if replicas == 0:
        return 0, 0
    share = Fraction(weight) / maximum
    up, down = ceil(replicas * share), floor(replicas * share)
    zero_ok = weight in (0, maximum) or (replicas == 1 and surge == 0)

    def tied(total: int) -> bool:
        return (total * share) % 1 == Fraction(1, 2)

    candidates: list[tuple[int, int]] = []
    if up < replicas or zero_ok:
        candidates.append((up, replicas))
    if not tied(replicas) and (down != 0 or zero_ok):
        candidates.append((down, replicas))
    if surge > 0:
        candidates.append((up, replicas + 1))
        if not tied(replicas + 1) and (down != 0 or zero_ok):
            candidates.append((down, replicas + 1))
    if not candidates:
        return 0, replicas
    canary, total = min(candidates, key=lambda pair: abs(Fraction(pair[0], pair[1]) * maximum - Fraction(weight)))
    return canary, total - canary


def routed(replicas: int, weight: float, maximum: int = 100, minimum: int = 0) -> int:
    """Canary pods for `weight` behind a router: rounded up; a non-zero count is at least min(`minimum`, replicas)."""
    count = -int(-replicas * weight // maximum)
    return max(count, min(minimum, replicas)) if count else 0


class Pods(NamedTuple):
    """Wanted and available pods of one revision."""

    wanted: int
    available: int

    @property
    def staying(self) -> int:
        """Available pods that are not about to go."""
        return min(self.wanted, self.available)

    def counted(self, by_wanted: bool) -> int:
        """What counts as available in a pass: a set that shrinks, and the draining side, count by what is wanted."""
        return self.wanted if by_wanted else self.staying


def move(
    stable: Pods, canary: Pods, older: Pods, target: tuple[int, int], replicas: int, allowed: Bounds
) -> tuple[int, int]:
    """One pass towards `target` (canary, stable) within the bounds; returns the wanted (canary, stable)."""
    limit, least = replicas + allowed.surge, replicas - allowed.unavailable
    target_canary, target_stable = target
    up = limit - (stable.wanted + canary.wanted + older.wanted)
    new_stable = stable.wanted + _clamp(up, target_stable - stable.wanted)
    up -= new_stable - stable.wanted
    new_canary = canary.wanted + _clamp(up, target_canary - canary.wanted)
    if older.wanted > 0:
        return new_canary, new_stable
    increasing = target_canary >= canary.wanted
    counted = canary.counted(by_wanted=not increasing) + stable.counted(by_wanted=increasing)
    if counted <= least:
        return new_canary, new_stable
    down = counted - least
    if increasing:
        if new_stable > target_stable:
            new_stable = max(target_stable, stable.wanted - down)
        new_stable, new_canary = _adjust(stable, canary, new_stable, new_canary, limit, least)
    else:
        if new_canary > target_canary:
            new_canary = max(target_canary, canary.wanted - down)
        new_canary, new_stable = _adjust(canary, stable, new_canary, new_stable, limit, least)
    return new_canary, new_stable


def _clamp(room: int, gap: int) -> int:
    return max(0, min(room, gap))


def _adjust(drain: Pods, other: Pods, draining: int, kept: int, limit: int, least: int) -> tuple[int, int]:
    """Keep the sum within `limit` and the available pods at `least`: take from `kept` first, give back, then drain."""
    kept -= max(0, draining + kept - limit)
    available = min(drain.available, draining) + min(other.available, kept)
    kept += min(max(0, other.available - kept), max(0, least - available))
    draining -= max(0, draining + kept - limit)
    return draining, kept


def move_older(older: tuple[Pods, ...], available: int, least: int) -> tuple[int, ...]:
    """One pass of draining older revisions (newest first): unavailable pods go at once, the others within the budget."""
    budget = available - least
    if any(pods.wanted > pods.available for pods in older):
        return tuple(min(pods.wanted, pods.available) for pods in older)
    wanted = []
    for pods in older:
        cut = _clamp(budget, pods.wanted)
        budget -= cut
        wanted.append(pods.wanted - cut)
    return tuple(wanted)
