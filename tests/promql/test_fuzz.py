"""Whatever the text: an answer, a PromqlError or an EvaluationError; and every replication on its own gives what all give together."""

from __future__ import annotations

from random import Random
from time import process_time

import numpy as np
import pytest

from sim.promql import MISSING, STALE, Answer, Block, EvaluationError, Memory, PromqlError, Query, compile, labelset
from tests.promql.expressions import Maker, mutated

PROFILES = ("prometheus@2.42", "prometheus@3")
REPLICATIONS = 3
LONGEST = 20.0  # seconds of this process for one text
AT = (100.0, 300.0, 605.5)


def blocks(seed: int) -> list[Block]:
    """Counters with resets, gauges with odd values, buckets; gaps and staleness markers that differ between replications."""
    random = np.random.default_rng(seed)
    names = [
        [{"__name__": "a", "i": "1"}, {"__name__": "a", "i": "2"}],
        [{"__name__": "b", "i": "1", "j": "x"}, {"__name__": "b", "i": "2"}, {"__name__": "b", "i": "2", "j": "y"}],
        [{"__name__": "h_bucket", "i": i, "le": le} for i in "12" for le in ("0.1", "1", "5", "+Inf")],
    ]
    out = []
    for index, group in enumerate(names):
        times = np.arange(40, dtype=np.int64) * 15_000 + 1000 * index
        values = np.cumsum(random.poisson(3, (len(group), 40, REPLICATIONS)), axis=1).astype(float)
        values[random.random(values.shape) < 0.02] = 0.0
        if index == 1:
            values[random.random(values.shape) < 0.05] = random.choice([np.nan, np.inf, -np.inf, -2.5, 1e300])
        marks = None
        if index != 2:
            drawn = random.random(values.shape)
            marks = np.where(drawn < 0.1, MISSING, np.where(drawn < 0.15, STALE, 0)).astype(np.uint8)
        out.append(Block(tuple(labelset(one) for one in group), times, values, marks))
    return out


def alone(every: list[Block], replication: int) -> Memory:
    one = slice(replication, replication + 1)
    return Memory(
        [Block(b.labels, b.times, b.values[..., one], None if b.marks is None else b.marks[..., one]) for b in every], 1
    )


def bits(answer: Answer, replication: int) -> object:
    """Samples to the last bit; a NaN is a NaN, whatever its sign, which no one sees."""
    try:
        return sorted(
            (labels, "NaN" if value != value else value.hex()) for labels, value in answer.samples(replication)
        )
    except EvaluationError:
        return "error"


def check(query: Query, together: Memory, singles: list[Memory], thorough: bool) -> None:
    answers = query.over(together, AT)
    for answer in answers:
        assert answer.values.dtype == np.float64
        assert answer.values.shape == answer.present.shape or answer.kind == "string"
        assert all(
            labels == tuple(sorted(set(labels))) and all(value for _, value in labels) for labels in answer.labels
        )
    if thorough:
        for at, answer in zip(AT, answers, strict=True):
            for replication, single in enumerate(singles):
                assert bits(answer, replication) == bits(query.at(single, at), 0), (query.text, at, replication)


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """(queries, texts that are none) among `count` texts."""
    random = Random(seed)
    every = blocks(seed)
    together, singles = Memory(every, REPLICATIONS), [alone(every, replication) for replication in range(REPLICATIONS)]
    good = 0
    for number in range(count):
        began = process_time()
        text = Maker(random).make(random.choice((1, 2, 2, 3)))
        if number % 2:
            text = mutated(random, text)
        try:
            query = compile(text, PROFILES[number // 2 % 2])
        except PromqlError as error:
            assert 1 <= error.column <= len(text) + 1, text
            assert error.problem
            continue
        except BaseException as error:
            raise AssertionError(text) from error
        good += 1
        try:
            check(query, together, singles, thorough=number % 14 == 0)  # of both profiles in turn
        except Exception as error:
            raise AssertionError(text) from error
        assert process_time() - began < LONGEST, text
    return good, count - good


@pytest.mark.parametrize("seed", range(4))
def test_every_text_ends_in_an_answer_or_in_an_error(seed: int) -> None:
    good, bad = fuzz(5_000, seed)
    assert good > 2_000
    assert bad > 1_000


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_million_texts(seed: int) -> None:
    fuzz(100_000, seed)
