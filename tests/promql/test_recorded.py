"""Answers of the real engines, recorded once: prometheus/prometheus v0.42.0 and v0.305.1 (3.5.1), run over the series of `oracle/`.

What needs no promtool, and the only oracle of 3.x. Each line: file, expression, seconds, and per version (or `both`) the samples or
`error`. Recorded by a program of twenty lines around `promql.Engine` that prints the bits; rows whose value changed between three runs
(series come in random order there) were left out.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sim.files import parse_prom_duration
from sim.promql import Answer, Block, EvaluationError, Memory, compile
from sim.promql.labels import shown
from sim.promql.notation import metric, sequence
from sim.promql.series import MISSING

ORACLE = Path(__file__).parent / "oracle"
VERSIONS = ("2.42", "3")


@cache
def rows(version: str) -> list[tuple[str, str, float, Any]]:
    lines = (json.loads(line) for line in (ORACLE / "recorded.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        (name, text, at, found.get("both", found.get(version)))
        for name, text, at, found in lines
        if "both" in found or version in found
    ]


@cache
def store(name: str) -> Memory:
    data = yaml.safe_load((ORACLE / f"{name}.yml").read_text(encoding="utf-8"))
    gap = round(parse_prom_duration(data["interval"]) * 1000)
    blocks = []
    for one in data["input_series"]:
        values, marks = sequence(one["values"])
        there = marks != MISSING
        times = np.arange(len(values), dtype=np.int64)[there] * gap
        blocks.append(Block((metric(one["series"]),), times, values[there][None, :, None], marks[there][None, :, None]))
    return Memory(blocks)


def samples(answer: Answer) -> Any:
    try:
        found = answer.samples()
    except EvaluationError:
        return "error"
    return {shown(labels) if answer.kind == "vector" else "": value for labels, value in found}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_value_is_ours_to_the_last_bit(version: str) -> None:
    wrong = []
    for name, text, at, expected in rows(version):
        got = samples(compile(text, f"prometheus@{version}").at(store(name), at))
        numbers = expected if expected == "error" else {key: float(value) for key, value in expected.items()}
        if repr(sorted(got.items()) if got != "error" else got) != repr(
            sorted(numbers.items()) if numbers != "error" else numbers
        ):
            wrong.append((name, text, at, numbers, got))
    assert wrong == []


def test_the_recording_holds_what_differs_between_the_versions() -> None:
    both = [row for row in zip(rows("2.42"), rows("3"), strict=False) if row[0][:3] == row[1][:3]]
    assert len(rows("2.42")) > 250
    assert sum(one[3] != other[3] for one, other in both) > 50
