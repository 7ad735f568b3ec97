"""Exports to another system: what is written, what is told, what passes through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.files import read_documents
from sim.manifests import Imported, load
from sim.manifests.export import TARGETS, Exported, export, write
from sim.manifests.writing.text import dump
from sim.policy.canary import Canary
from sim.policy.errors import PolicyError
from sim.policy.flagger import Flagger
from sim.policy.rolling import Rolling
from sim.policy.steps import Gate, Match, Pause, SetWeight

Read = Callable[..., Imported]

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: prod}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web
      trafficRouting: {nginx: {stableIngress: web}}
      steps:
      - setWeight: 10
      - pause: {duration: 60}
      - setWeight: 50
      - pause: {duration: 60}
      analysis: {templates: [{templateName: errors}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors, namespace: prod}
spec:
  metrics:
  - {name: rate, interval: 60s, failureLimit: 2, successCondition: "result[0] <= 0.01", provider: {prometheus: {query: up}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: prod}
"""


def told(exported: Exported) -> list[tuple[str, str]]:
    return [(loss.status, loss.place) for loss in exported.losses]


def test_a_rollout_for_flagger(read: Read) -> None:
    exported = export(read(ROLLOUT), "flagger")
    after = load(read_documents(exported.text, "f.yaml"))
    (found,) = after.policies
    assert isinstance(found.policy, Flagger) and (found.name, found.replicas) == ("web", 4)
    assert (found.policy.interval, found.policy.step_weights, found.policy.threshold) == (60.0, (10, 50), 3)
    assert [(check.name, check.high, check.template) for check in found.policy.checks] == [("rate", 0.01, "errors")]
    kinds = [document["kind"] for document in exported.documents]
    assert kinds == ["Canary", "MetricTemplate", "Deployment", "Service"]
    pods = exported.documents[2]["spec"]["template"]["spec"]["containers"]
    assert pods == [{"name": "web", "image": "web:1"}]  # those of the Rollout
    assert {one["metadata"]["namespace"] for one in exported.documents} == {"prod"}
    assert ("approximated", "metric rate") in told(exported) and ("approximated", "AnalysisTemplate") in told(exported)


def test_a_canary_for_argo_leaves_its_deployment(read: Read) -> None:
    canary = """
    apiVersion: flagger.app/v1beta1
    kind: Canary
    metadata: {name: web}
    spec:
      targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
      service: {port: 80}
      analysis:
        interval: 20s
        threshold: 2
        stepWeight: 20
        maxWeight: 50
        metrics: [{name: errors, thresholdRange: {max: 1}, query: up}]
        webhooks: [{name: gate, type: confirm-promotion, url: http://gate}]
    """
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, selector: {}}"
    exported = export(read(canary, deployment), "argo-rollouts")
    (found,) = load(read_documents(exported.text, "f.yaml")).policies
    assert isinstance(found.policy, Canary) and found.replicas == 3
    assert [step.weight for step in found.policy.steps if isinstance(step, SetWeight)] == [20, 40, 60]
    assert exported.documents[0]["spec"]["workloadRef"]["name"] == "web"
    assert ("lost", "webhook gate") in told(exported)


def test_what_cannot_be_said_is_told() -> None:
    policy = Canary(steps=(Gate("ok"), Match(("staff",)), SetWeight(12.5), Pause(None)), on_inconclusive="abort")
    exported = write([("x", policy, 2)], "argo-rollouts")
    assert {place for _, place in told(exported)} >= {"steps.0", "steps.1", "steps.2", "on_inconclusive"}
    assert not exported.exact
    assert not write([("x", policy, 2)], "deployment").exact


def test_placeholders_do_not_make_it_inexact() -> None:
    exported = write([("My Service!", Rolling(max_surge=1), 2)], "deployment")
    assert exported.exact and told(exported) == [("placeholder", "pods")]
    assert exported.documents[0]["metadata"]["name"] == "my-service"


def test_a_policy_that_gives_none_is_told(read: Read) -> None:
    exported = export(read(ROLLOUT.split("---")[0]), "flagger")
    assert exported.documents == () and told(exported) == [("lost", "Rollout")]


def test_unknown_targets() -> None:
    with pytest.raises(PolicyError, match="did you mean argo-rollouts"):
        write([], "argo-rollout")
    assert list(TARGETS)[:3] == ["argo-rollouts", "flagger", "deployment"]


@pytest.mark.parametrize(
    "text", ["on", "NO", "y", "1:30", "1e3", "012", "0o17", "0x1F", "1_000", "~", "", ".5", "null", "2024-01-01"]
)
def test_text_stays_text_for_every_reader(text: str) -> None:
    written = dump([{"kind": "a", "apiVersion": text}])
    for dialect in ("own", "kubernetes"):
        (document,) = read_documents(written, "f.yaml", dialect=dialect)  # type: ignore[arg-type]
        assert document.value["apiVersion"] == text and not document.ambiguous


def test_text_of_several_lines_is_a_block() -> None:
    assert dump([{"a": "one\ntwo\n", "b": "x\n y\t"}]).startswith("a: |\n  one\n  two\n")
