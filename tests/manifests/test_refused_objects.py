"""What the API server and Argo refuse of any object, each with its place: kind, version, metadata, templates on their own."""

from __future__ import annotations

import pytest

from sim.files import FileErrors, read_documents
from sim.manifests import load

ROLLOUT = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: 'shop:1'}]}}
  strategy: {canary: {steps: [{setWeight: 50}, {pause: {duration: 5s}}]}}
"""
TEMPLATE = """apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: t}
spec:
  args: [{name: x}]
  metrics:
  - name: m
    interval: 1m
    count: 3
    successCondition: result[0] < 1
    provider: {prometheus: {address: http://p, query: up}}
"""

CANARY = """apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis: {interval: 1m, threshold: 5, maxWeight: 50, stepWeight: 10}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: 'a:1'}]}}
"""

# By the API server (Kubernetes' own validation, the schemas of the controllers' CRDs) or by Argo Rollouts when it reads the object.
# Tried with a server-side dry run on Kubernetes 1.32: no name, labels, whole numbers, pauses, no provider, no analysis, no threshold,
# no port, maxUnavailable, containers of one name, revisionHistoryLimit.
# text, what is replaced, by what, line, what is said
ROWS = (
    (ROLLOUT, "kind: Rollout\n", "", 1, "the object has no kind"),
    (ROLLOUT, "kind: Rollout", "kind: [Rollout]", 2, "the object has no kind"),
    (ROLLOUT, "kind: Rollout", "kind:", 2, "the object has no kind"),
    (ROLLOUT, "apiVersion: argoproj.io/v1alpha1\n", "", 1, "the object has no apiVersion"),
    (ROLLOUT, "kind: Rollout", "kind: rollout", 2, "there is no kind 'rollout'; did you mean Rollout?"),
    (ROLLOUT, "io/v1alpha1", "io/v1", 1, "no Rollout in version 'argoproj.io/v1'; use argoproj.io/v1alpha1"),
    (ROLLOUT, "{name: shop}", "{}", 3, "the object has no name"),
    (ROLLOUT, "{name: shop}", "[]", 3, "a list is not an object"),
    (ROLLOUT, "{name: shop}", "{name: 5}", 3, "5 is not text"),
    (ROLLOUT, "{name: shop}", "{name: shop, labels: {version: 1.0}}", 3, "1.0 is not text"),
    (ROLLOUT, "{name: shop}", "{name: shop, annotations: {on: true}}", 3, "true is not text"),
    (ROLLOUT, "labels: {app: shop}}, spec", "labels: {app: shop, v: 2}}, spec", 7, "2 is not text"),
    (ROLLOUT, "[{name: shop, image: 'shop:1'}]", "[]", 7, "a pod without containers"),
    (ROLLOUT, "replicas: 4", "replicas: 3000000000", 5, "3000000000 is out of range"),
    (ROLLOUT, "duration: 5s", "duration: 1.5", 8, "1.5 is not a whole number of seconds"),
    (ROLLOUT, "duration: 5s", "duration: '1.5'", 8, "'1.5' is not a whole number of seconds"),
    (
        CANARY,
        "  analysis: {interval: 1m, threshold: 5, maxWeight: 50, stepWeight: 10}\n",
        "",
        4,
        "a Canary without analysis",
    ),
    (CANARY, "threshold: 5, ", "", 7, "an analysis without threshold"),
    (CANARY, "{port: 80}", "{}", 6, "port"),
    (DEPLOYMENT, "replicas: 3", "revisionHistoryLimit: -1", 5, "-1 is out of range"),
    (DEPLOYMENT, "replicas: 3", "strategy: {rollingUpdate: {maxUnavailable: 150%}}", 5, "maxUnavailable 150% is more"),
    (DEPLOYMENT, "image: 'a:1'}", "image: a}, {name: c, image: b}", 7, "two containers named c"),
    (DEPLOYMENT, "apps/v1", "extensions/v1beta1", 1, "no Deployment in version 'extensions/v1beta1'; use apps/v1"),
    (TEMPLATE, "    provider: {prometheus: {address: http://p, query: up}}\n", "", 7, "0 providers"),
    (TEMPLATE, "{prometheus: ", "{job: {spec: {}}, prometheus: ", 11, "2 providers"),
    (TEMPLATE, "count: 3", "count: 3\n    failureLimit: 4", 9, "count 3 is below failureLimit"),
    (TEMPLATE, "count: 3", "count: 3\n    inconclusiveLimit: 4", 9, "count 3 is below inconclusiveLimit"),
    (TEMPLATE, "count: 3", "count: 3\n    failureLimit: -1", 10, "switch both limits off"),
    (TEMPLATE, "count: 3", "count: 3\n    consecutiveErrorLimit: -1", 10, "consecutiveErrorLimit is negative"),
    (TEMPLATE, "count: 3", "count: three", 9, "'three' is not a whole number"),
    (TEMPLATE, "interval: 1m", "interval: 60", 8, "60 is not text"),
    (TEMPLATE, "interval: 1m", "interval: 1 minute", 8, "'1 minute' is not a duration"),
    (TEMPLATE, "interval: 1m", "interval: 1d", 8, "'1d' is not a duration"),
    (TEMPLATE, "    interval: 1m\n", "", 7, "interval"),
    (TEMPLATE, "result[0] < 1", "true", 10, "true is not text"),
    (TEMPLATE, "result[0] < 1", "5", 10, "5 is not text"),
    (TEMPLATE, "  - name: m\n", "  - {name: m, provider: {job: {spec: {}}}}\n  - name: m\n", 8, "two metrics named m"),
)


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "says"), ROWS, ids=[f"{row[4][:30]}-{row[2][:20]}" for row in ROWS]
)
def test_an_object_that_is_refused(text: str, old: str, new: str, line: int, says: str) -> None:
    assert old in text
    load(read_documents(text, "m.yaml"))
    with pytest.raises(FileErrors) as raised:
        load(read_documents(text.replace(old, new, 1), "m.yaml"))
    assert [problem for problem in raised.value.problems if says in str(problem) and problem.line == line], str(
        raised.value
    )


WAITING = ("count: '{{args.x}}'", "count: 3\n    failureLimit: '{{args.x}}'")


@pytest.mark.parametrize("new", WAITING)
def test_what_waits_for_an_argument_is_not_judged(new: str) -> None:
    load(read_documents(TEMPLATE.replace("count: 3", new), "m.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n",
        "apiVersion: serving.knative.dev/v1\nkind: deployment\nmetadata: {}\n",
        "resources: [a.yaml]\n",
        "kind: of thing\nwhat: 5\n",
        ROLLOUT.replace("{name: shop}", "{generateName: shop-}"),
        ROLLOUT.replace("{name: shop}", "{name: REPLACE_ME}"),
    ],
)
def test_other_things_are_left_alone(text: str) -> None:
    load(read_documents(text, "m.yaml"))
