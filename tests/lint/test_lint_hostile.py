"""Whatever stands in a manifest, lint answers: mutated rows, values of wrong types in every place."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import yaml

from sim.files import FileErrors, read_documents
from sim.lint import lint
from sim.service.model import Service
from tests.lint.rows_asked import ASKED
from tests.lint.rows_metrics import METRICS
from tests.lint.rows_objects import JSON, OBJECTS

YAML_ROWS = [row[0] for rows in (METRICS, OBJECTS, ASKED) for many in rows.values() for row in many]
JSON_ROWS = [row[0] for many in JSON.values() for row in many]
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 3.7, 1e300, "", "x", "{{args.x}}", "NaN", "5%", "-5s", "99999h", [], [None], [[]], {}, {"a": None}, {"name": None},
    ["x"], 10**30,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, below in pairs for place in [(*path, key), *places(below, (*path, key))]]


def mutated(text: str, generator: random.Random) -> list[Any]:
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    for _ in range(generator.choice((1, 1, 2, 3))):
        *above, last = generator.choice(places(documents))
        holder: Any = documents
        for key in above:
            holder = holder[key]
        holder[last] = copy.deepcopy(generator.choice(ODD))
    return documents


def answer(rows: list[str], seed: int, count: int, *, as_json: bool) -> int:
    """How many mutated texts could be read, and were answered."""
    generator, answered = random.Random(seed), 0
    for number in range(count):
        documents = mutated(generator.choice(rows), generator)
        text = json.dumps(documents[0]) if as_json else yaml.safe_dump_all(documents)
        try:
            read = read_documents(text, "m.json" if as_json else "m.yaml")
        except FileErrors:
            continue
        report = lint(read, service=Service() if number % 3 == 0 else None)
        answered += 1
        assert all(finding.line >= 1 and finding.what and finding.remedy for finding in report.findings)
        json.dumps(report.document(), allow_nan=False)
    return answered


def test_manifests() -> None:
    assert answer(YAML_ROWS, 1, 200, as_json=False) > 150


def test_json() -> None:
    assert answer(JSON_ROWS, 1, 100, as_json=True) > 80


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_manifests(seed: int) -> None:
    assert answer(YAML_ROWS, seed, 2000, as_json=False) > 1500
