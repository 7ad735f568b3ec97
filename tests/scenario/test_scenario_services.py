"""Every field of a service file, bases, recordings, and what can be wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.durations import Constant as Fixed
from sim.durations import Exponential, Lognormal, Uniform
from sim.files import FileErrors
from sim.scenario import load_service
from sim.service.model import Alerts, Latency, Monitoring, People, Pods, Recovery, Service
from sim.service.noise import PRESETS, Drift, Gamma, Outbreaks
from sim.service.telemetry.settings import Telemetry
from sim.service.traffic import Bursts, Constant, Diurnal, Ramp, Recorded

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "shop.yaml") -> Path:
        path = tmp_path / name
        path.write_text(f"seatrial: service\n{text}" if name.endswith(".yaml") else text)
        return path

    return write


def test_a_service_that_says_nothing_is_the_default_one(write: Write) -> None:
    assert load_service(write("")) == Service(name="shop")


def test_every_field(write: Write) -> None:
    made = load_service(
        write("""
name: checkout
traffic: 12000/m
errors: 0.2%
latency: {median: 100ms, sigma: 0.5, limit: 250ms, bounds: [100ms, 250ms, 1s]}
pods: {count: 8, start: {lognormal: {median: 20s, p99: 60s}}, drain: false, capacity: 50/s, cold: 30s, cold_factor: 3}
monitoring: {scrape: 30s, phase: 5s, lag: 10s, query: 1s}
telemetry: {dialects: [istio], name: till, namespace: shop, labels: {team: a}, counters: {sold_total: {kind: "{class}"}}, pods: apart}
alerts: {slo: 99.5%, pairs: [[1h, 5m, 14.4]], every: 30s}
people: {response: {exponential: {mean: 5m}}, rule: abort, gates: deny}
recovery: {rollback: 1m, watch: 2h}
segments: {beta: 5%, staff: 1%}
testers: 1200/m
users: 500
sticky: true
propagation: {lognormal: {median: 3s, p99: 9s}}
serial: true
retries: 4
arrivals: fixed
noise: drift
error_noise: {outbreaks: {lasts: 1m, every: 1h, factor: 5}}
horizon: 6h
""")
    )
    assert made == Service(
        "checkout", Constant(200.0), 0.002, Latency(0.1, 0.5, 0.25, (0.1, 0.25, 1.0)),
        Pods(8, Lognormal(20.0, 60.0), False, 50.0, 30.0, 3.0), Monitoring(30.0, Fixed(5.0), 10.0, Fixed(1.0)),
        Telemetry(
            ("istio",), "till", "shop", (("team", "a"),), (("sold_total", (("kind", "{class}"),)),), pods="apart"
        ),
        Alerts(0.995, ((3600.0, 300.0, 14.4),), 30.0), People(Exponential(300.0), "abort", "deny"), Recovery(60.0, 7200.0),
        (("beta", 0.05), ("staff", 0.01)), 20.0, 500, True, Lognormal(3.0, 9.0), True, 4,
        "fixed", PRESETS["drift"], Outbreaks(60.0, 3600.0, 5.0), 21600.0,
    )  # fmt: skip


def test_latency_by_its_99th_percentile_and_a_limit_that_becomes_a_bound(write: Write) -> None:
    latency = load_service(write("latency: {median: 100ms, p99: 1s, limit: 300ms}")).latency
    assert latency is not None
    assert math.isclose(latency.median * math.exp(2.3263478740408408 * latency.sigma), 1.0)
    assert latency.bounds == (0.05, 0.1, 0.25, 0.3, 0.5, 1.0, 2.5)
    assert load_service(write("latency: null")).latency is None


@pytest.mark.parametrize(
    ("text", "traffic"),
    [
        ("{constant: 5/s}", Constant(5.0)),
        ("{diurnal: {mean: 100/s, swing: 3, peak: 20h, start: 9h, week: [1, 1, 1, 1, 1, 0.5, 0.5]}}",
         Diurnal(100.0, 3.0, 72000.0, week=(1, 1, 1, 1, 1, 0.5, 0.5), start=32400.0)),
        ("{ramp: {start: 10/s, end: 100/s, over: 1h}}", Ramp(10.0, 100.0, 3600.0)),
        ("{bursts: {base: 10/s, every: 10m, lasts: 30s, factor: 8, first: 1m}}", Bursts(Constant(10.0), 600.0, 30.0, 8.0, 60.0)),
        ("{bursts: {base: {ramp: {start: 1/s, end: 2/s, over: 1m}}, every: 10m, lasts: 30s, factor: 8}}",
         Bursts(Ramp(1.0, 2.0, 60.0), 600.0, 30.0, 8.0)),
    ],
)  # fmt: skip
def test_shapes_of_traffic(write: Write, text: str, traffic: object) -> None:
    assert load_service(write(f"traffic: {text}")).traffic == traffic


def test_recorded_traffic(write: Write) -> None:
    write("time,rate\n0,10\n60,20\n", "rates.csv")
    answer = (
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[100,"3"],[160,"4"]]}]}}'
    )
    write(answer, "rates.json")
    assert load_service(write("traffic: {csv: rates.csv}")).traffic == Recorded((0.0, 60.0), (10.0, 20.0))
    held = load_service(write("traffic: {csv: {path: rates.csv, after: hold}}")).traffic
    assert held == Recorded((0.0, 60.0), (10.0, 20.0), "hold")
    assert load_service(write("traffic: {prometheus: ./rates.json}")).traffic == Recorded((0.0, 60.0), (3.0, 4.0))


def test_noise(write: Write) -> None:
    assert load_service(write("noise: {gamma: {k: 2, every: 10m}}")).noise == Gamma(2.0, 600.0)
    assert load_service(write("noise: {drift: {sd: 0.1, share: 60%}}")).noise == Drift(sd=0.1, share=0.6)


def test_a_base_gives_what_is_not_said(write: Write) -> None:
    write("name: big\npods: {count: 9, start: {uniform: {low: 5s, high: 15s}}}\nerrors: 1%", "base.yaml")
    made = load_service(write("base: base.yaml\npods: {count: 3}"))
    assert (made.name, made.errors, made.pods) == ("big", 0.01, Pods(3, Uniform(5.0, 15.0)))


def wrong(path: Path) -> list[str]:
    with pytest.raises(FileErrors) as caught:
        load_service(path)
    return [line.replace(f"{path.parent}/", "") for line in str(caught.value).splitlines()]


def test_all_problems_at_once(write: Write) -> None:
    text = """traffic: 100
errors: -1%
latency: {median: 80, limit: 0.5}
pods: {count: 0, start: {lognormal: {median: 5s}}}
monitoring: {scrape: 0s}
alerts: {slo: 100%, pairs: [[1h, 5m]]}
people: {rule: promoted}
segments: {a: 60%, b: 60%}
noise: drfit
usres: 3
"""
    assert wrong(write(text)) == [
        "shop.yaml:2:10 traffic: 100 is a rate without a unit; write e.g. 100/s or 100/m",
        "shop.yaml:3:9 errors: -1% is negative; use 0% to 100%",
        "shop.yaml:4:19 latency.median: 80 is a duration without a unit; write e.g. 80s or 80m",
        "shop.yaml:4:30 latency.limit: 0.5 is a duration without a unit; write e.g. 0.5s or 0.5m",
        "shop.yaml:5:15 pods.count: 0 is not more than 0; use more than 0",
        "shop.yaml:5:26 pods.start.lognormal: a lognormal needs its median and one of p99 and mean; write e.g. {median: 10s, p99: 40s}",
        "shop.yaml:6:1 monitoring: the scrape interval is more than 0 s, got 0",
        "shop.yaml:7:29 alerts.pairs.0: a list is too short; write 3 entries or more",
        "shop.yaml:8:16 people.rule: 'promoted' is not allowed here; did you mean promote?",
        "shop.yaml:10:8 noise: unknown noise 'drfit'; did you mean drift?",
        "shop.yaml:11:1 usres: unknown key 'usres'; did you mean users?",
    ]


def test_segments_of_more_than_everybody(write: Write) -> None:
    (told,) = wrong(write("segments: {a: 60%, b: 60%}"))
    assert told.startswith("shop.yaml:1:1: shares of segments add up to at most 100%, got (('a', 0.6), ('b', 0.6))")


def test_problems_of_a_recording_and_of_the_file_that_names_it(write: Write) -> None:
    write("time,rate\n0,10\n60,x\n", "rates.csv")
    assert wrong(write("traffic: {csv: rates.csv}")) == [
        "rates.csv:3:4 rate: 'x' is not a number; write requests/s, e.g. 120.5; NaN or nothing for a gap"
    ]
    assert wrong(write("traffic: {csv: rate.csv}\nerrors: 2")) == [
        "shop.yaml:2:16 traffic.csv: there is no file rate.csv; did you mean rates.csv?",
        "shop.yaml:3:9 errors: 2 is more than 1; write 2% or a number from 0 to 1",
    ]


def test_bases_may_not_go_in_a_circle(write: Write) -> None:
    write("base: shop.yaml", "other.yaml")
    assert wrong(write("base: other.yaml")) == [
        "other.yaml:2:7 base: files name each other in a circle: shop.yaml -> other.yaml -> shop.yaml; remove one of the references"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seatrial: servce", "shop.yaml:1:11 seatrial: unknown kind 'servce'; did you mean service?"),
        (
            "seatrial: policy",
            "shop.yaml:1:11 seatrial: this is a policy, not a service; begin with 'seatrial: service'",
        ),
        ("name: x", "shop.yaml:1:1: this file says not what it is; begin with 'seatrial: service'"),
        ("- 1", "shop.yaml:1:1: a list is not a service; begin with 'seatrial: service'"),
        ("", "shop.yaml:1:1: holds no value; begin with 'seatrial: scenario'"),
    ],
)
def test_other_files(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    assert wrong(path) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{labels: {team: '{teem}'}}", "label team says {teem}, which is no word; use one of app, apex"),
        ("{counters: {sold_total: {kind: '{klass}'}}}", "label kind says {klass}, which is no word"),
        ("{dialects: [isto]}", "did you mean istio?"),
        ("{phases: 0}", "pods are scraped at 1 to 60 moments of an interval, got 0"),
        ("{labels: {'a-b': c}}", "a-b"),
    ],
)
def test_telemetry_that_is_not_possible(write: Write, text: str, problem: str) -> None:
    with pytest.raises(FileErrors) as caught:
        load_service(write(f"telemetry: {text}"))
    assert problem in str(caught.value)
