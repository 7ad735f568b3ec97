"""What the objects of a rollout are called; Argo's range queries."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sim.manifests import Imported
from sim.manifests.identity import identity
from sim.policy.canary import Canary
from sim.policy.commands import Text
from sim.scenario.walking import asked
from sim.service.telemetry.names import Identity

Read = Callable[..., Imported]


def rollout(strategy: str, more: str = "") -> str:
    return f"""
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop, namespace: prod}}
spec:
  selector: {{matchLabels: {{app: till}}}}
  {more or "template: {metadata: {labels: {app: till}}, spec: {containers: [{name: shop, image: shop}]}}"}
  strategy: {strategy}
"""


def named(read: Read, text: str) -> Identity:
    imported = read(text)
    return identity(imported.policies[0], imported.objects)


CANARY = "{canary: {stableService: old, canaryService: new, trafficRouting: {nginx: {stableIngress: door}}, steps: [{setWeight: 5}]}}"


def test_a_canary_with_services(read: Read) -> None:
    found = named(read, rollout(CANARY))
    assert (found.namespace, found.ingress, found.router, found.system, found.active) == (
        "prod",
        "door",
        "nginx",
        "argo",
        "",
    )
    assert (found.stable.service, found.canary.service, found.stable.hash, found.canary.hash) == (
        "old",
        "new",
        "stable",
        "latest",
    )
    assert found.words("canary")["app"] == "till" and found.words("stable")["workload"] == "shop"


def test_labels_of_one_version_and_of_a_workload_elsewhere(read: Read) -> None:
    text = rollout(
        "{canary: {canaryMetadata: {labels: {role: new}}, stableMetadata: {labels: {role: old}}, steps: [{setWeight: 5}]}}",
        "workloadRef: {apiVersion: apps/v1, kind: Deployment, name: till}",
    )
    deployment = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till}
spec: {selector: {}, template: {metadata: {labels: {app: till, tier: web}}}}
"""
    found = named(read, text + deployment)
    assert found.canary.labels == (("app", "till"), ("tier", "web"), ("role", "new"))
    assert found.stable.labels == (("app", "till"), ("tier", "web"), ("role", "old"))
    assert found.stable.service == found.canary.service == "shop"


def test_blue_green_names_the_service_that_moves(read: Read) -> None:
    found = named(read, rollout("{blueGreen: {activeService: live, previewService: next}}"))
    assert (found.active, found.stable.service, found.canary.service) == ("live", "live", "next")


def test_flagger(read: Read) -> None:
    found = named(
        read,
        """
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo, namespace: test}
spec:
  provider: gloo
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  ingressRef: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: door}
  service: {name: front, port: 80}
  analysis: {interval: 1m, threshold: 1, stepWeight: 10}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo}
spec: {selector: {}, template: {metadata: {labels: {app: podinfo, tier: web}}}}
""",
    )
    assert (found.system, found.router, found.ingress, found.service) == ("flagger", "gloo", "door", "front")
    assert (found.canary.workload, found.canary.service) == ("podinfo", "front-canary")
    assert (found.stable.workload, found.stable.service) == ("podinfo-primary", "front-primary")
    assert found.stable.labels == (("app", "podinfo-primary"), ("tier", "web"))


def test_a_deployment_behind_the_service_that_selects_it(read: Read) -> None:
    found = named(
        read,
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {}, template: {metadata: {labels: {app: web, tier: front}}}}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: api}}
---
apiVersion: v1
kind: Service
metadata: {name: www}
spec: {selector: {app: web}}
""",
    )
    assert (found.stable.workload, found.stable.service, found.canary.service) == ("web", "www", "www")


TEMPLATE = """---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rates, namespace: prod}
spec:
  metrics:
  - name: rate
    provider:
      prometheus:
        query: sum(rate(http_requests_total[1m]))
        rangeQuery: {start: '%s', end: '%s', step: '%s'}
"""
STEPS = "{canary: {steps: [{analysis: {templates: [{templateName: rates}]}}]}}"


@pytest.mark.parametrize(
    ("start", "end", "step", "seconds"),
    [
        ('now() - duration("1h")', "now()", "1m", (-3600.0, 0.0, 60.0)),
        ('now()-duration("10m")+duration("30s")', 'now() - duration("1m")', "15s", (-570.0, -60.0, 15.0)),
    ],
)
def test_a_range_query_is_read(
    read: Read, start: str, end: str, step: str, seconds: tuple[float, float, float]
) -> None:
    policy = read(rollout(STEPS) + TEMPLATE % (start, end, step)).policies[0].policy
    assert isinstance(policy, Canary)
    (query,) = [query for _, _, query in asked(policy)]
    assert isinstance(query, Text) and query.provider == "prometheus-range"
    said = json.loads(query.text)
    assert (said["start"], said["end"], said["step"], said["query"]) == (*seconds, "sum(rate(http_requests_total[1m]))")


@pytest.mark.parametrize(
    ("start", "end", "step", "why"),
    [
        ('date("2026-01-01")', "now()", "1m", "only now() with durations"),
        ("now()", 'now() - duration("1h")', "1m", "ends before it starts"),
        ('now() - duration("1h")', "now()", "??", "without a step above 0"),
        ('now() - duration("100h")', "now()", "1s", "more than 11,000 steps"),
    ],
)
def test_a_range_query_that_is_not_read_says_why(read: Read, start: str, end: str, step: str, why: str) -> None:
    imported = read(rollout(STEPS) + TEMPLATE % (start, end, step))
    assert imported.policies[0].policy is None
    assert any(why in remark.text for remark in imported.of("not yet"))
