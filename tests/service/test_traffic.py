"""Shapes of traffic: exact levels where a closed form exists, the promised accuracy elsewhere, equal windows equal."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.errors import WorldError
from sim.service.traffic import DAY, WEEK, Bursts, Constant, Diurnal, Ramp, Recorded, Traffic

STEPS = Recorded((100.0, 115.0, 130.0, 190.0), (10.0, 0.0, 30.0, 20.0))
HELD = Recorded((0.0, 15.0, 30.0, 90.0), (10.0, 0.0, 30.0, 20.0), after="hold")
SHAPES: list[Traffic] = [
    Constant(7.5),
    Ramp(10.0, 50.0, 100.0),
    Ramp(50.0, 0.0, 33.0),
    Bursts(Constant(10.0), every=60.0, lasts=7.0, factor=5.0),
    Bursts(Ramp(10.0, 50.0, 100.0), every=60.0, lasts=60.0, factor=0.5, first=10.0),
    STEPS,
    HELD,
]


def grid(count: int, width: float, start: float = 0.0) -> list[float]:
    return [start + width * i for i in range(count + 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_levels_are_integrals(shape: Traffic) -> None:
    """Against a fine midpoint sum whose cells never straddle a jump or a bend (all are at multiples of 1 s)."""
    edges = [0.0, 3.0, 4.0, 26.0, 27.0, 90.0, 150.0, 163.0, 400.0, 1000.0]
    for level, (low, high) in zip(shape.levels(edges), pairwise(edges), strict=True):
        cells = [shape.rate(low + i + 0.5) for i in range(int(high - low))]
        assert level == pytest.approx(math.fsum(cells) / len(cells), rel=1e-12, abs=1e-12)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(shape=st.sampled_from(SHAPES), cuts=st.lists(st.floats(0.01, 500.0), min_size=1, max_size=6))
def test_levels_add_up(shape: Traffic, cuts: list[float]) -> None:
    edges = [0.0]
    for cut in cuts:
        edges.append(edges[-1] + cut)
    parts = [level * (high - low) for level, (low, high) in zip(shape.levels(edges), pairwise(edges), strict=True)]
    whole = shape.levels([edges[0], edges[-1]])[0] * edges[-1]
    assert math.fsum(parts) == pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert all(part >= 0.0 for part in parts)


def test_equal_windows_are_equal_to_the_last_bit() -> None:
    assert set(Constant(0.1).levels(grid(50, 15.0))) == {0.1}
    bursts = Bursts(Constant(0.1), every=600.0, lasts=60.0, factor=3.0)
    assert set(bursts.levels(grid(400, 15.0))) == {0.1, 0.1 * 3.0}
    recorded = Recorded(tuple(60.0 * i for i in range(10)), tuple(0.1 + i for i in range(10)))
    levels = recorded.levels(grid(120, 15.0))
    assert levels == [0.1 + (i // 4) % 10 for i in range(120)]
    assert set(Ramp(1.0, 0.7, 60.0).levels(grid(20, 15.0, 60.0))) == {0.7}


def test_a_ramp_ends_where_it_should() -> None:
    ramp = Ramp(10.0, 50.0, 100.0)
    assert [ramp.rate(at) for at in (0.0, 25.0, 100.0, 1e9)] == [10.0, 20.0, 50.0, 50.0]
    assert ramp.levels([0.0, 100.0, 200.0]) == [30.0, 50.0]


def test_bursts_come_on_time() -> None:
    bursts = Bursts(Constant(10.0), every=60.0, lasts=15.0, factor=4.0)
    assert [bursts.rate(at) for at in (0.0, 59.9, 60.0, 74.9, 75.0, 120.0)] == [10.0, 10.0, 40.0, 40.0, 10.0, 40.0]
    assert bursts.levels([45.0, 75.0]) == [25.0]
    early = Bursts(Constant(10.0), every=60.0, lasts=15.0, factor=4.0, first=0.0)
    assert early.levels([0.0, 15.0, 60.0, 120.0]) == [40.0, 10.0, 17.5]


def test_a_recording_repeats_or_holds() -> None:
    assert STEPS.times == (0.0, 15.0, 30.0, 90.0) and STEPS.length == 150.0
    assert [STEPS.rate(at) for at in (0.0, 15.0, 89.0, 149.0, 150.0, 166.0)] == [10.0, 0.0, 30.0, 20.0, 10.0, 0.0]
    assert [HELD.rate(at) for at in (0.0, 149.0, 150.0, 1e6)] == [10.0, 20.0, 20.0, 20.0]
    assert STEPS.levels([0.0, 150.0, 450.0]) == [pytest.approx(21.0), pytest.approx(21.0)]
    assert Recorded((5.0,), (3.0,)).levels(grid(3, 100.0)) == [3.0, 3.0, 3.0]


def test_a_day_has_its_swing_peak_and_mean() -> None:
    day = Diurnal(200.0, start=0.0)
    rates = [day.rate(60.0 * i) for i in range(1440)]
    assert max(rates) / min(rates) == pytest.approx(1.9, rel=1e-6)
    assert rates.index(max(rates)) == 20 * 60 and rates.index(min(rates)) == 8 * 60
    assert day.levels([0.0, DAY])[0] == pytest.approx(200.0, rel=1e-9)
    assert Diurnal(200.0, swing=1.0).rate(5.0) == pytest.approx(200.0)


@pytest.mark.parametrize("width, accuracy", [(15.0, 1e-7), (30.0, 1e-7), (300.0, 2e-5), (7200.0, 2e-5)])
def test_the_midpoint_rule_keeps_its_promise(width: float, accuracy: float) -> None:
    """Against Simpson's rule on pieces of 15 s or less."""
    day = Diurnal(200.0, swing=2.8, second=0.25)
    for level, (low, high) in zip(day.levels(grid(12, width)), pairwise(grid(12, width)), strict=True):
        pieces = max(1, round(width / 15.0))
        step = (high - low) / pieces
        ends = [low + step * i for i in range(pieces + 1)]
        fine = math.fsum(day.rate(a) + 4.0 * day.rate(0.5 * (a + b)) + day.rate(b) for a, b in pairwise(ends)) / 6.0
        assert level == pytest.approx(fine / pieces, rel=accuracy)


def test_weekdays_have_their_factor() -> None:
    week = Diurnal(100.0, week=(1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25), start=12 * 3600.0)
    noon = [week.rate(DAY * i) for i in range(8)]
    assert [rate / noon[0] for rate in noon] == pytest.approx([1, 1, 1, 1, 1, 0.5, 0.25, 1])
    assert week.rate(WEEK) == pytest.approx(noon[0])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Constant(-1.0), "level must be a number of at least 0, got -1.0"),
        (lambda: Constant(math.nan), "level must be a number of at least 0, got nan"),
        (lambda: Diurnal(100.0, swing=0.9), "swing must be a number of at least 1, got 0.9"),
        (lambda: Diurnal(100.0, second=0.3), r"second must lie in \[0, 0.25\], got 0.3"),
        (lambda: Diurnal(100.0, week=(1.0, 1.0)), "week must have 7 factors"),
        (lambda: Bursts(Constant(1.0), 60.0, 61.0, 2.0), "at most every 60.0 s, got 61.0"),
        (lambda: Ramp(1.0, 2.0, 0.0), "got over=0.0; use a constant rate"),
        (lambda: Recorded((0.0, 0.0), (1.0, 1.0)), "times of a recording must rise"),
        (lambda: Recorded((0.0,), (1.0, 1.0)), "as many times as rates, got 1 and 2"),
        (lambda: Recorded((), ()), "got 0 and 0"),
        (lambda: Recorded((0.0,), (-1.0,)), "a rate of the recording must be"),
        (lambda: Recorded((0.0,), (1.0,), after="stop"), "'repeat' or 'hold', got 'stop'"),  # type: ignore[arg-type]
        (lambda: Constant(1.0).levels([0.0, 0.0]), "edges of windows must rise"),
        (lambda: Constant(1.0).levels([-1.0, 0.0]), "from 0 or later, got -1.0"),
    ],
)
def test_refusals(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorldError, match=message):
        make()
