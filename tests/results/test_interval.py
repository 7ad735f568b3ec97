"""The interval value and its text."""

from __future__ import annotations

import math

import pytest

from sim.results.interval import Interval, format_interval


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.0364, 0.0757, 0.052, n=500), "0.052 [0.036, 0.076] n=500"),
        (Interval(1203.4, 1991.0, 1557.2, n=20_000), "1,557 [1,203, 1,991] n=20,000"),
        (Interval(-0.001, 0.001, -0.0000001, n=9), "0.0000 [-0.0010, 0.0010] n=9"),
        (Interval(12.3, math.inf, 40.0, n=7), "40.0 [12.3, inf] n=7"),
        (Interval(-math.inf, math.inf), "[-inf, inf]"),
        (Interval(3.0, 3.0, 3.0, n=4), "3.00 [3.00, 3.00] n=4"),
        (Interval(0.0, 0.0, 0.0, n=4), "0.00 [0.00, 0.00] n=4"),
        (Interval(math.inf, math.inf, math.inf, n=4), "inf [inf, inf] n=4"),
    ],
)
def test_text(interval: Interval, text: str) -> None:
    assert str(interval) == text


def test_text_with_units() -> None:
    assert format_interval(Interval(0.0364, 0.0757, 0.052, n=500), percent=True) == "5.2% [3.6, 7.6]% n=500"
    assert format_interval(Interval(41.0, 55.0, 47.5, n=80), unit=" s") == "47.5 s [41.0, 55.0] s n=80"


def test_half_width_and_membership() -> None:
    assert Interval(1.0, 4.0).half_width == 1.5
    assert Interval(math.inf, math.inf).half_width == 0.0
    assert Interval(1.0, math.inf).half_width == math.inf
    assert 2 in Interval(1.0, 4.0)
    assert 5 not in Interval(1.0, 4.0)


@pytest.mark.parametrize("ends", [(2.0, 1.0), (math.nan, 1.0), (0.0, math.nan)])
def test_ends_must_be_in_order(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="low <= high"):
        Interval(*ends)


def test_level_must_be_a_probability() -> None:
    with pytest.raises(ValueError, match=r"got 95; 0\.95 is usual"):
        Interval(0.0, 1.0, level=95)
