"""Harbor's OpenAPI document and the recording of a real Harbor, as checks of requests and answers."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import yaml

HARBOR = Path(__file__).parents[4] / "shared" / "harbor"
ROOT = "/api/v2.0"


@cache
def document() -> dict[str, Any]:
    whole: dict[str, Any] = yaml.load((HARBOR / "swagger.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return whole


@cache
def recording() -> tuple[dict[str, Any], ...]:
    lines = (HARBOR / "recorded.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    # A longer literal path before one with a parameter in its place.
    names = sorted(document()["paths"], key=lambda name: (name.count("{"), -len(name)))
    return tuple((re.compile(re.sub(r"\{[^}]+\}", "[^/]+", name)), name) for name in names)


def template(path: str) -> str | None:
    """The path of the document that a request's path (below /api/v2.0) is an instance of."""
    return next((name for pattern, name in _templates() if pattern.fullmatch(path)), None)


@cache
def recorded_statuses(method: str, name: str) -> frozenset[int]:
    """What a real Harbor answered there, documented or not."""
    paths = ((one["method"], one["path"].removeprefix(ROOT).partition("?")[0], one["status"]) for one in recording())
    return frozenset(status for verb, path, status in paths if verb == method and template(path) == name)


def _plain(schema: Any) -> Any:
    """OpenAPI 2.0's nullable and date-time as JSON Schema has them. Go's omitted lists are null: seen in the recording."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _plain(value) for key, value in schema.items() if key not in ("example", "x-nullable", "format")}
    if isinstance(out.get("type"), str) and (schema.get("x-nullable") or out["type"] in ("array", "object")):
        out["type"] = [out["type"], "null"]
    if schema.get("additionalProperties") == {"type": "object"}:  # Go's interface{}: texts and numbers too (recorded)
        del out["additionalProperties"]
    return out


@cache
def _definitions() -> Any:
    return _plain(document()["definitions"])


def _resolved(one: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in one:
        _, part, name = one["$ref"].split("/")
        one = document()[part][name]
    return one


def check(request: httpx.Request, response: httpx.Response) -> None:
    """Raises AssertionError where our request is not as documented, or its answer neither as documented nor as recorded."""
    found = _operation(request)
    if found is None:
        return
    name, operation, told = found
    unknown = set(request.url.params) - {one["name"] for one in told if one["in"] == "query"}
    assert not unknown, f"{request.method} {name}: queries {sorted(unknown)} are not in the document"
    _check_body(request, told, name)
    _check_answer(request, response, operation, name)


def check_answer(request: httpx.Request, response: httpx.Response) -> None:
    """The same for the answer alone: to requests that are wrong on purpose."""
    found = _operation(request)
    if found is not None:
        _check_answer(request, response, found[1], found[0])


def _operation(request: httpx.Request) -> tuple[str, dict[str, Any], list[dict[str, Any]]] | None:
    """Template, operation and parameters; None for what is not of the REST API."""
    path = request.url.raw_path.partition(b"?")[0].decode()
    if not path.startswith(ROOT + "/"):
        return None
    name = template(path.removeprefix(ROOT))
    assert name is not None, f"{path}: no path of the document"
    operations = document()["paths"][name]
    operation = operations.get(request.method.lower())
    assert operation is not None, f"{request.method} {name}: not in the document"
    told = [_resolved(one) for one in [*operation.get("parameters", ()), *operations.get("parameters", ())]]
    return name, operation, told


def _check_body(request: httpx.Request, told: list[dict[str, Any]], name: str) -> None:
    bodies = [one for one in told if one["in"] == "body"]
    if bodies and request.content:
        _valid(json.loads(request.content), bodies[0]["schema"], f"request {request.method} {name}")
        known = _properties(bodies[0]["schema"])
        extra = set(json.loads(request.content)) - known if known else set()
        assert not extra, f"request {request.method} {name}: {sorted(extra)} are not in the document"


def _properties(schema: dict[str, Any]) -> set[str]:
    resolved = _resolved(schema)
    return set(resolved.get("properties") or ())


def _check_answer(request: httpx.Request, response: httpx.Response, operation: dict[str, Any], name: str) -> None:
    status, documented = response.status_code, operation["responses"]
    allowed = {int(key) for key in documented} | recorded_statuses(request.method, name)
    if status in (429, 502, 503, 504):  # of the proxy in front, not of Harbor
        return
    # 401 and 403 come from the middlewares in front of every operation, 412 and 403 from read-only mode: recorded elsewhere.
    assert status in allowed | {401, 403, 412}, f"{request.method} {name}: {status} is neither documented nor recorded"
    schema = _resolved(documented[str(status)]).get("schema") if str(status) in documented else None
    if status >= 400:
        schema = {"$ref": "#/definitions/Errors"}
    if schema is None or request.method == "HEAD" or not response.content:
        return
    if response.headers.get("content-type", "").startswith("application/json"):
        _valid(json.loads(response.content), schema, f"{request.method} {name}: {status}")


def _valid(value: Any, schema: Any, where: str) -> None:
    whole = {**_plain(schema), "definitions": _definitions()} if "$ref" not in schema else {
        "allOf": [schema], "definitions": _definitions()
    }  # fmt: skip
    errors = list(jsonschema.Draft4Validator(whole).iter_errors(value))
    assert not errors, f"{where}: {errors[0].json_path}: {errors[0].message}"


def shape(value: Any) -> Any:
    """Keys and kinds of a document: what two answers to the same question have in common."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
