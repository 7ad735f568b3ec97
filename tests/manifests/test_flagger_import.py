"""Flagger Canaries and MetricTemplates -> Flagger, and what a trace of them shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from sim.engine.paths import follow
from sim.files import FileErrors
from sim.manifests import Imported, Reference
from sim.policy.commands import Text
from sim.policy.events import Absent, NotANumber, Value
from sim.policy.flagger import Check, Flagger, Hook
from sim.scenario import assemble
from sim.tracing.run import Trace, trace
from sim.tracing.script import Happening, Script

Read = Callable[..., Imported]
PLAN = "interval: 15s\nthreshold: 2\nstepWeight: 20\nmaxWeight: 50"
RATE = "metrics: [{name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}]"


def canary(analysis: str, spec: str = "") -> str:
    return (
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: podinfo, namespace: test}\nspec:\n"
        "  targetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}\n"
        f"{indent(spec, '  ')}\n  analysis:\n{indent(analysis, '    ')}\n"
    )


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo}
spec: {replicas: 4, minReadySeconds: 5, strategy: {rollingUpdate: {maxUnavailable: 1}}, selector: {}}
"""
SCALER = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: podinfo}
spec: {minReplicas: 2, maxReplicas: 4}
"""


def policy_of(imported: Imported) -> Flagger:
    (found,) = imported.policies
    assert isinstance(found.policy, Flagger), [str(remark) for remark in imported.report]
    return found.policy


def test_a_canary_with_its_deployment_is_exact(read: Read) -> None:
    imported = read(canary(f"{PLAN}\n{RATE}"), DEPLOYMENT)
    query = Text("flagger-builtin", "request-success-rate[1m]")
    assert policy_of(imported) == Flagger(
        interval=15.0, threshold=2, step_weight=20, ceiling=50,
        checks=(Check("request-success-rate", query, low=99.0),), max_unavailable=1, min_ready=5.0,
    )  # fmt: skip
    (found,) = imported.policies
    assert (found.kind, found.replicas, found.profile) == ("Canary", 4, "flagger@1.41")
    assert found.references == (Reference("Deployment", "podinfo", True),)
    assert [remark.status for remark in imported.report] == ["exact", "exact", "ignored"]


def test_without_the_deployment_its_size_is_assumed(read: Read) -> None:
    imported = read(canary(PLAN))
    assert (imported.policies[0].replicas, policy_of(imported).max_unavailable) == (1, "25%")
    assert [remark.path for remark in imported.of("approximated")] == ["spec.targetRef.name"]


@pytest.mark.parametrize(
    ("written", "seconds"), [("5s", 10.0), ("1m", 60.0), ('""', 60.0), ("10mx", 60.0), ("90m30s", 5430.0)]
)
def test_intervals(read: Read, written: str, seconds: float) -> None:
    assert policy_of(read(canary(f"interval: {written}\nthreshold: 0\nstepWeight: 5"))).interval == seconds


def test_defaults(read: Read) -> None:
    policy = policy_of(read(canary("interval:\nthreshold:\nstepWeights: [1, 5, 50]\nmaxWeight: 0")))
    assert (policy.interval, policy.threshold, policy.ceiling, policy.promotes_at) == (60.0, 1, 100, 50)


def test_all_fields(read: Read) -> None:
    analysis = (
        "interval: 1m\nthreshold: 3\niterations: 7\nstepWeightPromotion: 25\nmirror: true\nmirrorWeight: 30\n"
        "primaryReadyThreshold: 80\ncanaryReadyThreshold: 90\nsessionAffinity: {cookieName: c}\n"
        "match: [{headers: {x-canary: {exact: insider}, agent: {regex: fire.*}}}, {headers: {b: {prefix: z}}}]\n"
        "webhooks: [{name: a, type: confirm-rollout, url: u}, {name: b, url: u, timeout: 5s},"
        " {name: c, type: event, url: u}]"
    )
    imported = read(
        canary(
            analysis,
            "progressDeadlineSeconds: 60\nautoscalerRef: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: podinfo}",
        ),
        SCALER,
    )
    policy = policy_of(imported)
    assert policy.kind == "a/b"
    assert policy.match == ("header:x-canary=insider & header:agent~fire.*", "header:b^=z")
    assert policy.hooks == (Hook("a", "confirm-rollout"), Hook("b"), Hook("c", "event"))
    assert (policy.primary_ready, policy.canary_ready, policy.canary_replicas) == (80, 90, 2)
    assert (policy.mirror, policy.mirror_weight, policy.step_weight_promotion) == (True, 30.0, 25)
    assert (policy.progress_deadline, policy.session_affinity) == (60.0, 86400.0)
    assert "spec.analysis.sessionAffinity" in [remark.path for remark in imported.of("approximated")]


def test_the_provider_kubernetes_is_always_blue_green(read: Read) -> None:
    match = "match: [{headers: {a: {exact: b}}}]"
    policy = policy_of(read(canary(f"{PLAN}\n{match}", "provider: kubernetes")))
    assert (policy.kind, policy.iterations, policy.router, policy.match) == ("blue/green", 10, False, ())


def test_an_analysis_can_be_skipped(read: Read) -> None:
    assert policy_of(read(canary(PLAN, "skipAnalysis: true"))).skip_analysis


def test_metrics_in_the_order_of_their_checks(read: Read) -> None:
    metrics = (
        "metrics:\n- {name: latency, templateRef: {name: latency}, interval: 30s, templateVariables: {q: '0.9'}}\n"
        "- {name: request-duration, thresholdRange: {max: 500}}\n"
        "- {name: inline, query: 'rate(x{ns=\"{{ namespace }}\"}[{{ interval }}])', threshold: 2}\n"
        "- {name: typo}\n- {name: request-success-rate}"
    )
    template = (
        "apiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: {name: latency}\n"
        "spec: {provider: {type: prometheus, address: a},"
        " query: '{{ variables.q }} {{target}} {{name}} [{{ interval }}]'}"
    )
    imported = read(canary(f"{PLAN}\n{metrics}"), template)
    assert policy_of(imported).checks == (
        Check("request-duration", Text("flagger-builtin", "request-duration[1m]"), high=500.0, whole=True),
        Check("inline", Text("prometheus", 'rate(x{ns="test"}[1m])'), high=2.0),
        Check("request-success-rate", Text("flagger-builtin", "request-success-rate[1m]"), low=0.0),
        Check("latency", Text("prometheus", "0.9 podinfo podinfo [30s]"), high=0.0, template="latency"),
        Check("typo", None, high=0.0),
    )
    said = {remark.path: remark.text for remark in imported.of("exact") if remark.path}
    assert "every value above 0 fails" in said["spec.analysis.metrics.0.name"]
    assert "no success rate is too low" in said["spec.analysis.metrics.4.name"]


def test_an_unresolved_metric_template(read: Read) -> None:
    imported = read(canary(f"{PLAN}\nmetrics: [{{name: m, templateRef: {{name: gone}}}}]"))
    assert imported.policies[0].policy is None
    assert "unresolved reference: MetricTemplate gone" in imported.of("not yet")[1].text


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        ("threshold: 1\nstepWeight: 5", "without interval"),
        ("interval: 1m\nstepWeight: 5", "without threshold"),
        ("interval: 1m\nthreshold: 1", "without a plan"),
        (f"{PLAN}\nwebhooks: [{{name: a, type: confirm, url: u}}]", "no type of webhook"),
        ("interval: 1m\nthreshold: one\nstepWeight: 5", "not a whole number"),
        (f"{PLAN}\nmetrics: [{{name: request-duration, thresholdRange: {{max: high}}}}]", "not a number"),
    ],
)
def test_what_flagger_refuses(read: Read, analysis: str, words: str) -> None:
    with pytest.raises(FileErrors, match=words):
        read(canary(analysis))


# ---- through a trace ----


def traced(imported: Imported, script: Script) -> Trace:
    (found,) = imported.policies
    assert found.policy is not None
    return trace(found.policy, script, replicas=found.replicas, name=found.name, profile=found.profile)


def test_a_trace_that_rolls_back(read: Read) -> None:
    answers = (Value(99.5), NotANumber(), Absent())
    script = Script(measurements={"request-success-rate": answers}, ready=2.0, until=600.0)
    found = traced(read(canary(f"{PLAN}\n{RATE}"), DEPLOYMENT), script)
    assert (found.phase, found.reason) == ("Failed", "failed checks 2 >= threshold 2")
    seen = [
        (entry["at"], entry["kind"], entry["weight"], entry["canary"])
        for entry in found.entries
        if entry["kind"] != "available"
    ]
    assert seen == [
        (0.0, "phase", 0, 0),
        (15.0, "scale", 0, 4), (15.0, "phase", 0, 4),
        (30.0, "weight", 20, 4),
        (45.0, "measurement", 20, 4), (45.0, "weight", 40, 4),
        (60.0, "measurement", 40, 4), (60.0, "tick", 40, 4),
        (75.0, "measurement", 40, 4), (75.0, "tick", 40, 4),
        (90.0, "weight", 0, 4), (90.0, "scale", 0, 0), (90.0, "phase", 0, 0), (90.0, "tick", 0, 0),
    ]  # fmt: skip
    assert [entry["failedChecks"] for entry in found.entries if entry["kind"] == "tick"] == [1, 2, 0]


def test_a_trace_with_a_gate_that_opens_late(read: Read) -> None:
    hooks = (
        "webhooks: [{name: gate, type: confirm-rollout, url: u}, {name: more, type: confirm-traffic-increase, url: u}]"
    )
    script = Script(
        measurements={"request-success-rate": (Value(99.5),)},
        events=(Happening(40.0, "approve", "confirm-rollout"), Happening(50.0, "deny", "confirm-traffic-increase")),
        until=200.0,
    )
    found = traced(read(canary(f"{PLAN}\n{RATE}\n{hooks}"), DEPLOYMENT), script)
    phases = [(entry["at"], entry["phase"]) for entry in found.entries if entry["kind"] == "phase"]
    assert phases == [(0.0, "Initialized"), (15.0, "Waiting"), (45.0, "Progressing")]
    assert not [entry for entry in found.entries if entry["kind"] == "weight"]
    # Until the gate opens nothing is routed to the canary, so only pre-rollout hooks run, and there are none.
    assert not [entry for entry in found.entries if entry["kind"] == "measurement"]


def test_a_canary_that_is_never_ready_in_a_trace(read: Read) -> None:
    script = Script(ready={2: float("inf")}, until=600.0)
    found = traced(read(canary(PLAN, "progressDeadlineSeconds: 30"), DEPLOYMENT), script)
    assert (found.phase, found.entries[-1]["at"]) == ("Failed", 45.0)  # 30 s after the scale-up at 15 s


@pytest.mark.parametrize(
    ("command", "load", "told"),
    [
        ("hey -z 1m -q 10 -c 2 http://podinfo-canary", 20.0, False),
        ("hey -z 1m -q 5 http://podinfo-canary", 250.0, False),  # hey's default: 50 workers
        ("hey -z 1m http://podinfo-canary", 20.0, True),  # without a limit
        ("wrk -t2 http://podinfo-canary", 20.0, True),
        ("hey -q 'oops", 20.0, True),
    ],
)
def test_a_load_test_sends_requests_to_what_no_user_sees(read: Read, command: str, load: float, told: bool) -> None:
    hook = "{name: load, url: u, metadata: {cmd: " + json.dumps(command) + "}}"
    before = f"{{name: smoke, type: pre-rollout, url: u, metadata: {{cmd: {json.dumps(command)}}}}}"
    imported = read(canary(f"interval: 15s\nthreshold: 2\niterations: 5\nwebhooks: [{before}, {hook}]"), DEPLOYMENT)
    assert policy_of(imported).load == load
    assert any("load test of 20 requests/s is assumed" in str(remark) for remark in imported.report) is told


def test_with_weights_users_reach_the_canary_and_a_load_test_is_none_of_them(read: Read) -> None:
    hook = "webhooks: [{name: load, url: u, metadata: {cmd: hey -q 1 -c 1 http://x}}]"
    assert policy_of(read(canary(f"{PLAN}\n{hook}"))).load == 0.0


@pytest.mark.parametrize(
    ("hooks", "promoted"), [("", False), (", webhooks: [{name: l, url: u, metadata: {cmd: hey -q 9}}]", True)]
)
def test_a_check_of_what_nobody_calls_fails(tmp_path: Path, hooks: str, promoted: bool) -> None:
    analysis = f"{{interval: 15s, threshold: 2, iterations: 3, {RATE}{hooks}}}"
    (tmp_path / "canary.yaml").write_text(
        f"apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: a}}\nspec:\n  provider: kubernetes\n"
        f"  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: a}}\n  service: {{port: 80}}\n  analysis: {analysis}\n"
    )
    (good,) = assemble([tmp_path / "canary.yaml"], releases=("good",)).cases()
    assert set(follow(good[2], 1, 0, 5)["outcome"].tolist()) == {0 if promoted else 1}
