"""`threshold` and the histogram arithmetic below it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.errors import WorldError
from sim.policy.judges import Arm, Threshold, Window
from sim.policy.judges.histogram import add, quantile, shares
from sim.policy.judges.threshold import allowed

BOUNDS = (0.1, 0.5, 1.0)


def judge(window: Window, **fields: object) -> str:
    return Threshold(**fields).start(0, None).look(window).verdict  # type: ignore[arg-type]


def seen(requests: int, bad: int, latency: tuple[int, ...] = (), baseline: Arm | None = None) -> Window:
    return Window(0, 60, 0.1, Arm(requests, bad, latency), baseline, BOUNDS)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(1, 999), st.integers(1, 100_000))
def test_allowed_is_exact_for_three_decimal_rates(thousandths: int, requests: int) -> None:
    assert allowed(thousandths / 1000, requests) == thousandths * requests // 1000


def test_the_limit_itself_passes() -> None:
    assert judge(seen(100, 29), max_error_rate=0.29) == "pass"  # 0.29 * 100 is 28.999999999999996
    assert judge(seen(100, 30), max_error_rate=0.29) == "fail"


def test_few_requests_count_as_no_data() -> None:
    assert judge(seen(9, 9), min_requests=10) == "inconclusive"
    assert judge(seen(9, 9), min_requests=10, on_nodata="wait") == "continue"


@pytest.mark.parametrize(
    ("latency", "limit", "verdict"),
    [
        ((980, 15, 5, 0), 0.5, "pass"),
        ((900, 50, 50, 0), 0.5, "fail"),
        ((900, 50, 0, 50), 0.5, "fail"),  # above the last bound is above 0.5
        ((900, 50, 0, 50), 1.0, "inconclusive"),  # above the last bound: how far, the buckets cannot tell
        ((), 0.5, "inconclusive"),
        ((0, 0, 0, 0), 0.5, "inconclusive"),
    ],
)
def test_latency_limit(latency: tuple[int, ...], limit: float, verdict: str) -> None:
    assert judge(seen(1000, 0, latency), max_error_rate=None, max_latency=limit) == verdict


def test_ratio_to_the_baseline() -> None:
    for bad, verdict in ((20, "pass"), (21, "fail")):
        assert judge(seen(1000, bad, baseline=Arm(2000, 20)), max_error_rate=None, max_ratio=2.0) == verdict
    assert judge(seen(1000, 5), max_ratio=2.0) == "inconclusive"


def test_the_first_check_that_does_not_pass_is_the_answer() -> None:
    both = seen(1000, 50, (0, 0, 0, 1000))
    assert judge(both, max_error_rate=0.01, max_latency=1.0) == "fail"
    assert judge(seen(1000, 0, (0, 0, 0, 1000)), max_error_rate=0.01, max_latency=1.0) == "inconclusive"


def test_quantile_interpolates_as_prometheus_does() -> None:
    assert quantile(0.5, (0, 10, 0, 0), BOUNDS) == pytest.approx(0.3)
    assert quantile(0.0, (5, 5, 0, 0), BOUNDS) == 0.0
    assert quantile(1.0, (5, 5, 0, 0), BOUNDS) == 0.5
    assert quantile(0.9, (5, 0, 0, 5), BOUNDS) == 1.0
    assert quantile(0.5, (10, 0), (-1.0,)) == -1.0
    assert math.isnan(quantile(0.5, (0, 0, 0, 0), BOUNDS))
    assert math.isnan(quantile(0.5, (7,), ()))


def test_histograms_add_and_share() -> None:
    assert add((), (1, 2)) == (1, 2)
    assert add((1, 2), (3, 4)) == (4, 6)
    assert shares((1, 2, 1)) == (0.25, 0.75)
    with pytest.raises(WorldError, match="2 and 3 buckets"):
        add((1, 2), (1, 2, 3))
