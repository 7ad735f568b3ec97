"""Manifests under real load: which pods serve, by which Services users and testers come, what Prometheus said, what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from real.controllers.answers import Served
from real.controllers.case import Build, Case
from real.controllers.prepare import prepared, revised
from real.controllers.routed import DOOR, plane, router
from real.controllers.serving import Way, ways
from real.controllers.stable import lingers
from real.routers.obeyed import KINDS
from sim.policy.errors import WorldError
from sim.policy.events import Absent, Failed, NotANumber, Value
from sim.tracing.exposure import decided_at, shares
from sim.tracing.history import History
from sim.tracing.script import Script

MANIFESTS = Path(__file__).parents[1] / "real_cluster" / "manifests"
HISTORIES = Path(__file__).parents[1] / "golden" / "histories"
BUILD = Build(("app@sha256:1", "app@sha256:2"), ({"name": "ERRORS", "value": "0"},))


def case(name: str) -> Case:
    documents = tuple(yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text()))
    return Case(name, documents, Script(), BUILD)


def routed(*steps: dict[str, Any], **routing: Any) -> dict[str, Any]:
    return {"strategy": {"canary": {"trafficRouting": routing, "steps": list(steps)}}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("canary", (Way("users", "shop", 80),)),
        ("blue-green", (Way("users", "live", 80), Way("testers", "preview", 80))),
        ("flagger", (Way("users", "shop", 80), Way("testers", "shop-canary", 80))),
        ("canary-nginx", (Way("users", DOOR, 8080),)),
        ("canary-istio", (Way("users", DOOR, 8080),)),
        ("flagger-weights", (Way("users", DOOR, 8080),)),
    ],
)
def test_users_come_as_they_would_and_testers_call_the_rest(name: str, expected: tuple[Way, ...]) -> None:
    assert ways(case(name), prepared(case(name), "space", "http://h")) == expected


def test_a_canary_without_a_service_gets_one_that_takes_all_its_pods() -> None:
    without = Case("c", tuple(one for one in case("canary").documents if one["kind"] != "Service"), Script(), BUILD)
    applied = prepared(without, "space", "http://h")
    made = next(one for one in applied if one["kind"] == "Service")
    assert made["metadata"] == {"name": "seatrial-users", "namespace": "space"}
    assert made["spec"] == {"selector": {"app": "shop"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    assert ways(without, applied) == (Way("users", "seatrial-users", 80),)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("canary", routed(nginx={}), "trafficRouting by nginx"),
        ("canary", routed(alb={"ingress": "a"}), "by alb .ingress. is not carried out on this cluster; nginx with"),
        ("canary", routed(istio={"destinationRule": {}, "virtualService": {"name": "v"}}), "destinationRule is not carried out"),
        ("canary", routed({"setHeaderRoute": {}}, istio={"virtualService": {"name": "v"}}), "step setHeaderRoute is not carried"),
        ("canary", routed(nginx={"stableIngress": "i", "additionalIngressAnnotations": {"canary-by-cookie": "c"}}), "canary-by-cookie"),
        ("flagger", {"provider": "istio"}, "provider istio is not .* say provider: gatewayapi:v1 or kubernetes"),
        ("flagger", {"provider": ""}, "provider of the installation is not"),
        ("flagger-weights", {"analysis": {"match": [{}], "iterations": 2}}, "analysis.match is not carried out"),
        ("flagger-weights", {"analysis": {"mirror": True, "stepWeight": 2}}, "analysis.mirror is not carried out"),
    ],
)  # fmt: skip
def test_traffic_that_nobody_would_carry_out_is_refused(name: str, change: dict[str, Any], said: str) -> None:
    given = case(name)
    given.workload["spec"].update(change)
    with pytest.raises(WorldError, match=said):
        ways(given, [])


@pytest.mark.parametrize(
    ("name", "route", "ours"),
    [
        ("canary", "", ""), ("flagger", "", ""), ("canary-nginx", "Ingress/shop", "ingress-nginx"),
        ("canary-istio", "VirtualService/shop", "istio"), ("flagger-weights", "HTTPRoute/shop", "gateway"),
    ],
)  # fmt: skip
def test_a_pod_obeys_the_route_that_the_controller_writes(name: str, route: str, ours: str) -> None:
    assert router(case(name)) == ours
    made = plane(case(name), "space")
    pods = [one["spec"]["template"]["spec"] for one in made if one["kind"] == "Deployment"]
    variables = [env for pod in pods for container in pod["containers"] for env in container.get("env", ())]
    told = [env["value"] for env in variables if env["name"] == "ROUTE"]
    assert told == ([route] if route else [])
    assert {one["metadata"]["namespace"] for one in made} <= {"space"}


def test_routes_that_are_named_and_not_brought_along_are_made() -> None:
    for name, kind in (("canary-nginx", "Ingress"), ("canary-istio", "VirtualService")):
        brought = tuple(one for one in case(name).documents if one["kind"] != kind)
        applied = prepared(Case(name, brought, Script(), BUILD), "space", "http://h")
        (made,) = (one for one in applied if one["kind"] == kind)
        (written,) = (one for one in case(name).documents if one["kind"] == kind)
        assert KINDS[kind][2]("shop", [made]).weights == KINDS[kind][2]("shop", [written]).weights


@pytest.mark.parametrize(
    ("name", "change", "seconds"),
    [
        ("canary", {}, 15.0), ("canary-nginx", {}, 15.0), ("blue-green", {}, 15.0), ("flagger", {}, 16.0),
        ("canary", routed(nginx={}), 36.0), ("flagger", {"analysis": {"interval": "1m"}}, 66.0), ("flagger", {"analysis": {}}, 66.0),
    ],
)  # fmt: skip
def test_a_recording_goes_on_until_pods_that_are_kept_are_gone(
    name: str, change: dict[str, Any], seconds: float
) -> None:
    given = case(name)
    given.workload["spec"].update(change)
    assert lingers(given.workload) == seconds


def test_the_pods_of_each_revision_say_who_they_are() -> None:
    applied = prepared(case("canary"), "space", "http://h")[-1]
    for revision, image in ((1, "app@sha256:1"), (2, "app@sha256:2"), (3, "app@sha256:2")):
        (container,) = revised(applied, case("canary"), revision)["spec"]["containers"]
        told = {one["name"]: one["value"] for one in container["env"]}
        assert (container["image"], told) == (image, {"ERRORS": "0", "PORT": "8080", "REVISION": str(revision)})
    assert applied["spec"]["template"]["metadata"]["annotations"]["prometheus.io/scrape"] == "true"


def test_prometheus_is_asked_and_what_it_said_is_kept() -> None:
    asked: list[str] = []

    def ask(query: str) -> Value:
        asked.append(query)
        return Value([0.25])

    served = Served(Script(), {"-": {"request-duration": "histogram"}}, ask=ask)
    assert served.measure("checks", "errors", "up") == Value([0.25])
    assert served.measure("-", "", "histogram_quantile(1)") == Value([0.25])
    assert [(one.metric, one.answer) for one in served.given] == [
        ("errors", Value([0.25])), ("request-duration", Value(250.0)),
    ]  # fmt: skip
    assert asked == ["up", "histogram_quantile(1)"]


def test_what_was_measured_is_a_script() -> None:
    def measured(metric: str, **value: object) -> dict[str, Any]:
        return {"at": 1.0, "kind": "measurement", "run": "step", "metric": metric, "verdict": "", **value}

    entries = (
        measured("a", value=[0.5]), measured("a", value=["NaN"]), measured("b", value=[]), measured("a"), measured("b", value=[1.0, 2.0]),
        measured("b", value=3.0), measured("b", value=None),
    )  # fmt: skip
    script = History("argo-rollouts 1.10.1", "kubernetes 1.32.2", "", entries).lived()
    a, b = script.measurements["a"], script.measurements["b"]
    assert a[:2] == (Value(0.5), NotANumber()) and isinstance(a[2], Failed)
    assert isinstance(b[0], Absent) and b[1:3] == (Value((1.0, 2.0)), Value(3.0)) and isinstance(b[3], Absent)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("step-failed", 0.25, 0.0), ("step-successful", 1 / 3, 1.0), ("blue-green-pre", 1.0, 1.0), ("blue-green-pre-failed", None, None),
        ("router", 0.2, 1.0), ("flagger-blue-green", 1.0, 1.0), ("flagger-step-weights", 0.1, 1.0),
    ],
)  # fmt: skip
def test_what_users_saw_is_read_from_the_history(name: str, first: float | None, last: float | None) -> None:
    history = History.read(HISTORIES / name / "history.json")
    steps = shares(history)
    if first is None:
        assert steps == ()
        return
    assert (steps[0][1], steps[-1][1]) == (first, last)
    assert 0 < steps[0][0] and [at for at, _ in steps] == sorted(at for at, _ in steps)
    assert steps[0][0] <= decided_at(history) <= history.entries[-1]["at"]
