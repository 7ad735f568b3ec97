"""Answers in the shape of the asking system; range queries; what Flagger asks for its own metrics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.policy.commands import Text
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.promql import compile
from sim.promql.values import Answer as Found
from sim.promql.values import Failure
from sim.service.telemetry.builtins import builtin
from sim.service.telemetry.checks import misfits
from sim.service.telemetry.emitted import Exposition
from sim.service.telemetry.names import Identity, Named
from sim.service.telemetry.plans import Plan
from sim.service.telemetry.readings import Readings
from sim.service.telemetry.spans import span
from tests.telemetry.world import SHOP, service


def vector(*series: tuple[str, float | None], failed: bool = False) -> Found:
    """One replication's vector; None: not there."""
    labels = tuple((("pod", name),) for name, _ in series)
    values = np.array([[0.0 if value is None else value] for _, value in series]).reshape(len(series), 1)
    present = np.array([[value is not None] for _, value in series], bool).reshape(len(series), 1)
    failures = (Failure("many-to-many matching not allowed", np.array([True])),) if failed else ()
    return Found("vector", labels, values, present, failures=failures)


SCALAR = Found("scalar", ((),), np.array([[0.5]]), np.array([[True]]))
NOTHING = Absent("the query answered with nothing")
BROKEN = Failed("many-to-many matching not allowed")


@pytest.mark.parametrize(
    ("found", "argo", "flagger"),
    [
        (vector(("a", 0.5)), Value([0.5]), Value(0.5)),
        (vector(("a", 0.5), ("b", 0.7)), Value([0.5, 0.7]), Value(0.7)),
        (vector(("a", 0.5), ("b", None)), Value([0.5]), Value(0.5)),
        (vector(("a", None)), NOTHING, NOTHING),
        (vector(), NOTHING, NOTHING),
        (vector(("a", 0.5), failed=True), BROKEN, BROKEN),
        (SCALAR, Value(0.5), Failed("Flagger cannot read a scalar")),
        (Found("matrix"), Failed("the answer is a matrix, not a vector"), Failed("the answer is a matrix, not a vector")),
    ],
)  # fmt: skip
def test_shapes(found: Found, argo: Answer, flagger: Answer) -> None:
    assert Readings([found], "argo").of(0) == argo
    assert Readings([found], "flagger").of(0) == flagger


def test_not_a_number_is_a_value_to_argo_and_none_to_flagger() -> None:
    argo = Readings([vector(("a", math.nan))], "argo").of(0)
    assert isinstance(argo, Value) and isinstance(argo.value, list) and math.isnan(argo.value[0])
    assert Readings([vector(("a", math.nan))], "flagger").of(0) == NotANumber()


def test_all_at_once_is_one_by_one() -> None:
    for found in (vector(("a", 0.5)), vector(("a", None)), vector(("a", 0.5), ("b", 0.7))):
        for system in ("argo", "flagger"):
            readings = Readings([found], system)  # type: ignore[arg-type]
            assert readings.each(np.array([0])) == [readings.of(0)]


def test_a_range_query_gives_all_samples_of_all_series() -> None:
    found = [vector(("b", 1.0), ("a", 2.0)), vector(("b", 3.0), ("a", None))]
    assert Readings(found, "argo", ranged=True).of(0) == Value([2.0, 1.0, 3.0])


PODINFO = {
    provider: Identity(
        Named("podinfo-primary", "podinfo-primary", "stable"), Named("podinfo", "podinfo-canary", "latest"), "test", "podinfo",
        "podinfo", "podinfo", "flagger", provider,
    )
    for provider in ("istio", "linkerd", "nginx", "contour", "gloo", "kuma", "kubernetes", "traefik", "apisix", "skipper", "appmesh", "")
}  # fmt: skip


@pytest.mark.parametrize("provider", PODINFO)
@pytest.mark.parametrize("metric", ["request-success-rate", "request-duration"])
def test_flaggers_own_metrics_see_the_canary_and_nothing_else(provider: str, metric: str) -> None:
    exposition = Exposition(service(), PODINFO[provider])
    plan = Plan(builtin(metric, "1m", PODINFO[provider]), exposition)
    assert misfits(plan.query, exposition) == []
    versions = {group.version for reading in plan.readings.values() for group in reading.groups}
    assert versions == {"canary"} and not plan.apart


# Queries as they are written for Argo, Flagger and dashboards: (query, versions that it sees, whether pods are told apart).
QUERIES = [
    ('sum(rate(istio_requests_total{reporter="source",destination_service=~"shop-canary.prod.svc.cluster.local"}[5m]))', "canary", False),
    ('sum(rate(istio_requests_total{destination_service_name="shop-stable",response_code=~"5.."}[5m]))', "stable", False),
    ('sum(rate(http_requests_total{app="shop"}[1m]))', "canary stable", False),
    ('sum(rate(http_requests_total{rollouts_pod_template_hash="latest"}[1m]))', "canary", False),
    ('sum(rate(http_requests_total{pod=~"shop-latest-.*"}[1m]))', "canary", False),
    ('sum(rate(http_requests_total{pod="shop-latest-00001"}[1m]))', "canary", True),
    ('sum by (pod) (rate(http_requests_total{version="canary"}[1m]))', "canary", True),
    ('sum without (pod, instance, kubernetes_pod_name) (rate(http_requests_total{version="canary"}[1m]))', "canary", False),
    ('max(rate(http_requests_total{version="canary"}[1m]))', "canary", True),
    ('sum(http_requests_total{version="canary"})', "canary", True),
    ('rate(http_requests_total{version="canary",code="200"}[1m])', "canary", True),
    ('count(up{service="shop-canary"})', "canary", True),
    ('sum(rate(nginx_ingress_controller_requests{ingress="shop",canary!="",status!~"[4-5].*"}[1m]))', "canary", False),
    ('sum(rate(nginx_ingress_controller_requests{ingress="shop"}[1m]))', "canary stable", False),
    ('max(nginx_ingress_controller_requests{canary!=""})', "canary", False),
    ('histogram_quantile(0.95, sum(rate(http_server_requests_seconds_bucket{service="shop-canary"}[1m])) by (le))', "canary", False),
    ('sum(rate({__name__=~"http_requests.*",service="shop-canary"}[1m]))', "canary", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "versions", "apart"), QUERIES)
def test_which_series_a_query_sees(text: str, versions: str, apart: bool) -> None:
    plan = Plan(text, Exposition(service(), SHOP))
    assert misfits(plan.query, plan.exposition) == []
    seen = {group.version for reading in plan.readings.values() for group in reading.groups}
    assert (" ".join(sorted(seen)), plan.apart) == (versions, apart)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("scalar(sum(up))", "scalar"), ("1 + time()", "scalar"), ("vector(1)", "vector"), ("1 > bool 2", "scalar"), ("-sum(up)", "vector"),
        ("up[5m]", "matrix"), ('"a"', "string"), ("2 * sum(up)", "vector"),
    ],
)  # fmt: skip
def test_the_kind_of_an_answer_is_known_before(text: str, kind: str) -> None:
    assert compile(text).kind == kind


@pytest.mark.parametrize(
    ("provider", "text", "seconds"),
    [
        ("prometheus", "sum(rate(a[5m])) / sum(rate(b[1m] offset 10m))", 660.0), ("prometheus", "vector(1)", 60.0),
        ("prometheus", "sum(rate(", 60.0), ("flagger-builtin", "request-duration[2m]", 120.0), ("datadog", "avg:x", 60.0),
        ("prometheus-range", '{"end": 0, "query": "up", "start": -3600, "step": 60}', 3600.0),
    ],
)  # fmt: skip
def test_how_far_back_a_question_looks(provider: str, text: str, seconds: float) -> None:
    assert span(Text(provider, text)) == seconds
