"""Conditions that are not: problem, remedy, column; and the limits of size and depth."""

from __future__ import annotations

import pytest

from sim.policy.errors import PolicyError
from sim.policy.expr import NEW, OLD, VECTOR, ConditionError, EvaluationError, parse_condition

SYNTAX = [  # text, column, part of the message
    ("result[0] <", 11, "stops too early"),
    ("rsult[0] < 1", 1, "did you mean result?"),
    ("len(result) = 0", 13, "compare with =="),
    ("isnan(result)", 1, "did you mean isNaN?"),
    ("result == null", 11, "did you mean nil?"),
    ("result == True", 11, "did you mean true?"),
    ("let limit = 1; limt < 2", 16, "did you mean limit?"),
    ("len < 3", 1, "call it: len(…)"),
    ("result() == 1", 1, "without parentheses"),
    ("result ?? 0 < 5", 13, "parentheses"),
    ("# > 1", 1, "only inside a predicate"),
    ("map([1], #foo)", 10, "#.foo"),
    ("all([1])", 8, "lacks its predicate"),
    ("'open", 1, "not closed"),
    ("`open", 1, "not closed"),
    (r"'\q'", 1, "escape"),
    ("true /* open", 6, "*/"),
    ("1x == 1", 2, "bad number"),
    ("99999999999999999999 > 1", 1, "64 bits"),
    ("1e999 > 1", 1, "too large"),
    ("true @", 6, "means nothing"),
    ("(true", 5, ") is missing"),
    ("true)", 5, "not expected"),
    ("true true", 6, "not expected"),
    ("{[1]: 2}", 2, "map key"),
    ("result.1", 7, "not expected"),
    ("let x = 1; let x = 2; true", 16, "exists already"),
    ("let len = 1; true", 5, "exists already"),
    ("all([1], # > 0; true)", 15, "{ and }"),
    ("", 1, "empty"),
    ("result matches '('", 16, "not closed"),
    ("result matches '(?=a)'", 16, "lookaround"),
    (r"result matches '(a)\\1'", 16, "backreference"),
    (r"result matches '\\p{Greek}'", 16, "general category"),
    ("1 | 2", 5, "function call"),
    ("$env.result == 1", 1, "name result itself"),
    ("b'bytes' == 1", 1, "bytes literals are not supported"),
]


@pytest.mark.parametrize(("text", "column", "part"), SYNTAX)
def test_syntax_errors_have_column_problem_and_remedy(text: str, column: int, part: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    assert caught.value.text == text
    assert caught.value.column == column
    assert part in str(caught.value)
    assert f"column {column}" in str(caught.value)
    assert isinstance(caught.value, PolicyError)


REFUSED = [
    "now()",
    "date('2024-01-01')",
    "duration('1h')",
    "timezone('UTC')",
    "toBase64('a')",
    "fromBase64('YQ==')",
    "bitand(1, 2)",
    "bitushr(1, 2)",
    "result.Name()",
    "result?.Name()",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused_functions_are_named(text: str) -> None:
    name = text.split("(")[0].split(".")[-1]
    with pytest.raises(ConditionError, match=rf"{name}\(\) is not supported"):
        parse_condition(f"{text} == 1")


OLD_SYNTAX = [
    "0 <= 1 < 2",
    "if true { true } else { false }",
    "true; true",
    "`raw` == 'raw'",
    "0b11 == 3",
    "[1, 2] | uniq() == [1]",
    "concat([1], [2]) == []",
    "flatten([1]) == []",
    "reverse([1]) == []",
    "sortBy([1], #) == []",
    "count([true]) == 1",
    "'\\u{41}' == 'A'",
]


@pytest.mark.parametrize("text", OLD_SYNTAX)
def test_what_the_old_profile_lacks(text: str) -> None:
    parse_condition(text, NEW).judge(None) if "uniq" not in text else parse_condition(text, NEW)
    with pytest.raises((ConditionError, EvaluationError)):
        parse_condition(text, OLD).judge(None)


def test_the_old_profile_names_itself() -> None:
    with pytest.raises(ConditionError, match=r"unknown to argo-rollouts@1\.8"):
        parse_condition("uniq(result) == [1]", OLD)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"use one of argo-rollouts@1\.10, argo-rollouts@1\.8"):
        parse_condition("true", "argo-rollouts@2")


DEEP = {
    "brackets": "[" * 50_000 + "]" * 50_000,
    "parentheses": "(" * 50_000 + "1" + ")" * 50_000,
    "open parentheses": "(" * 50_000,
    "minus": "-" * 10_000 + "1 < 0",
    "not": "not " * 10_000 + "true",
    "power": "2 ** " * 5_000 + "1 > 0",
    "ternary": "true ? " * 5_000 + "1",
    "else": "false ? 1 : " * 5_000 + "true",
    "calls": "abs(" * 5_000 + "1" + ")" * 5_000,
    "maps": "{a: " * 5_000 + "1" + "}" * 5_000,
    "lets": "".join(f"let v{i} = 1; " for i in range(2_000)) + "true",
    "members": "result" + ".a" * 4_900,
    "indexes": "result" + "[0]" * 4_900,
    "plus": "1 + " * 4_000 + "1 > 0",
    "and": "true and " * 4_000 + "true",
    "coalesce": "nil ?? " * 4_000 + "true",
    "predicates": "all([1], " * 5_000,
    "else if": "if true { true } else " * 5_000,
    "pipes": "1" + " | abs()" * 4_000 + " == 1",
    "links": "result" + "?.a" * 3_000,
}


@pytest.mark.parametrize("name", list(DEEP))
def test_deep_conditions_are_refused(name: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(DEEP[name])


def test_moderate_depth_works() -> None:
    assert parse_condition("(" * 60 + "true" + ")" * 60).judge(None)
    assert parse_condition(" and ".join(["result[0] < 5"] * 150)).judge([1.0])
    assert parse_condition("result" + ".a" * 150 + " == nil") is not None


def test_node_limit() -> None:
    fits = "len([" + "1, " * 9_990 + "]) == 9990"
    assert parse_condition(fits).judge(None)
    with pytest.raises(ConditionError, match="10000 nodes"):
        parse_condition("len([" + "1, " * 10_001 + "]) == 1")


BUDGET = [
    "len(1..2000000) > 0",
    "len(repeat('ab', 500000)) > 0",
    "len(map(1..600000, #)) > 0",
    "len(reduce(1..100, #acc + #acc, 'a')) > 0",
    "all(1..5000, all(1..5000, true))",
    "len(reduce(1..50, concat(#acc, #acc), [1])) > 0",
    "len(replace(repeat('a', 1000), '', repeat('b', 10000))) > 0",
]


@pytest.mark.parametrize("text", BUDGET)
def test_runs_have_a_budget(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"1000000|more than"):
        parse_condition(text).judge(1.0)


def test_work_has_a_budget_of_its_own() -> None:
    with pytest.raises(EvaluationError, match="evaluations"):
        parse_condition("all(result, all(result, all(result, true)))", NEW).judge([1.0] * 2_000, VECTOR)


def test_nested_data_is_bounded() -> None:
    with pytest.raises(EvaluationError, match="levels deep"):
        parse_condition("len(flatten(reduce(1..900, [#acc]))) == 1").judge(1.0)
    with pytest.raises(EvaluationError, match="levels deep"):
        parse_condition("let a = reduce(1..900, [#acc]); a == a").judge(1.0)
