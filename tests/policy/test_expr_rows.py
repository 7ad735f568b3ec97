"""The condition language, row by row: each row names its rule of delivery-systems.md section 3.

`data/expr_rows.json`: by rule, [condition, result, outcome with argo-rollouts@1.10, outcome with 1.8 if it differs].
`data/expr_recorded.json`: generated conditions, [condition, kind of result, result, outcome, outcome with 1.8].
All outcomes were recorded from the original engine (expr v1.17.8 and v1.15.5 with Argo's six names); "skip" marks a
row where ours differs on purpose (README of sim/policy/expr). "$doc" is the document at the top of the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.policy.expr import LIST, NEW, OLD, VECTOR, ConditionError, EvaluationError, Shape, parse_condition

DATA = Path(__file__).parent / "data"
ROWS: dict[str, Any] = json.loads((DATA / "expr_rows.json").read_text(encoding="utf-8"))
RECORDED: dict[str, Any] = json.loads((DATA / "expr_recorded.json").read_text(encoding="utf-8"))


def outcome(text: str, result: object, profile: str, shape: Shape | None = None) -> bool | str:
    try:
        return parse_condition(text, profile).judge(result, shape)
    except (ConditionError, EvaluationError):
        return "error"


@pytest.mark.parametrize("profile", [NEW, OLD])
@pytest.mark.parametrize("rule", list(ROWS["rows"]))
def test_rows_of_a_rule(rule: str, profile: str) -> None:
    wrong = []
    for text, result, *outcomes in ROWS["rows"][rule]:
        expected = outcomes[-1] if profile == OLD else outcomes[0]
        actual = outcome(text, ROWS["doc"] if result == "$doc" else result, profile)
        if expected != "skip" and actual is not expected and actual != expected:
            wrong.append(f"{text} with {result!r}: {actual}, not {expected}")
    assert not wrong


@pytest.mark.parametrize("profile", [NEW, OLD])
def test_recorded_rows(profile: str) -> None:
    wrong = []
    for text, kind, result, *outcomes in RECORDED["rows"]:
        expected = outcomes[-1] if profile == OLD else outcomes[0]
        value = RECORDED["doc"] if result == "$doc" else result
        actual = outcome(text, value, profile, {"floats": VECTOR, "list": LIST}.get(kind))
        if expected != "skip" and actual != expected:
            wrong.append(f"{text} with {kind} {result!r}: {actual}, not {expected}")
    assert not wrong


def test_there_are_many_rows_of_every_outcome() -> None:
    rows = [row for rule in ROWS["rows"].values() for row in rule]
    assert len(rows) > 1000
    assert len(RECORDED["rows"]) == 450
    for expected in (True, False, "error"):
        assert sum(row[2] is expected or row[2] == expected for row in rows) > 100
