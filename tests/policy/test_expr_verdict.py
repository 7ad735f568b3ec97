"""One measurement: delivery-systems.md 2.2, table 3.6, and the rows of Argo's utils/evaluate/evaluate_test.go."""

from __future__ import annotations

import math

import pytest

from sim.policy.expr import NEW, OLD, ConditionError, EvaluationError, measure_verdict, parse_condition

EMPTY: list[float] = []
TABLE = [  # condition; verdict with an empty vector, with nil, with NaN as the first element
    ("result[0] < 0.05", "Error", "Error", "Failed"),
    ("result < 0.05", "Error", "Error", None),
    ("len(result) == 0 || result[0] < 0.05", "Successful", "Error", "Failed"),
    ("isNil(result) || result < 0.05", "Error", "Error", None),
    ("default(result, 0) < 0.05", "Error", "Successful", None),
    ("(result ?? 0) < 0.05", "Error", "Successful", None),
    ("all(result, # < 0.05)", "Successful", "Error", "Failed"),
    ("mean(result) < 0.05", "Successful", "Error", "Failed"),
    ("isNaN(result[0]) || result[0] < 0.05", "Error", "Error", "Successful"),
    ("len(result) > 0 and isNaN(result[0]) == false and result[0] < 0.05", "Failed", "Error", "Failed"),
]


@pytest.mark.parametrize("profile", [NEW, OLD])
@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_table_of_missing_data(row: tuple[str, str, str, str | None], profile: str) -> None:
    text, empty, nil, nan = row
    condition = parse_condition(text, profile)
    assert measure_verdict(EMPTY, condition, None)[0] == empty
    assert measure_verdict(None, condition, None)[0] == nil
    if nan is not None:
        assert measure_verdict([math.nan], condition, None)[0] == nan


VERDICTS = [  # success, failure, verdict, with the result [0.02]
    (None, None, "Successful"),
    ("result[0] < 0.05", None, "Successful"),
    ("result[0] < 0.01", None, "Failed"),
    (None, "result[0] > 0.01", "Failed"),
    (None, "result[0] > 0.05", "Successful"),
    ("true", "true", "Failed"),
    ("true", "false", "Successful"),
    ("false", "true", "Failed"),
    ("false", "false", "Inconclusive"),
    ("result[1] < 1", "true", "Error"),
    ("true", "result[1] < 1", "Error"),
    ("false", "result[1] < 1", "Error"),
    ("1", None, "Error"),
]


@pytest.mark.parametrize(("success", "failure", "verdict"), VERDICTS)
def test_two_conditions(success: str | None, failure: str | None, verdict: str) -> None:
    good, bad = (parse_condition(text) if text else None for text in (success, failure))
    assert measure_verdict([0.02], good, bad)[0] == verdict


def test_nan_with_both_conditions_is_inconclusive() -> None:
    good, bad = parse_condition("result[0] >= 0.95"), parse_condition("result[0] < 0.9")
    assert measure_verdict([math.nan], good, bad)[0] == "Inconclusive"


DOCUMENT = {"service_apdex": {"label": None, "values": {"values": [2.0, 2.0]}}}
EVALUATE_TEST = [
    (True, "result == true", True),
    (True, "result == false", False),
    (True, "1", "error"),
    (True, "result.Name() == 'hi'", "error"),
    (True, "invalidVariable", "error"),
    (DOCUMENT, "all(result.service_apdex.values.values, {# > 1})", True),
    ([2.0, 2.0], "2 in result", True),
    (5.0, "result > 1", True),
    ("1.1", "asInt(result) == 1.1", "error"),
    ("1", "asInt(result) == 1", True),
    (1, "asInt(result) == 1", True),
    (1.123, "asInt(result) == 1", True),
    ("NotANum", "asFloat(result) == 1.1", "error"),
    ("1.1", 'asFloat(result) == "1.1"', "error"),
    ("1.1", "asFloat(result) == 1.1", True),
    ("1.1", "asFloat(result) >= 1.1", True),
    ("1.1", "asFloat(result) <= 1.1", True),
    (1.1, "asFloat(result) == 1.1", True),
    (1, "asFloat(result) == 1", True),
    (1, "asFloat(result) >= 1", True),
]


@pytest.mark.parametrize(("result", "text", "expected"), EVALUATE_TEST)
def test_rows_of_evaluate_test(result: object, text: str, expected: bool | str) -> None:
    try:
        actual: bool | str = parse_condition(text).judge(result)
    except (ConditionError, EvaluationError):
        actual = "error"
    assert actual == expected


@pytest.mark.parametrize("result", [None, EMPTY])
def test_an_error_without_data_says_so(result: object) -> None:
    verdict, message = measure_verdict(result, parse_condition("result[0] < 0.05"), None)
    assert verdict == "Error"
    assert message.startswith("successCondition: ")
    assert "no data came back" in message


def test_an_error_with_data_does_not_blame_the_data() -> None:
    verdict, message = measure_verdict([1.0], None, parse_condition("result[3] < 0.05"))
    assert verdict == "Error"
    assert message.startswith("failureCondition: ")
    assert "no data" not in message
    assert "out of range" in message
