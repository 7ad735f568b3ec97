"""Two policies on the same runs: statsmodels and scipy as oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from statsmodels.stats.contingency_tables import mcnemar as oracle_mcnemar
from statsmodels.stats.multitest import multipletests

from sim.results.means import student_interval, t_quantile
from sim.results.multiplicity import cell_level, holm
from sim.results.paired import mcnemar, paired_difference, tango_limits


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 199, 19_999, 2_000_000])
@pytest.mark.parametrize("p", [0.6, 0.975, 0.9999])
def test_t_quantile(freedom: int, p: float) -> None:
    assert t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=3e-6 if freedom > 1e6 else 1e-9)


def test_student_interval() -> None:
    values = np.random.default_rng(1).normal(3, 2, size=25)
    seen = student_interval(values)
    expected = stats.t.interval(0.95, 24, values.mean(), stats.sem(values))
    assert (seen.low, seen.high) == pytest.approx(expected)


def test_common_random_numbers_show_in_the_variance_ratio() -> None:
    rng = np.random.default_rng(2)
    shared, own = rng.normal(size=(2, 2000, 1)), rng.normal(size=(2, 2000))
    together = paired_difference(shared[0, :, 0] + 0.1 * own[0] + 0.2, shared[0, :, 0] + 0.1 * own[1])
    apart = paired_difference(own[0], own[1])
    assert together.variance_ratio == pytest.approx(0.01, rel=0.1)
    assert apart.variance_ratio == pytest.approx(1, abs=0.1)
    assert 0.2 in together.difference
    assert 0 not in together.difference
    assert together.difference.half_width == pytest.approx(together.student.half_width, rel=0.1)


def test_swapping_the_policies_mirrors_the_answer() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(size=(2, 400))
    there, back = paired_difference(a, b), paired_difference(b, a)
    assert (there.difference.low, there.difference.high) == pytest.approx((-back.difference.high, -back.difference.low))
    assert there.variance_ratio == pytest.approx(back.variance_ratio)


def test_identical_policies() -> None:
    same = paired_difference([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert same.difference.method == "constant"
    assert same.variance_ratio == 0
    assert math.isnan(paired_difference([1.0, 1.0], [2.0, 2.0]).variance_ratio)
    with pytest.raises(ValueError, match="got 1 and 2"):
        paired_difference([1.0], [1.0, 2.0])


def outcomes(both: int, only_a: int, only_b: int, neither: int) -> tuple[list[bool], list[bool]]:
    table = [(True, True)] * both + [(True, False)] * only_a + [(False, True)] * only_b + [(False, False)] * neither
    return [a for a, _ in table], [b for _, b in table]


@pytest.mark.parametrize("table", [(36, 12, 2, 0), (5, 0, 0, 10), (0, 3, 1, 200), (10, 7, 7, 10), (0, 0, 9, 0)])
def test_mcnemar_p_value(table: tuple[int, int, int, int]) -> None:
    seen = mcnemar(*outcomes(*table))
    both, only_a, only_b, neither = table
    assert (seen.only_a, seen.only_b) == (only_a, only_b)
    assert seen.p_value == pytest.approx(oracle_mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue)


def score(only_a: int, only_b: int, n: int, d: float) -> float:
    """Tango's statistic with the nuisance probability found by numerical maximisation."""

    def loss(only_b_share: float) -> float:
        cells = ((only_a, only_b_share + d), (only_b, only_b_share), (n - only_a - only_b, 1 - 2 * only_b_share - d))
        return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

    best = minimize_scalar(loss, bounds=(max(0.0, -d), (1 - d) / 2), method="bounded", options={"xatol": 1e-12}).x
    return float((only_a - only_b - n * d) / math.sqrt(n * (2 * best + d - d * d)))


@pytest.mark.parametrize(("only_a", "only_b", "n"), [(12, 2, 50), (3, 1, 204), (7, 7, 34), (120, 260, 5000)])
def test_tango_ends_are_where_the_score_test_rejects(only_a: int, only_b: int, n: int) -> None:
    low, high = tango_limits(only_a, only_b, n, 0.95)
    assert score(only_a, only_b, n, low) == pytest.approx(1.959964, abs=1e-3)
    assert score(only_a, only_b, n, high) == pytest.approx(-1.959964, abs=1e-3)


def test_tango_without_discordant_pairs_still_has_width() -> None:
    z2 = 1.959963984540054**2
    assert tango_limits(0, 0, 200, 0.95) == pytest.approx((-z2 / (200 + z2), z2 / (200 + z2)))
    assert tango_limits(20, 0, 20, 0.95)[1] == pytest.approx(1)


@pytest.mark.parametrize("shares", [(0.1, 0.05), (0.3, 0.1), (0.2, 0.2)])
def test_tango_coverage_by_enumeration(shares: tuple[float, float]) -> None:
    n, (p, q) = 30, shares
    covered = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            mass = float(stats.multinomial.pmf([a, b, n - a - b], n, [p, q, 1 - p - q]))
            if mass > 1e-5:
                low, high = tango_limits(a, b, n, 0.95)
                covered += mass * (low <= p - q <= high)
    assert covered > 0.935


def test_outcomes_must_be_true_or_false() -> None:
    with pytest.raises(ValueError, match="true and false"):
        mcnemar([0.5], [1])


def test_holm() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005, 0.9, 0.03]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert holm([]) == ()
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([1.5])


def test_cell_level() -> None:
    assert cell_level(10) == pytest.approx(0.995)
    with pytest.raises(ValueError, match="got 0"):
        cell_level(0)
