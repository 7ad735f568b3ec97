"""Sets, reports, profiles, and the formats that are not Argo's or Flagger's."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files import FileErrors, read_documents
from sim.manifests import PROFILES, Imported, load
from sim.manifests.export import TARGETS, export
from sim.policy.errors import PolicyError
from sim.policy.rolling import Rolling
from sim.policy.swarm import Batches, Swarm
from sim.tracing.run import trace
from sim.tracing.script import Script

Read = Callable[..., Imported]

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  revisionHistoryLimit: 5
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}
"""


ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec: {selector: {}, strategy: {canary: {steps: []}}}
"""


def test_a_plain_deployment_runs(read: Read) -> None:
    (found,) = read(DEPLOYMENT).policies
    assert found.policy == Rolling(max_surge=0, max_unavailable=1)
    assert trace(found.policy, Script(ready=2.0), replicas=found.replicas).phase == "Healthy"


def test_recreate(read: Read) -> None:
    text = DEPLOYMENT.replace(
        "{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", "{type: Recreate}"
    )
    assert read(text).policies[0].policy == Rolling(recreate=True)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("{rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}", "both 0"),
        ('{rollingUpdate: {maxSurge: "25"}}', "not a percentage"),
        ("{type: Recreate, rollingUpdate: {maxSurge: 1}}", "with type Recreate"),
        ("{type: Rolling}", "no strategy"),
    ],
)
def test_what_kubernetes_refuses(read: Read, strategy: str, words: str) -> None:
    text = DEPLOYMENT.replace("{type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", strategy)
    with pytest.raises(FileErrors, match=words):
        read(text)


def test_companions_and_later_kinds(read: Read) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}"
    stateful = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}"
    kruise = "apiVersion: rollouts.kruise.io/v1beta1\nkind: BatchRelease\nmetadata: {name: r}"
    imported = read(service, stateful, kruise, "seatrial: scenario\n")
    assert imported.policies == ()
    assert [(remark.file, remark.status) for remark in imported.report] == [
        ("m0.yaml", "ignored"), ("m1.yaml", "not yet"), ("m2.yaml", "not yet"), ("m3.yaml", "ignored"),
    ]  # fmt: skip


def test_unknown_fields_are_reported_at_their_key(read: Read) -> None:
    text = DEPLOYMENT + "  surge: 3\nextra: {a: 1}\n"
    imported = read(text)
    unknown = [remark for remark in imported.of("ignored") if "unknown" in remark.text]
    assert [(remark.path, remark.line, remark.column) for remark in unknown] == [
        ("spec.surge", 10, 3),
        ("extra", 11, 1),
    ]
    assert "kubernetes@1.32" in unknown[0].text and imported.policies[0].document["spec"]["surge"] == 3


def test_scalars_that_readers_disagree_about_are_pointed_out(read: Read) -> None:
    imported = read(DEPLOYMENT.replace("replicas: 3", "replicas: 010"))
    assert imported.policies[0].replicas == 8
    assert [remark.path for remark in imported.of("exact") if "'010'" in remark.text] == ["spec.replicas"]


def test_compose_services(read: Read) -> None:
    text = """
    services:
      web:
        image: web
        deploy: {replicas: 6, update_config: {parallelism: 2, delay: 10s, order: start-first, failure_action: continue}}
      all: {image: a, deploy: {update_config: {parallelism: 0, failure_action: rollback, monitor: 20s}}}
      every: {image: b, deploy: {mode: global}}
    """
    imported = read(text)
    web, everything, every = imported.policies
    assert (web.name, web.kind, web.replicas, web.profile) == ("web", "service", 6, "compose@3e72cb6")
    batches = Batches(parallelism=2, delay=10.0, order="start-first", failure_action="continue")
    assert web.policy == Swarm(update=batches)
    assert everything.policy == Swarm(update=Batches(parallelism=0, failure_action="rollback", monitor=20.0))
    assert every.policy == Swarm()
    assert [remark.path for remark in imported.of("approximated")] == ["services.every.deploy.mode"]
    assert [remark.path for remark in imported.of("exact")] == ["services.web", "services.all"]


def test_strict_makes_errors_of_what_is_not_exact(read: Read) -> None:
    text = "services: {all: {image: web, deploy: {mode: global}}}\n"
    assert {remark.status for remark in read(text).report} == {"approximated"}
    with pytest.raises(FileErrors, match="approximated"):
        read(text, strict=True)
    read(DEPLOYMENT, strict=True)


def test_all_rejections_of_a_set_come_at_once(read: Read) -> None:
    bad = DEPLOYMENT.replace("replicas: 3", "replicas: -3")
    with pytest.raises(FileErrors) as raised:
        read(bad, bad.replace("selector", "selectors"))
    assert [(problem.file, problem.line, problem.path) for problem in raised.value.problems] == [
        ("m0.yaml", 6, "spec.replicas"), ("m1.yaml", 5, "spec"), ("m1.yaml", 6, "spec.replicas"),
    ]  # fmt: skip
    assert "^" in raised.value.render()


def test_profiles(read: Read) -> None:
    assert list(PROFILES) == [
        "argo-rollouts@1.10",
        "argo-rollouts@1.8",
        "flagger@1.41",
        "kubernetes@1.32",
        "openkruise@9dd6279",
        "compose@3e72cb6",
        "spinnaker@2fdb327",
        "kayenta@a69573b",
    ]
    assert read(DEPLOYMENT, profile="argo-rollouts@1.8").policies[0].profile == "kubernetes@1.32"


@pytest.mark.parametrize(
    ("wanted", "profile"),
    [
        ("argo-rollouts", "argo-rollouts@1.10"),
        ("argo-rollouts@1.8", "argo-rollouts@1.8"),
        ("kayenta", "argo-rollouts@1.10"),
    ],
)
def test_a_profile_has_a_version_or_is_the_default_of_its_system(read: Read, wanted: str, profile: str) -> None:
    assert read(ROLLOUT, profile=wanted).policies[0].profile == profile


@pytest.mark.parametrize("wanted", ["argo-rollouts@2", "argo-rollouts@", "argo", "kayenta@1", "", "@1.10"])
def test_an_unknown_profile_names_what_there_is(read: Read, wanted: str) -> None:
    with pytest.raises(
        PolicyError, match="unknown profile .*; use one of argo-rollouts@1.10, .*, kayenta@a69573b"
    ) as raised:
        read(DEPLOYMENT, profile=wanted)
    assert repr(wanted) in str(raised.value)


def test_a_folder_is_one_set(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(DEPLOYMENT)
    (tmp_path / "sub" / "b.yml").write_text(DEPLOYMENT.replace("name: web", "name: api"))
    (tmp_path / "notes.txt").write_text("not: [a, manifest")
    imported = load(tmp_path)
    assert [policy.name for policy in imported.policies] == ["web", "api"]
    assert [policy.name for policy in load([str(tmp_path / "a.yaml")]).policies] == ["web"]
    assert imported.policy("api").source.endswith("b.yml")
    with pytest.raises(KeyError, match="web, api"):
        imported.policy("db")


def test_broken_and_missing_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    with pytest.raises(FileErrors) as raised:
        load([tmp_path / "a.yaml", tmp_path / "none.yaml"])
    assert len(raised.value.problems) == 2


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((DEPLOYMENT).encode())))
    assert load("-").policies[0].source == "<stdin>"


def test_objects_of_odd_shape_do_not_crash(read: Read) -> None:
    for spec in ("", "spec: 3", "spec: [1]", "spec: {strategy: [], template: 4, selector: 5}", "metadata: 7"):
        for version, kind in (
            ("argoproj.io/v1alpha1", "Rollout"),
            ("flagger.app/v1beta1", "Canary"),
            ("apps/v1", "Deployment"),
        ):
            try:
                read(f"apiVersion: {version}\nkind: {kind}\n{spec}\n")
            except FileErrors as errors:
                assert errors.problems


WHOLE = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 2
  selector: {}
  strategy:
    canary:
      analysis: {templates: [{templateName: check}], args: [{name: x, value: a}], dryRun: [{metricName: m}]}
      trafficRouting: {istio: {destinationRule: {name: d}}, managedRoutes: [{name: r}]}
      steps:
      - setCanaryScale: {replicas: 1}
      - setHeaderRoute: {name: r, match: [{headerName: h, headerValue: {exact: v}}]}
      - experiment:
          duration: 5m
          templates: [{name: a, specRef: canary}]
          analyses: [{name: a, templateName: check, args: [{name: x, value: b}]}]
      - pause: {duration: 5}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: check}
spec: {args: [{name: x}], metrics: [{name: m, interval: 5s, count: "2", provider: {prometheus: {query: "{{args.x}}"}}}]}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: web}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  analysis:
    interval: 1m
    threshold: 2
    stepWeights: [1, 5]
    match: [{headers: {a: {exact: b}}}]
    metrics: [{name: a, thresholdRange: {max: 1}, templateRef: {name: t}}]
    webhooks: [{name: a, type: rollback, url: u}]
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: t}
spec: {provider: {type: prometheus}, query: "up{job='{{ target }}'}"}
---
services: {web: {deploy: {replicas: 2, update_config: {parallelism: 1, order: start-first, delay: 3s, max_failure_ratio: 0.1}}}}
---
apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata: {name: kruise}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: gone}
  strategy:
    canary:
      failureThreshold: 20%
      trafficRoutings: [{service: s, gracePeriodSeconds: 4}]
      steps: [{traffic: 5%, replicas: 1, pause: {duration: 9}}, {matches: [{headers: [{name: h, value: v}]}], replicas: 50%}]
---
stages:
- {type: deploy, name: red, clusters: [{strategy: rollingredblack, targetPercentages: [30, 60], delayBeforeCleanup: "30"}]}
- type: kayentaCanary
  canaryConfig: {canaryConfigId: config, lifetimeDuration: PT1H, lookbackMins: "10", scoreThresholds: {pass: "90"}, scopes: [{}]}
  deployments: {serverGroupPairs: [{experiment: {capacity: {desired: 2}}}]}
---
name: config
judge: {name: NetflixACAJudge-v1.0}
metrics: [{name: errors, groups: [g], analysisConfigurations: {canary: {direction: increase, effectSize: {allowedIncrease: 1.2}}}}]
classifier: {groupWeights: {g: 100}, scoreThresholds: {marginal: 75}}
"""
_WORDS = [word for word in dict.fromkeys(WHOLE.replace("{", " ").replace("}", " ").split()) if word[0].isalnum()]
_ODD = ["null", "[]", "{}", "-1", "3.5", "true", "'{{args.y}}'", "[null]", "[[1]]", "{a: {b: c}}", "''"]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_ODD)), min_size=1, max_size=3))
def test_whatever_is_written_is_read_or_refused_with_a_place(changes: list[tuple[str, str]]) -> None:
    text = WHOLE
    for word, odd in changes:
        text = text.replace(word, odd if not word.endswith(":") else f"{word} {odd} #", 1)
    try:
        imported = load(read_documents(text, "f.yaml"))
    except FileErrors as errors:
        assert all(problem.line > 0 for problem in errors.problems)
    else:
        assert all(remark.line > 0 and remark.text for remark in imported.report)
        assert all(one.line > 0 for one in imported.fields)
        for to in TARGETS:
            load(read_documents(export(imported, to).text, "again.yaml"))


def test_what_the_mutations_begin_with_is_whole() -> None:
    imported = load(read_documents(WHOLE, "f.yaml"))
    assert [one.name for one in imported.policies if one.policy is not None] == [
        "web", "web", "web", "kruise", "red", "kayentaCanary-2", "config",
    ]  # fmt: skip
