"""`matches`: RE2's language in linear time, against Python's re where both agree on the syntax."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.expr import EvaluationError, parse_condition
from sim.policy.expr.regex import Pattern
from sim.policy.expr.regex_syntax import PatternError
from sim.policy.expr.state import State

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\b", "^", "c", r"\.", "(?:a|b)", "(ab)"])
QUANTIFIERS = st.sampled_from(["", "", "*", "+", "?", "*?", "{2}", "{1,2}", "{0,}"])
PIECES = st.builds(lambda atom, times: atom + (times if atom not in ("^", r"\b") else ""), ATOMS, QUANTIFIERS)
PATTERNS = st.lists(st.lists(PIECES, max_size=4).map("".join), min_size=1, max_size=3).map("|".join)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(PATTERNS, st.text("abc1. \n", max_size=8))
def test_agrees_with_python_on_common_syntax(pattern: str, text: str) -> None:
    expected = re.search(pattern, text, re.ASCII) is not None
    assert Pattern(pattern).search(text, State(None, 0)) is expected


EVIL = ["(a+)+$", "(a|a)*b$", "(a*)*b", "a*a*a*a*a*b", "(.*)(.*)(.*)(.*)x$", "(a?){30}a{30}b", "((a+)+)+b"]


@pytest.mark.parametrize("pattern", EVIL)
def test_no_pattern_makes_it_hang(pattern: str) -> None:
    condition = parse_condition(f"result matches '{pattern}'")
    assert condition.judge("a" * 2_000 + "!") is False


def test_long_texts_with_large_patterns_run_out_of_budget() -> None:
    with pytest.raises(EvaluationError, match="evaluations"):
        parse_condition("result matches '(a?){900}b'").judge("a" * 200_000)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text(r"ab|()[]{}*+?\.^$-:<>P=!dwQEpx,12", max_size=14), st.text("ab1", max_size=4))
def test_any_text_is_a_pattern_or_a_pattern_error(pattern: str, text: str) -> None:
    try:
        Pattern(pattern).search(text, State(None, 0))
    except PatternError as error:
        assert "; " in str(error)


def test_sizes_are_bounded() -> None:
    for pattern in ("(" * 5_000, "(" * 100 + ")" * 100, "a{1000}{1000}", "((a{100}){100}){100}", "a{1001}"):
        with pytest.raises(PatternError):
            Pattern(pattern)
