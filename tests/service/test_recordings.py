"""Recorded traffic: what is read, and every fault with its place and remedy."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files.errors import FileErrors
from sim.service.recordings import from_csv, from_prometheus
from sim.service.traffic import Recorded


def answer(*series: list[object], **change: object) -> str:
    data = {"resultType": "matrix", "result": [{"metric": {}, "values": values} for values in series]}
    return json.dumps({"status": "success", "data": {**data, **change}})


def problems(text: str, read=from_csv) -> list[str]:  # type: ignore[no-untyped-def]
    with pytest.raises(FileErrors) as caught:
        read(text, "rate.file")
    return [str(problem) for problem in caught.value.problems]


def test_csv() -> None:
    assert from_csv("time,rate\n0,10\n15,20.5\n\n30,0\n", "a.csv") == Recorded((0.0, 15.0, 30.0), (10.0, 20.5, 0.0))
    other = 'host,Rate ,TIME\r\n"a,b",10,1000\r\nc,NaN,1015\r\nd,,1030\r\ne,30,1045\r\n'
    assert from_csv("\ufeff" + other, "b.csv", "hold") == Recorded((0.0, 45.0), (10.0, 30.0), "hold")


def test_csv_with_calendar_times() -> None:
    text = "time,rate\n2026-11-23T09:00:00Z,10\n2026-11-23T10:00:30+01:00,20\n2026-11-23T09:01:00,30\n"
    assert from_csv(text, "a.csv").times == (0.0, 30.0, 60.0)


def test_csv_faults_come_all_at_once() -> None:
    assert problems("time,rate\n0,10\nx,1\n30,-5\n20,fast\n20,1\n7\n") == [
        "rate.file:3:1 time: 'x' is not a number; write seconds or ISO 8601, e.g. 90 or 2026-11-23T09:00:00Z",
        "rate.file:4:1 time: -5 is not a rate; rates are requests/s of at least 0; NaN marks a gap",
        "rate.file:5:4 rate: 'fast' is not a number; write requests/s, e.g. 120.5; NaN or nothing for a gap",
        "rate.file:6:1 time: time 20 does not come after 30; sort by time and drop repetitions",
        "rate.file:7:1: the row has 1 of 2 columns; write one time,rate per line",
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the header must name time and rate once, got ''; write time,rate"),
        ("when,rate\n0,1\n", "the header must name time once, got 'when,rate'"),
        ("time,rate,rate\n0,1,2\n", "the header must name rate once"),
        ("time,rate\n", "there is no sample with a rate; record at least one"),
        ("time,rate\n0,NaN\n", "there is no sample with a rate"),
        ('time,rate\n0,"1\n', "not CSV: unexpected end of data"),
        ("time,rate\nnan,1\n", "'nan' is not a number"),
        ("time,rate\n0,inf\n", "inf is not a rate"),
    ],
)
def test_csv_that_is_none(text: str, message: str) -> None:
    assert message in problems(text)[0]


def test_prometheus() -> None:
    text = answer([[1435781430.781, "1"], [1435781445.781, "NaN"], [1435781460.781, "2.5"]])
    assert from_prometheus(text, "a.json").rates == (1.0, 2.5)
    assert from_prometheus(text, "a.json").times == (0.0, 30.0)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{\n  nope", "rate.file:2:3: not JSON: Expecting property name"),
        ("[" * 200_000, "rate.file:1:1: nested too deeply"),
        ("[1]", "not an answer of the Prometheus API; save the answer of /api/v1/query_range"),
        ('{"status": "success"}', "not an answer of the Prometheus API"),
        (
            '{"status": "error", "errorType": "bad_data", "error": "parse error"}',
            "the query failed (bad_data: parse error)",
        ),
        (answer([[0, "1"]], resultType="vector"), "data.resultType: 'vector' is not a range; use /api/v1/query_range"),
        (answer(result=7), "data.result: not a list of series"),
        (answer(), "data.result: the query found no series; check the metric"),
        (
            answer([[0, "1"]], [[0, "1"]], [[0, "1"]]),
            "there are 3 series, one is needed; aggregate in the query, e.g. sum(",
        ),
        (answer(result=[{"metric": {}, "histograms": []}]), "data.result.0.values: there is no list of samples"),
        (answer([[0, "1"], [1, "x"]]), "data.result.0.values.1: [1, 'x'] is not a sample"),
        (answer([[0, "1"], "12"]), "data.result.0.values.1: 12 is not a sample"),
        (answer([[10**400, "1"]]), "is not a sample"),
        (answer([[5, "1"], [5, "1"]]), "time 5 does not come after 5"),
        (answer([[0, "+Inf"]]), "inf is not a rate"),
        (answer([[0, "NaN"]]), "there is no sample with a rate"),
    ],
)
def test_prometheus_faults(text: str, message: str) -> None:
    assert message in problems(text, from_prometheus)[0]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    text=st.one_of(st.text(), st.text('time,rate\n0123456789."-', min_size=1).map(lambda rest: "time,rate\n" + rest))
)
def test_any_text_is_a_recording_or_a_list_of_faults(text: str) -> None:
    for read in (from_csv, from_prometheus):
        try:
            assert read(text, "any").length > 0
        except FileErrors as errors:
            assert errors.problems and str(errors)
