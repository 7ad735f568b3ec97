"""3,000 conditions, half from a grammar and half from noise: a result or one of the two errors, nothing else."""

from __future__ import annotations

import math
import random

from sim.policy.expr import NEW, OLD, ConditionError, EvaluationError, parse_condition

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


def grammar(rng: random.Random, depth: int, loops: int) -> str:
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


def whole(rng: random.Random) -> str:
    """A condition, mostly one that can be true or false."""
    depth = rng.randrange(4)
    one, two = grammar(rng, depth, 0), grammar(rng, depth, 0)
    forms = (one, f"({one}) == ({two})", f"({one}) < 1", f"type({one}) != 'x'", f"len([{one}]) > 0", f"isNil({one})")
    return rng.choice(forms)


def noise(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(40))).decode("latin-1")
    text = grammar(rng, 2, 0) if rng.random() < 0.5 else ""
    for _ in range(rng.randrange(1, 8)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(NOISE) + text[place + rng.randrange(2) :]
    return text


def test_three_thousand_random_conditions() -> None:
    rng = random.Random(20240613)
    judged = {"parsed": 0, "refused": 0, "judged": 0, "errors": 0}
    for number in range(3_000):
        text = whole(rng) if number % 2 else noise(rng)
        try:
            condition = parse_condition(text, NEW if number % 3 else OLD)
        except ConditionError as error:
            judged["refused"] += 1
            assert 1 <= error.column <= len(text) + 1
            continue
        judged["parsed"] += 1
        for result in rng.sample(RESULTS, 4):
            try:
                assert condition.judge(result) in (True, False)
                judged["judged"] += 1
            except EvaluationError as error:
                judged["errors"] += 1
                assert str(error).startswith("could not evaluate")
    assert min(judged.values()) > 200, judged
