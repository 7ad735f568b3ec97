"""The public manifests beside the checkout, one by one: what lint says of each, as it would be defended to its author."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim.lint import lint

pytestmark = pytest.mark.shared

SHARED = Path(os.environ.get("SEATRIAL_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "manifests"
ARGO, FLAGGER = "argo-rollouts/", "flagger/"

# file -> line, severity and rule of every finding. Why they are true:
# L18 (note): the pause has no duration and nothing subscribes a notification. L31: the template lives in another file; the folder has it.
# L2, L3: irate over irate is empty without the metric and 0/0 without traffic; neither is guarded. L24 (note): the documentation's own
# windows overlap, and threshold 10 or 15 bears it.
FINDINGS: dict[str, tuple[str, ...]] = {
    ARGO + "alb-pingpong-rollout.yaml": (),
    # The template `pass` measures once and forgives one failure: it would pass with `exit 1` as well.
    ARGO + "analysis-templates.yaml": ("15 warning L44",),
    ARGO + "analysistemplate-sleep-job.yaml": (),
    ARGO + "analysistemplate-web-background-inconclusive.yaml": (),
    ARGO + "bluegreen-pre-post-analysis.yaml": ("12 error L31", "18 error L31", "22 note L18"),
    ARGO + "canary-dynamic-stable-scale.yaml": ("93 note L18",),
    ARGO + "canary-scaledownonabort.yaml": ("94 note L18",),
    ARGO + "docs-analysis-nested-templates.yaml": ("11 warning L2", "11 warning L3", "34 warning L2", "34 warning L3"),
    ARGO + "docs-analysis-prometheus.yaml": ("13 warning L2", "13 warning L3"),
    ARGO + "ephemeral-labels.yaml": ("17 note L18",),
    ARGO + "experiment-dry-run-analysis.yaml": (),
    ARGO + "istio-header-route.yaml": ("94 note L18",),
    ARGO + "istio-mirror.yaml": ("80 note L18",),
    ARGO + "nginx-template.yaml": (),
    ARGO + "rollout-background-analysis-inconclusive.yaml": ("14 error L31",),
    ARGO + "rollout-background-analysis.yaml": ("34 error L31", "37 note L18"),
    ARGO + "rollout-baseline-vs-canary.yaml": (),
    ARGO + "rollout-basic.yaml": ("10 note L18",),
    # Weight 25 of 1 pod is 1 pod beside 1: half of the traffic.
    ARGO + "rollout-bg-analysis-withArgs.yaml": ("38 warning L14", "39 note L18"),
    # The old pods go 10 s after the switch; Argo's documentation advises 30.
    ARGO + "rollout-bluegreen.yaml": ("23 warning L20",),
    # A deadline of 5 s, and the first readiness probe comes after 10 s: it is always exceeded.
    ARGO + "rollout-canary-with-pause.yaml": ("50 warning L17", "76 note L18"),
    ARGO + "rollout-experiment-analysis.yaml": ("76 note L18",),
    ARGO + "rollout-inline-analysis.yaml": ("12 error L31", "13 note L18", "16 error L31", "19 error L31"),
    ARGO + "rollout-rollback-window.yaml": ("15 error L31",),
    FLAGGER + "alert-provider.yaml": (),
    FLAGGER + "analysis-all-fields.fragment.yaml": (),
    FLAGGER + "gatewayapi-ab.yaml": ("31 error L31", "35 note L24", "38 error L31", "42 note L24"),
    FLAGGER + "istio-bluegreen-mirror.yaml": (),
    FLAGGER + "istio-canary-metric-template.yaml": ("58 note L24", "65 note L24"),
    FLAGGER + "istio-canary.yaml": ("47 note L24", "51 note L24"),
    FLAGGER + "istio-session-affinity.yaml": (),
    FLAGGER + "kubernetes-bluegreen.yaml": ("39 note L24", "43 note L24"),
    FLAGGER + "linkerd-canary-steps.yaml": ("32 note L24", "36 note L24"),
    FLAGGER + "webhooks-all-types.fragment.yaml": (),
    "kubernetes/podinfo-deployment.yaml": (),
    "kubernetes/podinfo-hpa.yaml": (),
    "kubernetes/workload-ref.yaml": (),
    # failure_action: continue: monitor 60s and max_failure_ratio 0.3 beside it do nothing.
    "swarm/full-example.compose.yaml": ("63 warning L27",),
}


def test_the_table_names_every_file() -> None:
    assert sorted(str(path.relative_to(SHARED)) for path in SHARED.rglob("*.yaml")) == sorted(FINDINGS)


@pytest.mark.parametrize("name", FINDINGS)
def test_findings(name: str) -> None:
    report = lint(SHARED / name)
    assert tuple(f"{one.line} {one.severity} {one.rule.id}" for one in report.findings) == FINDINGS[name]
    assert report.problems == ()


def test_the_folder_resolves_its_templates() -> None:
    report = lint(SHARED / "argo-rollouts")
    assert [str(one) for one in report.findings if one.rule.id == "L31"] == []
    # Read together, the rollouts that were incomplete alone say more: 1 and 2 pods without a router.
    apart = [f"{Path(one.file).name} {one.line}" for one in report.findings if one.rule.id == "L14"]
    assert apart == [
        "rollout-background-analysis-inconclusive.yaml 10", "rollout-bg-analysis-withArgs.yaml 38", "rollout-inline-analysis.yaml 9",
    ]  # fmt: skip
