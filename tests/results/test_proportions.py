"""Intervals for shares: judges.md V18, statsmodels as the oracle, and coverage by enumeration (no chance involved)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from sim.results.interval import Interval
from sim.results.proportions import clopper_pearson, jeffreys, rule_of_three, wilson


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("successes", "n", "score", "bayes"),
    [
        (0, 10, (0, 0.2775328), (4.789e-5, 0.2171963)),
        (5, 100, (0.0215437, 0.1117505), (0.0193318, 0.1061001)),
        (10, 1000, (0.0054408, 0.0183095), (0.0051527, 0.0176664)),
    ],
)
def test_v18(successes: int, n: int, score: tuple[float, float], bayes: tuple[float, float]) -> None:
    assert ends(wilson(successes, n)) == pytest.approx(score, abs=1e-7)
    assert ends(jeffreys(successes, n)) == pytest.approx(bayes, abs=1e-7)


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 40), (3, 40), (40, 40), (173, 2000), (1999, 2000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_against_statsmodels(successes: int, n: int, level: float) -> None:
    for ours, name in ((wilson, "wilson"), (clopper_pearson, "beta")):
        expected = proportion_confint(successes, n, 1 - level, name)
        assert ends(ours(successes, n, level)) == pytest.approx(expected, abs=1e-10)
    if 0 < successes < n:
        expected = proportion_confint(successes, n, 1 - level, "jeffreys")
        assert ends(jeffreys(successes, n, level)) == pytest.approx(expected, abs=1e-10)


def coverage(make: Callable[[int, int], Interval], n: int, p: float) -> float:
    mass = binom.pmf(np.arange(n + 1), n, p)
    return float(sum(mass[k] for k in range(n + 1) if mass[k] > 1e-12 and p in make(k, n)))


def test_wilson_coverage_of_a_rare_rollback() -> None:
    assert 0.94 < coverage(wilson, 500, 0.01) < 0.98


def test_wilson_covers_its_level_on_average_and_clopper_pearson_always() -> None:
    rates = np.linspace(0.01, 0.5, 30)
    wilsons = [coverage(wilson, 80, float(p)) for p in rates]
    assert np.mean(wilsons) == pytest.approx(0.95, abs=0.01)
    assert min(coverage(clopper_pearson, 80, float(p)) for p in rates) >= 0.95


def test_edges() -> None:
    assert wilson(0, 50).low == 0
    assert wilson(50, 50).high == 1
    assert ends(wilson(0, 0)) == (0, 1)
    assert rule_of_three(0).high == float("inf")
    for n in (100, 1000):
        assert rule_of_three(n).high == pytest.approx(3 / n, rel=0.02)
        assert (1 - rule_of_three(n).high) ** n == pytest.approx(0.05)


def test_more_successes_than_runs() -> None:
    with pytest.raises(ValueError, match="got 11 of 10"):
        wilson(11, 10)
