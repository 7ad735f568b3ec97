"""Budgets and the stopping rule, as lists."""

from __future__ import annotations

import math

import pytest

from sim.results.interval import Interval
from sim.results.stopping import Budget, Decision, Sense, Stop, decide


@pytest.mark.parametrize(
    ("low", "high", "sense", "band", "expected"),
    [
        (1, 10, "<=", 0, "pass"),
        (1, 10.5, "<=", 0, "undecided"),
        (10, 12, "<=", 0, "undecided"),
        (10.1, 12, "<=", 0, "fail"),
        (1, 10.5, "<=", 1, "pass-within"),
        (10.1, 10.9, "<=", 1, "pass-within"),
        (10.1, 12, "<=", 1, "fail"),
        (9, 12, "<=", 1, "undecided"),
        (10, 12, ">=", 0, "pass"),
        (9.9, 12, ">=", 0, "undecided"),
        (8, 10, ">=", 0, "undecided"),
        (8, 9.9, ">=", 0, "fail"),
        (9.5, 12, ">=", 1, "pass-within"),
        (-math.inf, math.inf, "<=", 0, "undecided"),
    ],
)
def test_decide(low: float, high: float, sense: Sense, band: float, expected: Decision) -> None:
    assert decide(Interval(low, high), 10, sense, band) == expected
    assert Budget("blast_radius", 10, sense, band).decide(Interval(low, high)) == expected


def test_decide_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="got '<'"):
        decide(Interval(0, 1), 1, "<")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got 1 and -1"):
        decide(Interval(0, 1), 1, "<=", -1)


def test_looks_depend_on_the_index_only() -> None:
    stop = Stop()
    looks, done = [], 0
    while done < stop.maximum:
        done = stop.next(done)
        looks.append(done)
    assert looks[:4] == [200, 300, 400, 500]
    assert looks[-1] == 20_000
    assert len(looks) == 199
    assert stop.next(250) == 300  # a resumed run falls back into step
    assert Stop(100, 300, 500).next(400) == 500


def test_go_on_until_decided() -> None:
    stop, wide = Stop(), Interval(0, 1)
    assert stop.more(100, [wide], ["pass"])
    assert stop.more(200, [wide], ["pass", "undecided"])
    assert not stop.more(200, [wide], ["pass", "fail", "pass-within"])
    assert not stop.more(20_000, [wide], ["undecided"])
    assert not stop.more(200, [wide])


def test_go_on_until_narrow() -> None:
    stop = Stop(half_width=0.02)
    assert stop.more(300, [Interval(0.1, 0.12), Interval(0.1, 0.2)])
    assert not stop.more(300, [Interval(0.1, 0.12), Interval(0.1, 0.13)])
    assert stop.more(300, [Interval(-math.inf, math.inf)])
    assert not stop.more(20_000, [Interval(-math.inf, math.inf)])


def test_impossible_rules() -> None:
    with pytest.raises(ValueError, match="got 300, 200, 100"):
        Stop(300, 100, 200)
