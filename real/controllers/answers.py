"""The script's answers over HTTP: a stand-in for the Prometheus API and for webhooks that say yes or no.

    POST or GET  /CASE/TEMPLATE/METRIC/api/v1/query     Argo: one address per metric
    GET          /CASE/TEMPLATE/api/v1/query            Flagger: one address per MetricTemplate ("-" for its own metrics)
    POST         /CASE/gate/TYPE/NAME                   a webhook

Every metric has one queue over the whole recording, and its last value repeats (contracts section 8). It must be reached from
the pods of the cluster, so it listens on an address of this machine that containers see: the bridge of the kind network.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isinf, isnan
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from sim.policy.errors import WorldError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.tracing.script import Hang, Script

__all__ = ["Answers", "Given", "Served"]

ONLINE = "vector(1)"  # what Flagger asks to see whether a provider is there (pkg/metrics/providers/prometheus.go)
HANG = 60.0  # longer than any provider waits (Argo: 30 s)


class Given(NamedTuple):
    """An answer that was given, at `at` (monotonic seconds)."""

    at: float
    metric: str
    answer: Answer | Hang


@dataclass(slots=True)
class Served:
    """What is answered for one case. `metrics`: per template, its metrics by name, each with a text that its query holds."""

    script: Script
    metrics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    started: float | None = None  # monotonic seconds; before that no event has happened
    asked: dict[str, int] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ask: Callable[[str], Answer] | None = None  # a real Prometheus, in place of the script

    def measure(self, template: str, metric: str, query: str) -> Any:
        """The next answer of a metric. Errors: WorldError when the script has none."""
        if not metric:
            known = self.metrics.get(template, {})
            metric = next((name for name, mark in known.items() if mark in query), "")
        if self.ask is not None:
            return self._asked(self.ask(query), template, metric)
        measurements = self.script.measurements
        key = next((one for one in (f"{template}/{metric}", metric) if one in measurements), None)
        if key is None:
            raise WorldError(f"the script has no measurements for metric {template}/{metric}")
        with self.lock:
            turn = self.asked.get(key, 0)
            self.asked[key] = turn + 1
            values = measurements[key]
            answer = values[min(turn, len(values) - 1)]
            self.given.append(Given(time.monotonic(), metric, answer))
        match answer:  # a script says milliseconds, as Flagger's bounds do; the query of a Gateway gives seconds
            case Value(int() | float() as value) if metric == "request-duration" and template == "-":
                return Value(value / 1000)
        return answer

    def _asked(self, answer: Answer, template: str, metric: str) -> Answer:
        """What Prometheus said, kept in the units of a script."""
        match answer:
            case Value([*_, float(seconds)]) if metric == "request-duration" and template == "-":
                kept: Answer = Value(seconds * 1000)
            case _:
                kept = answer
        with self.lock:
            self.given.append(Given(time.monotonic(), metric, kept))
        return answer

    def approves(self, kind: str, name: str) -> bool:
        """A gate's answer by name, else by type; one that the script never names says yes, a rollback webhook no."""
        passed = -1.0 if self.started is None else time.monotonic() - self.started
        told = [one for one in self.script.events if one.kind in ("approve", "deny") and one.value in (name, kind)]
        if not told:
            return kind != "rollback"
        said = [one for word in (kind, name) for one in told if one.value == word and one.at <= passed]
        return bool(said) and said[-1].kind == "approve"


class Answers:
    """The server; `with Answers(host) as answers:` and `answers.serve(case, served)`."""

    def __init__(self, host: str, port: int = 0) -> None:
        served: dict[str, Served] = {}
        self._served = served
        self._server = ThreadingHTTPServer((host, port), type("Handler", (_Handler,), {"served": served}))
        self._server.daemon_threads = True
        self.address = f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Answers:
        threading.Thread(target=self._server.serve_forever, name="answers", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, case: str, served: Served) -> None:
        self._served[case] = served


class _Handler(BaseHTTPRequestHandler):
    served: Mapping[str, Served]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the recording says what was asked."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        case, *rest = unquote(url.path).strip("/").split("/")
        served = self.served.get(case)
        if served is None:
            self._send(404, _refusal("bad_data", f"no recording {case}"))
        elif rest[0] == "gate":
            self._send(200 if served.approves(rest[1], rest[2]) else 403, {})
        else:
            query = (parse_qs(url.query) | parse_qs(body)).get("query", [""])[0]
            self._query(served, rest[0], rest[1] if len(rest) > 4 else "", query)

    def _query(self, served: Served, template: str, metric: str, query: str) -> None:
        try:
            answer = Value(1.0) if query == ONLINE else served.measure(template, metric, query)
        except WorldError as error:
            self._send(400, _refusal("bad_data", str(error)))
            return
        if isinstance(answer, Hang):
            time.sleep(HANG)
        if served.script.query:
            time.sleep(served.script.query)
        match answer:
            case Failed(reason):
                self._send(500, _refusal("server_error", reason))
            case Hang():
                self.close_connection = True
            case _:
                self._send(200, {"status": "success", "data": {"resultType": "vector", "result": _vector(answer)}})

    def _send(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _refusal(kind: str, text: str) -> dict[str, Any]:
    return {"status": "error", "errorType": kind, "error": text}


def _vector(answer: object) -> list[dict[str, Any]]:
    """An instant vector in the form of the Prometheus HTTP API."""
    match answer:
        case Absent():
            values: list[float] = []
        case NotANumber():
            values = [float("nan")]
        case Value(list() | tuple() as several):
            values = [float(one) for one in several]
        case Value(int() | float() as number) if not isinstance(number, bool):
            values = [float(number)]
        case _:
            raise WorldError(
                f"Prometheus cannot answer {answer!r}; a script for it holds numbers, lists, absent, nan, error and hang"
            )
    now = time.time()
    return [{"metric": {"series": str(n)}, "value": [now, _text(value)]} for n, value in enumerate(values)]


def _text(value: float) -> str:
    if isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if isinf(value) else repr(value)
