"""Means and ratios of skewed data: coverage on lognormal values, exact symmetries, and what degenerate data give.

Coverage tests have fixed seeds. Their bounds lie at least 3.4 standard errors from the coverage measured on other seeds
with 1,500 to 3,000 runs (bootstrap-t 0.947, Hall 0.949, ratio 0.945), so with a fresh seed each would fail less than
once in 1,000.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.results.means import hall_ends, mean_interval, ratio_of_sums, student_interval
from sim.results.resampling import resamples

LOGNORMAL_MEAN = math.exp(0.5)


def test_bootstrap_t_covers_a_lognormal_mean() -> None:
    draws = np.random.default_rng(20).lognormal(size=(400, 200))
    intervals = [mean_interval(row) for row in draws]
    assert {i.method for i in intervals} == {"bootstrap-t"}
    covered = sum(LOGNORMAL_MEAN in i for i in intervals)
    assert 0.905 * 400 <= covered <= 0.985 * 400
    # Student's interval ends too low on skewed data: the mean lies above it twice as often (0.060 against 0.029).
    students = [student_interval(row) for row in draws]
    assert sum(LOGNORMAL_MEAN > i.high for i in intervals) < sum(LOGNORMAL_MEAN > i.high for i in students)


def test_hall_covers_a_lognormal_mean_on_both_sides() -> None:
    draws = np.random.default_rng(21).lognormal(size=(1500, 6000))
    intervals = [mean_interval(row) for row in draws]
    assert {i.method for i in intervals} == {"hall"}
    above = sum(LOGNORMAL_MEAN > i.high for i in intervals) / 1500
    below = sum(LOGNORMAL_MEAN < i.low for i in intervals) / 1500
    assert 0.010 < below < 0.040
    assert 0.012 < above < 0.042


def test_the_two_methods_meet_at_the_boundary() -> None:
    values = np.random.default_rng(3).lognormal(size=5000)
    resampled = mean_interval(values)
    low, high = hall_ends(values - values.mean(), 0.95)
    assert resampled.low == pytest.approx(values.mean() + low, abs=0.1 * resampled.half_width)
    assert resampled.high == pytest.approx(values.mean() + high, abs=0.1 * resampled.half_width)


def test_hall_inverts_its_cubic() -> None:
    values = np.random.default_rng(4).exponential(size=300)
    n, c, s = values.size, float(stats.skew(values)), float(values.std(ddof=1))
    quantile = stats.t.ppf(0.975, n - 1)
    for end, y in zip(hall_ends(values - values.mean(), 0.95), (quantile, -quantile), strict=True):
        t = -end / s
        assert t + c / 3 * t**2 + c**2 / 27 * t**3 + c / (6 * n) == pytest.approx(y / math.sqrt(n))


def test_hall_without_skewness_is_students_interval() -> None:
    values = np.array([-1.0, 1.0, 3.0, -3.0])
    expected = student_interval(values)
    assert hall_ends(values, 0.95) == pytest.approx((expected.low, expected.high))


def test_two_or_three_values_get_wide_ends() -> None:
    assert mean_interval([0.0, 1.0]).half_width == pytest.approx(6.35, abs=0.01)
    assert mean_interval([0.0, 0.5, 1.0]).half_width > 1


def test_golden_interval() -> None:
    seen = mean_interval([k * k for k in range(50)])
    assert (seen.low, seen.high) == pytest.approx((605.3963729619143, 1031.272787197749), rel=1e-12)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=60), st.sampled_from([0.5, 2.0, 1024.0]))
def test_mirror_and_scale(values: list[int], scale: float) -> None:
    plain, mirrored, scaled = (mean_interval(np.array(values) * f) for f in (1.0, -1.0, scale))
    slack = 1e-9 * (1 + max(abs(v) for v in values)) * max(scale, 1.0)
    assert plain.low <= plain.estimate <= plain.high
    assert (mirrored.low, mirrored.high) == pytest.approx((-plain.high, -plain.low), abs=slack)
    assert (scaled.low, scaled.high) == pytest.approx((plain.low * scale, plain.high * scale), abs=slack)


def test_sparse_data_have_finite_ends() -> None:
    interval = mean_interval([0.0] * 998 + [10.0, 40.0])
    assert interval.method == "hall"
    assert -0.1 < interval.low < interval.estimate < interval.high < 1.0


def test_degenerate_data() -> None:
    assert mean_interval([7.0] * 20).method == "constant"
    assert mean_interval([7.0] * 20).half_width == 0
    assert (mean_interval([7.0]).low, mean_interval([7.0]).high) == (-math.inf, math.inf)
    assert math.isnan(mean_interval([]).estimate)
    with pytest.raises(ValueError, match="got inf; use restricted_mean"):
        mean_interval([1.0, math.inf])
    with pytest.raises(ValueError, match="flat list"):
        mean_interval([[1.0, 2.0]])


def test_ratio_of_sums_covers_when_the_denominator_varies() -> None:
    rng = np.random.default_rng(22)
    covered = 0
    for _ in range(400):
        requests = rng.lognormal(3, 0.5, size=150)
        covered += 0.2 in ratio_of_sums(requests * rng.gamma(0.5, 0.4, size=150), requests)
    assert 0.905 * 400 <= covered <= 0.985 * 400


def test_ratio_of_sums_with_equal_denominators_is_a_mean() -> None:
    values = np.random.default_rng(5).exponential(size=400)
    ratio, mean = ratio_of_sums(values, np.full(400, 4.0)), mean_interval(values / 4)
    assert (ratio.low, ratio.high, ratio.estimate) == pytest.approx((mean.low, mean.high, mean.estimate))


def test_ratio_of_sums_of_many_and_of_equal_runs() -> None:
    rng = np.random.default_rng(6)
    den = rng.uniform(1, 3, size=20_000)
    many = ratio_of_sums(den * rng.uniform(0, 1, size=20_000), den)
    assert many.method == "hall"
    assert 0.5 in many
    assert ratio_of_sums([1, 2, 3], [2, 4, 6]).method == "constant"
    assert ratio_of_sums([1.0], [2.0]).high == math.inf
    with pytest.raises(ValueError, match="must be positive, got 0"):
        ratio_of_sums([1, 2], [0, 3])
    with pytest.raises(ValueError, match="got 2 and 1"):
        ratio_of_sums([1, 2], [3])


def test_indices_are_fixed_for_ever() -> None:
    blocks = list(resamples(300, 1000))
    rows = np.concatenate(blocks)
    assert rows.shape == (1000, 300)
    digest = hashlib.sha256(rows.astype("<u4").tobytes()).hexdigest()
    assert digest.startswith("19deecae4a6d90be")


def test_indices_are_uniform() -> None:
    counts = np.bincount(np.concatenate([block.ravel() for block in resamples(50)]), minlength=50)
    chi = float(np.square(counts - 1000).sum() / 1000)
    assert 20 < chi < 95  # 49 degrees of freedom: outside with probability 0.0002


def test_large_rows_are_drawn_in_small_blocks() -> None:
    assert max(block.size for block in resamples(5000)) <= 1 << 16
