"""Conditions of a grammar and noise: a result or one of the two errors, nothing else; and conditions with an answer known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest
from pytest import MonkeyPatch

from sim.policy.expr import (
    NEW,
    OLD,
    Condition,
    ConditionError,
    EvaluationError,
    build_operators,
    parse_condition,
    values,
)
from tests.fuzzing import fuzz
from tests.policy.expr_oracle import WORLDS, answer, made, written

BINARY = [
    "or",
    "||",
    "and",
    "&&",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "in",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "..",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "^",
    "??",
]
ONE = [
    "len",
    "first",
    "last",
    "min",
    "max",
    "mean",
    "median",
    "abs",
    "ceil",
    "floor",
    "round",
    "int",
    "float",
    "string",
    "type",
    "keys",
    "values",
    "toPairs",
    "fromPairs",
    "reverse",
    "uniq",
    "flatten",
    "sort",
    "concat",
    "asInt",
    "asFloat",
    "isNaN",
    "isInf",
    "isNil",
    "trim",
    "upper",
    "lower",
    "toJSON",
    "fromJSON",
    "join",
]
LOOPS = [
    "all",
    "none",
    "any",
    "one",
    "filter",
    "map",
    "count",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "groupBy",
    "sortBy",
    "sum",
    "reduce",
]
LEAVES = [
    "result",
    "result[0]",
    "result.a",
    "result?.b.c",
    "1",
    "0",
    "2.5",
    "-1",
    "true",
    "false",
    "nil",
    "'a'",
    "'1'",
    "[]",
    "[1, 2]",
    "{}",
    "{a: 1}",
    "1..3",
    "[[1], 'x', nil]",
    "9223372036854775807",
    "1e308",
    "`(`",
    "'\\u00e9'",
]
INSIDE = ["#", "#.a", ".a", "#index", "#acc"]
NOISE = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#",
    ".",
    "?.",
    "??",
    "?",
    ":",
    "|",
    ";",
    ",",
    "'",
    '"',
    "`",
    "\\",
    "let x =",
    "if",
    "else",
    "not",
    "in",
    "result",
    "len",
    "all(",
    "0x",
    "1e",
    "..",
    "//",
    "/*",
    "*/",
    "é",
    "\x00",
    "\ud800",
    "😀",
    "\n",
    " ",
    "=",
    "**",
]
RESULTS: list[object] = [
    None,
    True,
    3,
    0.5,
    math.nan,
    "abc",
    "",
    [],
    [0.01],
    [math.nan, 1.0, -math.inf],
    [1.0, "x", None, True, [2.0], {"a": 1.0}],
    {},
    {"a": {"b": 1.0}, "b": {"c": [1.0]}, "s": "héllo"},
    10**30,
    [10**30],
    (1.0,),
    {"a": {1}},
    {1: 2},
    "\ud800",
]


def grammar(rng: Random, depth: int, loops: int) -> str:
    """One expression of about this depth."""

    def sub(more: int = 0) -> str:
        return grammar(rng, depth - 1, loops + more)

    if depth <= 0:
        return rng.choice(LEAVES + INSIDE if loops else LEAVES)
    roll = rng.randrange(12)
    if roll < 4:
        return f"{sub()} {rng.choice(BINARY)} {sub()}"
    if roll < 6:
        return f"{rng.choice(ONE)}({sub()})"
    if roll < 8:
        return f"{rng.choice(LOOPS)}({sub()}, {sub(1)})"
    forms = (
        f"({sub()})",
        f"not {sub()}",
        f"-{sub()}",
        f"{sub()} ? {sub()} : {sub()}",
        f"(let v = {sub()}; {sub()})",
        f"[{sub()}, {sub()}]",
        f"{{k: {sub()}}}",
        f"{sub()} | {rng.choice(ONE)}()",
        f"({sub()})[{sub()}]",
        f"({sub()})[{sub()}:]",
        f"get({sub()}, {sub()})",
        f"default({sub()}, {sub()})",
        f"{sub()} < {sub()} < {sub()}",
        f"if {sub()} {{ {sub()} }} else {{ {sub()} }}",
        f"split({sub()}, {sub()})",
        f"reduce({sub()}, {sub(1)}, {sub()})",
    )
    return rng.choice(forms)


def whole(rng: Random) -> str:
    """A condition, mostly one that can be true or false."""
    depth = rng.randrange(4)
    one, two = grammar(rng, depth, 0), grammar(rng, depth, 0)
    forms = (one, f"({one}) == ({two})", f"({one}) < 1", f"type({one}) != 'x'", f"len([{one}]) > 0", f"isNil({one})")
    return rng.choice(forms)


def noise(rng: Random) -> str:
    if rng.random() < 0.3:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(40))).decode("latin-1")
    text = grammar(rng, 2, 0) if rng.random() < 0.5 else ""
    for _ in range(rng.randrange(1, 8)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(NOISE) + text[place + rng.randrange(2) :]
    return text


def sound(condition: Condition, result: object) -> str:
    """One judgement: true, false or an EvaluationError, twice the same, and the result is left as it was."""
    before = repr(result)
    try:
        held = condition.judge(result)
    except EvaluationError as error:
        assert str(error).startswith("could not evaluate")
        with pytest.raises(EvaluationError, match="could not evaluate"):
            condition.judge(result)
        return "error"
    assert held is True or held is False
    assert condition.judge(result) is held
    assert repr(result) == before, f"judging changed {before}"
    return "judged"


def noisy(number: int, random: Random) -> str:
    return whole(random) if number % 2 else noise(random)


def judged(number: int, text: str) -> str:
    """Any text: refused with a column, or judged about four results."""
    try:
        condition = parse_condition(text, NEW if number % 3 else OLD)
    except ConditionError as error:
        assert 1 <= error.column <= len(text) + 1
        assert error.problem
        return "refused"
    ends = {sound(condition, RESULTS[(number + step) % len(RESULTS)]) for step in (0, 4, 7, 12)}
    return "judged" if "judged" in ends else "error"


class Asked:
    """Conditions whose answer the oracle knows; the tree of the last one is kept for the check."""

    def make(self, number: int, random: Random) -> str:
        self.world = random.choice(WORLDS)
        self.tree = made(random, random.choice((1, 2, 2, 3, 4)), self.world)
        return written(random, self.tree)

    def check(self, number: int, text: str) -> str:
        wanted = answer(self.tree, self.world)
        try:
            found: bool | None = parse_condition(text).judge(self.world)
        except EvaluationError:
            found = None
        assert found is wanted, f"{found}, not {wanted}, of {self.world}"
        return str(found)


@pytest.mark.parametrize("seed", range(2))
def test_every_text_is_refused_or_judged(seed: int) -> None:
    ends = fuzz(10_000, seed, noisy, judged)
    assert min(ends[end] for end in ("refused", "judged", "error")) > 500, ends


def test_nothing_is_silently_something_else() -> None:
    asked = Asked()
    ends = fuzz(20_000, 0, asked.make, asked.check)
    assert min(ends[end] for end in ("True", "False", "None")) > 3_000, ends


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_million_conditions(seed: int) -> None:
    fuzz(50_000, seed, noisy, judged)
    asked = Asked()
    fuzz(50_000, seed, asked.make, asked.check)


LENIENT: tuple[
    tuple[str, Callable[..., object]], ...
] = (  # what a careless evaluator would do, and the operator that does it
    ("add", lambda left, right: f"{left}{right}"),
    ("equal", lambda left, right, depth=0: str(left) == str(right)),
    ("less", lambda left, right: (left or 0) < (right or 0) if type(left) is not str is not type(right) else False),
    ("numeric", lambda value: isinstance(value, (int, float)) or value is None),
)


@pytest.mark.parametrize(("name", "careless"), LENIENT, ids=[name for name, _ in LENIENT])
def test_the_fuzz_sees_a_silent_coercion(name: str, careless: Callable[..., object], monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(values, name, careless)
    monkeypatch.setitem(build_operators.ARITHMETIC, "+", values.add)
    monkeypatch.setitem(build_operators.ORDER, "<", values.less)
    asked = Asked()
    with pytest.raises(AssertionError, match="seed 0, text .*, not "):
        fuzz(5_000, 0, asked.make, asked.check)


def test_the_fuzz_sees_a_hang() -> None:
    def hangs(number: int, text: str) -> str:
        while True:
            pass

    with pytest.raises(AssertionError, match="seed 0, text 0: .*Hang: more than 0.05 s"):
        fuzz(1, 0, noisy, hangs, limit=0.05)
