"""Distributions by inverse transform: means, quantiles, order, ends, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.durations import Constant, Duration, Exponential, Lognormal, Uniform, spend
from sim.policy.errors import WorldError

UNIFORM = st.integers(0, (1 << 53) - 1).map(lambda word: word * 2.0**-53)
GRID = [(i + 0.5) / 20_000 for i in range(20_000)]


SPREADS = (Constant(3.0), Uniform(2.0, 8.0), Exponential(5.0), Lognormal(900.0, 14400.0))


@pytest.mark.parametrize("duration", SPREADS, ids=repr)
def test_the_mean_of_the_transform_is_the_mean(duration: Duration) -> None:
    mean = math.fsum(map(duration.draw, GRID)) / len(GRID)
    assert mean == pytest.approx(duration.mean, rel=2e-3)


def test_lognormal_has_its_quantiles() -> None:
    duration = Lognormal(900.0, 14400.0)
    assert duration.draw(0.5) == pytest.approx(900.0)
    assert duration.draw(0.99) == pytest.approx(14400.0)
    assert 0.0 < duration.draw(0.0) < 1e-1


def test_lognormal_by_median_and_mean() -> None:
    assert Lognormal.of(median=198.0, mean=750.0).mean == pytest.approx(750.0)


@given(UNIFORM, UNIFORM)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_more_chance_is_never_less_time(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    for duration in (Uniform(1.0, 2.0), Exponential(3.0), Lognormal(2.0, 30.0)):
        assert duration.draw(low) <= duration.draw(high)


@pytest.mark.parametrize("u", [0.0, 1.0 - 2.0**-53])
def test_the_ends_are_finite(u: float) -> None:
    for duration in (Uniform(2.0, 8.0), Exponential(5.0), Lognormal(900.0, 14400.0)):
        assert 0.0 <= duration.draw(u) < math.inf
    assert Exponential(5.0).draw(0.0) == 0.0


def test_exponential_has_its_quantiles() -> None:
    assert Exponential(60.0).draw(1 - math.exp(-1)) == pytest.approx(60.0)
    assert Exponential(60.0).draw(0.5) == pytest.approx(60.0 * math.log(2))


def test_a_lognormal_without_spread_is_constant() -> None:
    assert Lognormal(900.0, 900.0).draw(0.3) == 900.0


def test_a_constant_asks_for_no_number() -> None:
    def refuse(purpose: str, entity: int, index: int) -> float:
        raise AssertionError(purpose)

    assert spend(Constant(3.0), refuse, "ci.build", 1, 0) == 3.0
    assert spend(Uniform(0.0, 8.0), lambda *address: 0.25, "ci.build", 1, 0) == 2.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Constant(-1.0), "got -1"),
        (lambda: Uniform(3.0, 2.0), "low <= high"),
        (lambda: Exponential(0.0), "mean above 0"),
        (lambda: Lognormal(10.0, 5.0), "median <= p99"),
        (lambda: Lognormal(0.0, 5.0), "got 0.0 and 5.0"),
        (lambda: Lognormal.of(median=2.0, mean=1.0), "median <= mean"),
    ],
)
def test_errors_name_the_value_and_the_remedy(make: Callable[[], Duration], said: str) -> None:
    with pytest.raises(WorldError, match=said):
        make()
