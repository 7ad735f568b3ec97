"""Faults of our own calls: answered in the server's place, or not at all."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from real.chaos.calls import KINDS, Troubled
from real.chaos.port import Chaos
from real.ports.things import Injection, Put, Stamp
from tests.real.chaos.world import World

PODS = "https://cluster.test/api/v1/namespaces/trial/pods"
QUERY = "https://cluster.test/api/v1/namespaces/s/services/prometheus:9090/proxy/api/v1/query?query=up&time=1000"
VECTOR = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1000.0, "0.5"]}]}}
SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [1000.0, "0.5"]}}
MATRIX = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1.0, "1"], [2.0, "2"]]}]},
}


class Server:
    def __init__(self, document: Any = None) -> None:
        self.asked: list[httpx2.Request] = []
        self.document = document if document is not None else {"kind": "PodList"}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return httpx2.Response(200, json=self.document)


def client(server: Server, kind: str, seed: int = 1, **params: Any) -> tuple[httpx2.Client, Troubled]:
    transport = Troubled(httpx2.MockTransport(server), seed)
    transport.trouble("f1", kind, params)
    return httpx2.Client(transport=transport, trust_env=False), transport


def test_an_error_is_answered_and_nothing_is_carried_out() -> None:
    server = Server()
    calls, transport = client(server, "api.error", code="429", p=1.0, retry_after_s=7.0)
    answer = calls.get(PODS)
    assert (answer.status_code, answer.headers["retry-after"], server.asked) == (429, "7", [])
    assert answer.json()["kind"] == "Status"
    transport.calm("f1")
    assert calls.get(PODS).status_code == 200


@pytest.mark.parametrize("applied, done", [(1.0, 1), (0.0, 0)])
def test_an_ambiguous_call_times_out_and_was_done_or_not(applied: float, done: int) -> None:
    server = Server()
    calls, transport = client(server, "api.ambiguous", p=1.0, applied=applied)
    with pytest.raises(httpx2.ReadTimeout):
        calls.post(PODS)
    assert len(server.asked) == done and transport.troubled() == {"f1": 1}


def test_a_conflict_is_for_writes_and_gone_for_watches() -> None:
    calls, _ = client(Server(), "api.conflict", p=1.0)
    assert (calls.get(PODS).status_code, calls.patch(PODS).status_code) == (200, 409)
    calls, _ = client(Server(), "api.gone", p=1.0)
    assert (calls.get(PODS).status_code, calls.get(PODS + "?watch=true").status_code) == (200, 410)


@pytest.mark.parametrize("kind", ["api.error", "telemetry.provider_error"])
def test_each_hits_its_own_server_only(kind: str) -> None:
    calls, _ = client(Server(VECTOR), kind, code="503", p=1.0)
    hit = {"api.error": (503, 200), "telemetry.provider_error": (200, 503)}[kind]
    assert (calls.get(PODS).status_code, calls.get(QUERY).status_code) == hit


def test_chance_is_the_same_again() -> None:
    def statuses(seed: int) -> list[int]:
        calls, _ = client(Server(), "api.error", seed, code="500", p=0.3)
        return [calls.get(PODS).status_code for _ in range(300)]

    assert statuses(1) == statuses(1) != statuses(2)
    assert 60 <= statuses(1).count(500) <= 120  # 90 +- 4 standard deviations


@pytest.mark.parametrize(
    "document, value, wanted",
    [
        (VECTOR, "nan", [{"metric": {}, "value": [1000.0, "NaN"]}]),
        (VECTOR, "inf", [{"metric": {}, "value": [1000.0, "+Inf"]}]),
        (VECTOR, "empty", []),
        (SCALAR, "nan", [1000.0, "NaN"]),
        (MATRIX, "nan", [{"metric": {}, "values": [[1.0, "NaN"], [2.0, "NaN"]]}]),
    ],
)
def test_numbers_are_replaced(document: Any, value: str, wanted: Any) -> None:
    calls, transport = client(Server(document), "telemetry.nan", value=value)
    assert calls.get(QUERY).json()["data"]["result"] == wanted
    assert calls.get(PODS).json() == document and transport.troubled() == {"f1": 1}


@pytest.mark.parametrize(
    "query, wanted",
    [("time=1000", {"time": "970.000"}), ("start=1000&end=1060", {"start": "970.000", "end": "1030.000"})],
)
def test_late_samples_have_not_arrived(query: str, wanted: dict[str, str]) -> None:
    server = Server(VECTOR)
    calls, _ = client(server, "telemetry.lag", delay_s=30.0)
    calls.get(QUERY.replace("time=1000", query))
    assert {name: server.asked[0].url.params[name] for name in wanted} == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_in_and_out_through_the_port(kind: str) -> None:
    world, transport = World(), Troubled(httpx2.MockTransport(Server()))
    before = world.tree()
    chaos = Chaos(world.field(calls=transport))
    put = Put("fault/f1", Injection(kind, (), (("p", 0.5), ("code", "500"), ("delay_s", 1.0), ("value", "nan"))))
    live = chaos.write(put, Stamp("run-1", 1, "", Put("fault/f1", None)), 10.0)
    assert transport.troubled() == {"f1": 0}
    kept = world.objects["v1/ConfigMap", "trial", "web-fault-f1"]["data"]
    assert json.loads(kept["record"]) == {} and "in force" in kept["proof"]
    chaos.write(Put("fault/f1", None), Stamp("run-1", 1, chaos.read("fault/f1", 1.0).version), 10.0)
    assert transport.troubled() == {} and world.tree() == before and live.value == put.value


def test_what_died_with_its_process_is_undone_by_another() -> None:
    world, transport = World(), Troubled(httpx2.MockTransport(Server()))
    put = Put("fault/f1", Injection("api.error", (), (("p", 0.5), ("code", "500"))))
    Chaos(world.field(calls=transport)).write(put, Stamp("run-1", 1, "", Put("fault/f1", None)), 10.0)
    chaos = Chaos(world.field())  # no transport of its own
    chaos.write(Put("fault/f1", None), Stamp("run-1", 2, chaos.read("fault/f1", 1.0).version), 10.0)
    assert chaos.names() == ()
