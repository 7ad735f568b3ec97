"""The script's answers over HTTP, and what is applied of a manifest."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

from real.controllers.answers import Answers, Served
from real.controllers.case import Case
from real.controllers.prepare import GATE, REVISION, prepared, revised, template_of
from sim.policy.errors import WorldError
from sim.policy.events import Absent, Failed, NotANumber, Value
from sim.tracing.script import Happening, Script

SCRIPT = Script(
    measurements={
        "ok": (Value(0.99), Value([0.1, 0.2]), Absent(), NotANumber(), Failed("down"), Value(1)),
        "request-duration": (Value(400),),
    },
    events=(Happening(5.0, "approve", "go"), Happening(9.0, "deny", "go")),
)


@pytest.fixture
def served() -> Iterator[tuple[str, Served]]:
    with Answers("127.0.0.1") as answers:
        one = Served(SCRIPT, {"-": {"request-duration": "histogram_quantile"}})
        answers.serve("case", one)
        yield f"{answers.address}/case", one


def ask(url: str, query: str = "up", method: str = "POST") -> Any:
    body = urllib.parse.urlencode({"query": query})
    request = urllib.request.Request(
        url if method == "POST" else f"{url}?{body}", body.encode() if method == "POST" else None, method=method
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def values(document: Any) -> list[str]:
    return [series["value"][1] for series in document["data"]["result"]]


def test_one_queue_per_metric_and_the_last_answer_repeats(served: tuple[str, Served]) -> None:
    url = f"{served[0]}/checks/ok/api/v1/query"
    assert [values(ask(url)) for _ in range(4)] == [["0.99"], ["0.1", "0.2"], [], ["NaN"]]
    with pytest.raises(urllib.error.HTTPError, match="500") as failure:
        ask(url)
    assert json.load(failure.value)["error"] == "down"
    assert [values(ask(url)) for _ in range(2)] == [["1.0"], ["1.0"]]
    assert [given.metric for given in served[1].given] == ["ok"] * 7


def test_flagger_asks_by_query_and_whether_somebody_is_there(served: tuple[str, Served]) -> None:
    url = f"{served[0]}/-/api/v1/query"
    assert values(ask(url, "vector(1)", "GET")) == ["1.0"]
    assert values(ask(url, "histogram_quantile(0.99, x)", "GET")) == [
        "0.4"
    ]  # milliseconds in the script, seconds in the query
    assert len(served[1].given) == 1


def test_a_metric_without_an_entry_is_refused(served: tuple[str, Served]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as failure:
        ask(f"{served[0]}/checks/other/api/v1/query")
    assert "no measurements for metric checks/other" in json.load(failure.value)["error"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(f"{served[0]}-of-nobody/checks/ok/api/v1/query")


@pytest.mark.parametrize(
    ("passed", "kind", "name", "approved"),
    [
        (1.0, "confirm-rollout", "go", False), (6.0, "confirm-rollout", "go", True), (10.0, "confirm-rollout", "go", False),
        (1.0, "confirm-rollout", "other", True), (1.0, "rollback", "stop", False),
    ],
)  # fmt: skip
def test_gates(monkeypatch: pytest.MonkeyPatch, passed: float, kind: str, name: str, approved: bool) -> None:
    monkeypatch.setattr("real.controllers.answers.time.monotonic", lambda: 100.0 + passed)
    assert Served(SCRIPT, started=100.0).approves(kind, name) is approved


# ---- what is applied ----


def rollout(**canary: Any) -> dict[str, Any]:
    pod = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "shop:1", "command": ["serve"]}]},
    }
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": pod, "strategy": {"canary": canary}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a"}, "spec": spec}


def template(**provider: Any) -> dict[str, Any]:
    metric = {"name": "ok", "successCondition": "true", "provider": provider}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "t"},
        "spec": {"metrics": [metric]},
    }


def test_only_what_reaches_outside_is_changed() -> None:
    case = Case(
        "c", (rollout(steps=[{"setWeight": 20}]), template(prometheus={"address": "http://p", "query": "up"})), SCRIPT
    )
    checks, applied = prepared(case, "space", "http://host:1")
    assert applied["kind"] == "Rollout" and applied["metadata"]["namespace"] == "space"
    assert applied["spec"]["strategy"] == {"canary": {"steps": [{"setWeight": 20}]}}
    pod = template_of(applied)
    assert pod is not None and pod["metadata"] == {"labels": {"app": "a"}, "annotations": {REVISION: "1"}}
    assert [(one["name"], one["image"]) for one in pod["spec"]["containers"]] == [
        ("main", "registry.k8s.io/pause:3.10")
    ]
    assert checks["spec"]["metrics"][0]["provider"] == {
        "prometheus": {"address": "http://host:1/space/t/ok", "query": "up"}
    }
    assert case.workload["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:1"  # the manifest itself stays


def test_a_script_that_delays_pods_gates_them_and_never_is_an_image_that_is_not_there() -> None:
    case = Case("c", (rollout(),), Script(ready={2: (3.0,), 3: inf}))
    applied = prepared(case, "space", "http://h")[-1]
    assert (template_of(applied) or {})["spec"]["readinessGates"] == [{"conditionType": GATE}]
    assert revised(applied, case, 3)["spec"]["containers"][0]["imagePullPolicy"] == "Never"


def test_what_is_named_and_not_brought_along_is_made() -> None:
    router = {"canaryService": "new", "stableService": "old", "trafficRouting": {"nginx": {"stableIngress": "front"}}}
    made = prepared(Case("c", (rollout(**router),), Script()), "space", "http://h")
    assert [(one["kind"], one["metadata"]["name"]) for one in made] == [
        ("Service", "old"), ("Service", "new"), ("Ingress", "front"), ("Rollout", "a"),
    ]  # fmt: skip
    backend = made[2]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "old", "port": {"number": 80}}}


def test_a_provider_that_a_script_cannot_answer_for_is_named() -> None:
    case = Case("c", (rollout(), template(datadog={"query": "q"})), Script())
    with pytest.raises(WorldError, match="metric ok: a script can answer for Prometheus, not for provider datadog"):
        prepared(case, "space", "http://h")


def test_a_case_needs_something_that_a_controller_looks_after() -> None:
    with pytest.raises(WorldError, match="no Rollout, Canary or Deployment"):
        _ = Case("c", (template(),), Script()).system
