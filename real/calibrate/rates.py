"""How many requests come, how they are spread, and how many fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf, nan, sqrt

from real.calibrate.evidence import Piece
from sim.policy.special import bisect, gamma_p, gamma_q
from sim.results.interval import Interval
from sim.results.means import student_interval
from sim.results.proportions import clopper_pearson

__all__ = ["Spread", "failures", "rate", "spread"]

RARE = 0.001  # below it, counts are not what a Poisson process gives


@dataclass(frozen=True, slots=True)
class Spread:
    """Counts of equal pieces against a Poisson process: Fisher's index of dispersion (1950), sum (n - m)^2 / m, chi-square with
    `pieces - 1` degrees of freedom. `k`: of a gamma factor per piece with the same variance (m^2 / (s^2 - m)); infinite without one."""

    index: float
    pieces: int
    less: float
    more: float
    k: float = inf

    @property
    def kind(self) -> str:
        return "fixed" if self.less < RARE else "gamma" if self.more < RARE else "poisson"


def spread(pieces: Sequence[Piece]) -> Spread:
    """Pieces are of equal length."""
    n = len(pieces)
    mean = sum(piece.requests for piece in pieces) / n if n else 0.0
    if n < 2 or mean == 0:
        return Spread(nan, n, 1.0, 1.0)
    squares = fsum((piece.requests - mean) ** 2 for piece in pieces)
    statistic, variance = squares / mean, squares / (n - 1)
    k = mean**2 / (variance - mean) if variance > mean else inf
    half = (n - 1) / 2
    return Spread(statistic / (n - 1), n, gamma_p(half, statistic / 2), gamma_q(half, statistic / 2), k)


def rate(pieces: Sequence[Piece], level: float = 0.95) -> Interval:
    """Requests/s. Poisson: Garwood's exact interval (1936); spread more widely: Student's over pieces; evenly: within one request."""
    count, seconds = sum(piece.requests for piece in pieces), fsum(piece.end - piece.start for piece in pieces)
    kind = spread(pieces).kind
    if kind == "gamma":
        found = student_interval([piece.requests / (piece.end - piece.start) for piece in pieces], level)
        return Interval(max(0.0, found.low), found.high, count / seconds, level, count, "student over pieces")
    if kind == "fixed":
        return Interval(max(0, count - 1) / seconds, (count + 1) / seconds, count / seconds, level, count, "fixed")
    tail = (1 - level) / 2
    low = _gamma_quantile(tail, count) if count else 0.0
    return Interval(
        low / seconds, _gamma_quantile(1 - tail, count + 1) / seconds, count / seconds, level, count, "garwood"
    )


def failures(bad: int, requests: int, level: float = 0.95) -> Interval:
    """The floor of errors: (bad + 1/2) / (requests + 1), the mean after Jeffreys' prior: a service that was not seen to fail in 5,000
    requests may fail in one of the next 5,000. The ends are Clopper's and Pearson's."""
    ends = clopper_pearson(bad, requests, level)
    return Interval(
        ends.low, ends.high, (bad + 0.5) / (requests + 1), level, requests, "jeffreys mean, clopper-pearson"
    )


def _gamma_quantile(q: float, shape: float) -> float:
    """Quantile of the gamma distribution with scale 1."""
    return bisect(lambda x: gamma_p(shape, x) - q, 0.0, shape + 50 * sqrt(shape) + 50)
