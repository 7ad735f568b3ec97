"""The public manifests' own queries, unchanged, over the default telemetry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim.engine.paths import follow
from sim.scenario import assemble, load_policy
from sim.scenario.fitting import misfits
from sim.scenario.measures import MetricTable
from sim.service.model import Service

SHARED = Path(os.environ.get("SEATRIAL_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "manifests"
ASKING = (
    "istio-bluegreen-mirror", "istio-canary-metric-template", "istio-canary", "istio-session-affinity", "kubernetes-bluegreen",
    "linkerd-canary-steps",
)  # fmt: skip
ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: guestbook}
spec:
  replicas: 5
  selector: {matchLabels: {app: guestbook}}
  template:
    metadata: {labels: {app: guestbook}}
    spec: {containers: [{name: guestbook, image: guestbook}]}
  strategy:
    canary:
      canaryService: guestbook-canary
      stableService: guestbook
      trafficRouting: {istio: {virtualService: {name: guestbook, routes: [primary]}}}
      analysis:
        templates: [{templateName: success-rate}]
        startingStep: 2
        args: [{name: service-name, value: guestbook-canary.default.svc.cluster.local}]
      steps: [{setWeight: 20}, {pause: {duration: 10m}}, {setWeight: 40}, {pause: {duration: 10m}}]
---
"""

pytestmark = pytest.mark.shared


@pytest.mark.parametrize("name", ASKING)
def test_flagger_canaries_run_as_they_are(name: str) -> None:
    policy = load_policy(SHARED / "flagger" / f"{name}.yaml")
    assert misfits(policy, MetricTable(), Service(), None) == []
    good, bad = assemble([policy], service=Service(), releases=("good", "errors-large")).cases()
    assert follow(good[2], 1, 0, 3)["outcome"].tolist() == [0] * 3
    if name not in ("istio-canary-metric-template", "istio-canary"):
        assert follow(bad[2], 1, 0, 3)["outcome"].tolist() == [1] * 3


def test_argos_documented_template_runs_as_it_is(tmp_path: Path) -> None:
    template = (SHARED / "argo-rollouts" / "docs-analysis-prometheus.yaml").read_text()
    (tmp_path / "guestbook.yaml").write_text(ROLLOUT + template)
    (good,) = assemble([tmp_path / "guestbook.yaml"], service=Service(), releases=("good",)).cases()
    rows = follow(good[2], 1, 0, 3)
    assert rows["outcome"].tolist() == [0] * 3
    assert rows["looks"].tolist() == [3] * 3  # every five minutes from step 2 on
