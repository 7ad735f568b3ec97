"""The JSON Schemas accept our files and what a trace writes, and refuse nonsense."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from sim.files import read_document
from sim.policy.canary import Canary
from sim.policy.commands import SetWeight
from sim.scenario import schema, schemas
from sim.tracing.run import trace
from sim.tracing.script import Script

ROOT = Path(__file__).parents[2] / "scenarios"
SCHEMAS = schemas()


OWN = [path for path in sorted(ROOT.rglob("*.yaml")) if "\nseatrial: " in path.read_text()]  # the rest are manifests


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_every_example_fits_its_schema(path: Path) -> None:
    value = read_document(path).value
    jsonschema.Draft7Validator(SCHEMAS[value["seatrial"]]).validate(value)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_schemas_are_valid_and_plain_json(kind: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[kind])
    assert json.loads(json.dumps(schema(kind))) == SCHEMAS[kind]
    assert SCHEMAS[kind]["title"] == f"Seatrial {kind}"


def test_a_trace_fits_its_schema() -> None:
    document = trace(Canary(steps=(SetWeight(20),)), Script(), replicas=5).document()
    jsonschema.Draft7Validator(SCHEMAS["trace"]).validate(json.loads(json.dumps(document)))


def test_nonsense_does_not_fit() -> None:
    validator = jsonschema.Draft7Validator(SCHEMAS["policy"])
    assert not validator.is_valid({"seatrial": "policy", "cannary": {}})
    assert not validator.is_valid({"seatrial": "policy", "rolling": {"min_ready": 5}})
