"""Bounds that hold at every moment: martingale means exactly, boundaries as inverses, coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from sim.policy.judges import confidence as cs

ALPHA = 0.05


def test_tuning_minimises_the_normal_bound_at_its_time() -> None:
    rho = cs.tune(1000.0, ALPHA)
    best = cs.two_sided_normal_bound(1000.0, ALPHA, rho)
    assert best < min(cs.two_sided_normal_bound(1000.0, ALPHA, rho * f) for f in (0.5, 2.0))
    assert cs.tune(1000.0, ALPHA, one_sided=True) == cs.tune(1000.0, 2 * ALPHA)


@pytest.mark.parametrize("v", [1.0, 50.0, 4000.0])
def test_normal_mixtures_have_mean_one_and_bounds_invert_them(v: float) -> None:
    rho = cs.tune(100.0, ALPHA)
    s = np.linspace(-140, 140, 14_001) * math.sqrt(v)
    log_density = scipy.stats.norm.logpdf(s, scale=math.sqrt(v)) + math.log(s[1] - s[0])
    for log_m in (cs.two_sided_normal_log_m, cs.one_sided_normal_log_m):
        mass = [math.exp(log_m(float(x), v, rho) + float(d)) for x, d in zip(s, log_density, strict=True)]
        assert sum(mass) == pytest.approx(1.0, rel=1e-6)
    two, one = cs.two_sided_normal_bound(v, ALPHA, rho), cs.one_sided_normal_bound(v, ALPHA, rho)
    assert cs.two_sided_normal_log_m(two, v, rho) == pytest.approx(math.log(20))
    assert cs.one_sided_normal_log_m(one, v, rho) == pytest.approx(math.log(20))
    assert one < two


def test_johari_form_of_the_two_sided_mixture() -> None:
    """The same number in the notation of Johari et al.: v = 2 sigma^2, mixing variance tau^2, rho = v / tau^2."""
    n, sigma2, tau2, d = 500, 0.02, 0.001, 0.015
    v = 2 * sigma2
    johari = math.sqrt(v / (v + n * tau2)) * math.exp(n**2 * tau2 * d**2 / (2 * v * (v + n * tau2)))
    assert math.exp(cs.two_sided_normal_log_m(n * d / math.sqrt(v), n, v / tau2)) == pytest.approx(johari)


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
def test_beta_binomial_mixture_has_mean_one_on_bernoulli_data(p: float, one_sided: bool) -> None:
    n, g, h = 80, p, 1.0 - p
    rho = cs.tune(g * h * 50.0, ALPHA)
    m = [math.exp(cs.beta_binomial_log_m(k - n * p, n * g * h, rho, g, h, one_sided=one_sided)) for k in range(n + 1)]
    mass = scipy.stats.binom.pmf(np.arange(n + 1), n, p)
    assert float(np.dot(m, mass)) == pytest.approx(1.0, rel=1e-9)


def test_beta_binomial_bound_inverts_or_answers_the_most_possible() -> None:
    g, h, v = 0.1, 0.9, 0.09 * 300
    rho = cs.tune(v, ALPHA)
    for one_sided in (False, True):
        s = cs.beta_binomial_bound(v, ALPHA, rho, g, h, one_sided=one_sided)
        assert cs.beta_binomial_log_m(s, v, rho, g, h, one_sided=one_sided) == pytest.approx(math.log(20), rel=1e-9)
    assert cs.beta_binomial_bound(0.09, 1e-9, rho, g, h) == pytest.approx(0.9)  # one draw proves nothing


def test_bernoulli_interval_ends_and_mirror() -> None:
    assert cs.bernoulli_interval(0, 0, ALPHA) == (0.0, 1.0)
    assert cs.bernoulli_interval(0, 50, ALPHA)[0] == 0.0
    assert cs.bernoulli_interval(50, 50, ALPHA)[1] == 1.0
    low, high = cs.bernoulli_interval(30, 400, ALPHA)
    assert (1 - high, 1 - low) == pytest.approx(cs.bernoulli_interval(370, 400, ALPHA), abs=1e-9)
    assert low < 30 / 400 < high
    rho = cs.tune(high * (1 - high) * 1000, ALPHA)
    at_high = cs.beta_binomial_log_m(30 - 400 * high, high * (1 - high) * 400, rho, high, 1 - high)
    assert at_high == pytest.approx(math.log(20), rel=1e-6)
    with pytest.raises(ValueError, match="k=5, n=4"):
        cs.bernoulli_interval(5, 4, ALPHA)


def test_bernoulli_interval_narrows() -> None:
    widths = [h - l for l, h in (cs.bernoulli_interval(n // 20, n, ALPHA) for n in (100, 1000, 10_000))]  # noqa: E741
    assert widths == sorted(widths, reverse=True)


def test_bernoulli_interval_covers_at_all_looks_at_once() -> None:
    """400 runs, 1500 draws; more misses than the 99.9 % point of Bin(400, .05) has chance < 0.001."""
    p, rng = 0.1, np.random.default_rng(77)
    k = np.cumsum(rng.random((400, 1500)) < p, axis=1)
    rho, goal = cs.tune(p * (1 - p) * 1000, ALPHA), math.log(1 / ALPHA)
    limits = []
    for n in range(1, 1501):
        inside = [
            j for j in (int(n * p) + d for d in range(-n, n)) if 0 <= j <= n and abs(j - n * p) < 6 * math.sqrt(n) + 2
        ]
        held = (
            [j for j in inside if cs.beta_binomial_log_m(j - n * p, n * p * (1 - p), rho, p, 1 - p) < goal]
            if n % 25 == 0
            else [0, n]
        )
        limits.append((min(held), max(held)))
    low, high = np.array(limits).T
    missed = int(((k < low) | (k > high)).any(axis=1).sum())
    assert missed <= scipy.stats.binom.ppf(0.999, 400, ALPHA)


def test_stitched_bound_grows_like_the_iterated_logarithm_and_covers() -> None:
    """300 Gaussian walks of 2000 steps; misses above the 99.9 % point of Bin(300, .05) have chance < 0.001."""
    bound = np.array([cs.stitched_bound(float(v), 10.0, 0.0, ALPHA) for v in range(1, 2001)])
    assert (np.diff(bound) >= 0).all()
    walks = np.cumsum(np.random.default_rng(5).normal(size=(300, 2000)), axis=1)
    missed = int((walks > bound).any(axis=1).sum())
    assert missed <= scipy.stats.binom.ppf(0.999, 300, ALPHA)
    assert cs.stitched_bound(100.0, 10.0, 1.0, ALPHA) > cs.stitched_bound(100.0, 10.0, 0.0, ALPHA)


def test_asymptotic_half_width_is_the_normal_mixture_in_other_words() -> None:
    n, variance, n_opt = 3000, 4.0, 5000.0
    square = (-2 * math.log(ALPHA) + math.log(1 - 2 * math.log(ALPHA))) / n_opt
    same = math.sqrt(variance) * cs.two_sided_normal_bound(n, ALPHA, 1 / square) / n
    assert cs.asymptotic_half_width(variance, n, ALPHA, n_opt) == pytest.approx(same)
    assert cs.asymptotic_half_width(variance, 199, ALPHA) == math.inf
