"""Spinnaker's stages and Kayenta's configs: what their fields become. When they act is in tests/conformance."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.files import FileErrors, read_documents
from sim.manifests import Imported, load
from sim.manifests.export import export
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.judges.kayenta import Kayenta
from sim.policy.judges.kayenta_metric import Metric
from sim.policy.redblack import RedBlack
from sim.policy.scores import Scored
from sim.policy.steps import Analyse, ScaleCanary, SetWeight

CONFIG = """
{"name": "shop", "id": "c-1", "judge": {"name": "NetflixACAJudge-v1.0"},
 "metrics": [
  {"name": "error rate", "groups": ["errors"], "query": {"type": "prometheus"}, "analysisConfigurations": {"canary": {
     "direction": "increase", "nanStrategy": "replace", "critical": true, "mustHaveData": true,
     "outliers": {"strategy": "remove", "outlierFactor": 2.5},
     "effectSize": {"measure": "cles", "allowedIncrease": 0.7, "criticalIncrease": 1}}}},
  {"name": "cpu", "groups": ["system"]}],
 "classifier": {"groupWeights": {"errors": 80, "system": 20}, "scoreThresholds": {"pass": 95, "marginal": 75}}}
"""
STAGE = """
{"stages": [
 {"type": "wait", "name": "pause"},
 {"type": "deploy", "name": "rolling", "clusters": [{"strategy": "rollingredblack", "targetPercentages": [10, 50],
   "targetHealthyDeployPercentage": 90, "delayBeforeCleanup": 30, "scaleDown": true, "capacity": {"desired": "6"},
   "rollback": {"onFailure": true}}]},
 {"type": "kayentaCanary", "name": "canary", "canaryConfig": {"canaryConfigId": "c-1", "lifetimeDuration": "PT2H", "lookbackMins": "30",
   "beginCanaryAnalysisAfterMins": "10", "canaryAnalysisIntervalMins": "60", "scoreThresholds": {"pass": "90", "marginal": "60"},
   "scopes": [{}]},
   "deployments": {"serverGroupPairs": [{"control": {}, "experiment": {"capacity": {"desired": 2}}}]}}]}
"""


def read(*texts: str) -> Imported:
    return load([one for index, text in enumerate(texts) for one in read_documents(text, f"f{index}.json")])


def test_a_pipeline() -> None:
    imported = read(CONFIG, STAGE)
    assert [(one.name, one.kind, one.replicas) for one in imported.policies] == [
        ("shop", "CanaryConfig", 1), ("rolling", "stage", 6), ("canary", "stage", 1),
    ]  # fmt: skip
    assert imported.policy("rolling").policy == RedBlack(
        percentages=(10, 50), healthy=90, delay_before_disable=30.0, scale_down=True, rollback_on_failure=True
    )
    canary = imported.policy("canary").policy
    assert isinstance(canary, Canary) and canary.steps[:2] == (ScaleCanary(replicas=2), SetWeight(10.0))
    assert isinstance(canary.steps[2], Analyse)
    (metric,) = canary.steps[2].analysis.metrics
    assert (metric.interval, metric.count, metric.initial_delay) == (3600.0, 2, 4200.0)
    assert metric.query == Counts(1800.0, ("error rate=error-rate", "cpu=unchanged"))
    rule = metric.verdict
    assert isinstance(rule, Scored) and (rule.pass_score, rule.marginal_score, rule.intervals) == (90.0, 60.0, 2)
    assert imported.of("ignored")[0].path == "stages.0.type" or any(
        "rolls nothing out" in one.text for one in imported.report
    )


def test_a_config() -> None:
    policy = read(CONFIG).policy("shop").policy
    assert isinstance(policy, Canary) and isinstance(policy.steps[1], Analyse)
    rule = policy.steps[1].analysis.metrics[0].verdict
    assert isinstance(rule, Scored) and rule.judge == Kayenta(
        metrics=(
            Metric("error rate", groups=("errors",), direction="increase", nan="replace", outliers="remove", outlier_factor=2.5,
                   critical=True, must_have_data=True, effect="cles", allowed_increase=0.7, critical_increase=1.0),
            Metric("cpu", groups=("system",)),
        ),
        weights=(("errors", 80.0), ("system", 20.0)), pass_score=95.0, marginal_score=75.0,
    )  # fmt: skip
    assert (rule.pass_score, rule.marginal_score, rule.intervals) == (95.0, 75.0, 3)


def test_a_config_that_is_not_there() -> None:
    imported = read(STAGE)
    assert imported.policy("canary").policy is None and imported.policy("rolling").policy is not None
    assert any("unresolved reference: canary config 'c-1'" in one.text for one in imported.of("not yet"))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"PT2H"', '"2h"', "not an ISO 8601 duration"), ("[10, 50]", "[50, 10]", "target percentages rise"),
        ('"90"', '"high"', "is not a score"), ('"delayBeforeCleanup": 30', '"delayBeforeCleanup": "soon"', "number of seconds"),
        ('"PT2H"', '"PT0S"', "no lifetime"),
    ],
)  # fmt: skip
def test_what_is_refused(before: str, after: str, words: str) -> None:
    with pytest.raises(FileErrors, match=words):
        read(CONFIG, STAGE.replace(before, after))


def test_unknown_fields_are_kept_and_told() -> None:
    imported = read(STAGE.replace('"strategy": "rolling', '"stack": "x", "strategy": "rolling'))
    assert [one.path for one in imported.report if "is not read" in one.text] == ["stages.1.clusters.0.stack"]
    assert imported.policy("rolling").document["clusters"][0]["stack"] == "x"


def test_a_stage_for_argo_says_what_is_lost(tmp_path: Path) -> None:
    exported = export(read(CONFIG, STAGE), "argo-rollouts")
    assert [one["metadata"]["name"] for one in exported.documents if one["kind"] == "Rollout"] == ["shop", "canary"]
    assert any(loss.policy == "rolling" and loss.status == "lost" for loss in exported.losses)
    assert any("Scored" in loss.text or "single values" in loss.text for loss in exported.losses)
