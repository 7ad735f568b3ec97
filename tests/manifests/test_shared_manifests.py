"""Every public manifest beside the checkout gets through, with the outcome written down here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.files.words import short
from sim.manifests import load

pytestmark = pytest.mark.shared

SHARED = Path(os.environ.get("SEATRIAL_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "manifests"
ARGO, FLAGGER = "argo-rollouts/", "flagger/"

# file -> policies (name, class or None), and the remarks "approximated" and "not yet" with the last part of their path
OUTCOMES: dict[str, tuple[tuple[tuple[str, str | None], ...], tuple[str, ...]]] = {
    ARGO + "alb-pingpong-rollout.yaml": ((("alb-canary", "Canary"),), ()),
    ARGO + "analysis-templates.yaml": ((), ()),
    ARGO + "analysistemplate-sleep-job.yaml": ((), ()),
    ARGO + "analysistemplate-web-background-inconclusive.yaml": ((), ()),
    ARGO + "bluegreen-pre-post-analysis.yaml": (
        (("bluegreen-analysis", None),), ("not yet ", "not yet templateName", "not yet templateName"),
    ),
    ARGO + "canary-dynamic-stable-scale.yaml": ((("dynamic-stable-scale", "Canary"),), ()),
    ARGO + "canary-scaledownonabort.yaml": ((("canary-scaledownd-on-abort", "Canary"),), ()),
    ARGO + "docs-analysis-nested-templates.yaml": ((), ()),
    ARGO + "docs-analysis-prometheus.yaml": ((), ()),
    ARGO + "ephemeral-labels.yaml": ((("ephemeral-label", "Canary"),), ()),
    ARGO + "experiment-dry-run-analysis.yaml": (
        (("experiment-with-dry-run", "Canary"),), ("approximated ",),
    ),
    ARGO + "istio-header-route.yaml": ((("rollouts-demo", "Canary"),), ()),
    ARGO + "istio-mirror.yaml": ((("istio-host-split", "Canary"),), ("approximated match",)),
    ARGO + "nginx-template.yaml": ((("REPLACEME", "Canary"),), ()),
    ARGO + "rollout-background-analysis-inconclusive.yaml": (
        (("rollout-background-analysis-inconclusive", None),), ("not yet ", "not yet templateName"),
    ),
    ARGO + "rollout-background-analysis.yaml": (
        (("rollout-background-analysis", None),), ("not yet ", "not yet templateName"),
    ),
    ARGO + "rollout-baseline-vs-canary.yaml": (
        (("rollout-baseline-vs-canary", "Canary"),), (),
    ),
    ARGO + "rollout-basic.yaml": ((("basic", "Canary"),), ()),
    ARGO + "rollout-bg-analysis-withArgs.yaml": ((("rollout-bg-analysis", "Canary"),), ("approximated secretKeyRef",)),
    ARGO + "rollout-bluegreen.yaml": ((("bluegreen", "BlueGreen"),), ()),
    ARGO + "rollout-canary-with-pause.yaml": ((("rollout-canary-with-pause", "Canary"),), ()),
    ARGO + "rollout-experiment-analysis.yaml": (
        (("rollout-experiment", "Canary"),),
        ("approximated podTemplateHashValue", "approximated podTemplateHashValue"),
    ),
    ARGO + "rollout-inline-analysis.yaml": (
        (("rollout-inline-analysis", None),), ("not yet ", *["not yet templateName"] * 3),
    ),
    ARGO + "rollout-rollback-window.yaml": (
        (("window", None),), ("not yet ", "not yet templateName"),
    ),
    FLAGGER + "alert-provider.yaml": ((), ()),
    FLAGGER + "analysis-all-fields.fragment.yaml": ((("analysis-all-fields", "Flagger"),), ("approximated ",)),
    FLAGGER + "gatewayapi-ab.yaml": (
        (("podinfo", None),), ("not yet ", "approximated name", "not yet name", "not yet name"),
    ),
    FLAGGER + "istio-bluegreen-mirror.yaml": ((("podinfo", "Flagger"),), ("approximated spec",)),
    FLAGGER + "istio-canary-metric-template.yaml": ((("podinfo", "Flagger"),), ("approximated name",)),
    FLAGGER + "istio-canary.yaml": ((("podinfo", "Flagger"),), ("approximated name",) * 2),
    FLAGGER + "istio-session-affinity.yaml": (
        (("podinfo", "Flagger"),), ("approximated name", "approximated name", "approximated sessionAffinity"),
    ),
    FLAGGER + "kubernetes-bluegreen.yaml": ((("podinfo", "Flagger"),), ("approximated name",)),
    FLAGGER + "linkerd-canary-steps.yaml": ((("podinfo", "Flagger"),), ("approximated name",) * 2),
    FLAGGER + "webhooks-all-types.fragment.yaml": ((("webhooks-all-types", "Flagger"),), ("approximated ",)),
    "kubernetes/podinfo-deployment.yaml": ((("podinfo", "Rolling"),), ()),
    "kubernetes/podinfo-hpa.yaml": ((), ()),
    "kubernetes/workload-ref.yaml": ((("rollout-ref-deployment", "Canary"),), ()),
    "swarm/full-example.compose.yaml": (
        (("foo", "Swarm"),), ("approximated restart_policy",),
    ),
}  # fmt: skip


def test_the_table_names_every_file() -> None:
    assert sorted(str(path.relative_to(SHARED)) for path in SHARED.rglob("*.yaml")) == sorted(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome(name: str) -> None:
    policies, remarks = OUTCOMES[name]
    imported = load(SHARED / name)
    found = tuple((item.name, type(item.policy).__name__ if item.policy else None) for item in imported.policies)
    assert found == policies
    said = imported.of("approximated", "not yet")
    assert tuple(f"{remark.status} {remark.path.rpartition('.')[2]}" for remark in said) == remarks
    assert imported.report and not imported.of("rejected")


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_field_is_accounted_for(name: str) -> None:
    imported = load(SHARED / name)
    for document in imported.documents:
        said = [remark for remark in imported.fields if remark.file == document.file]
        assert {remark.path for remark in said} >= set(_leaves(document.value, ""))
    assert all(remark.text for remark in imported.fields if remark.status != "exact")


def _leaves(value: object, path: str) -> Iterator[str]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not pairs:
        yield path
    for key, below in pairs:
        yield from _leaves(below, f"{path}.{short(str(key))}".lstrip("."))


def test_a_folder_resolves_its_references() -> None:
    imported = load(SHARED / "argo-rollouts")
    assert [item.name for item in imported.policies if item.policy is None] == []
    assert all(reference.found for item in imported.policies for reference in item.references)


def test_the_whole_folder_with_the_older_profile() -> None:
    assert len(load(SHARED, profile="argo-rollouts@1.8").policies) == len(load(SHARED).policies)
