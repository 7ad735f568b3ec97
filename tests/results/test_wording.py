"""Numbers as people read them."""

from __future__ import annotations

from math import inf, nan

import pytest

from sim.results.interval import Interval
from sim.results.wording import amount, count, give, say, span


@pytest.mark.parametrize(
    ("low", "estimate", "high", "unit", "said"),
    [
        (0.236, 0.262, 0.29, "%", ("26%", "[24, 29]")),
        (0.0062, 0.011, 0.0196, "%", ("1.1%", "[0.6, 2.0]")),
        (0.0009, 0.005, 0.0278, "%", ("0.5%", "[0.1, 2.8]")),
        (0.9722, 0.9951, 0.9991, "%", ("99.5%", "[97.2, 99.9]")),
        (0.0, 0.0, 0.0038, "%", ("0%", "\u2264 0.4%")),
        (0.9962, 1.0, 1.0, "%", ("100%", "\u2265 99.6%")),
        (502.0, 551.3, 607.0, "requests", ("551", "[502, 607]")),
        (61_638.0, 62_196.0, 62_537.0, "requests", ("62.2k", "[61.6k, 62.5k]")),
        (1.1e7, 1.2e7, 1.3e7, "requests", ("12M", "[11M, 13M]")),
        (0.883, 0.8907, 0.895, "pod-hours", ("0.891", "[0.883, 0.895]")),
        (12.0, 12.0, 13.0, "requests", ("12", "[12, 13]")),
        (239.0, 239.0, 299.0, "s", ("239 s", "[239, 299]")),
        (900.0, 931.0, 990.0, "s", ("15.5 min", "[15.0, 16.5]")),
        (7200.0, 9000.0, 10800.0, "s", ("2.5 h", "[2.0, 3.0]")),
        (60.0, inf, inf, "s", ("never", "[60, never]")),
        (inf, inf, inf, "s", ("never", "[never]")),
        (-inf, 5.0, inf, "requests", ("5", "[-\u221e, \u221e]")),
        (nan, nan, nan, "s", ("-", "no rollouts")),
    ],
)
def test_say(low: float, estimate: float, high: float, unit: str, said: tuple[str, str]) -> None:
    interval = Interval(-inf, inf, nan) if low != low else Interval(low, high, estimate)
    assert say(interval, unit) == said


def test_differences_have_a_sign_and_rates_points() -> None:
    assert say(Interval(0.146, 0.192, 0.168), "%", signed=True) == ("+17 pp", "[15, 19]")
    assert say(Interval(-563.0, -454.0, -505.0), "requests", signed=True) == ("-505", "[-563, -454]")


def test_a_constant_says_so() -> None:
    assert say(Interval(0.0, 0.0, 0.0, method="constant"), "requests") == ("0", "no spread")


def test_on_one_line() -> None:
    assert give(Interval(2109.0, 2124.0, 2115.0), "requests") == "2,115 \u00b19"
    assert give(Interval(60.0, inf, 90.0), "s") == "90 s \u00b1\u221e"
    assert give(Interval(inf, inf, inf), "s") == "never"


def test_alone() -> None:
    assert (span(59.0), span(inf), span(3600.0)) == ("59 s", "never", "60 min")
    assert (amount(0.05, "%"), amount(500.0, "requests"), amount(300.0, "s")) == ("5%", "500 requests", "300 s")
    assert (count(1, "rollout"), count(1000, "rollout")) == ("1 rollout", "1,000 rollouts")
