"""What callers hold in hand: queries, answers, blocks."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sim.promql import MISSING, Block, EvaluationError, Memory, compile, labelset

NAN = float("nan")


def gauges(*values: float, name: str = "x") -> Memory:
    """One series per value, label i = 0, 1, ..., sampled at 0 s."""
    labels = tuple(labelset({"__name__": name, "i": str(i)}) for i in range(len(values)))
    return Memory([Block(labels, np.zeros(1, np.int64), np.array(values).reshape(-1, 1, 1))])


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("x", "0123"),
        ("sort(x)", "2013"),
        ("sort_desc(x)", "1023"),
        ("-sort(x) * 2", "2013"),
        ("topk(2, x)", "10"),
        ("bottomk(3, x)", "201"),
        ("sort(x) and x > 1", "201"),
        ('label_replace(sort_desc(x), "j", "$1", "i", "(.*)")', "1023"),
        ("sort(topk(2, x))", "01"),
    ],
)
def test_samples_come_in_prometheus_order(text: str, order: str) -> None:
    found = compile(text).at(gauges(3, 7, 1.5, NAN), 0).samples()
    assert "".join(dict(labels)["i"] for labels, _ in found) == order


def replicated() -> Memory:
    """Two series of the same `job`; in the second of three replications only one of them is there, in the third none."""
    labels = tuple(labelset({"__name__": "x", "job": "a", "pod": pod}) for pod in "pq")
    marks = np.array([[[0, 0, MISSING]], [[0, MISSING, MISSING]]], np.uint8)
    return Memory([Block(labels, np.zeros(1, np.int64), np.array([[[1.0, 2, 3]], [[4, 5, 6]]]), marks)], 3)


def test_replications_fail_one_by_one() -> None:
    answer = compile("x * on(job) x").at(replicated(), 0)
    assert answer.failed().tolist() == [True, False, False]
    with pytest.raises(
        EvaluationError, match=r'duplicate series for the match group \{job="a"\} on the right hand-side'
    ):
        answer.samples(0)
    assert answer.samples(1) == [((("job", "a"),), 4.0)]
    assert answer.samples(2) == []


def test_aggregations_count_what_each_replication_has() -> None:
    for text, expected in (
        ("sum(x)", [5.0, 2.0, None]),
        ("count(x) or vector(0)", [2.0, 1.0, 0.0]),
        ("scalar(x) + 1", [NAN, 3.0, NAN]),
    ):
        answer = compile(text).at(replicated(), 0)
        got = [next((value for _, value in answer.samples(r)), None) for r in range(3)]
        assert repr(got) == repr(expected)


def test_an_absent_series_is_there_where_nothing_is() -> None:
    answer = compile('absent(x{job="a"})').at(replicated(), 0)
    assert [len(answer.samples(r)) for r in range(3)] == [0, 0, 1]


def test_kinds() -> None:
    store = gauges(1, 2)
    assert compile("1 + 1").at(store, 0).value() == 2
    assert compile('"a"').at(store, 0).text == "a"
    assert [value for _, value in compile("x[5m]").at(store, 0).samples()] == [1, 2]
    with pytest.raises(EvaluationError, match="expected a scalar, got a vector"):
        compile("x").at(store, 0).value()


@pytest.mark.parametrize(
    "text", ["rate(x[1m])", "sum(x) or vector(time())", "max_over_time(x[2m:30s])", "x @ end()", "topk(1, x)"]
)
def test_several_times_at_once_give_what_each_gives(text: str) -> None:
    times = np.arange(0, 600_000, 15_000)
    labels = tuple(labelset({"__name__": "x", "i": i}) for i in "ab")
    values = np.cumsum(np.random.default_rng(2).poisson(4, (2, len(times), 5)), axis=1).astype(float)
    store, query, at = Memory([Block(labels, times, values)], 5), compile(text), [0.0, 60.0, 61.5, 300.0, 2000.0]
    together, apart = query.over(store, at), [query.at(store, one) for one in at]
    for one, other in zip(together, apart, strict=True):
        assert [one.samples(r) for r in range(5)] == [other.samples(r) for r in range(5)]


def test_a_query_pickles_as_its_text() -> None:
    query = pickle.loads(pickle.dumps(compile("sum_over_time(x[1m:])", "prometheus@2.42", step=15.0)))
    assert (query.text, query.profile.name, query.step) == ("sum_over_time(x[1m:])", "prometheus@2.42", 15.0)
    assert query.at(gauges(2), 45).samples()[0][1] == 8  # at 0, 15, 30 and 45 s


def test_a_block_says_what_is_wrong_with_it() -> None:
    with pytest.raises(
        ValueError, match=r"1 label sets and 2 times has values \[series, times, replications\], got \(1, 3, 1\)"
    ):
        Block((labelset({"__name__": "x"}),), np.arange(2), np.zeros((1, 3, 1)))


def test_the_package_loads_nothing_heavy_before_its_first_use() -> None:
    code = "import sys, sim, sim.promql; print({'numpy', 're2', 'promql_parser'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "set()"


@pytest.mark.parametrize("shape", [(1, 20, 1), (1, 20, 3), (2, 20, 1), (2, 1, 3), (1, 1, 3), (2, 20, 3)])
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "rate(x[1m])",
        "sum_over_time(x[2m] offset 30s)",
        'x{i="b"}',
        'quantile_over_time(0.5, x{i="b"}[2m])',
        "timestamp(x)",
    ],
)
def test_marks_may_be_of_any_shape_that_stands_for_all(text: str, shape: tuple[int, int, int]) -> None:
    random = np.random.default_rng(1)
    labels = tuple(labelset({"__name__": "x", "i": i}) for i in "ab")
    times, values = np.arange(0, 300_000, 15_000), np.cumsum(random.poisson(4, (2, 20, 3)), axis=1).astype(float)
    marks = random.choice(np.array([0, 0, 0, 1, 2], np.uint8), shape)
    full = np.ascontiguousarray(np.broadcast_to(marks, values.shape))
    query = compile(text)
    for at in (0.0, 100.0, 290.0):
        short, long = (query.at(Memory([Block(labels, times, values, one)], 3), at) for one in (marks, full))
        assert [short.samples(r) for r in range(3)] == [long.samples(r) for r in range(3)]
