"""Delays that may never end, with statsmodels as the oracle for censoring."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from sim.results.proportions import wilson
from sim.results.survival import CENSORED, DETECTED, ESCAPED, cumulative_incidence, restricted_mean


def test_restricted_mean_counts_escapes_at_the_horizon() -> None:
    interval = restricted_mean([60.0, 120.0, math.inf, math.inf], 600)
    assert interval.estimate == (60 + 120 + 600 + 600) / 4
    with pytest.raises(ValueError, match="got inf"):
        restricted_mean([1.0], math.inf)


def test_without_censoring_it_is_the_share_of_all_runs_with_wilson() -> None:
    times = [10.0, 20.0, 20.0, 30.0, 40.0, 50.0, math.inf, math.inf]
    kinds = [DETECTED] * 4 + [ESCAPED, DETECTED, ESCAPED, ESCAPED]
    curve = cumulative_incidence(times, kinds)
    assert curve.times == (10, 20, 30, 50)
    assert curve.share == pytest.approx((1 / 8, 3 / 8, 4 / 8, 5 / 8))
    for time, count in ((0.0, 0), (20.0, 3), (35.0, 4), (1e9, 5)):
        expected, seen = wilson(count, 8), curve.at(time)
        assert (seen.low, seen.high) == pytest.approx((expected.low, expected.high))


def test_against_statsmodels() -> None:
    rng = np.random.default_rng(8)
    times = rng.integers(1, 40, size=300).astype(float)
    kinds = rng.choice([CENSORED, DETECTED, ESCAPED], size=300, p=[0.3, 0.5, 0.2])
    oracle = CumIncidenceRight(times, kinds)
    curve = cumulative_incidence(times, kinds)
    for time, share in zip(oracle.times, oracle.cinc[0], strict=True):
        assert curve.at(time).estimate == pytest.approx(share)


def test_interval_covers_under_censoring() -> None:
    # 500 runs; the coverage measured on 3,000 others (0.955) leaves the bounds with probability 0.0003.
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(500):
        ends = rng.exponential(10, size=80)
        kinds = rng.choice([DETECTED, ESCAPED], size=80, p=[0.7, 0.3])
        stopped = rng.uniform(5, 30, size=80)
        kinds = np.where(ends <= stopped, kinds, CENSORED)
        covered += 0.7 * (1 - math.exp(-1.2)) in cumulative_incidence(np.minimum(ends, stopped), kinds).at(12.0)
    assert 0.92 * 500 <= covered <= 0.985 * 500


def test_all_detected_and_none_detected() -> None:
    everyone = cumulative_incidence([1.0, 2.0, 3.0], [DETECTED] * 3)
    assert everyone.share[-1] == pytest.approx(1)
    assert everyone.high[-1] == pytest.approx(1)
    nobody = cumulative_incidence([math.inf] * 10, [ESCAPED] * 10)
    assert nobody.times == ()
    assert nobody.at(100.0).high == pytest.approx(wilson(0, 10).high)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="got 1 times and 2 kinds"):
        cumulative_incidence([1.0], [1, 1])
    with pytest.raises(ValueError, match="kinds must be"):
        cumulative_incidence([1.0], [3])
