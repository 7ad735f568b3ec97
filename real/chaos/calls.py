"""Faults of calls: a transport under the driver's own client that answers in the server's place, or loses an answer.

It lives in our process only: when that is gone, so is every fault, and nothing is left to undo.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx2

from real.chaos.injector import Injector, Job

__all__ = ["KINDS", "CallFault", "Troubled"]

_QUERY = "/proxy/api/v1/query"  # Prometheus, through the API server's proxy (real/measure/prometheus.py)
_READS = ("GET", "HEAD")


@dataclass(slots=True)
class Rule:
    """One fault on calls; `hits`: how many it has changed."""

    kind: str
    params: Mapping[str, Any]
    chance: random.Random
    hits: int = 0

    def number(self, name: str, default: float = 1.0) -> float:
        value = self.params.get(name)
        return float(value) if isinstance(value, (int, float)) else default


@dataclass(slots=True)
class Troubled(httpx2.BaseTransport):
    """Wraps the wire to a cluster. `seed` makes the chances the same again."""

    inner: httpx2.BaseTransport
    seed: int = 0
    rules: dict[str, Rule] = field(default_factory=dict)

    def trouble(self, id: str, kind: str, params: Mapping[str, Any]) -> None:
        if id not in self.rules:
            self.rules[id] = Rule(kind, dict(params), random.Random(f"{self.seed}/{id}"))

    def calm(self, id: str) -> None:
        self.rules.pop(id, None)

    def troubled(self) -> Mapping[str, int]:
        return {id: rule.hits for id, rule in self.rules.items()}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        for rule in tuple(self.rules.values()):
            answer = _ACTS[rule.kind](rule, request, self.inner)
            if answer is not None:
                rule.hits += 1
                return answer
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


Act = Callable[[Rule, httpx2.Request, httpx2.BaseTransport], "httpx2.Response | None"]


def _lucky(rule: Rule) -> bool:
    return rule.chance.random() >= rule.number("p")


def _status(request: httpx2.Request, code: int, message: str, **headers: str) -> httpx2.Response:
    """An answer in the API server's own form (Kubernetes API conventions, "Response Status Kind")."""
    document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return httpx2.Response(code, json=document, headers=headers, request=request)


def _api(request: httpx2.Request) -> bool:
    return _QUERY not in request.url.path


def error(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    """Answered with the code, and not carried out."""
    if not _api(request) or _lucky(rule):
        return None
    after = rule.params.get("retry_after_s")
    headers = {} if after is None else {"retry-after": str(round(float(after)))}
    return _status(request, int(rule.params["code"]), "seatrial: fault api.error", **headers)


def ambiguous(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    """No answer; carried out with a chance."""
    if not _api(request) or _lucky(rule):
        return None
    if rule.chance.random() < rule.number("applied", 0.5):
        inner.handle_request(request).close()
    rule.hits += 1
    raise httpx2.ReadTimeout("seatrial: fault api.ambiguous", request=request)


def conflict(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    if request.method in _READS or _lucky(rule):
        return None
    return _status(request, 409, "seatrial: fault api.conflict")


def gone(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    if request.url.params.get("watch") not in ("true", "1") or _lucky(rule):
        return None
    return _status(request, 410, "seatrial: fault api.gone: too old resource version")


def provider_error(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    if _api(request) or _lucky(rule):
        return None
    told = {"status": "error", "errorType": "unavailable", "error": "seatrial: fault telemetry.provider_error"}
    return httpx2.Response(int(rule.number("code", 503)), json=told, request=request)


_WORDS = {"nan": "NaN", "inf": "+Inf"}  # Prometheus' HTTP API, "Expression query result formats"


def nan(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    """Every number of the answer is replaced, or there is none."""
    if _api(request):
        return None
    answer = inner.handle_request(request)
    try:
        document = json.loads(answer.read())
        data = document["data"]
    except (ValueError, KeyError, TypeError):
        return None
    data["result"] = _rewritten(data.get("result"), data.get("resultType"), str(rule.params.get("value", "nan")))
    return httpx2.Response(answer.status_code, json=document, request=request)


def _rewritten(result: Any, kind: Any, value: str) -> Any:
    if kind == "scalar":
        return [result[0], _WORDS.get(value, "NaN")]
    if value == "empty" or not isinstance(result, list):
        return []
    for series in result:
        if "value" in series:
            series["value"][1] = _WORDS[value]
        series["values"] = (
            [[at, _WORDS[value]] for at, _ in series["values"]] if "values" in series else series.get("values")
        )
        if series["values"] is None:
            del series["values"]
    return result


def lag(rule: Rule, request: httpx2.Request, inner: httpx2.BaseTransport) -> httpx2.Response | None:
    """What is asked for now is answered as of then: samples of the last seconds have not arrived."""
    if _api(request) or request.method != "GET":
        return None
    import time

    behind = rule.number("delay_s", 0.0)
    asked = dict(request.url.params)
    names = ("start", "end") if "start" in asked else ("time",)
    for name in names:
        try:
            asked[name] = f"{float(asked.get(name, time.time())) - behind:.3f}"
        except ValueError:
            return None
    url = request.url.copy_with(params=asked)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    moved = httpx2.Request(request.method, url, headers=headers, extensions=request.extensions)
    return inner.handle_request(moved)


_ACTS: dict[str, Act] = {
    "api.error": error,
    "api.ambiguous": ambiguous,
    "api.conflict": conflict,
    "api.gone": gone,
    "telemetry.provider_error": provider_error,
    "telemetry.nan": nan,
    "telemetry.lag": lag,
}
KINDS = tuple(_ACTS)


class CallFault(Injector):
    """A rule of the transport. It bites from the next call on; the driver calls every two seconds at the least."""

    aims: ClassVar[str] = "none"
    needs: ClassVar[tuple[str, ...]] = ("calls",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def inject(self, job: Job) -> None:
        assert job.field.calls is not None
        job.field.calls.trouble(job.id, self.kind, job.params)

    def proof(self, job: Job) -> str:
        assert job.field.calls is not None
        hits = job.field.calls.troubled()
        return f"in force for every call of the driver; {hits[job.id]} hit so far" if job.id in hits else ""

    def stands(self, job: Job) -> bool:
        return job.field.calls is None or job.id in job.field.calls.troubled()

    def undo(self, job: Job) -> None:
        if job.field.calls is not None:  # another process's rules ended with it
            job.field.calls.calm(job.id)

    def left(self, job: Job) -> str:
        there = job.field.calls is not None and job.id in job.field.calls.troubled()
        return "a rule of the transport" if there else ""
