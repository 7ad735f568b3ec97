"""promtool's notation of series and metrics."""

from __future__ import annotations

import pytest

from sim.files import Refused
from sim.promql.notation import MAX_POINTS, metric, sequence
from sim.promql.series import MISSING, SAMPLE, STALE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("1 2.5 -3 1e3 .5", [1, 2.5, -3, 1000, 0.5]),
        ("0+10x3", [0, 10, 20, 30]),
        ("1-1x3", [1, 0, -1, -2]),
        ("-2+4x2", [-2, 2, 6]),
        ("7x2", [7, 7, 7]),
        ("0x3", [0, 0, 0, 0]),
        ("1 _ 2", [1, None, 2]),
        ("_x3 1", [None, None, None, 1]),
        ("1 stale 2", [1, "stale", 2]),
        ("Inf -inf", [float("inf"), float("-inf")]),
        ("0.1+0.1x3", [0.1, 0.2, 0.1 + 0.1 + 0.1, 0.1 + 0.1 + 0.1 + 0.1]),  # added up, not multiplied
        ("1\n  2\t3", [1, 2, 3]),
    ],
)
def test_sequences(text: str, expected: list[object]) -> None:
    values, marks = sequence(text)
    assert [
        None if mark == MISSING else "stale" if mark == STALE else value
        for value, mark in zip(values.tolist(), marks, strict=True)
    ] == expected
    assert set(marks.tolist()) <= {SAMPLE, MISSING, STALE}


@pytest.mark.parametrize(
    "text", ["a", "1+1", "1x", "x3", "1x-3", "stalex2",
     "0x1F", "1,2", "{{schema:0 sum:1}}", "1x999999999", "1x99999999999999999", "_x9999999"]
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(Refused):
        sequence(text)


def test_a_million_points_are_the_limit() -> None:
    assert len(sequence(f"1x{MAX_POINTS - 1}")[0]) == MAX_POINTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up", (("__name__", "up"),)),
        ('up{job="a",b=""}', (("__name__", "up"), ("job", "a"))),
        ('{job="a"}', (("job", "a"),)),
        ('{__name__="up"}', (("__name__", "up"),)),
        ("{}", ()),
        ("", ()),
    ],
)
def test_metrics(text: str, expected: object) -> None:
    assert metric(text) == expected


@pytest.mark.parametrize(
    "text", ["up[5m]", "up offset 5m", 'up{a!="b"}', 'up{a=~"b"}', "sum(up)", "1", "up{", "up @ 3"]
)
def test_what_is_no_metric(text: str) -> None:
    with pytest.raises(Refused):
        metric(text)
