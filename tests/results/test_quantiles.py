"""Order-statistic intervals, against the exact binomial probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from sim.results.quantiles import median_interval, quantile_interval, rank, ranks


@pytest.mark.parametrize("n", [1, 5, 6, 30, 200, 999, 20_000])
@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_ranks_are_the_tightest_that_cover(n: int, q: float, level: float) -> None:
    below, above = ranks(n, q, level)
    tail = (1 - level) / 2
    assert binom.cdf(below - 1, n, q) <= tail < binom.cdf(below, n, q)
    assert binom.sf(above - 1, n, q) <= tail
    assert binom.sf(above - 2, n, q) > tail


def test_values_come_from_the_sample() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1, 1001))
    interval = quantile_interval(values, 0.99)
    below, above = ranks(1000, 0.99, 0.95)
    assert (interval.low, interval.high, interval.estimate) == (below, above, 990)


def test_few_values_leave_a_side_open() -> None:
    interval = quantile_interval(range(100), 0.99)
    assert interval.high == math.inf
    assert interval.low == pytest.approx(96, abs=1)
    assert (median_interval([4.0]).low, median_interval([4.0]).high) == (-math.inf, math.inf)
    assert math.isnan(median_interval([]).estimate)


def test_infinite_delays_sort_last() -> None:
    interval = median_interval([10.0, 20.0, 30.0] * 10 + [math.inf] * 20)
    assert interval.estimate == 30
    assert interval.high == math.inf
    assert median_interval([1.0] * 4 + [math.inf] * 6).estimate == math.inf


def test_rank_is_safe_against_rounding() -> None:
    assert rank(100, 0.07) == 7
    assert rank(10, 0.001) == 1
    assert rank(4, 0.5) == 2


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN has no place"):
        median_interval([1.0, math.nan])
    with pytest.raises(ValueError, match="got 99"):
        quantile_interval([1.0], 99)
