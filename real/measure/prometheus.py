"""Prometheus over HTTP: one question, one answer. In the cluster it is asked through the API server, elsewhere at its own address.

Four answers that are not the same (design.md section 2): a value, nothing (an empty vector), not a number, and a question that failed.
Shapes as Argo Rollouts' and Flagger's providers see them: a scalar is a number, a vector a list of numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from real.ports.errors import PortError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value

__all__ = ["Ask", "Unanswered", "answer", "elsewhere", "inside", "result"]

Ask = Callable[[str, Mapping[str, str]], Any]
"""Asks an endpoint (`query`, `query_range`) with parameters; the JSON document. Raises PortError, or Unanswered."""


class Unanswered(PortError):
    """Prometheus did not answer the question; the text says why."""


def inside(api: Any, namespace: str, service: str = "prometheus:9090") -> Ask:
    """A Prometheus in the cluster, through the API server's proxy."""

    def ask(endpoint: str, parameters: Mapping[str, str]) -> Any:
        path = f"/api/v1/{endpoint}"
        return _read(api.through(namespace, f"services/{service}", path, params=dict(parameters)).read())

    return ask


def elsewhere(address: str, timeout: float = 10.0) -> Ask:
    """A Prometheus at an address that the user gave."""
    import httpx

    def ask(endpoint: str, parameters: Mapping[str, str]) -> Any:
        try:
            answered = httpx.get(f"{address.rstrip('/')}/api/v1/{endpoint}", params=dict(parameters), timeout=timeout)
        except httpx.HTTPError as error:
            raise Unanswered(f"Prometheus cannot be asked ({type(error).__name__})") from None
        return _read(answered.content)

    return ask


def result(document: Any) -> tuple[str, Any]:
    """(type, result) of an answer; `Unanswered` where it tells an error."""
    if not isinstance(document, dict) or document.get("status") != "success":
        kind, text = (
            (document.get("errorType", "error"), document.get("error", ""))
            if isinstance(document, dict)
            else ("error", "")
        )
        raise Unanswered(f"Prometheus: {kind}: {text}"[:300])
    data = document["data"]
    return data["resultType"], data["result"]


def answer(ask: Ask, text: str, at: float) -> Answer:
    """The value of a query at a wall-clock time, in seconds since 1970."""
    try:
        kind, found = result(ask("query", {"query": text, "time": f"{at:.3f}"}))
    except PortError as error:
        return Failed(str(error))
    if kind == "scalar":
        return _number(float(found[1]))
    if kind == "vector":
        return _list([float(one["value"][1]) for one in found]) if found else Absent("the query found no series")
    return Failed(f"the query's result is a {kind}; a scalar or a vector is needed")


def _number(value: float) -> Answer:
    return NotANumber() if math.isnan(value) else Value(value)


def _list(values: list[float]) -> Answer:
    return NotANumber() if len(values) == 1 and math.isnan(values[0]) else Value(values)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise Unanswered("Prometheus answered with something that is not JSON") from None
