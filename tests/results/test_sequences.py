"""Confidence sequences: the formulas of judges.md section 7 written out again, and coverage at every look at once.

Simulated coverage has fixed seeds; with a fresh seed a sequence that misses in 5 % of runs would fail with probability
below 0.001 (the asymptotic one misses in 4.4 % of such lognormal runs, measured on 2,000).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import binom

from sim.results.proportions import wilson
from sim.results.sequences import bernoulli_sequence, clipped_sequence, mean_sequence


def log_mixture(p: float, k: int, n: int, alpha: float, t_opt: float) -> float:
    """The two-sided beta-binomial mixture of judges.md section 7 in its general form, g = p, h = 1 - p."""
    g, h, s, v = p, 1 - p, k - n * p, n * p * (1 - p)
    rho = p * (1 - p) * t_opt / (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha)))
    r = max(rho - g * h, 1e-3 * g * h)
    return float(
        v / (g * h) * math.log(g + h)
        - (v + h * s) / (h * (g + h)) * math.log(g)
        - (v - g * s) / (g * (g + h)) * math.log(h)
        + betaln((r + v - g * s) / (g * (g + h)), (r + v + h * s) / (h * (g + h)))
        - betaln(r / (g * (g + h)), r / (h * (g + h)))
    )


@pytest.mark.parametrize(("k", "n"), [(3, 200), (40, 200), (100, 200), (1990, 2000), (2000, 20_000)])
@pytest.mark.parametrize(("level", "t_opt"), [(0.95, 1000), (0.995, 1000), (0.95, 5)])
def test_ends_are_where_the_mixture_reaches_its_limit(k: int, n: int, level: float, t_opt: float) -> None:
    seen = bernoulli_sequence(k, n, level, t_opt)
    limit = math.log(1 / (1 - level))
    assert log_mixture(seen.low, k, n, 1 - level, t_opt) == pytest.approx(limit, abs=1e-6)
    assert log_mixture(seen.high, k, n, 1 - level, t_opt) == pytest.approx(limit, abs=1e-6)
    inside = np.linspace(seen.low, seen.high, 50)[1:-1]
    assert all(log_mixture(float(p), k, n, 1 - level, t_opt) < limit for p in inside)


def test_edges_and_mirror() -> None:
    assert bernoulli_sequence(0, 300).low == 0
    assert bernoulli_sequence(300, 300).high == 1
    assert (bernoulli_sequence(0, 0).low, bernoulli_sequence(0, 0).high) == (0, 1)
    few, many = bernoulli_sequence(7, 300), bernoulli_sequence(293, 300)
    assert (few.low, few.high) == pytest.approx((1 - many.high, 1 - many.low))
    assert bernoulli_sequence(7, 300).half_width > wilson(7, 300).half_width
    with pytest.raises(ValueError, match="got 5 of 4"):
        bernoulli_sequence(5, 4)


@pytest.mark.parametrize("p", [0.02, 0.3])
def test_bernoulli_sequence_holds_at_two_thousand_looks_at_once(p: float) -> None:
    looks, runs = 2000, 400
    fewest, most = np.zeros(looks, dtype=int), np.zeros(looks, dtype=int)
    low = high = 0  # counts for which p is inside, which only grow with n
    for n in range(1, looks + 1):
        while bernoulli_sequence(low, n).high < p:
            low += 1
        high = max(high, low)
        while high < n and bernoulli_sequence(high + 1, n).low <= p:
            high += 1
        fewest[n - 1], most[n - 1] = low, high
    counts = np.add.accumulate(np.random.default_rng(30).random((runs, looks)) < p, axis=1)
    missed = int(((counts < fewest) | (counts > most)).any(axis=1).sum())
    assert missed <= binom.isf(1e-3, runs, 0.05)


def test_wilson_at_every_look_misses_far_more() -> None:
    # The control: nominal 5 %, 19 looks. Of 1,000 others 21 % missed at some look; 10 % is five standard errors off.
    counts = np.add.accumulate(np.random.default_rng(33).random((400, 2000)) < 0.3, axis=1)
    looks = range(200, 2001, 100)
    missed = sum(any(0.3 not in wilson(int(row[n - 1]), n) for n in looks) for row in counts)
    assert missed > 0.1 * 400


def test_mean_sequence_formula() -> None:
    n, alpha = 500, 0.01
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / 1000
    half = 3 * math.sqrt(2 * (n * rho2 + 1) * math.log(math.sqrt(n * rho2 + 1) / alpha) / (n**2 * rho2))
    seen = mean_sequence(n, 7.0, 9.0, 0.99)
    assert (seen.low, seen.high) == pytest.approx((7 - half, 7 + half))


def test_mean_sequence_says_nothing_early_or_without_variation() -> None:
    assert mean_sequence(199, 1.0, 1.0).high == math.inf
    assert mean_sequence(200, 1.0, 1.0).high < math.inf
    assert mean_sequence(5000, 0.0, 0.0).high == math.inf
    with pytest.raises(ValueError, match="got -1"):
        mean_sequence(500, 0.0, -1.0)


def test_mean_sequence_holds_on_skewed_data_at_all_looks() -> None:
    looks = np.arange(200, 2200, 20)
    draws = np.random.default_rng(31).lognormal(0, 1, size=(400, 2200))
    first, second = np.add.accumulate(draws, axis=1), np.add.accumulate(draws**2, axis=1)
    missed = 0
    for sums, squares in zip(first[:, looks - 1], second[:, looks - 1], strict=True):
        means = sums / looks
        variances = (squares - looks * means**2) / (looks - 1)
        sequence = [mean_sequence(int(n), m, v) for n, m, v in zip(looks, means, variances, strict=True)]
        missed += any(math.exp(0.5) not in interval for interval in sequence)
    assert missed <= binom.isf(1e-3, 400, 0.05)


def test_clipping_states_its_share() -> None:
    values = np.concatenate((np.random.default_rng(32).exponential(10, size=990), np.full(10, 1e6)))
    clipped = clipped_sequence(values, cap=100.0)
    assert clipped.share == pytest.approx(0.01, abs=1e-3)
    assert clipped.interval.estimate == pytest.approx(np.minimum(values, 100).mean())
    assert clipped.interval.half_width < 3


def test_runs_without_a_bad_request_do_not_prove_that_there_are_none() -> None:
    clipped = clipped_sequence(np.zeros(300), cap=1000.0)
    assert clipped.interval.low == 0
    assert clipped.interval.high == pytest.approx(1000 * bernoulli_sequence(0, 300).high)
    early = clipped_sequence(np.zeros(100), cap=1000.0)
    assert (early.interval.low, early.interval.high) == (0, 1000)
    assert clipped_sequence([], cap=5.0, floor=-5.0).interval.low == -5
    with pytest.raises(ValueError, match=r"got 5\.0 and 5\.0"):
        clipped_sequence([1.0], cap=5.0, floor=5.0)
