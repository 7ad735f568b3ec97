"""Against the real promtool: every value of every expression, to the last bit."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from sim.files import read_document
from sim.promql import PromqlError, compile
from sim.promql.testfile import read
from sim.promql.trials import number, run
from tests.promql.expressions import Maker
from tests.promql.promtool import Said, Samples, ask, passes

pytestmark = pytest.mark.promtool

ORACLE = Path(__file__).parent / "oracle"
LOOSE = 1e-12  # relative; where promtool's own answer depends on an order that it draws at random


def loaded(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ORACLE / name).read_text(encoding="utf-8")))


def cases(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(text, at) for text in (*data["expressions"], *data["loose"]) for at in data["at"]]


def document(data: dict[str, Any], tests: list[dict[str, Any]]) -> dict[str, Any]:
    group = {"interval": data["interval"], "input_series": data["input_series"], "promql_expr_test": tests}
    return {"evaluation_interval": data["evaluation_interval"], "tests": [group]}


def ours(data: dict[str, Any]) -> list[Said]:
    """Our answers, from the same file that promtool reads; expressions that are no queries have their error."""
    readable = [(text, at) for text, at in cases(data) if not problem(text)]
    tests = [{"expr": text, "eval_time": at} for text, at in readable]
    suite = read(read_document(yaml.safe_dump(document(data, tests)), "oracle"), "prometheus@2.42")
    outcomes = iter([(one.got, one.error) for one in run(suite)])
    out = []
    for text, _ in cases(data):
        if error := problem(text):
            out.append(Said({}, error))
        else:
            got, error = next(outcomes)
            out.append(Said(dict(got), error))
    return out


def problem(text: str) -> str:
    try:
        compile(text, "prometheus@2.42")
    except PromqlError as error:
        return str(error)
    return ""


def alike(a: Samples, b: Samples, within: float) -> bool:
    return a.keys() == b.keys() and all(
        a[key] == b[key]
        or (math.isnan(a[key]) and math.isnan(b[key]))
        or math.isclose(a[key], b[key], rel_tol=within, abs_tol=0)
        for key in a
    )


@pytest.mark.parametrize("name", sorted(file.name for file in ORACLE.glob("*.yml")))
def test_every_value_is_promtools(name: str, tmp_path: Path) -> None:
    data = loaded(name)
    theirs = ask(tmp_path, data["evaluation_interval"], data["interval"], data["input_series"], cases(data))
    wrong = [
        f"{text} at {at}: promtool {them.error or them.samples}, ours {us.error or us.samples}"
        for (text, at), them, us in zip(cases(data), theirs, ours(data), strict=True)
        if bool(them.error) != bool(us.error)
        or not alike(them.samples, us.samples, LOOSE if text in data["loose"] else 0.0)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(file.name for file in ORACLE.glob("*.yml")))
def test_promtool_takes_our_answers_for_expectations_and_catches_a_wrong_one(name: str, tmp_path: Path) -> None:
    """The other direction: no NaN here, which promtool 2.42 finds different from itself."""
    data = loaded(name)
    tests = [
        {"expr": text, "eval_time": at, "exp_samples": [sample(labels, value) for labels, value in us.samples.items()]}
        for (text, at), us in zip(cases(data), ours(data), strict=True)
        if not us.error and text not in data["loose"] and not any(math.isnan(value) for value in us.samples.values())
    ]
    assert len(tests) > 500
    good, printed = passes(tmp_path, document(data, tests))
    assert good, printed
    middle = next(test for test in tests[len(tests) // 2 :] if test["exp_samples"])
    first = middle["exp_samples"][0]
    first["value"] = math.nextafter(first["value"], math.inf)
    good, printed = passes(tmp_path, document(data, tests))
    assert not good
    assert printed.count("expr:") == 1


TAME = [
    {"series": 'a{i="1"}', "values": "0+3x12 1+2x10 _x3 5+1x20 stale _x4 3 4 7"},
    {"series": 'a{i="2"}', "values": "7 _ 3 9 stale 4 4 4 NaN 4 Inf 3 2+1x20"},
    {"series": 'b{i="1",j="x"}', "values": "0.1+0.7x40"},
    {"series": 'b{i="2"}', "values": "-3+0.5x10 1e300 -1e300 4x20 _x5 0.1 0.2"},
    {"series": 'h_bucket{le="0.1",i="1"}', "values": "0+1x40"},
    {"series": 'h_bucket{le="+Inf",i="1"}', "values": "0+3x20 1+2x20"},
]


@pytest.mark.parametrize("seed", range(1, 5))
def test_random_expressions_give_what_promtool_gives(seed: int, tmp_path: Path) -> None:
    """Two series per metric and aggregations that commute, so that promtool's random order changes nothing."""
    maker = Maker(Random(seed), tame=True)
    texts = [maker.make(3) for _ in range(400)]
    data = {
        "evaluation_interval": "1m", "interval": "15s", "input_series": TAME, "at": ["1m40s", "5m", "10m5s500ms"],
        "expressions": texts, "loose": [],
    }  # fmt: skip
    theirs = ask(tmp_path, "1m", "15s", TAME, cases(data))
    wrong = [
        f"{text} at {at}: promtool {them.error or them.samples}, ours {us.error or us.samples}"
        for (text, at), them, us in zip(cases(data), theirs, ours(data), strict=True)
        if bool(them.error) != bool(us.error) or not alike(them.samples, us.samples, 0.0)
    ]
    assert wrong == []
    assert sum(not them.error for them in theirs) > 700


def sample(labels: tuple[tuple[str, str], ...], value: float) -> dict[str, Any]:
    from sim.promql.labels import shown

    return {"labels": shown(labels), "value": value}


def test_values_are_printed_as_promtool_prints_them(tmp_path: Path) -> None:
    values = [
        "0",
        "1",
        "-2.5",
        "1e-7",
        "123456789",
        "1e21",
        "0.1",
        "1e300",
        "5e-324",
        "Inf",
        "-Inf",
        "1.7976931348623157e308",
    ]
    series = [{"series": f'x{{i="{i:02}"}}', "values": value} for i, value in enumerate(values)]
    test = {"expr": "x", "eval_time": "0s", "exp_samples": []}
    _, printed = passes(
        tmp_path, document({"evaluation_interval": "1m", "interval": "1m", "input_series": series}, [test])
    )
    got = printed[printed.index("got:") :]
    for i, value in enumerate(values):
        assert f'i="{i:02}"}} {number(float(value))}' in got
