"""Distributions by inverse transform, and the disruption windows."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.pipeline.disruptions import Disruption, Track, Windows
from sim.pipeline.durations import Constant, Duration, Exponential, Lognormal, Uniform
from sim.policy.errors import WorldError

GRID = [(i + 0.5) / 20_000 for i in range(20_000)]


@pytest.mark.parametrize("duration", [Constant(3.0), Uniform(2.0, 8.0), Exponential(5.0), Lognormal(900.0, 14400.0)], ids=repr)
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


@given(st.floats(0.0, 1.0, exclude_max=True), st.floats(0.0, 1.0, exclude_max=True))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_more_chance_is_never_less_time(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    for duration in (Uniform(1.0, 2.0), Exponential(3.0), Lognormal(2.0, 30.0)):
        assert duration.draw(low) <= duration.draw(high)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Constant(-1.0), "got -1"),
        (lambda: Uniform(3.0, 2.0), "low <= high"),
        (lambda: Exponential(0.0), "mean above 0"),
        (lambda: Lognormal(10.0, 5.0), "median <= p99"),
        (lambda: Disruption("pool.gone", 0.0, 1.0), "known: trigger.drop"),
        (lambda: Disruption("store.outage", 5.0, 5.0), "start < end"),
        (lambda: Disruption("store.outage", 0.0, 1.0, 2.0), "in \\[0, 1\\]"),
        (lambda: Disruption("driver.crash", 0.0, 1.0, 0.5), "on or off"),
        (lambda: Disruption("driver.crash", 0.0, 1.0, target="alerting"), "hits delivery"),
        (lambda: Windows().on("store.outage", "delivery"), "cannot hit"),
    ],
)
def test_errors_name_the_value_and_the_remedy(make: Callable[[], object], said: str) -> None:
    with pytest.raises(WorldError, match=said):
        make()


def test_windows_are_half_open_and_combine_as_probabilities() -> None:
    track = Track([Disruption("trigger.drop", 10.0, 30.0, 0.5), Disruption("trigger.drop", 20.0, 40.0, 0.5)])
    assert [track.intensity(at) for at in (9.9, 10.0, 20.0, 30.0, 40.0)] == [0.0, 0.5, 0.75, 0.5, 0.0]
    assert track.first(0.0, 10.0) is None
    assert track.first(0.0, 10.1) == (10.0, 0.5)
    assert track.first(39.0, 39.0) == (39.0, 0.5)
    assert track.first(40.0, 99.0) is None
    assert (track.clear(5.0), track.clear(15.0), track.clear(40.0)) == (5.0, 40.0, 40.0)
    assert (track.relief(0.0), track.relief(40.0)) == (40.0, math.inf)


def test_touching_windows_are_one() -> None:
    track = Track([Disruption("driver.crash", 0.0, 5.0), Disruption("driver.crash", 5.0, 9.0)])
    assert track.clear(1.0) == 9.0
    assert track.relief(1.0) == 9.0


def test_a_target_narrows_and_intensity_zero_is_nothing() -> None:
    drop = Disruption("trigger.drop", 0.0, 10.0, target="delivery")
    windows = Windows([drop, Disruption("trigger.drop", 20.0, 30.0, 0.0)])
    assert windows.on("trigger.drop", "delivery").windows == (drop,)
    assert windows.on("trigger.drop", "integration").windows == ()
