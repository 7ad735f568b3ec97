"""Sets of documents: lists, rendered charts, fragments; and that every field of them is accounted for."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from sim.manifests import Imported, load
from sim.policy.canary import Canary
from sim.policy.errors import PolicyError
from sim.policy.flagger import Flagger
from sim.policy.rolling import Rolling
from sim.policy.steps import SetWeight

Read = Callable[..., Imported]

CHART = """---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: shop}
---
# Source: shop/templates/hpa.yaml
---
# Source: shop/templates/rollout.yaml
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop, labels: {chart: shop-1.2.3}}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  strategy: {canary: {steps: [{setWeight: 25}, {pause: {}}]}}
"""
LIST = """
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 3
    selector: {}
    surge: 1
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: settings}
"""


def test_a_rendered_chart_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((CHART).encode())))
    imported = load("-")
    (found,) = imported.policies
    assert (found.name, found.replicas) == ("shop", 4) and isinstance(found.policy, Canary)
    assert len(imported.documents) == 2  # the empty one is none


def test_json_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 1e1, "selector": {}}}'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((text.replace("1e1", "2")).encode())))
    assert load("-").policies[0].replicas == 2


def test_a_list_holds_objects(read: Read) -> None:
    imported = read(LIST)
    assert [(policy.name, policy.replicas) for policy in imported.policies] == [("web", 3)]
    (unknown,) = [remark for remark in imported.of("ignored") if "unknown" in remark.text]
    assert (unknown.path, unknown.line, unknown.column) == ("spec.surge", 11, 5)
    assert "ConfigMap settings" in imported.of("ignored")[-1].text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("analysis: {interval: 1m, threshold: 2, stepWeight: 20}", Flagger),
        ("webhooks: [{name: a, type: rollback, url: http://a}]", Flagger),
        ("{interval: 1m, threshold: 2, iterations: 3}", Flagger),
        ("strategy: {canary: {steps: [{setWeight: 5}]}}", Canary),
        ("canary: {steps: [{setWeight: 5}]}", Canary),
        ("steps: [{setWeight: 5}]", Canary),
        ("strategy: {rollingUpdate: {maxSurge: 2}}", Rolling),
    ],
)
def test_fragments_are_told_by_their_content(read: Read, text: str, kind: type) -> None:
    (found,) = read(text).policies
    assert isinstance(found.policy, kind) and found.name == "m0"


def test_a_fragment_is_told_by_name(read: Read) -> None:
    (found,) = read("maxSurge: 2\nsteps: []", part="rollout-canary").policies
    assert found.policy == Canary(router=False, max_surge=2)
    with pytest.raises(PolicyError, match="did you mean rollout-canary"):
        read("a: 1", part="rollout-canari")


def test_places_in_a_fragment_are_those_of_the_file(read: Read) -> None:
    imported = read("steps:\n- setWeight: 5\n  wait: 3\nsurge: on\n")
    assert [(remark.path, remark.line) for remark in imported.of("ignored")] == [("steps.0.wait", 3), ("surge", 4)]
    assert isinstance(imported.policies[0].policy, Canary) and imported.policies[0].policy.steps == (SetWeight(5),)
    assert [remark.path for remark in imported.fields] == ["steps.0.setWeight", "steps.0.wait", "surge"]


def test_what_is_no_part_of_anything(read: Read) -> None:
    (remark,) = read("- 1").report
    assert remark.status == "not yet" and "neither a manifest" in remark.text


def test_every_field_has_a_status(read: Read) -> None:
    imported = read(LIST)
    said = {remark.path: remark.status for remark in imported.fields}
    assert said["spec.replicas"] == "exact" and said["spec.surge"] == said["spec.selector"] == "ignored"
    texts = [remark.text for remark in imported.fields if remark.path == "metadata.name"]
    assert texts[-1] == "companion: ConfigMap settings is passed through"
