"""What is no query is told with its column, in Prometheus's words where it has some; what is not supported, by name."""

from __future__ import annotations

import numpy as np
import pytest

from sim.promql import Block, EvaluationError, Memory, PromqlError, compile, labelset

BOTH = ("prometheus@2.42", "prometheus@3")

# text, column, part of the problem
WRONG = [
    ("", 1, "no expression found"),
    ("  # nothing", 1, "no expression found"),
    ("sum(x))", 7, "unexpected right parenthesis"),
    ("sum(x", 4, "unclosed left parenthesis"),
    ("rate(x[5m]", 5, "unclosed left parenthesis"),
    ("1 +", 4, "unexpected end"),
    ("1 +\n\n  y z", 10, "unexpected 'z'"),
    ("foo bar baz", 5, "unexpected 'bar'"),
    ("topk(1 x)", 8, "unexpected 'x'"),
    ("x by (a)", 3, "unexpected 'by'"),
    ("x ? y", 3, "unexpected character"),
    ('x{le=~"a', 2, "unterminated"),
    ("nosuch(x)", 1, "unknown function with name 'nosuch'"),
    ("1 + nosuch(x)", 5, "unknown function with name 'nosuch'"),
    ("1 + end()", 5, "unknown function with name 'end'"),
    ("1 + rate(x)", 5, "expected type matrix in call to function 'rate', got vector"),
    ("ln(1)", 1, "expected type vector in call to function 'ln', got scalar"),
    ("sum(x[5m])", 1, "expected type vector in aggregation expression, got matrix"),
    ("topk(x, y)", 1, "expected type scalar"),
    ('1 + "a"', 1, "must contain only scalar and instant vector"),
    ("1 > 2", 1, "comparisons between scalars must use BOOL modifier"),
    ("x and 1", 3, "set operator 'and' not allowed"),
    ("a + on(x) group_left(x) b", 8, "label 'x' must not occur in ON and GROUP clause at once"),
    ('label_replace(x, "a", "b", "c")', 1, "expected 5 argument(s)"),
    ("{}", 1, "at least one non-empty matcher"),
    ('{a=~".*"}', 1, "at least one non-empty matcher"),
    ('x{__name__="y"}', 1, "metric name must not be set twice"),
    ('up{job="a", pod=~"("}', 18, "error parsing regexp: missing ): ("),
    ('up{pod=~"a(?=b)"}', 9, "error parsing regexp: invalid perl operator"),
    ('up{pod=~"(a)\\\\1"}', 9, "error parsing regexp: invalid escape sequence"),
    ("x offset 1m offset 2m", 13, "offset may not be set multiple times"),
    ("x[0s]", 1, "duration must be greater than 0"),
    ("x[300y]", 3, "duration out of range"),
    ("x offset 2999999y", 10, "duration out of range"),
    ("x[999999999y15s]", 3, "duration out of range"),
    ("x[1h:999999999y15s]", 1, "duration out of range"),
    ("x @ 1.5.5", 8, "unexpected"),
    ("x @ --5", 6, "unexpected"),
    ("1__0", 1, "bad number"),
    ("x @ -1e300", 3, "timestamp out of bounds"),
    ('"\\xff"', 1, "single bytes"),
    ("x{a='b'}\0", 9, "not text"),
    ("(" * 101 + "1" + ")" * 101, 101, "nested deeper"),
    ("1" + "+1" * 160, 1, "nested deeper"),
    ("x" * 100_001, 1, "longer than"),
    ("histogram_count(x)", 1, "native histograms"),
    ("1 + histogram_sum(x)", 5, "native histograms"),
    ("histogram_fraction(0, 1, x)", 1, "native histograms"),
    ("limitk(2, x)", 1, "experimental"),
    ('sort_by_label(x, "a")', 1, "experimental"),
    ("x + fill(0) y", 5, "experimental"),
    ('x{a="b" or c="d"}', 9, "'or' between label matchers"),
]

# text, column under 2.42, problem; 3.x takes them all
NEW = [
    ("5m", 1, "bad number or duration syntax"),
    ("x[300]", 3, "bad duration syntax"),
    ("x offset 300", 10, "bad duration syntax"),
    ("x[5m:60]", 5, "bad duration syntax"),
    ("x @ 5m", 5, "bad number or duration syntax"),
    ("1_000", 1, "bad number or duration syntax"),
    ("x @ 1_000", 5, "bad number or duration syntax"),
    ('{"up"}', 2, "unexpected"),
    ('up{"job"="a"}', 4, "unexpected"),
]


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize(("text", "column", "problem"), WRONG, ids=[text[:30] for text, _, _ in WRONG])
def test_wrong_everywhere(text: str, column: int, problem: str, profile: str) -> None:
    with pytest.raises(PromqlError) as caught:
        compile(text, profile)
    assert problem in caught.value.problem
    assert caught.value.column == column


@pytest.mark.parametrize(("text", "column", "problem"), NEW)
def test_what_3_brought_is_wrong_in_2(text: str, column: int, problem: str) -> None:
    with pytest.raises(PromqlError, match=problem) as caught:
        compile(text, "prometheus@2.42")
    assert caught.value.column == column
    compile(text, "prometheus@3")


def test_a_function_that_3_renamed() -> None:
    compile("holt_winters(x[5m], 0.1, 0.2)", "prometheus@2.42")
    with pytest.raises(PromqlError, match="renamed to double_exponential_smoothing"):
        compile("holt_winters(x[5m], 0.1, 0.2)", "prometheus@3")


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("5..", "503", True),
        ("5..", "1503", False),  # anchored
        ("(?i)GET|post", "Post", True),
        ("", "", True),
        ("a{,3}", "a{,3}", True),  # no repetition in RE2
        ("{pod}", "{pod}", True),
        (r"\\d+", "\u0663", False),  # ASCII digits only
        (r"\\pL+", "\u00e9", True),
        (r"\\Qa.b\\E", "a.b", True),
        ("[[:alpha:]]+", "ab", True),
        ("a$", "a\n", False),
        ("(a*)*b", "a" * 60, False),  # and at once
    ],
)
def test_regular_expressions_are_re2s(pattern: str, value: str, matches: bool, profile: str) -> None:
    (selector,) = compile(f'{{__name__="up", l=~"{pattern}"}}', profile).selectors
    assert selector.matchers[1].accepts(value) == matches


def test_a_dot_matches_a_newline_since_3() -> None:
    found = {name: compile('up{l=~"a.b"}', name).selectors[0].matchers[1].accepts("a\nb") for name in BOTH}
    assert found == {"prometheus@2.42": False, "prometheus@3": True}


@pytest.mark.parametrize(
    "text", ["max_over_time(x[1y:1ms])", "max_over_time(max_over_time(vector(1)[1h:1s])[1d:1s])", "x[1y:1ms]"]
)
def test_what_would_never_end_is_refused_at_once(text: str) -> None:
    block = Block((labelset({"__name__": "x"}),), np.arange(3) * 1000, np.ones((1, 3, 1)))
    answer = compile(text).at(Memory([block]), 1e9)
    with pytest.raises(EvaluationError, match=r"more than (100,000 steps|1,000,000 samples)"):
        answer.samples()


@pytest.mark.parametrize(
    ("text", "value"), [("1_000.5", 1000.5), ("0x1_F", 31.0), ("1e1_0", 1e10), ("1m30s", 90.0), ("-1h", -3600.0)]
)
def test_numbers_of_3(text: str, value: float) -> None:
    assert compile(text, "prometheus@3").at(Memory([]), 0).value() == value


@pytest.mark.parametrize(
    ("text", "fixed"),
    [("x @ -1.5", -1.5), ("x @ 1e3", 1000), ("x @ 5m", 300), ("x @ -1_0", -10), ("x @ 0.0005", 0.001)],
)
def test_fixed_times(text: str, fixed: float) -> None:
    assert compile(text, "prometheus@3").selectors[0].fixed == fixed


@pytest.mark.parametrize(
    ("text", "column"),
    [("x[1e300]", 3), ("x[1h:1e300]", 5), ("x offset -1e15", 11), ("x offset NaN", 10), ("x[Inf]", 3)],
)
def test_bare_numbers_that_are_no_durations(text: str, column: int) -> None:
    with pytest.raises(PromqlError, match="duration out of range") as caught:
        compile(text, "prometheus@3")
    assert caught.value.column == column
