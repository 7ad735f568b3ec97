"""The sample service and the load generator, against each other on loopback: counts agree, faults bite, nothing is lost while draining."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

import real.sample
from real.load.generator import Plan, arrivals, generate
from real.load.plans import told, understood
from real.load.tallies import tallies
from real.load.truth import Truth
from sim.service.traffic import Bursts, Constant, Ramp, Traffic

APP = Path(real.sample.__file__).with_name("app.py")


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Served:
    def __init__(self, port: int, admin: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.admin, self.process = port, admin, process

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", method=method, data=body)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())


@contextmanager
def served(**env: str) -> Iterator[Served]:
    port, admin = free(), free()
    told = {"PORT": str(port), "ADMIN_PORT": str(admin), "REVISION": "2", "DRAIN_S": "0.5", "SEED": "1", **env}
    process = subprocess.Popen([sys.executable, str(APP)], env={**os.environ, **told}, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield Served(port, admin, process)
    finally:
        process.kill()
        process.communicate()


def load(port: int, seconds: float = 1.5, rate: float = 150.0, **more: Any) -> Truth:
    truth = Truth()
    asyncio.run(generate(Plan("127.0.0.1", port, Constant(rate), seconds, **more), truth))
    return truth


def test_both_sides_count_the_same() -> None:
    with served(ERRORS="0.3") as app:
        truth = load(app.port)
        lines = app.ask("/metrics").splitlines()
        shown = {line.split()[0]: int(line.split()[1]) for line in lines if line.startswith("http_requests_total")}
        buckets = [line for line in lines if 'le="+Inf"' in line]
    counts = truth.totals()
    assert counts["lost"] == counts["in_flight"] == 0
    assert counts["sent"] == counts["good"] + counts["bad"] > 150
    assert shown == {
        'http_requests_total{code="200",status="200"}': counts["good"], 'http_requests_total{code="500",status="500"}': counts["bad"],
    }  # fmt: skip
    assert sum(int(line.split()[1]) for line in buckets) == counts["sent"]
    assert 0.15 < counts["bad"] / counts["sent"] < 0.45  # 30%, sd 3 points


def _beta_alone(truth: Truth) -> bool:
    return (
        truth.totals()["bad"] == sum(count for (segment, _), count in truth.segments.items() if segment == "beta") > 0
    )


FAULTS: dict[str, tuple[dict[str, Any], Callable[[Truth], bool]]] = {
    "build.error_rate": ({"p": 1.0, "status": 503}, lambda truth: truth.codes == {503: truth.totals()["sent"]}),
    "build.latency": ({"add_s": 0.2}, lambda truth: truth.totals()["slow"] == truth.totals()["sent"]),
    "build.segment_error": ({"segment": "beta", "p": 1.0}, _beta_alone),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_bites_and_is_taken_back(kind: str) -> None:
    params, bites = FAULTS[kind]
    with served() as app:
        app.ask("/faults", "PUT", json.dumps([{"kind": kind, "params": params}]).encode())
        assert bites(load(app.port, 1.0, limit=0.1, segments=(("beta", 0.3),)))
        app.ask("/faults", "DELETE")
        after = load(app.port, 0.5, limit=0.1).totals()
        assert after["bad"] == 0
        assert after["slow"] < after["sent"]  # on a busy machine some are


def test_an_unknown_fault_is_refused() -> None:
    with served() as app, pytest.raises(urllib.error.HTTPError, match="400"):
        app.ask("/faults", "PUT", b'[{"kind": "build.nonsense"}]')


def test_a_pod_that_ends_is_unready_at_once_and_loses_nothing() -> None:
    with served(MEDIAN_S="0.05", DRAIN_S="3") as app:

        async def work() -> Truth:
            truth = Truth()
            sending = asyncio.create_task(generate(Plan("127.0.0.1", app.port, Constant(100.0), 0.9), truth))
            await asyncio.sleep(0.45)
            app.process.send_signal(signal.SIGTERM)  # users are still sent here until every router knows: DRAIN_S
            await sending
            return truth

        truth = asyncio.run(work())
        assert truth.totals()["lost"] == truth.totals()["bad"] == 0
        assert app.process.wait(15) == 0


def test_readiness_waits_for_the_start_and_crashes_come() -> None:
    with served(FAULTS='[{"kind": "pod.slow_start", "params": {"startup_delay_s": 0.6}}]') as app:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            app.ask("/ready")
        time.sleep(0.8)
        assert app.ask("/ready") == "ready\n"
    with served(FAULTS='[{"kind": "pod.crash_loop", "params": {"crash_after_s": 0.2}}]') as app:
        assert app.process.wait(5) == 1


def ready(app: Served) -> bool:
    try:
        return app.ask("/ready") == "ready\n"
    except urllib.error.HTTPError:
        return False


def metric(app: Served, name: str) -> float:
    return next(float(line.split()[1]) for line in app.ask("/metrics").splitlines() if line.startswith(f"{name} "))


@pytest.mark.parametrize(
    "kind, params, least, most",
    [
        ("pod.ready_flap", {"period_s": 0.2, "duty": 0.5}, 0.3, 0.7),
        ("pod.ready_flap", {"period_s": 1000.0, "duty": 0.5}, 0.0, 0.0),  # the bad part comes first
        ("pod.ready_flap", {"period_s": 0.2, "duty": 1.0}, 1.0, 1.0),
        ("members.flap", {"period_s": 0.2}, 0.3, 0.7),
        ("members.false_positive", {"p": 0.5}, 0.3, 0.7),
        ("members.false_positive", {"p": 0.0}, 1.0, 1.0),
    ],
)
def test_it_says_now_and_then_that_it_is_not_ready(
    kind: str, params: dict[str, Any], least: float, most: float
) -> None:
    """100 looks, 10 ms apart: for one half of them within 4 standard deviations; told again, its cycle goes on."""
    with served() as app:
        told = json.dumps([{"id": "f1", "kind": kind, "params": params}]).encode()
        app.ask("/faults", "PUT", told)
        said = []
        for number in range(100):
            said.append(ready(app))
            if number % 20 == 0:
                app.ask("/faults", "PUT", told)
            time.sleep(0.01)
        assert least <= sum(said) / len(said) <= most
        app.ask("/faults", "PUT", b"[]")
        assert ready(app)


def test_it_holds_memory_and_lets_it_go() -> None:
    with served() as app:
        before = metric(app, "process_resident_memory_bytes")
        told = json.dumps([{"id": "f1", "kind": "stress.memory", "params": {"bytes": 3e7, "workers": 2}}]).encode()
        for _ in range(2):
            app.ask("/faults", "PUT", told)
            assert 5.4e7 < metric(app, "process_resident_memory_bytes") - before < 7.5e7
        app.ask("/faults", "PUT", b"[]")
        assert metric(app, "process_resident_memory_bytes") - before < 1e7


def test_its_counters_begin_at_0_again() -> None:
    with served() as app:
        load(app.port, 0.3)
        before, count = metric(app, "http_requests_created"), 'http_requests_total{code="200",status="200"}'
        assert metric(app, count) > 0
        app.ask("/reset", "POST")
        assert metric(app, count) == 0 and metric(app, "http_requests_created") > before


def test_requests_that_nobody_answers_are_lost() -> None:
    counts = load(free(), 0.5, timeout=0.5).totals()
    assert counts["sent"] == counts["lost"] > 0


def test_a_slow_service_omits_nothing() -> None:
    """Every request is sent when it is due, though each takes longer than the time between two."""
    with served(MEDIAN_S="0.5", SIGMA="0.01") as app:
        truth = load(app.port, 1.0, 50.0, fixed=True, limit=10.0)
    assert truth.totals()["sent"] == truth.totals()["good"] == 49


@pytest.mark.parametrize("traffic", [Constant(200.0), Ramp(0.0, 400.0, 10.0), Bursts(Constant(100.0), 5.0, 1.0, 5.0)])
def test_arrivals_follow_the_shape(traffic: Traffic) -> None:
    """Poisson: the count lies within 5 standard deviations (one false alarm in 1.7 million, fixed seed)."""
    mean = traffic.levels((0.0, 20.0))[0] * 20.0
    moments = [at for at, comes in arrivals(traffic.rate, 20.0, Random(1), False) if comes]
    assert moments == sorted(moments)
    assert abs(len(moments) - mean) < 5 * mean**0.5 + 0.05 * mean


def test_a_plan_survives_the_way_to_another_process() -> None:
    plan = Plan("127.0.0.1", 80, Ramp(10.0, 20.0, 5.0), 10.0, segments=(("beta", 0.1),))
    again = understood(json.loads(json.dumps(told(plan))))
    assert again.traffic.levels((0.0, 10.0)) == pytest.approx(plan.traffic.levels((0.0, 10.0)))
    assert (again.segments, again.seconds) == (plan.segments, plan.seconds)


def test_tallies_conserve_every_request_and_documents_every_count() -> None:
    truth = Truth(begun=1000.0)
    for due, code in ((0.1, 200), (0.9, 500), (1.5, 200)):
        truth.sent(due)
        truth.answered(due, "", "2", code, 0.6, 0.5)
    truth.sent(1.9)
    truth.lost(1.9, "", "TimeoutError")
    found = list(tallies(Truth.of(json.loads(json.dumps(truth.document()))), 1005.0))
    assert [(one.start, one.revision, one.sent, one.bad, one.lost, one.slow) for one in found] == [
        (-5.0, 2, 2, 1, 0, 1), (-4.0, 2, 1, 0, 0, 1), (-4.0, 0, 1, 0, 1, 0),
    ]  # fmt: skip
