"""Named measures: what they read off a window, and the verdicts of conditions over them."""

from __future__ import annotations

import math

import pytest

from sim.policy.analysis import Conditions, Limits
from sim.policy.errors import PolicyError
from sim.policy.events import Absent, Failed, NotANumber, Value
from sim.policy.expr import parse_condition
from sim.policy.judges import Arm, Window
from sim.scenario import Measure, MetricTable
from sim.scenario.measures import Asked

BOUNDS = (0.1, 0.2)
SEEN = Window(0, 60, 0.5, Arm(200, 4, (98, 98, 0)), Arm(400, 2, (398, 0, 0)), BOUNDS)
EMPTY = Window(0, 60, 0.5, Arm(0, 0, (0, 0, 0)), Arm(400, 0, (400, 0, 0)), BOUNDS)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        (Measure("success-rate"), 0.98),
        (Measure("success-rate", unit="percent"), 98.0),
        (Measure("error-rate"), 0.02),
        (Measure("error-rate", "stable"), 0.005),
        (Measure("error-ratio"), 4.0),
        (Measure("error-ratio", "stable"), 0.25),
        (Measure("requests"), 200.0),
        (Measure("latency", quantile=0.75), 0.15),
        (Measure("latency", quantile=0.75, unit="ms"), 150.0),
    ],
)
def test_what_is_read_off_a_window(measure: Measure, value: float) -> None:
    answer = measure.read(SEEN)
    assert isinstance(answer, Value) and isinstance(answer.value, float) and math.isclose(answer.value, value)


def test_without_requests() -> None:
    assert Measure("requests").read(EMPTY) == Value(0.0)
    for kind in ("success-rate", "error-rate", "error-ratio", "latency"):
        assert Measure(kind).read(EMPTY) == Absent("no canary requests in 0..60 s")  # type: ignore[arg-type]
    assert Measure("error-ratio").read(Window(0, 60, 0.5, Arm(10, 0), Arm(10, 0))) == NotANumber()
    assert Measure("error-ratio").read(Window(0, 60, 0.5, Arm(10, 1), Arm(10, 0))) == Value(math.inf)
    assert Measure("error-rate", "stable").read(Window(0, 60, 1.0, Arm(10, 1))) == Absent(
        "no stable version in this window"
    )


def test_units_and_quantiles_that_do_not_fit() -> None:
    with pytest.raises(PolicyError, match="latency is not measured in percent; use seconds or ms"):
        Measure("latency", unit="percent")
    with pytest.raises(PolicyError, match="a quantile lies between 0 and 1, got 99"):
        Measure("latency", quantile=99)


def test_conditions_over_a_measure() -> None:
    asked = Asked(
        Measure("success-rate"),
        Conditions(parse_condition("result >= 0.99"), vector=False),
        Limits(on_nodata="fail", on_error="pass"),
    )
    assert asked.assess(0.0, Value(SEEN)).verdict == "Failed"
    assert asked.assess(0.0, Value(0.995)).verdict == "Successful"
    assert asked.assess(0.0, Value(EMPTY)).verdict == "Failed"
    assert asked.assess(0.0, Absent()).verdict == "Failed"
    assert asked.assess(0.0, NotANumber()).verdict == "Inconclusive"
    assert asked.assess(0.0, Failed("down")).verdict == "Successful"
    assert asked.assess(0.0, Value(None)).verdict == "Failed"


def test_a_table_finds_a_metric_by_template_or_name() -> None:
    table = MetricTable((("a", Measure("error-rate", window=120.0)), ("t/a", Measure("requests"))))
    assert table.find("t", "a") == Measure("requests")
    assert table.find("u", "a") == Measure("error-rate", window=120.0)
    assert table.find("", "b") is None
