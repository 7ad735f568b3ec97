"""Delays that may never end: restricted means, and cumulative incidence with escape as the competing event.

A bad release that escapes is never detected, so its delay is infinite. Averages over detected runs only, and
Kaplan-Meier with escapes as censored, flatter the worst policy. Only a run that the simulator itself stopped is
censored (judges.md section 17, detection delay).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.results.interval import Interval, check_level
from sim.results.means import mean_interval
from sim.results.proportions import score_limits
from sim.results.quantiles import sortable
from sim.results.resampling import Floats

CENSORED: Final = 0  # the simulator stopped the run
DETECTED: Final = 1  # the event whose incidence is wanted
ESCAPED: Final = 2  # the competing event: after it detection cannot happen


def restricted_mean(delays: ArrayLike, tau: float, level: float = 0.95) -> Interval:
    """Interval for mean(min(D, tau)): delays in seconds of shape (n,), infinite where never detected."""
    if not 0 < tau < float("inf"):
        raise ValueError(f"the horizon must be positive and finite, got {tau}; take the bake's end, for example")
    return mean_interval(np.minimum(sortable(delays), tau), level)


@dataclass(frozen=True, slots=True)
class Incidence:
    """A step function: at `times[i]` the share detected by then is `share[i]`, with pointwise ends `low`, `high`."""

    times: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: int
    level: float

    def at(self, time: float) -> Interval:
        """The share detected by `time`, with its pointwise interval."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        if i < 0:
            low, high = score_limits(0.0, self.n, self.level)
            return Interval(low, high, 0.0, self.level, self.n, "aalen-johansen")
        return Interval(self.low[i], self.high[i], self.share[i], self.level, self.n, "aalen-johansen")


def cumulative_incidence(times: ArrayLike, kinds: ArrayLike, level: float = 0.95) -> Incidence:
    """Aalen-Johansen estimate of P(detected by t), from when each run ended and how.

    `times` (n,) in seconds, `kinds` (n,) of CENSORED, DETECTED, ESCAPED; an escape at infinity is allowed. Without
    censoring it is the plain share of all runs detected by t, with Wilson's interval. With censoring the interval is
    Wilson's at the effective number of runs F(1 - F)/Var, Var by the delta method (Marubini and Valsecchi 1995,
    section 10.2.2).
    """
    check_level(level)
    ends, how = sortable(times), np.asarray(kinds, dtype=np.int64)
    if ends.size != how.size or ends.size == 0:
        raise ValueError(f"each run needs a time and a kind, got {ends.size} times and {how.size} kinds")
    if not np.isin(how, (CENSORED, DETECTED, ESCAPED)).all():
        raise ValueError("kinds must be CENSORED (0), DETECTED (1) or ESCAPED (2)")
    moments, detected, ended, at_risk = _table(ends, how)
    share, variance = _aalen_johansen(detected, ended, at_risk)
    shown = detected > 0
    limits = [
        score_limits(float(f), _effective(float(f), float(v), float(r)), level)
        for f, v, r in zip(share[shown], variance[shown], at_risk[shown], strict=True)
    ]
    return Incidence(
        tuple(moments[shown].tolist()),
        tuple(share[shown].tolist()),
        tuple(low for low, _ in limits),
        tuple(high for _, high in limits),
        ends.size,
        level,
    )


def _table(ends: Floats, how: NDArray[np.int64]) -> tuple[Floats, Floats, Floats, Floats]:
    """Distinct times with the detected, the detected or escaped, and those at risk just before."""
    moments, place = np.unique(ends, return_inverse=True)
    size = moments.size
    detected = np.bincount(place, how == DETECTED, size).astype(np.float64)
    ended = np.bincount(place, how != CENSORED, size).astype(np.float64)
    leaving = np.bincount(place, minlength=size).astype(np.float64)
    at_risk = ends.size - np.concatenate(([0.0], np.add.accumulate(leaving)[:-1]))
    return moments, detected, ended, at_risk


def _aalen_johansen(detected: Floats, ended: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """The incidence and its delta-method variance after each time."""
    left = np.multiply.accumulate(1 - ended / at_risk)
    before = np.concatenate(([1.0], left[:-1]))
    share = np.add.accumulate(before * detected / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(ended < at_risk, ended / (at_risk * (at_risk - ended)), 0.0)
    own = np.square(before) * (at_risk - detected) * detected / at_risk**3
    cross = before * detected / at_risk**2
    # sum over i of (F - F_i)^2 h_i + own_i - 2 (F - F_i) cross_i, written with running sums
    h0, h1, h2 = (np.add.accumulate(hazard * share**power) for power in range(3))
    c0, c1 = (np.add.accumulate(cross * share**power) for power in range(2))
    variance = share**2 * h0 - 2 * share * h1 + h2 + np.add.accumulate(own) - 2 * (share * c0 - c1)
    return share, np.maximum(variance, 0.0)


def _effective(share: float, variance: float, at_risk: float) -> float:
    inside = share * (1 - share)
    return inside / variance if inside > 1e-12 and variance > 0 else at_risk
