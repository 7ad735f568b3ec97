"""What a query reads, and the newest sample of a series."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from sim.promql import MISSING, SAMPLE, STALE, Block, Memory, PromqlError, compile, labelset
from sim.promql.lexer import selectors, tokens
from tests.promql.expressions import Maker

TIMES = np.arange(0, 100_000, 10_000)


def store() -> Memory:
    series = tuple(labelset({"__name__": "up", "job": job}) for job in "ab")
    return Memory([Block(series, TIMES, np.arange(20.0).reshape(2, 10, 1))])


@pytest.mark.parametrize(
    "text, at, expected",
    [
        ("up", 95, {"a": 9, "b": 19}),
        ('up{job=~"a|c"}', 95, {"a": 9}),
        ('{__name__=~"u.*",job!="a"}', 95, {"b": 19}),
        ("up offset 30s", 95, {"a": 6, "b": 16}),
        ("up @ 20", 95, {"a": 2, "b": 12}),
        ("up @ -1", 95, {}),
        ("up @ end() offset -10s", 20, {"a": 3, "b": 13}),
    ],
)
def test_newest_samples(text: str, at: float, expected: dict[str, float]) -> None:
    found = compile(text).at(store(), at).samples()
    assert {dict(labels)["job"]: value for labels, value in found} == expected


@pytest.mark.parametrize(("profile", "age", "there"), [
    ("prometheus@2.42", 300, True), ("prometheus@2.42", 300.001, False), ("prometheus@3", 299.999, True), ("prometheus@3", 300, False),
])  # fmt: skip
def test_look_back_is_closed_in_2_and_open_in_3(profile: str, age: float, there: bool) -> None:
    assert bool(compile('up{job="a"}', profile).at(store(), 90 + age).samples()) == there


def test_marks_are_per_replication() -> None:
    marks = np.zeros((1, 10, 3), np.uint8)
    marks[0, 9] = [SAMPLE, MISSING, STALE]
    block = Block((labelset({"__name__": "up"}),), TIMES, np.arange(10.0).reshape(1, 10, 1).repeat(3, 2), marks)
    answer = compile("up").at(Memory([block], 3), 90)
    assert [answer.samples(r) for r in range(3)] == [[(block.labels[0], 9.0)], [(block.labels[0], 8.0)], []]


@pytest.mark.parametrize(
    ("text", "span", "fixed"),
    [
        ("up", (-300, 0), None),
        ("up offset 1m", (-360, -60), None),
        ("up[2m]", (-120, 0), None),
        ("rate(up[2m] offset -1m)", (-60, 60), None),
        ("max_over_time(rate(up[1m])[5m:30s])", (-360, 0), None),
        ("up @ 100", (-300, 0), 100),
        ("sum_over_time(up[10m:] @ 50 offset 1m)", (-960, -60), 50),
    ],
)
def test_a_selector_says_how_far_back_it_reads(text: str, span: tuple[float, float], fixed: float | None) -> None:
    (selector,) = compile(text).selectors
    assert (selector.span, selector.fixed) == (span, fixed)


ODD = (
    "by", "sum by (a) (x)", "sum(x) by (a) + on (b) group_left (c) y", "offset offset 5m", "x offset 5m + y", "x[5m:1m] + z",
    "(a[5m:])[3m:1m]", 'sum without (le) ({__name__="a"}) or {b="c"}', "x and y or z unless w", "a > bool b", "NaN + x",
    'topk(3, x{a="b"} @ end())', "start + end", "x @ start() + y", 'count_values("v", {a="1",b=~"x(y)"})', "sum(sum)", "x atan2 y",
    ":a + b", 'x{a="{b}"} / {c="d"}', "a and on(b) c",
)  # fmt: skip


def test_every_selector_knows_its_column() -> None:
    """However deep, and where keywords are metrics."""
    maker, texts = Maker(Random(3)), list(ODD)
    texts += [maker.make(4) for _ in range(500)]
    for text in texts:
        try:
            query = compile(text)
        except PromqlError:
            continue
        starts = [token.column for token in selectors(tokens(text))]
        assert [selector.column for selector in query.selectors] == starts, text
        for selector in query.selectors:
            assert text[selector.column - 1] == "{" or text[selector.column - 1 :].startswith(selector.name), text
