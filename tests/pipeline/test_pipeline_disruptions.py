"""Disruption windows: half-open, combined as probabilities, aimed at stages."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from sim.pipeline.disruptions import Disruption, Track, Windows
from sim.policy.errors import WorldError


@pytest.mark.parametrize(
    ("make", "said"),
    [
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
