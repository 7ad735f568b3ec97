"""Units: what is accepted, what it is worth, what is refused and how."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files import (
    Refused,
    format_duration,
    format_rate,
    parse_bytes,
    parse_duration,
    parse_prom_duration,
    parse_rate,
    parse_ratio,
)
from sim.files.units import MAX_SECONDS

_PARSERS = (parse_duration, parse_prom_duration, parse_rate, parse_ratio, parse_bytes)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("0.1s", 0.1),
        ("100ms", 0.1),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("3us", 3e-06),
        ("3µs", 3e-06),
        ("3μs", 3e-06),
        ("7ns", 7e-09),
        ("2d", 172800.0),
        ("30m1h", 5400.0),  # Go takes any order, and repeats
        ("+5s", 5.0),
        ("0", 0.0),
        (0, 0.0),
        ("0s", 0.0),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_durations_by_option() -> None:
    assert parse_duration(30, bare=True) == parse_duration("30", bare=True) == 30.0
    assert parse_duration(0.1, bare=True) == 0.1
    assert parse_duration("-1m30s", negative=True) == -90.0
    with pytest.raises(ValueError, match=r"^'1d' is not a duration; write e.g. 30s, 5m, 1h30m$"):
        parse_duration("1d", days=False)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("5 mins", "'5 mins' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("", "'' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("5m ", "'5m ' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("1:30", "'1:30' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("٣s", "'٣s' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("nan", "'nan' is not a duration; write e.g. 30s, 5m, 1h30m"),
        ("1e3s", "'1e3s' is not a duration; write e.g. 30s, 5m, 1h30m"),
        (float("nan"), ".nan is not a duration; write e.g. 30s, 5m, 1h30m"),
        (float("-inf"), "-.inf is not a duration; write e.g. 30s, 5m, 1h30m"),
        (True, "true is not a duration; write e.g. 30s, 5m, 1h30m"),
        (None, "null is not a duration; write e.g. 30s, 5m, 1h30m"),
        ([], "a list is not a duration; write e.g. 30s, 5m, 1h30m"),
        (30, "30 is a duration without a unit; write e.g. 30s or 30m"),
        ("30", "'30' is a duration without a unit; write e.g. 30s or 30m"),
        ("-5s", "-5s is negative; write a duration of 0s or more"),
        ("3651d", "3651d is longer than 10 years; check the number and its unit"),
        ("9" * 30 + "h", f"{'9' * 30}h is longer than 10 years; check the number and its unit"),
        ("9" * 500 + "h", f"'{'9' * 60}'... is not a duration; write e.g. 30s, 5m, 1h30m"),
    ],
)
def test_refused_durations(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5, "5s"),
        (60, "1m"),
        (90, "90s"),
        (99, "99s"),
        (100, "1m40s"),
        (300, "5m"),
        (5400, "1h30m"),
        (86400, "1d"),
        (93784, "1d2h3m4s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (61.5, "1m1.5s"),
        (1e-9, "1ns"),
        (-90, "-90s"),
    ],
)
def test_formatted_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
    assert parse_duration(text, negative=True) == seconds


def test_formatted_durations_for_go() -> None:
    assert format_duration(93784, days=False) == "26h3m4s"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.floats(0, MAX_SECONDS) | st.integers(0, MAX_SECONDS).map(float))
def test_formatted_durations_parse_back_equal(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
    assert parse_duration(format_duration(seconds, days=False), days=False) == seconds


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), MAX_SECONDS * 2.0])
def test_durations_that_cannot_be_formatted(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"are not a duration; use at most 315360000$"):
        format_duration(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("1w2d", 777600), ("1y", 31536000), ("15ms", 0.015), ("0", 0)]
)
def test_prom_durations(text: str, seconds: float) -> None:
    assert parse_prom_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1.5h", "30m1h", "5m5m", "5", "-5m", "1us", "٣s"])
def test_refused_prom_durations(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_prom_duration(text)
    tail = "is not a PromQL duration; write e.g. 30s, 5m, 1h30m, with units falling and whole numbers"
    assert str(caught.value) == f"{text!r} {tail}"


def test_ratios_are_exact() -> None:
    assert parse_ratio("99.9%") == 0.999
    assert parse_ratio("5%") == parse_ratio(0.05) == parse_ratio("0.05") == 0.05
    assert [parse_ratio(value) for value in (0, 1, "0%", "100%", 1e-07)] == [0.0, 1.0, 0.0, 1.0, 1e-07]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "5 is more than 1; write 5% or a number from 0 to 1"),
        ("120%", "120% is more than 100%; use 0% to 100%"),
        ("-5%", "-5% is negative; use 0% to 100%"),
        (1e300, "1e+300 is more than 1; use 0% to 100%"),
        ("5 %", "'5 %' is not a ratio; write e.g. 5% or 0.05"),
        ("5pct", "'5pct' is not a ratio; write e.g. 5% or 0.05"),
        (float("nan"), ".nan is not a ratio; write e.g. 5% or 0.05"),
        (True, "true is not a ratio; write e.g. 5% or 0.05"),
    ],
)
def test_refused_ratios(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_ratio(value)
    assert str(caught.value) == message


def test_rates_are_per_second() -> None:
    rates = [parse_rate(text) for text in ("200/s", "12000/m", "3/h", "0.5/s", "86400/d", "0/s")]
    assert rates == [200.0, 200.0, 3 / 3600, 0.5, 1.0, 0.0]
    assert [format_rate(rate) for rate in (200.0, 0.1, 1e-7)] == ["200/s", "0.1/s", "0.0000001/s"]
    assert parse_rate(format_rate(3 / 3600)) == 3 / 3600


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (200, "200 is a rate without a unit; write e.g. 200/s or 200/m"),
        ("200 rps", "'200 rps' is not a rate; write e.g. 200/s, 12000/m, 3/h"),
        ("-1/s", "-1/s is negative; use 0/s or more"),
        ("2000000000000/s", "2000000000000/s is more than 1000000000000 per second; check the number and its unit"),
        (float("inf"), ".inf is not a rate; write e.g. 200/s, 12000/m, 3/h"),
    ],
)
def test_refused_rates(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_rate(value)
    assert str(caught.value) == message


def test_sizes() -> None:
    sizes = [parse_bytes(value) for value in ("512Mi", "1G", "1.5Gi", "10k", 1048576, "0")]
    assert sizes == [512 << 20, 10**9, 3 << 29, 10_000, 1048576, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("5MB", "'5MB' is not a size; write e.g. 512Mi, 1G, 1048576"),
        ("0.5", "0.5 is not a whole number of bytes; write e.g. 512Mi, 1G, 1048576"),
        ("-1Ki", "-1Ki is negative; use 0 or more"),
        ("5E", "5E is more than 1000T; check the number and its unit"),
    ],
)
def test_refused_sizes(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_bytes(value)
    assert str(caught.value) == message


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(alphabet="0123456789.+-eE%/smhdKiMGnau_ ", max_size=12) | st.floats() | st.integers())
def test_units_give_a_finite_number_or_a_remedy(value: object) -> None:
    for parse in _PARSERS:
        try:
            number = parse(value)
        except Refused as refused:
            number = 0 if refused.problem and refused.remedy else -1
        assert 0 <= number < 1e16


def test_units_never_fail_otherwise() -> None:
    for value in (10**5000, -(10**5000), "9" * 10_000, b"5s", {}, object()):
        for parse in _PARSERS:
            with pytest.raises(ValueError, match=r"; write e\.g\. "):
                parse(value)
