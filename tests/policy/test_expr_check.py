"""The static check: against shapes known at load time, and against each result's own shape."""

from __future__ import annotations

import math

import pytest

from sim.policy.expr import (
    ANY,
    BOOL,
    LIST,
    MAP,
    NIL,
    SCALAR,
    STRING,
    VECTOR,
    ConditionError,
    EvaluationError,
    Shape,
    infer,
    json_value,
    parse_condition,
)

CHECKS: list[tuple[str, Shape, int | None]] = [  # condition, shape, column of the problem
    ("result[0] < 0.05", VECTOR, None),
    ("result[0] < 0.05", SCALAR, 7),
    ("result < 0.05", SCALAR, None),
    ("result < 0.05", VECTOR, 8),
    ("result < 0.05", ANY, None),
    ("result.a.b < 5 and result[0] == 'x'", ANY, None),
    ("isNil(result) || result < 0.05", NIL, 25),
    ("result[0] == 'a'", VECTOR, 11),
    ("result[0] == 'a'", LIST, None),
    ("result[0]", VECTOR, 1),
    ("result", BOOL, None),
    ("result", STRING, 1),
    ("result.a", MAP, None),
    ("result.a.b", MAP, None),
    ("result.a < 'x' and result[0] < 1", MAP, 26),
    ("all(result, # < 'a')", VECTOR, 15),
    ("true or result < 5", VECTOR, 16),
    ("asFloat(result) == '1.1'", ANY, 17),
    ("isNaN(result)", VECTOR, 1),
    ("let e = result[0]; e == 'a'", VECTOR, 22),
]


@pytest.mark.parametrize(("text", "shape", "column"), CHECKS)
def test_check(text: str, shape: Shape, column: int | None) -> None:
    problem = parse_condition(text).check(shape)
    if column is None:
        assert problem is None
    else:
        assert isinstance(problem, ConditionError)
        assert problem.column == column
        assert problem.remedy


def test_a_type_error_in_a_branch_that_is_never_taken_is_still_an_error() -> None:
    with pytest.raises(EvaluationError):
        parse_condition("true || result < 5").judge([1.0])


def test_a_list_of_floats_counts_as_a_vector_unless_told_otherwise() -> None:
    condition = parse_condition("'200' in result")
    with pytest.raises(EvaluationError):
        condition.judge([200.0])
    assert condition.judge([200.0], LIST) is False
    assert condition.judge(["200"]) is True


def test_shapes_of_results() -> None:
    assert [str(infer(value)) for value in (None, True, 1, 1.5, "a", [1.0], [], [1.0, "a"], {"a": 1})] == [
        "nil",
        "bool",
        "int",
        "float",
        "string",
        "list of float",
        "list of float",
        "list",
        "map",
    ]


def test_values_outside_the_model_are_errors_not_crashes() -> None:
    for value in ((1.0,), {1.0}, object(), 1j, b"a"):
        with pytest.raises(EvaluationError):
            parse_condition("result == result or result < 5").judge(value)


def test_one_condition_judges_results_of_many_shapes() -> None:
    condition = parse_condition("result == nil or asFloat(result) < 5")
    assert [condition.judge(value) for value in (None, 4.0, "4", 7.0, 7)] == [True, True, True, False, False]


def test_judging_twice_gives_the_same_and_leaves_the_result_alone() -> None:
    result = [3.0, 1.0, math.inf]
    condition = parse_condition("sort(result)[0] == 1 and reverse(result)[2] == 3")
    assert condition.judge(result) and condition.judge(result)
    assert result == [3.0, 1.0, math.inf]


def test_conditions_are_values() -> None:
    assert parse_condition("true") == parse_condition("true")
    assert parse_condition("true") != parse_condition("true", "argo-rollouts@1.8")
    assert len({parse_condition("true"), parse_condition("true")}) == 1
    assert repr(parse_condition("true")) == "parse_condition('true', profile='argo-rollouts@1.10')"


def test_json_numbers_are_floats() -> None:
    value = json_value('{"errors": 0, "ok": true, "list": [1, 2]}')
    assert value == {"errors": 0.0, "ok": True, "list": [1.0, 2.0]}
    assert parse_condition("not isNaN(result.errors) and result.list[0] == 1").judge(value)
    for text in ("NaN", "{", "", "1e999", "[" * 100_000):
        with pytest.raises(ValueError):
            json_value(text)


DEVIATIONS = [  # where ours differs on purpose from the original: text, ours
    ("9223372036854775807 + 1 < 0", "error"),  # wraps around there
    ("-9223372036854775807 - 2 > 0", "error"),
    ("4294967296 * 4294967296 == 0", "error"),
    ("asInt(result) == 0", "error"),  # of NaN: depends on the processor there
    ("int(1 / 0) == 0", "error"),
    ("1 < findLast([1, 2, 3], # < 3)", True),  # a fault of its compiler there
]


@pytest.mark.parametrize(("text", "ours"), DEVIATIONS)
def test_deviations(text: str, ours: bool | str) -> None:
    try:
        assert parse_condition(text).judge(math.nan) is ours
    except EvaluationError:
        assert ours == "error"
