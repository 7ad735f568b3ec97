"""Special functions against scipy, exact sums and their own identities."""

from __future__ import annotations

import math
import random

import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy import special

SHAPES = [(0.02, 0.5), (0.5, 0.5), (1, 1), (2, 300), (5.5, 0.1), (95, 5), (1e3, 2e4), (3e5, 7e5), (25, 8e5), (1e6, 1e6)]


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("level", [1e-12, 1e-3, 0.3, 0.5, 0.8, 0.999])
def test_incomplete_beta_agrees_with_scipy_on_both_sides(a: float, b: float, level: float) -> None:
    x = float(scipy.stats.beta.ppf(level, a, b))
    if not 0.0 < x < 1.0:  # beyond the doubles near 0 or 1
        return
    assert special.beta_cdf(x, a, b) == pytest.approx(float(scipy.special.betainc(a, b, x)), rel=1e-11)
    assert special.beta_sf(x, a, b) == pytest.approx(float(scipy.special.betaincc(a, b, x)), rel=1e-11)


@pytest.mark.parametrize(
    ("x", "a", "b", "lower", "upper"),
    [
        (3e-05, 25.0, 800000.0, 0.4460572068769832, 0.5539427931230168),
        (0.3, 3.5, 0.02, 0.00011386015978330102, 0.9998861398402167),
        (0.0101, 1000.0, 100000.0, 0.7405251812937541, 0.2594748187062459),
        (1e-11, 0.07, 970734.0, 0.4623290692737518, 0.5376709307262483),
        (0.2999, 300000.0, 700000.0, 0.41373764473943225, 0.5862623552605677),
    ],
)
def test_incomplete_beta_to_the_last_digits(x: float, a: float, b: float, lower: float, upper: float) -> None:
    """Against the power series in 50-digit decimals, where scipy itself is off by up to 5e-12."""
    assert special.beta_cdf(x, a, b) == pytest.approx(lower, rel=1e-14)
    assert special.beta_sf(x, a, b) == pytest.approx(upper, rel=1e-14)


def test_incomplete_beta_far_in_the_tail_stays_finite_as_a_logarithm() -> None:
    lower, upper = special.log_beta_tails(0.01, 5000.0, 50.0)
    assert lower == pytest.approx(float(scipy.stats.beta.logcdf(0.01, 5000.0, 50.0)), rel=1e-9) or lower < -20_000
    assert upper == 0.0
    exact = 1000 * math.log(0.1)  # I_x(a, 1) = x^a
    assert special.log_beta_tails(0.1, 1000.0, 1.0)[0] == pytest.approx(exact, rel=1e-13)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.floats(0.05, 1e5), st.floats(0.05, 1e5), st.floats(0.001, 0.999))
def test_incomplete_beta_mirrors(a: float, b: float, x: float) -> None:
    lower, upper = special.log_beta_tails(x, a, b)
    mirrored = special.log_beta_tails(1.0 - x, b, a)
    assert math.exp(lower) + math.exp(upper) == pytest.approx(1.0, abs=1e-12)
    assert math.exp(mirrored[1]) == pytest.approx(math.exp(lower), rel=1e-7, abs=1e-12)  # 1 - x is rounded


def test_incomplete_beta_ends_and_errors() -> None:
    assert special.log_beta_tails(0.0, 2, 3) == (-math.inf, 0.0)
    assert special.log_beta_tails(1.0, 2, 3) == (0.0, -math.inf)
    with pytest.raises(ValueError, match="a, b > 0"):
        special.beta_cdf(0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b"), [(1e-3, 2.0), (0.5, 0.5), (3, 5000), (9.99, 10.01), (50, 950), (1e6, 2e6), (0.3, 1e7)]
)
def test_log_beta_agrees_with_scipy(a: float, b: float) -> None:
    assert special.log_beta(a, b) == pytest.approx(float(scipy.special.betaln(a, b)), rel=1e-11)
    assert special.log_beta(a, b) == special.log_beta(b, a)


@pytest.mark.parametrize("a", [0.03, 0.5, 1, 7, 42.5, 900, 1e5, 1e6])
@pytest.mark.parametrize("level", [1e-9, 0.01, 0.5, 0.99])
def test_incomplete_gamma_agrees_with_scipy_on_both_sides(a: float, level: float) -> None:
    x = float(scipy.stats.gamma.ppf(level, a))
    if x == 0.0:
        return
    assert special.gamma_p(a, x) == pytest.approx(float(scipy.special.gammainc(a, x)), rel=2e-12)
    assert special.gamma_q(a, x) == pytest.approx(float(scipy.special.gammaincc(a, x)), rel=2e-12)


def test_incomplete_gamma_is_the_poisson_tail_and_has_ends() -> None:
    assert special.gamma_q(3, 2.0) == pytest.approx(math.exp(-2.0) * (1 + 2 + 2), rel=1e-14)
    assert special.log_gamma_tails(3, 0.0) == (-math.inf, 0.0)
    assert special.log_gamma_tails(3, math.inf) == (0.0, -math.inf)
    with pytest.raises(ValueError, match="x >= 0"):
        special.gamma_p(1.0, -1.0)


def test_normal_distribution_and_its_logarithm() -> None:
    for x in (-37.0, -31.0, -29.0, -8.0, -1.0, 0.0, 0.5, 3.0, 9.0):
        assert special.log_normal_cdf(x) == pytest.approx(float(scipy.stats.norm.logcdf(x)), rel=1e-11)
        assert special.normal_cdf(x) == pytest.approx(float(scipy.stats.norm.cdf(x)), rel=1e-12)
        assert special.normal_sf(x) == pytest.approx(special.normal_cdf(-x), rel=1e-15)
        assert special.normal_pdf(x) == pytest.approx(float(scipy.stats.norm.pdf(x)), rel=1e-12)
    assert special.normal_cdf(special.normal_quantile(1e-9)) == pytest.approx(1e-9, rel=1e-12)


def test_binomial_tails_are_the_sums() -> None:
    rng = random.Random(5)
    for _ in range(50):
        n, p = rng.randrange(1, 60), rng.random()
        k = rng.randrange(-1, n + 2)
        mass = [math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(n + 1)]
        assert special.binomial_at_least(k, n, p) == pytest.approx(sum(mass[max(k, 0) :]), rel=1e-11)
        assert special.binomial_at_most(k, n, p) == pytest.approx(sum(mass[: max(k + 1, 0)]), rel=1e-11)


@pytest.mark.parametrize(("a", "b"), [(0.5, 10.5), (0.5, 0.5), (5.5, 95.5), (1000.5, 3.0), (0.01, 4.0), (1e5, 2e5)])
@pytest.mark.parametrize("q", [1e-8, 0.025, 0.5, 0.975, 1 - 1e-8])
def test_beta_quantile_inverts_the_distribution(a: float, b: float, q: float) -> None:
    x = special.beta_quantile(q, a, b)
    assert 0.0 <= x <= 1.0
    if 0.0 < x < 1.0 - 1e-12:  # nearer to 1 the doubles are too coarse
        assert x == pytest.approx(float(scipy.stats.beta.ppf(q, a, b)), rel=1e-8)
        side = (special.beta_cdf, q) if q <= 0.5 else (special.beta_sf, 1.0 - q)
        assert side[0](x, a, b) == pytest.approx(side[1], rel=1e-7)
    assert (special.beta_quantile(0.0, a, b), special.beta_quantile(1.0, a, b)) == (0.0, 1.0)


@pytest.mark.parametrize("s", [1.0001, 1.1, 1.4, 2.0, 3.5, 30.0])
def test_zeta(s: float) -> None:
    assert special.zeta(s) == pytest.approx(float(scipy.special.zeta(s)), rel=1e-12)


def test_zeta_and_quantile_errors_name_the_value() -> None:
    with pytest.raises(ValueError, match=r"got 1\.0"):
        special.zeta(1.0)
    with pytest.raises(ValueError, match=r"got 1\.5"):
        special.beta_quantile(1.5, 1, 1)


def test_bisect_finds_rising_and_falling_roots() -> None:
    assert special.bisect(lambda x: x * x - 2, 0, 2) == pytest.approx(math.sqrt(2), abs=1e-15)
    assert special.bisect(lambda x: 2 - x * x, 0, 2) == pytest.approx(math.sqrt(2), abs=1e-15)


def test_log1mexp_at_both_ends() -> None:
    assert special.log1mexp(-1e-20) == pytest.approx(math.log(1e-20))
    assert special.log1mexp(-50.0) == pytest.approx(-math.exp(-50.0))
    assert special.log1mexp(0.0) == -math.inf
