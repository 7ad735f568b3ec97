"""Windows, ramps, repetition, and how faults combine."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.faults.catalogue import KINDS
from sim.faults.fault import Fault, Trigger
from sim.faults.joining import combine, either
from sim.faults.reading import parse
from sim.faults.timing import intensity, windows
from sim.policy.errors import WorldError


def fault(kind: str, params: dict[str, Any] | None = None, **more: Any) -> Fault:
    return parse({"id": "one", "kind": kind, "params": params, **more})


def spike(**more: Any) -> Fault:
    return fault("load.spike", {"factor": 2}, **{"at_s": 60, "duration_s": 30, **more})


def test_a_window_is_half_open() -> None:
    assert windows(spike(), 1000) == [(60.0, 90.0)]
    assert [intensity(spike(), at) for at in (59.9, 60, 89.9, 90)] == [0.0, 1.0, 1.0, 0.0]


def test_a_fault_that_starts_at_the_horizon_or_later_has_no_window() -> None:
    assert windows(spike(), 60) == []
    assert windows(spike(), 61) == [(60.0, 90.0)]


def test_a_bound_fault_has_no_end_and_an_instant_no_length() -> None:
    assert windows(fault("build.latency"), 10) == [(0.0, math.inf)]
    kill = fault("pod.kill", target={"version": "canary"}, at_s=5)
    assert windows(kill, 10) == [(5.0, 5.0)]
    assert intensity(kill, 5) == 0.0


def test_the_ramp_is_linear_and_full_from_its_end_on() -> None:
    slow = fault("build.latency", {"factor": 3}, at_s=100, ramp_s=50, duration_s=200)
    assert [intensity(slow, at) for at in (99, 100, 125, 150, 299, 300)] == [0.0, 0.0, 0.5, 1.0, 1.0, 0.0]


def test_repeats_start_after_the_interval_and_end_with_their_number() -> None:
    again = spike(repeat={"every_s": 100, "times": 3})
    assert windows(again, 1000) == [(60.0, 90.0), (160.0, 190.0), (260.0, 290.0)]
    assert windows(again, 260) == [(60.0, 90.0), (160.0, 190.0)]
    assert [intensity(again, at) for at in (95, 165, 290, 365)] == [0.0, 1.0, 0.0, 0.0]
    assert len(windows(spike(repeat={"every_s": 100}), 10_000)) == 100


def test_jitter_is_drawn_by_the_number_of_the_repeat() -> None:
    again = spike(repeat={"every_s": 100, "jitter_s": 20, "times": 3})
    draws = {0: 0.5, 1: 0.25}
    assert windows(again, 1000, draws.__getitem__) == [(60.0, 90.0), (170.0, 200.0), (275.0, 305.0)]
    assert intensity(again, 171, draws.__getitem__) == 1.0
    with pytest.raises(WorldError, match="pass the uniforms of its stream"):
        windows(again, 1000)


def test_too_many_windows_and_a_trigger_are_refused() -> None:
    often = spike(duration_s="1ms", repeat={"every_s": "1ms"})
    with pytest.raises(WorldError, match="more than 100000 times before 1000 s; raise repeat.every_s"):
        windows(often, 1000)
    waiting = replace(spike(), at_s=None, trigger=Trigger("step_entered", 2))
    with pytest.raises(WorldError, match="waits for a trigger"):
        windows(waiting, 1000)


@given(
    st.floats(0, 500),
    st.floats(1, 50),
    st.floats(50, 200),
    st.floats(0, 50),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=60, max_size=60),
    st.floats(0, 2000),
)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_intensity_is_one_exactly_inside_the_windows(
    at: float, duration: float, every: float, jitter: float, draws: list[float], moment: float
) -> None:
    again = spike(at_s=at, duration_s=duration, repeat={"every_s": every, "jitter_s": jitter})
    found = windows(again, 2000, draws.__getitem__)
    assert all(end <= start for (_, end), (start, _) in pairwise(found))
    inside = any(start <= moment < end for start, end in found)
    assert intensity(again, moment, draws.__getitem__) == (1.0 if inside else 0.0)


def test_probabilities_join_as_independent_events() -> None:
    assert either([]) == 0.0
    assert either([0.3]) == 0.3
    assert either([0.1, 0.2]) == pytest.approx(1 - 0.9 * 0.8)
    assert either([1.0, 0.5, 0.0]) == 1.0


@given(st.lists(st.floats(0, 1), max_size=6))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_joined_probabilities_stay_probabilities(probabilities: list[float]) -> None:
    product = math.prod(1 - p for p in probabilities)
    assert either(probabilities) == pytest.approx(1 - product, abs=1e-12)
    assert 0.0 <= either(probabilities) <= 1.0


def test_delays_add_factors_multiply_and_flags_or() -> None:
    slow = [fault("build.latency", {"add_s": 0.1, "factor": factor}).params for factor in (2, 3)]
    joined = combine(KINDS["build.latency"], slow)
    assert joined["add_s"] == pytest.approx(0.2)
    assert joined["factor"] == 6.0
    errors = [fault("build.error_rate", {"p": p}).params for p in (0.1, 0.2)]
    assert combine(KINDS["build.error_rate"], errors)["p"] == pytest.approx(0.28)
    late = {"delay_s": 1.0, "delay_mean_s": None, "delay_max_s": None}
    joined = combine(KINDS["trigger.delay"], [{**late, "herd": False}, {**late, "herd": True}])
    assert joined == {"delay_s": 2.0, "delay_mean_s": None, "delay_max_s": None, "herd": True}


def test_what_cannot_be_joined_must_be_equal() -> None:
    errors = [fault("build.error_rate", {"p": 0.1, "status": status}).params for status in (500, 503)]
    assert combine(KINDS["build.error_rate"], errors[:1]) == errors[0]
    with pytest.raises(WorldError, match="build.error_rate status: 500 and 503 on one target"):
        combine(KINDS["build.error_rate"], errors)
    words = [{"delay_s": 1.0, "jitter_s": 0.0, "correlation": 0.0, "direction": way} for way in ("to", "from")]
    with pytest.raises(WorldError, match="net.delay direction: to and from"):
        combine(KINDS["net.delay"], words)
