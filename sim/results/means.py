"""Intervals for means and ratios of sums of skewed, unbounded measurements (blast radius, cost, lead time).

Up to 5,000 values: bootstrap-t, which judges.md section 17 asks for. Above: Hall's transformation of the t statistic,
which removes the same skewness term (order 1/sqrt(n)) in closed form, needs no resampling, and covers as well there
(tests/results/test_means.py holds both to lognormal data). It also serves sparse data, where most
resamples would have no spread at all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sim.policy.special import beta_quantile, normal_quantile
from sim.results.interval import Interval, check_level, unbounded
from sim.results.resampling import Floats, Indices, studentised

RESAMPLED_UP_TO = 5000  # beyond it 1000 resamples cost more than they tell


def mean_interval(x: ArrayLike, level: float = 0.95) -> Interval:
    """Interval for the mean of finite values: shape (n,), any unit.

    Fewer than two values bound nothing. Equal values give a point and the method "constant": they say nothing of the
    values not seen, so a report must show the method.
    """
    values = finite(x)
    check_level(level)
    n = values.size
    if n < 2:
        return unbounded(float(values[0]) if n else math.nan, level, n, "too few values")
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    if values.min() == values.max():
        return Interval(mean, mean, mean, level, n, "constant")
    centered = values - mean
    ends = _bootstrap_mean(centered, level, error) if n <= RESAMPLED_UP_TO else None
    if ends is None:
        return _between(mean, hall_ends(centered, level), level, n, "hall")
    return _between(mean, ends, level, n, "bootstrap-t")


def student_interval(x: ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of a mean: exact for normal data, beside the bootstrap a check on it."""
    values = finite(x)
    check_level(level)
    n = values.size
    if n < 2:
        return unbounded(math.nan, level, n, "student")
    mean = float(values.mean())
    half = t_quantile(0.5 + level / 2, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Interval(mean - half, mean + half, mean, level, n, "student")


def t_quantile(p: float, freedom: float) -> float:
    """Student's quantile for p > 1/2 through the beta distribution: t^2 = v (1 - x) / x, x ~ Beta(v/2, 1/2)."""
    if freedom > 1e6:  # the normal limit; the difference is below 2e-6
        return normal_quantile(p)
    x = beta_quantile(2 * (1 - p), freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - x) / x)


def ratio_of_sums(numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95) -> Interval:
    """Interval for sum(numerator) / sum(denominator) over runs, such as the error budget used.

    Both have shape (n,); the denominators must be positive. Standard errors by linearisation: the residual of a run
    is numerator - ratio * denominator (Cochran 1977, section 6.4).
    """
    num, den = finite(numerator), finite(denominator)
    check_level(level)
    if num.size != den.size:
        raise ValueError(f"numerators and denominators must pair up, got {num.size} and {den.size}")
    if den.size and den.min() <= 0:
        raise ValueError(f"denominators must be positive, got {den.min()}; leave runs without requests out")
    n = num.size
    if n < 2:
        return unbounded(float(num[0] / den[0]) if n else math.nan, level, n, "too few values")
    ratio = float(num.sum() / den.sum())
    residuals = (num - ratio * den) / den.mean()
    if np.abs(residuals).max() <= 1e-14 * abs(ratio):
        return Interval(ratio, ratio, ratio, level, n, "constant")
    error = float(residuals.std(ddof=1)) / math.sqrt(n)
    ends = _bootstrap_ratio(residuals, den / den.mean(), level, error) if n <= RESAMPLED_UP_TO else None
    if ends is None:
        return _between(ratio, hall_ends(residuals, level), level, n, "hall")
    return _between(ratio, ends, level, n, "bootstrap-t")


def hall_ends(centered: Floats, level: float) -> tuple[float, float]:
    """Ends, relative to the mean, from Hall's cubic transformation (Hall 1992, JRSS B 54, 221-228).

    g(T) = T + T^2 c/3 + T^3 c^2/27 + c/(6n) with T = (mean - mu)/s and skewness c is monotone, nearly free of skewness,
    and has a closed inverse.
    """
    n = centered.size
    squares = np.square(centered)
    spread = math.sqrt(float(squares.sum()) / (n - 1))
    skew = float((centered * squares).mean()) / float(squares.mean()) ** 1.5
    y = t_quantile(0.5 + level / 2, n - 1) / math.sqrt(n)  # Student's rather than the normal: few values reach here too
    return -spread * _untransformed(y, skew, n), -spread * _untransformed(-y, skew, n)


def _untransformed(y: float, skew: float, n: int) -> float:
    if abs(skew) < 1e-8:  # the limit of the formula, which would cancel
        return y
    return 3 / skew * (math.cbrt(1 + skew * (y - skew / (6 * n))) - 1)


def _bootstrap_mean(centered: Floats, level: float, error: float) -> tuple[float, float] | None:
    n = centered.size
    squares = np.square(centered)

    def statistic(block: Indices) -> tuple[Floats, Floats]:
        means = centered[block].mean(axis=1)
        variances = squares[block].mean(axis=1) - np.square(means)
        return means, _errors(variances, float(squares.max()), n)

    return studentised(n, statistic, level, 0.0, error)


def _bootstrap_ratio(residuals: Floats, weights: Floats, level: float, error: float) -> tuple[float, float] | None:
    """As for the mean, with each row's ratio re-estimated: d = sum(e) / sum(w), its residuals e - d w."""
    n = residuals.size
    ee, ew, ww = np.square(residuals), residuals * weights, np.square(weights)

    def statistic(block: Indices) -> tuple[Floats, Floats]:
        scale = weights[block].mean(axis=1)
        shifts = residuals[block].mean(axis=1) / scale
        around = ee[block].mean(axis=1) - 2 * shifts * ew[block].mean(axis=1) + shifts**2 * ww[block].mean(axis=1)
        return shifts, _errors(around, float(ee.max()), n) / scale

    return studentised(n, statistic, level, 0.0, error)


def _errors(variances: Floats, largest: float, n: int) -> Floats:
    """Standard errors of rows; what is only rounding counts as no spread."""
    return np.sqrt(np.where(variances > 1e-13 * largest, variances, 0.0) / (n - 1))


def finite(x: ArrayLike) -> Floats:
    """`x` as a flat float array; infinite or missing values are refused."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"expected a flat list of values, got shape {values.shape}")
    if not np.isfinite(values).all():
        bad = values[~np.isfinite(values)][0]
        raise ValueError(f"a mean needs finite values, got {bad}; use restricted_mean or quantile_interval")
    return values


def _between(center: float, ends: tuple[float, float], level: float, n: int, method: str) -> Interval:
    return Interval(center + ends[0], center + ends[1], center, level, n, method)
