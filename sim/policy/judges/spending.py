"""Group-sequential boundaries: how often one may look, and how far the statistic must be out at each look.

With information t in (0, 1] the score S(t) is a Brownian motion under the null, and a look at t rejects when Z = S/sqrt
t leaves its limits. The chance of leaving at each look follows from the density of those still inside, integrated from
look to look. Source: judges.md section 10 (Armitage, McPherson, Rowe 1969; Lan and DeMets 1983), V1, V2, V3.

The integrals use Gauss-Legendre nodes, as many as the step between two looks needs: the integrands are smooth, so about
100 nodes are more exact than the usual 601 of Simpson's rule (the tests hold one against the other).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, cos, e, exp, inf, log, log1p, pi, sqrt

from sim.policy.judges.zeroin import zeroin
from sim.policy.special import normal_cdf, normal_quantile, normal_sf

__all__ = [
    "MOST", "Inside", "boundaries", "boundary", "exit_probabilities", "leave", "obrien_fleming_constant",
    "peeking_error", "pocock_constant", "spend_obrien_fleming", "spend_pocock", "stay",
]  # fmt: skip

MOST = 40.0  # a limit that no statistic reaches: chance below 1e-300
_REACH = 7.5  # standard deviations kept on an open side; beyond lies 3e-14
_TOLERANCE = 1e-11


def spend_obrien_fleming(t: float, alpha: float) -> float:
    """O'Brien-Fleming-type spending: almost nothing early.

    >>> round(spend_obrien_fleming(0.2, 0.05), 10)
    1.17264e-05
    """
    return 2.0 * normal_sf(normal_quantile(1.0 - alpha / 2.0) / sqrt(t))


def spend_pocock(t: float, alpha: float) -> float:
    """Pocock-type spending: nearly even.

    >>> round(spend_pocock(0.2, 0.05), 8)
    0.01476973
    """
    return alpha * log1p((e - 1.0) * t)


@lru_cache(maxsize=64)
def _nodes(n: int) -> tuple[tuple[float, float], ...]:
    """(node, weight) of Gauss-Legendre quadrature on [-1, 1], by Newton's method on the Legendre polynomial."""
    found = []
    for i in range(n):
        x = cos(pi * (i + 0.75) / (n + 0.5))
        for _ in range(100):
            p, before = x, 1.0
            for k in range(2, n + 1):
                p, before = ((2 * k - 1) * x * p - (k - 1) * before) / k, p
            slope = n * (x * p - before) / (x * x - 1.0)
            x -= p / slope
            if abs(p / slope) < 1e-15:
                break
        found.append((x, 2.0 / ((1.0 - x * x) * slope * slope)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Inside:
    """Who is still inside the limits after the look at information t: (score, probability) at each node."""

    t: float = 0.0
    mass: tuple[tuple[float, float], ...] = ((0.0, 1.0),)


def leave(inside: Inside, t: float, lower: float, upper: float) -> float:
    """Chance of being inside so far and of leaving [lower, upper] (limits of Z; -inf is open) at the look at t."""
    root, width = sqrt(t), sqrt(t - inside.t)
    return sum(
        p * (normal_cdf((lower * root - s) / width) + normal_sf((upper * root - s) / width)) for s, p in inside.mass
    )


def stay(inside: Inside, t: float, lower: float, upper: float) -> Inside:
    """The density of those that are inside after the look at t as well."""
    root, width = sqrt(t), sqrt(t - inside.t)
    lo, hi = max(lower, -_REACH) * root, min(upper, _REACH) * root
    n = min(960, 16 * ceil((24.0 + 2.0 * (hi - lo) / width) / 16.0))
    half, middle = 0.5 * (hi - lo), 0.5 * (hi + lo)
    scale, mass = half / (width * sqrt(2.0 * pi)), []
    for x, w in _nodes(n):
        s = middle + half * x
        mass.append((s, w * scale * sum(p * exp(-0.5 * ((s - u) / width) ** 2) for u, p in inside.mass)))
    return Inside(t, tuple(mass))


def boundary(inside: Inside, t: float, spend: float, *, two_sided: bool) -> float:
    """The limit c of Z at the look at t that is left with chance `spend`; `MOST` if there is nothing to spend."""
    if spend < 1e-200:
        return MOST

    def gap(c: float) -> float:
        out = leave(inside, t, -c if two_sided else -inf, c)
        return log(out) - log(spend) if out > 0.0 else -800.0

    floor = 0.0 if two_sided else -_REACH
    return zeroin(gap, floor, MOST, gap(floor), gap(MOST), _TOLERANCE)


def boundaries(
    fractions: Sequence[float], spend: Callable[[float, float], float], alpha: float, *, two_sided: bool = True
) -> tuple[float, ...]:
    """Limits of Z at the planned looks for a spending function; `fractions` rise to 1.

    >>> [round(c, 3) for c in boundaries((0.5, 1.0), spend_obrien_fleming, 0.05)]
    [2.772, 1.979]
    """
    inside, spent, limits = Inside(), 0.0, []
    for t in fractions:
        c = boundary(inside, t, spend(t, alpha) - spent, two_sided=two_sided)
        limits.append(c)
        inside, spent = stay(inside, t, -c if two_sided else -inf, c), spend(t, alpha)
    return tuple(limits)


def exit_probabilities(
    fractions: Sequence[float], limits: Sequence[float], *, two_sided: bool = True
) -> tuple[float, ...]:
    """Chance under the null of having left the limits by each look."""
    inside, total, out = Inside(), 0.0, []
    for t, c in zip(fractions, limits, strict=True):
        lower = -c if two_sided else -inf
        total += leave(inside, t, lower, c)
        out.append(total)
        inside = stay(inside, t, lower, c)
    return tuple(out)


def _constant(alpha: float, limits: Callable[[float], tuple[float, ...]]) -> float:
    """The c for which all looks together leave with probability alpha."""

    def gap(c: float) -> float:
        bounds = limits(c)
        return exit_probabilities([(i + 1) / len(bounds) for i in range(len(bounds))], bounds)[-1] - alpha

    return zeroin(gap, 1.0, 6.0, gap(1.0), gap(6.0), 1e-9)


def pocock_constant(looks: int, alpha: float = 0.05) -> float:
    """Pocock's constant limit for equally spaced two-sided looks."""
    return _constant(alpha, lambda c: (c,) * looks)


def obrien_fleming_constant(looks: int, alpha: float = 0.05) -> float:
    """O'Brien and Fleming's c of the limits c sqrt(K/k)."""
    return _constant(alpha, lambda c: tuple(c * sqrt(looks / k) for k in range(1, looks + 1)))


def peeking_error(looks: int, level: float) -> tuple[float, ...]:
    """Chance that a healthy release is called bad by look 1, 2, ... if each look is tested at `level`, two-sided.

    >>> [round(p, 4) for p in peeking_error(3, 0.05)]
    [0.05, 0.0831, 0.1073]
    """
    c = normal_quantile(1.0 - level / 2.0)
    return exit_probabilities(range(1, looks + 1), (c,) * looks)
