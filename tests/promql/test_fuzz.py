"""Whatever the text: an answer, a PromqlError or an EvaluationError. An answer has the type that was asked for and obeys the laws below;
every replication on its own gives what all give together. The values themselves: `test_promtool.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from sim.promql import (
    MISSING,
    STALE,
    Answer,
    Block,
    EvaluationError,
    Memory,
    PromqlError,
    Query,
    compile,
    functions,
    labelset,
    operators,
)
from sim.promql.evaluate import Evaluation
from sim.promql.labels import Labels
from sim.promql.tree import Aggregate, Binary, Call
from sim.promql.values import Scalar
from tests.fuzzing import fuzz
from tests.promql.expressions import PLAIN, UNARY, Maker, mutated

PROFILES = ("prometheus@2.42", "prometheus@3")
REPLICATIONS = 3
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


def bits(answer: Answer, replication: int) -> list[tuple[Labels, str]] | str:
    """Samples to the last bit; a NaN is a NaN, whatever its sign, which no one sees."""
    try:
        return sorted(
            (labels, "NaN" if value != value else value.hex()) for labels, value in answer.samples(replication)
        )
    except EvaluationError:
        return "error"


def labelled(answer: Answer, query: Query) -> None:
    """Labels are sorted, never empty, one series each in what a replication sees, and those that the outermost operation leaves."""
    assert all(labels == tuple(sorted(set(labels))) and all(value for _, value in labels) for labels in answer.labels)
    if answer.kind != "vector" or not answer.labels:
        return
    seen = Counter((labels, r) for row, labels in enumerate(answer.labels) for r in np.flatnonzero(answer.present[row]))
    failed = answer.failed()
    assert all(times == 1 or failed[r] for (_, r), times in seen.items())
    left = {name for labels in answer.labels for name, _ in labels}
    match query.tree:
        case Call(name=name) if name in NAMELESS:
            assert "__name__" not in left
        case Aggregate(op=op, names=names, without=False) if op not in ("topk", "bottomk", "count_values"):
            assert left <= set(names)
        case Binary(op=op, bool=True):
            assert np.isin(answer.values[answer.present], (0.0, 1.0)).all()


NAMELESS = {*PLAIN, *UNARY} - {"last_over_time", "sort", "sort_desc", "absent", "absent_over_time"}


def typed(answer: Answer, query: Query) -> None:
    """The kind that the parser's types promise, numbers in doubles, a mask in truths."""
    assert answer.kind == query.kind or answer.failures
    assert answer.values.dtype == np.float64
    assert answer.present.dtype == np.bool_
    assert answer.values.shape == answer.present.shape
    assert answer.values.shape == (len(answer.labels), REPLICATIONS)


LAWS: tuple[
    tuple[str, Callable[[list[tuple[Labels, str]]], list[tuple[Labels, str]]]], ...
] = (  # of what a query answers
    ("({}) or ({})", lambda samples: samples),
    ("({}) and ({})", lambda samples: samples),
    ("({}) unless ({})", lambda samples: []),
    ("sort({})", lambda samples: samples),
    ("group({})", lambda samples: [((), (1.0).hex())] if samples else []),
    ("count({})", lambda samples: [((), float(len(samples)).hex())] if samples else []),
    ("vector(scalar({}))", lambda samples: [((), samples[0][1] if len(samples) == 1 else "NaN")]),
    ("topk(1000, {})", lambda samples: samples),
)


def lawful(query: Query, together: Memory, number: int) -> None:
    """What a query inside another must give, whatever it is."""
    if query.kind != "vector":
        return
    form, law = LAWS[number // len(PROFILES) % len(LAWS)]
    outer = compile(form.replace("{}", query.text), query.profile.name, step=query.step)
    inner, whole = query.at(together, AT[1]), outer.at(together, AT[1])
    for replication in range(REPLICATIONS):
        one, all_of_it = bits(inner, replication), bits(whole, replication)
        if isinstance(one, list):
            assert all_of_it == sorted(law(one)), (outer.text, replication)
        else:
            assert all_of_it == "error", (outer.text, replication)


def check(query: Query, together: Memory, singles: list[Memory], number: int) -> None:
    answers = query.over(together, AT)
    for answer in answers:
        typed(answer, query)
        labelled(answer, query)
    if number % 14 == 0:  # of both profiles in turn
        lawful(query, together, number // 14)
        for at, answer in zip(AT, answers, strict=True):
            for replication, single in enumerate(singles):
                assert bits(answer, replication) == bits(query.at(single, at), 0), (at, replication)


class Asked:
    """Texts over one store. Every second one is damaged; those that are not are of the kind that was asked for."""

    def __init__(self, seed: int) -> None:
        every = blocks(seed)
        self.together, self.singles = Memory(every, REPLICATIONS), [alone(every, one) for one in range(REPLICATIONS)]
        self.kind = ""

    def make(self, number: int, random: Random) -> str:
        maker, depth = Maker(random), random.choice((1, 2, 2, 3))
        self.kind = "vector" if random.random() < 0.85 else "scalar"
        text = maker.vector(depth) if self.kind == "vector" else maker.scalar(depth)
        if number % 2 == 0:
            return text
        self.kind = ""
        return mutated(random, text)

    def check(self, number: int, text: str) -> str:
        try:
            query = compile(text, PROFILES[number // 2 % 2])
        except PromqlError as error:
            assert 1 <= error.column <= len(text) + 1
            assert error.problem
            return "refused"
        assert query.kind == self.kind or not self.kind
        check(query, self.together, self.singles, number)
        return "answered"


@pytest.mark.parametrize("seed", range(4))
def test_every_text_ends_in_an_answer_or_in_an_error(seed: int) -> None:
    asked = Asked(seed)
    ends = fuzz(5_000, seed, asked.make, asked.check)
    assert min(ends["answered"] - 1_000, ends["refused"]) > 1_000, ends


@pytest.mark.parametrize(
    "text",
    [  # found by the nightly texts: which of equal values is chosen goes by what one replication sees
        'bottomk by () (3.7, count_values by () ("i", h_bucket{le!="[12]", none!="2"}))',
        'topk(2, sum by (i) (count_values ("i", h_bucket)))',
        'topk by (i) (1, -count_values ("i", h_bucket) or h_bucket)',
    ],
)
@pytest.mark.parametrize("number", [0, 42])  # both profiles
def test_ties_do_not_depend_on_other_replications(text: str, number: int) -> None:
    asked = Asked(105)
    asked.kind = "vector"
    assert asked.check(number, text) == "answered"


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_million_texts(seed: int) -> None:
    asked = Asked(seed)
    fuzz(100_000, seed, asked.make, asked.check)


def always(evaluation: Evaluation, call: Call) -> Scalar:
    """A careless `scalar`: what is missing counts as 0."""
    found = evaluation.vector(call.args[0])
    shape = (len(evaluation.times), evaluation.replications)
    return Scalar(np.nan_to_num(np.broadcast_to(found.values[0], shape)) if len(found.labels) else np.zeros(shape))


def test_the_fuzz_sees_a_missing_value_that_becomes_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(functions._OTHERS, "scalar", always)
    asked = Asked(0)
    with pytest.raises(AssertionError, match="seed 0, text .*vector\\(scalar"):
        fuzz(5_000, 0, asked.make, asked.check)


def test_the_fuzz_sees_a_truth_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operators.COMPARISONS, ">", lambda one, other: np.where(one > other, 2.0, 0.0))
    asked = Asked(0)
    with pytest.raises(AssertionError, match="seed 0, text .*>"):
        fuzz(5_000, 0, asked.make, asked.check)
