"""Inverse transforms of single quantities: quantiles, order, ends, and what they refuse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.transforms import exponential, lognormal, normal

UNIFORM = st.integers(0, (1 << 53) - 1).map(lambda word: word * 2.0**-53)


def test_quantiles() -> None:
    assert lognormal(0.5, 900.0, sigma=1.2) == 900.0
    assert lognormal(0.99, 900.0, p99=7200.0) == pytest.approx(7200.0, rel=1e-12)
    assert lognormal(0.3, 900.0, p99=900.0) == 900.0
    assert normal(0.975) == pytest.approx(1.959963984540054, rel=1e-12)
    assert exponential(1 - math.exp(-1), 60.0) == pytest.approx(60.0)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(a=UNIFORM, b=UNIFORM)
def test_larger_uniforms_never_give_less(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    assert 0.0 <= exponential(low, 5.0) <= exponential(high, 5.0) < math.inf
    assert 0.0 < lognormal(low, 5.0, sigma=2.0) <= lognormal(high, 5.0, sigma=2.0) < math.inf


def test_the_ends_are_finite() -> None:
    for u in (0.0, 1.0 - 2.0**-53):
        assert math.isfinite(exponential(u, 5.0)) and abs(normal(u)) < 8.4
    assert exponential(0.0, 5.0) == 0.0


def test_means_of_a_fine_grid() -> None:
    """Midpoints of 20,000 equal steps: the means of the distributions, to the accuracy of the midpoint rule."""
    steps = [(i + 0.5) / 20000 for i in range(20000)]
    assert sum(exponential(u, 3.0) for u in steps) / 20000 == pytest.approx(3.0, rel=1e-4)
    assert sum(lognormal(u, 2.0, sigma=0.5) for u in steps) / 20000 == pytest.approx(2.0 * math.exp(0.125), rel=1e-4)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lognormal(0.5, 0.0, sigma=1.0), "median of a lognormal must be positive, got 0.0"),
        (lambda: lognormal(0.5, 1.0), "either p99 or sigma"),
        (lambda: lognormal(0.5, 1.0, p99=2.0, sigma=1.0), "either p99 or sigma"),
        (lambda: lognormal(0.5, 3.0, p99=2.0), "at least its median 3.0, got 2.0"),
        (lambda: lognormal(0.5, 3.0, sigma=-1.0), "sigma of a lognormal must be at least 0, got -1.0"),
        (lambda: exponential(0.5, -1.0), "mean of an exponential must be at least 0, got -1.0"),
        (lambda: exponential(1.0, 1.0), r"must lie in \[0, 1\), got 1.0"),
        (lambda: normal(math.nan), r"must lie in \[0, 1\), got nan"),
    ],
)
def test_refusals(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()
