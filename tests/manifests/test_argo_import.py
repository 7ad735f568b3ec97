"""Argo Rollouts and AnalysisTemplates -> Canary and BlueGreen."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

from sim.files import FileErrors
from sim.manifests import Imported, Reference
from sim.policy.analysis import Conditions, JobState
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Text
from sim.policy.steps import Analyse, Experiment, Match, Mirror, Pause, ScaleCanary, SetWeight

Read = Callable[..., Imported]


def rollout(strategy: str, spec: str = "", name: str = "web") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: {name}}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: web}}}}\n{indent(spec, '  ')}\n  strategy:\n{indent(strategy, '    ')}\n"
    )


def template(metrics: str, args: str = "[]", name: str = "check", more: str = "") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {{name: {name}}}\nspec:\n"
        f"  args: {args}\n{indent(more, '  ')}\n  metrics:\n{indent(metrics, '  ')}\n"
    )


ROUTED = """
canaryService: new
stableService: old
trafficRouting:
  managedRoutes: [{name: r}, {name: q}]
  istio: {virtualService: {name: v}}
"""
PROMETHEUS = "provider: {prometheus: {address: http://p, query: up}}"


def canary_of(imported: Imported) -> Canary:
    (found,) = imported.policies
    assert isinstance(found.policy, Canary), [str(remark) for remark in imported.report]
    return found.policy


def test_a_plain_canary_with_defaults(read: Read) -> None:
    text = "canary: {steps: [{setWeight: 20}, {pause: {duration: 10m}}, {setWeight: 50}, {pause: {}}]}"
    imported = read(rollout(text))
    assert canary_of(imported) == Canary(
        steps=(SetWeight(20), Pause(600.0), SetWeight(50), Pause(None)), router=False
    )  # fmt: skip
    (found,) = imported.policies
    assert (found.name, found.kind, found.replicas, found.profile) == ("web", "Rollout", 1, "argo-rollouts@1.10")
    assert [(remark.status, remark.line) for remark in imported.report] == [("exact", 1), ("ignored", 5)]
    assert found.document["metadata"] == {"name": "web"}


@pytest.mark.parametrize(
    ("written", "seconds"), [("30", 30.0), ('"30"', 30.0), ("10m", 600.0), ("1h", 3600.0), ("0", 0.0), ('""', None)]
)
def test_durations_of_a_pause(read: Read, written: str, seconds: float | None) -> None:
    assert canary_of(read(rollout(f"canary: {{steps: [{{pause: {{duration: {written}}}}}]}}"))).steps == (
        Pause(seconds),
    )


def test_no_steps_is_a_rolling_update(read: Read) -> None:
    assert canary_of(read(rollout("canary: {maxSurge: 1, maxUnavailable: 0}"))) == Canary(
        steps=(), router=False, max_surge=1, max_unavailable=0
    )


def test_router_fields(read: Read) -> None:
    text = (
        "canary:" + indent(ROUTED, "  ") + "  dynamicStableScale: true\n  minPodsPerReplicaSet: 2\n"
        "  abortScaleDownDelaySeconds: 0\n"
        "  steps: [{setCanaryScale: {replicas: 3}}, {setCanaryScale: {matchTrafficWeight: true}}]"
    )
    policy = canary_of(read(rollout(text, "replicas: 7\nprogressDeadlineSeconds: 60\nprogressDeadlineAbort: true")))
    assert policy.router and policy.dynamic_stable_scale
    assert (policy.min_pods, policy.abort_scale_down_delay) == (2, None)  # an explicit 0 keeps the pods for ever
    assert (policy.progress_deadline, policy.progress_deadline_abort) == (60.0, True)
    assert policy.steps == (ScaleCanary(replicas=3), ScaleCanary(match_weight=True))


def test_routes_are_kept_until_they_are_named_again(read: Read) -> None:
    header = "setHeaderRoute: {name: %s, match: [{headerName: agent, headerValue: {%s}}]}"
    steps = (
        f"[{{{header % ('r', 'regex: firefox.*')}}}, {{{header % ('q', 'exact: x')}}}, {{setHeaderRoute: {{name: r}}}},"
        " {setMirrorRoute: {name: r, percentage: 30, match: [{method: {exact: GET}}]}}, {setMirrorRoute: {name: r}}]"
    )
    imported = read(rollout("canary:" + indent(ROUTED, "  ") + f"  steps: {steps}"))
    assert canary_of(imported).steps == (
        Match(("header:agent~firefox.*",)), Match(("header:agent~firefox.*", "header:agent=x")),
        Match(("header:agent=x",)), Mirror(30.0), Mirror(0.0),
    )  # fmt: skip
    assert [remark.path for remark in imported.of("approximated")] == [
        "spec.strategy.canary.steps.3.setMirrorRoute.match"
    ]


def test_max_traffic_weight(read: Read) -> None:
    routing = "trafficRouting: {maxTrafficWeight: 1000, nginx: {stableIngress: i}}"
    text = f"canary: {{canaryService: a, stableService: b, {routing}, steps: [{{setWeight: 500}}]}}"
    assert canary_of(read(rollout(text))).max_weight == 1000


def test_an_analysis_step_with_arguments(read: Read) -> None:
    metric = (
        '- name: rate\n  interval: "{{args.every}}"\n  count: "{{ args.count }}"\n  failureLimit: "1"\n'
        "  successCondition: result[0] >= {{args.least}}\n"
        "  provider: {prometheus: {query: 'up{svc=\"{{args.svc}}\"}'}}"
    )
    args = '[{name: every, value: 1m}, {name: count, value: "5"}, {name: least, value: "0.9"}, {name: svc}]'
    supplied = "args: [{name: svc, value: 'a\"b'}, {name: other, value: x}]"
    step = f"canary: {{steps: [{{analysis: {{templates: [{{templateName: check}}], {supplied}}}}}]}}"
    imported = read(rollout(step), template(metric, args))
    (analyse,) = canary_of(imported).steps
    assert isinstance(analyse, Analyse)
    (found,) = analyse.analysis.metrics
    assert (found.name, found.interval, found.count, found.failure_limit, found.template) == (
        "rate",
        60.0,
        5,
        1,
        "check",
    )
    assert found.query == Text("prometheus", 'up{svc="a"b"}')
    assert isinstance(found.verdict, Conditions) and found.verdict.vector
    assert found.verdict.success is not None and found.verdict.success.text == "result[0] >= 0.9"
    assert imported.policies[0].references == (Reference("AnalysisTemplate", "check", True),)


def test_background_analysis_of_two_templates_with_dry_run(read: Read) -> None:
    provider = "provider: {web: {url: http://u, jsonPath: '{$.a}'}}"
    web = f"- name: %s\n  interval: 10s\n  successCondition: result == 1\n  {provider}"
    block = "{templates: [{templateName: a}], startingStep: 2, dryRun: [{metricName: on.}]}"
    outer = template("", name="a", more="templates: [{templateName: one}, {templateName: two}]")
    imported = read(
        rollout(f"canary: {{analysis: {block}, steps: [{{setWeight: 10}}]}}"),
        template(web % "one", name="one"),
        template(web % "two", name="two"),
        outer,
    )
    policy = canary_of(imported)
    assert policy.starting_step == 2 and policy.background is not None
    assert [(metric.name, metric.dry_run, metric.template) for metric in policy.background.metrics] == [
        ("one", True, "one"), ("two", False, "two"),
    ]  # fmt: skip
    assert policy.background.metrics[0].query == Text("web", '{"jsonPath":"{$.a}","url":"http://u"}')


def test_values_from_elsewhere(read: Read) -> None:
    args = (
        "[{name: hash, valueFrom: {podTemplateHashValue: Latest}},"
        " {name: label, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['x']\"}}},"
        " {name: weight, valueFrom: {fieldRef: {fieldPath: 'spec.strategy.canary.steps[0].setWeight'}}}]"
    )
    text = (
        f"canary: {{steps: [{{setWeight: 30}}, {{analysis: {{templates: [{{templateName: check}}], args: {args}}}}}]}}"
    )
    metric = "- name: m\n  provider: {job: {spec: '{{args.hash}}|{{args.label}}|{{args.weight}}|{{args.secret}}'}}"
    empty = (
        "[{name: hash}, {name: label}, {name: weight}, {name: secret, valueFrom: {secretKeyRef: {name: s, key: k}}}]"
    )
    imported = read(rollout(text), template(metric, empty))
    step = canary_of(imported).steps[1]
    assert isinstance(step, Analyse)
    assert step.analysis.metrics[0].query == Text("job", '{"spec":"latest||30|secret:s/k"}')
    assert isinstance(step.analysis.metrics[0].verdict, JobState)
    assert Reference("Secret", "s", False) in imported.policies[0].references


def test_an_experiment(read: Read) -> None:
    templates = "[{name: b, specRef: stable, replicas: 2}, {name: c, specRef: canary}]"
    metric = f"- {{name: m, successCondition: 'true', {PROMETHEUS}}}"
    dry = "dryRun: [{metricName: '.*'}]"
    experiment = f"{{duration: 5m, {dry}, templates: {templates}, analyses: [{{name: x, templateName: check}}]}}"
    text = f"canary: {{steps: [{{experiment: {experiment}}}]}}"
    imported = read(rollout(text), template(metric))
    (step,) = canary_of(imported).steps
    assert isinstance(step, Experiment) and step.analysis is not None
    assert (step.duration, step.baseline, step.canary, step.analysis.template) == (300.0, 2, 1, "check")
    assert step.analysis.metrics[0].dry_run
    assert (step.required, step.scale_down_delay, step.names) == (False, 30.0, ("b", "c"))
    assert not imported.of("approximated")
    two = experiment.replace(
        "analyses: [",
        "scaleDownDelaySeconds: 5, analyses: [{name: y, templateName: more, requiredForCompletion: true}, ",
    )
    imported = read(
        rollout(f"canary: {{steps: [{{experiment: {two}}}]}}"),
        template(metric),
        template(metric.replace("m,", "k,"), name="more"),
    )
    (step,) = canary_of(imported).steps
    assert isinstance(step, Experiment) and step.required and step.scale_down_delay == 5.0
    assert [remark.path.rpartition(".")[2] for remark in imported.of("approximated")] == ["analyses"]


def test_blue_green(read: Read) -> None:
    metric = f"- {{name: m, successCondition: 'true', {PROMETHEUS}}}"
    text = (
        "blueGreen: {activeService: a, previewService: p, autoPromotionSeconds: 30,"
        " prePromotionAnalysis: {templates: [{templateName: check}]},"
        " previewReplicaCount: 1, abortScaleDownDelaySeconds: 0}"
    )
    (found,) = read(rollout(text, "replicas: 3"), template(metric)).policies
    policy = found.policy
    assert isinstance(policy, BlueGreen) and policy.pre is not None and policy.post is None
    assert (policy.auto_promotion_after, policy.preview_replicas, policy.scale_down_delay) == (30.0, 1, None)
    assert (policy.abort_scale_down_delay, policy.preview, found.replicas) == (None, True, 3)


@pytest.mark.parametrize(
    ("strategy", "path", "words"),
    [
        ("canary: {steps: [{plugin: {name: x}}]}", "spec.strategy.canary.steps.0.plugin", "plugin"),
        (
            "canary: {steps: [{analysis: {templates: [{templateName: gone}]}}]}",
            "spec.strategy.canary.steps.0.analysis.templates.0.templateName",
            "unresolved reference: AnalysisTemplate gone",
        ),
        (
            "canary: {steps: [{analysis: {templates: [{templateName: needs}]}}]}",
            "spec.strategy.canary.steps.0.analysis",
            "argument x has no value",
        ),
        (
            "canary: {steps: [{analysis: {templates: [{templateName: wrong}]}}]}",
            "spec.metrics.0.successCondition",
            "every measurement an Error",
        ),
    ],
)
def test_what_cannot_run_yet_gives_no_policy(read: Read, strategy: str, path: str, words: str) -> None:
    imported = read(
        rollout(strategy),
        template(f"- {{name: m, count: 1, {PROMETHEUS}}}", "[{name: x}]", "needs"),
        template(f"- {{name: m, count: 1, successCondition: 'result[0] <', {PROMETHEUS}}}", name="wrong"),
    )
    assert imported.policies[0].policy is None
    assert [remark for remark in imported.of("not yet") if remark.path == path and words in remark.text]


@pytest.mark.parametrize(
    ("strategy", "spec", "line", "words"),
    [
        ("canary: {}\nblueGreen: {activeService: a}", "", 7, "2 strategies"),
        ("canary: {steps: [{setWeight: 101}]}", "", 8, "101 is out of range"),
        ("canary: {steps: [{setWeight: 10, pause: {}}]}", "", 8, "2 kinds"),
        ("canary: {steps: [{}]}", "", 8, "0 kinds"),
        ("canary: {steps: [{setCanaryScale: {replicas: 1}}]}", "", 8, "needs trafficRouting"),
        ("canary: {steps: [{pause: {duration: soon}}]}", "", 8, "not a duration"),
        ("canary: {maxSurge: 0, maxUnavailable: 0%}", "", 8, "both 0"),
        ("canary: {scaleDownDelaySeconds: 5}", "", 8, "needs trafficRouting"),
        ("canary: {canaryService: a, stableService: a}", "", 8, "are the same"),
        ("canary: {trafficRouting: {nginx: {stableIngress: i}}}", "", 8, "needs canaryService and stableService"),
        (
            "canary: {trafficRouting: {maxTrafficWeight: 200, istio: {destinationRule: {name: d}}}}",
            "",
            8,
            "nginx or a plugin",
        ),
        ("canary: {steps: [{setHeaderRoute: {name: r}}]}", "", 8, "not managed"),
        ("blueGreen: {activeService: a, previewService: a}", "", 8, "are the same"),
        ("canary: {}", "replicas: -1", 6, "out of range"),
        ("canary: {}", "replicas: two", 6, "not a whole number"),
        ("canary: {}", "minReadySeconds: 60\nprogressDeadlineSeconds: 60", 7, "not above minReadySeconds"),
        ("canary: {analysis: {templates: [{templateName: needs}]}}", "", 8, "argument x has no value"),
        ("canary: {steps: [{analysis: {templates: [{templateName: endless}]}}]}", "", 8, "never ends"),
    ],
)
def test_what_argo_refuses(read: Read, strategy: str, spec: str, line: int, words: str) -> None:
    texts = (
        rollout(strategy, spec),
        template(f"- {{name: m, count: 1, {PROMETHEUS}}}", "[{name: x}]", "needs"),
        template(f"- {{name: m, interval: 5s, {PROMETHEUS}}}", name="endless"),
    )
    with pytest.raises(FileErrors) as raised:
        read(*texts)
    found = [problem for problem in raised.value.problems if words in problem.problem]
    assert [(problem.file, problem.line) for problem in found][:1] == [("m0.yaml", line)], raised.value


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("{name: m}", "0 providers"),
        ("{name: m, provider: {prometheus: {query: q}, web: {url: u}}}", "2 providers"),
        (f"{{name: m, failureLimit: -2, {PROMETHEUS}}}", "failureLimit must be -1"),
        (f"{{name: m, failureLimit: -1, {PROMETHEUS}}}", "both limits off"),
        (f"{{name: m, count: 2, interval: 5s, failureLimit: 3, {PROMETHEUS}}}", "count 2 is below"),
        (f"{{name: m, count: 2, {PROMETHEUS}}}", "needs an interval"),
        (f"{{name: m, inconclusiveLimit: -1, {PROMETHEUS}}}", "is negative"),
        (f"{{name: m, interval: often, {PROMETHEUS}}}", "not a duration"),
    ],
)
def test_what_argo_refuses_in_a_metric(read: Read, metric: str, words: str) -> None:
    text = rollout("canary: {steps: [{analysis: {templates: [{templateName: check}]}}]}")
    with pytest.raises(FileErrors, match=words):
        read(text, template(f"- {metric}"))


def test_equal_names_and_conflicting_arguments_are_refused(read: Read) -> None:
    text = rollout("canary: {steps: [{analysis: {templates: [{templateName: a}, {templateName: b}]}}]}")
    one = template(f"- {{name: m, {PROMETHEUS}}}", "[{name: x, value: '1'}]", "a")
    two = template(f"- {{name: m, {PROMETHEUS}}}", "[{name: x, value: '2'}]", "b")
    with pytest.raises(FileErrors) as raised:
        read(text, one, two)
    words = " ".join(problem.problem for problem in raised.value.problems)
    assert "two metrics named m" in words and "different values" in words


def test_an_unused_template_is_no_error(read: Read) -> None:
    imported = read(template("- {name: m, provider: {prometheus: {query: up}}}"))
    assert imported.policies == () and [remark.status for remark in imported.report] == ["exact"]


def test_the_workload_of_a_rollout(read: Read) -> None:
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {}, replicas: 0}"
    text = rollout("canary: {}").replace(
        "selector: {matchLabels: {app: web}}", "workloadRef: {kind: Deployment, name: web}"
    )
    imported = read(text, deployment)
    assert [policy.kind for policy in imported.policies] == ["Rollout"]
    assert "workload of Rollout web" in imported.of("ignored")[0].text
    alone = read(text)
    assert alone.policies[0].policy is not None and not alone.policies[0].references[0].found
    assert any("unresolved reference: Deployment web" in remark.text for remark in alone.of("ignored"))


def test_what_1_8_does_not_know(read: Read) -> None:
    text = rollout("canary: {replicaProgressThreshold: {type: Percent, value: 90}, minPodsPerReplicaSet: 2}")
    new = read(text)
    old = read(text, profile="argo-rollouts@1.8")
    assert not [remark for remark in new.report if "replicaProgress" in remark.path]
    assert canary_of(new).progress_threshold == "90%" and canary_of(old).progress_threshold is None
    assert [remark.status for remark in old.report if "replicaProgress" in remark.path] == ["ignored"]
    assert canary_of(old).profile == "argo-rollouts@1.8" and not old.of("approximated")
    assert old.policies[0].profile == "argo-rollouts@1.8"
