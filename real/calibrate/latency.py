"""A lognormal fitted to a histogram: maximum likelihood of grouped normal data, by Fisher scoring (Kulldorff, 1961)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, sqrt

import numpy as np

from sim.durations import Z99
from sim.policy.special import normal_cdf, normal_pdf, normal_quantile
from sim.results.interval import Interval

__all__ = ["Fitted", "fitted"]

_STEPS = 200


@dataclass(frozen=True, slots=True)
class Fitted:
    """Median, sigma of the logarithm and 99th percentile; `off` is the largest difference between a bucket's fitted and its seen share."""

    median: Interval
    sigma: Interval
    p99: Interval
    off: float


def fitted(bounds: Sequence[float], counts: Sequence[int], level: float = 0.95) -> Fitted | None:
    """`counts` up to each bound, and one above the last. None: fewer than three buckets hold answers, which two numbers would fit anyhow.

    Wald's intervals on the logarithms of the median and of sigma.
    """
    held = [place for place, count in enumerate(counts) if count]
    if len(held) < 3:
        return None
    edges = [-inf, *(log(bound) for bound in bounds), inf]
    n = sum(counts)
    mu, sigma = _first(edges, counts, n)
    for _ in range(_STEPS):
        score, information = _slopes(edges, counts, n, mu, sigma)
        step = np.linalg.solve(information, score)
        scale = min(1.0, 0.5 * sigma / float(np.abs(step).max()) if np.abs(step).max() > 0 else 1.0)
        mu, sigma = mu + scale * float(step[0]), max(sigma + scale * float(step[1]), sigma / 4)
        if np.abs(step).max() < 1e-10:
            break
    around = np.linalg.inv(_slopes(edges, counts, n, mu, sigma)[1])
    z = normal_quantile(0.5 + level / 2)
    tail = sqrt(float(around[0, 0] + 2 * Z99 * around[0, 1] + Z99**2 * around[1, 1]))
    shares = _shares(edges, mu, sigma)
    off = max(abs(share - count / n) for share, count in zip(shares, counts, strict=True))
    errors = sqrt(float(around[0, 0])), sqrt(float(around[1, 1])) / sigma
    return Fitted(
        _around(mu, z * errors[0], level, n),
        _around(log(sigma), z * errors[1], level, n),
        _around(mu + Z99 * sigma, z * tail, level, n),
        off,
    )


def _around(logarithm: float, half: float, level: float, n: int) -> Interval:
    return Interval(exp(logarithm - half), exp(logarithm + half), exp(logarithm), level, n, "grouped lognormal, wald")


def _first(edges: Sequence[float], counts: Sequence[int], n: int) -> tuple[float, float]:
    """A line through the normal quantiles of the two outermost known shares."""
    total = 0
    known: list[tuple[float, float, int]] = []
    for edge, count in zip(edges[1:-1], counts[:-1], strict=True):
        total += count
        if 0 < total < n and (not known or total > known[-1][2]):
            known.append((edge, normal_quantile(total / n), total))
    (low, z_low, _), (high, z_high, _) = known[0], known[-1]
    sigma = (high - low) / (z_high - z_low)
    return low - sigma * z_low, sigma


def _shares(edges: Sequence[float], mu: float, sigma: float) -> list[float]:
    below = [normal_cdf((edge - mu) / sigma) for edge in edges]
    return [high - low for low, high in pairwise(below)]


def _slopes(
    edges: Sequence[float], counts: Sequence[int], n: int, mu: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """The score and the expected information of (mu, sigma)."""
    z = [(edge - mu) / sigma for edge in edges]
    density = [normal_pdf(one) if abs(one) < inf else 0.0 for one in z]
    leaned = [one * d if d else 0.0 for one, d in zip(z, density, strict=True)]
    p = np.maximum(_shares(edges, mu, sigma), 1e-300)
    slope = -np.stack([np.diff(density), np.diff(leaned)]) / sigma
    score: np.ndarray = slope @ (np.array(counts) / p)
    information: np.ndarray = n * (slope / p) @ slope.T
    return score, information
