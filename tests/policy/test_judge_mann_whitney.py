"""The Mann-Whitney interval: ranks against scipy, the root finder against an independent bisection."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.judges.mann_whitney import cles, mean, percentile, rank_sum, shift_interval, trim
from sim.policy.judges.zeroin import zeroin

Z = scipy.stats.norm.ppf(0.99)


def statistic(x: np.ndarray, y: np.ndarray, mu: float) -> float:
    """The standardised rank sum, from scipy's ranks: written independently of the module."""
    m, n = len(x), len(y)
    pooled = np.concatenate([x - mu, y])
    r = scipy.stats.rankdata(pooled)[:m].sum() - m * (m + 1) / 2 - m * n / 2
    _, counts = np.unique(pooled, return_counts=True)
    ties = (counts**3 - counts).sum() / ((m + n) * (m + n - 1))
    return float((r - 0.5 * np.sign(r)) / math.sqrt(m * n / 12 * ((m + n + 1) - ties)))


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where the falling step function crosses `level`, by plain halving."""
    lo, hi = x.min() - y.max(), x.max() - y.min()
    for _ in range(80):
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if statistic(x, y, mid) > level else (lo, mid)
    return float((lo + hi) / 2)


@pytest.mark.parametrize(("m", "n", "scale"), [(9, 11, 1.0), (30, 30, 5.0), (60, 45, 0.1), (120, 120, 1.0)])
def test_interval_agrees_with_an_independent_solver_to_the_tolerance(m: int, n: int, scale: float) -> None:
    rng = np.random.default_rng(m)
    x, y = rng.normal(3.0, scale, m), rng.normal(2.8, scale, n)
    got = shift_interval(x.tolist(), y.tolist())
    assert got.lower == pytest.approx(crossing(x, y, Z), abs=1e-4)
    assert got.upper == pytest.approx(crossing(x, y, -Z), abs=1e-4)
    # The estimate may lie anywhere on a flat stretch at zero, so it is held by its sign change.
    assert statistic(x, y, got.estimate - 1e-4) >= 0.0 >= statistic(x, y, got.estimate + 1e-4)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 6), min_size=3, max_size=14), st.lists(st.integers(0, 6), min_size=3, max_size=14))
def test_rank_sum_and_cles_agree_with_scipy_under_ties(x: list[int], y: list[int]) -> None:
    ranks = scipy.stats.rankdata([*x, *y])
    assert rank_sum(x, y) == ranks[: len(x)].sum()
    assert cles(x, y) == pytest.approx(scipy.stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)))


def test_all_tied_at_the_bracket_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="tied"):
        shift_interval([2.0], [1.0])


def test_few_points_answer_the_ends_of_the_bracket() -> None:
    got = shift_interval([10.0, 11.0, 12.0], [1.0, 2.0, 3.0])
    assert (got.lower, got.upper) == (7.0, 11.0)


def test_tiny_units_are_decided_by_the_tolerance() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(2e-5, 1e-6, 60), rng.normal(1e-5, 1e-6, 60)
    got = shift_interval(x.tolist(), y.tolist())
    assert max(abs(got.lower), abs(got.upper), abs(got.estimate)) < 1e-4
    assert abs(got.lower - crossing(x, y, Z)) < 1e-4


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_percentile_is_numpy_linear(values: list[float], p: float) -> None:
    assert percentile(values, p) == pytest.approx(float(np.percentile(values, 100 * p)), abs=1e-9)


def test_trim_drops_strictly_beyond_the_fences() -> None:
    # The 99th percentile is a fence too, so in a small sample a single spike falls and its neighbours stay.
    values = [1.0, 2.0, 3.0, 4.0, 5.0] * 40
    assert trim([*values, 1000.0], 3.0) == tuple(values)
    assert trim(values, 3.0) == tuple(values)
    assert trim([7.0], 3.0) == (7.0,)
    assert trim([], 3.0) == ()


def test_mean_in_two_passes() -> None:
    assert mean([1e16, 1.0, -1e16]) == pytest.approx(1 / 3, abs=2)
    assert mean([0.1] * 3) == 0.1


@pytest.mark.parametrize(
    ("f", "lo", "hi"), [(math.cos, 1.0, 2.0), (lambda x: x**3 - 2 * x - 5, 2.0, 3.0), (math.tan, -1.0, 1.3)]
)
def test_zeroin_on_smooth_functions(f: object, lo: float, hi: float) -> None:
    from collections.abc import Callable
    from typing import cast

    g = cast("Callable[[float], float]", f)
    tight = zeroin(g, lo, hi, g(lo), g(hi), tolerance=1e-14)
    assert g(tight) == pytest.approx(0.0, abs=1e-12)
    assert zeroin(g, lo, hi, g(lo), g(hi)) == pytest.approx(tight, abs=1e-4)


def test_zeroin_returns_an_end_that_is_a_root() -> None:
    assert zeroin(lambda x: x, 0.0, 1.0, 0.0, 1.0) == 0.0
    assert zeroin(lambda x: x - 1, 0.0, 1.0, -1.0, 0.0) == 1.0
