"""A policy -> a Flagger Canary with its MetricTemplates, and the Deployment that it drives (delivery-systems.md section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from sim.manifests.routes import conditions
from sim.manifests.writing.flagger_plan import planned
from sim.manifests.writing.kubernetes import deployment
from sim.manifests.writing.subject import Object, Subject, seconds
from sim.policy.commands import Text
from sim.policy.flagger import Check, Flagger, Hook
from sim.policy.rolling import Rolling

__all__ = ["write_canary"]

_VERSION = "flagger.app/v1beta1"
_BUILT_IN = "flagger-builtin"


def write_canary(subject: Subject) -> list[Object]:
    """The Canary, its templates, and its target; nothing (and a loss) for a policy that has no counterpart."""
    policy = planned(subject)
    if policy is None:
        return []
    templates: dict[str, Object] = {}
    losses, name = subject.losses, subject.name
    spec: Object = {} if policy.router else {"provider": "kubernetes"}
    spec["targetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": subject.target or name}
    spec |= {"autoscalerRef": _scaler(name)} if policy.canary_replicas is not None else {}
    deadline = seconds(policy.progress_deadline, "progress_deadline", losses, 1)
    spec |= {"progressDeadlineSeconds": deadline} if deadline != 600 else {}
    spec |= {"skipAnalysis": True} if policy.skip_analysis else {}
    spec |= {"suspend": True} if policy.suspend else {}
    losses.fill("service", "the port of the service is not the policy's: 80 is written")
    spec["service"] = {"port": 80}
    spec["analysis"] = _analysis(policy, subject, templates)
    if policy.first_tick is not None:
        losses.near("first_tick", "when Flagger's ticks fall is not said in a manifest")
    objects = [subject.thing(_VERSION, "Canary", name, spec)]
    objects += [subject.thing(_VERSION, "MetricTemplate", one, spec) for one, spec in templates.items()]
    return [*objects, *_target(policy, subject)]


def _scaler(name: str) -> Object:
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name}


def _target(policy: Flagger, subject: Subject) -> Iterator[Object]:
    roll = Rolling(
        max_surge=policy.max_surge, max_unavailable=policy.max_unavailable, min_ready=policy.min_ready,
        progress_deadline=max(600.0, policy.min_ready + 1),
    )  # fmt: skip
    if not subject.target:
        yield deployment(subject, roll)
    if policy.canary_replicas is not None:
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": subject.target or subject.name}
        least = policy.canary_replicas
        spec = {"scaleTargetRef": reference, "minReplicas": least, "maxReplicas": max(subject.replicas, least)}
        yield subject.thing("autoscaling/v2", "HorizontalPodAutoscaler", subject.name, spec)


def _analysis(policy: Flagger, subject: Subject, templates: dict[str, Object]) -> Object:
    losses = subject.losses
    written: Object = {"interval": _interval(policy, subject), "threshold": policy.threshold}
    if policy.iterations:
        written["iterations"] = policy.iterations
    elif policy.step_weights and policy.step_weight:
        losses.near("step_weights", "Flagger's schema takes one of stepWeight and stepWeights: the former is written")
        written["stepWeight"] = policy.step_weight
    elif policy.step_weights:
        written["stepWeights"] = list(policy.step_weights)
    else:
        written["stepWeight"] = policy.step_weight
    written |= {"maxWeight": policy.ceiling} if policy.ceiling != 100 else {}
    written |= {"stepWeightPromotion": policy.step_weight_promotion} if policy.step_weight_promotion else {}
    for key, percent in (
        ("primaryReadyThreshold", policy.primary_ready),
        ("canaryReadyThreshold", policy.canary_ready),
    ):
        written |= {key: percent} if percent != 100 else {}
    if policy.match:
        written["match"] = list(_matches(policy, subject))
    if policy.mirror:
        written["mirror"] = True
    if policy.mirror_weight != 100:
        written["mirrorWeight"] = seconds(policy.mirror_weight, "mirror_weight", losses)
    if policy.session_affinity is not None:
        age = seconds(policy.session_affinity, "session_affinity", losses, 1)
        written["sessionAffinity"] = {"cookieName": "flagger-cookie", "maxAge": age}
    if policy.checks:
        written["metrics"] = [_metric(check, subject, templates) for check in policy.checks]
    if policy.hooks:
        losses.fill("webhooks", "the addresses of webhooks are not the policy's")
        written["webhooks"] = [
            {"name": hook.name, "type": hook.type, "url": f"http://WEBHOOK/{hook.type}", **_load(hook)}
            for hook in policy.hooks
        ]
    return written


def _load(hook: Hook) -> Object:
    """A load test, as Flagger's load tester takes it."""
    if not hook.load:
        return {}
    return {"metadata": {"type": "cmd", "cmd": f"hey -z 1m -q {hook.load:.12g} -c 1 http://CANARY/"}}


def _interval(policy: Flagger, subject: Subject) -> str:
    """Whole minutes or seconds: Flagger's schema takes nothing else."""
    whole = seconds(policy.interval, "interval", subject.losses, 10)
    return f"{whole // 60}m" if whole % 60 == 0 else f"{whole}s"


def _matches(policy: Flagger, subject: Subject) -> Iterator[Object]:
    for name in policy.match:
        found = conditions(name)
        if found is None:
            subject.losses.lose(f"segment {name}", "write how these requests are told: a header, say")
        else:
            yield found


def _metric(check: Check, subject: Subject, templates: dict[str, Object]) -> Object:
    written: Object = {"name": check.name}
    bounds = {key: bound for key, bound in (("min", check.low), ("max", check.high)) if bound is not None}
    query = check.query
    if isinstance(query, Text) and query.provider == _BUILT_IN:
        written["interval"] = query.text.rpartition("[")[2].rstrip("]")
    elif isinstance(query, Text) and (check.template or query.provider != "prometheus"):
        written["templateRef"] = {"name": _template(check, query, subject, templates)}
    elif isinstance(query, Text):
        written["query"] = query.text
    return written | {"thresholdRange": bounds}


def _template(check: Check, query: Text, subject: Subject, templates: dict[str, Object]) -> str:
    spec: Object = {"provider": {"type": query.provider, "address": "http://PROVIDER"}, "query": query.text}
    subject.losses.fill(f"metric {check.name}", "the address of the provider is not the policy's")
    wanted = check.template or f"{subject.name}-{check.name}"
    name, number = wanted, 1
    while templates.get(name, spec) != spec:
        number += 1
        name = f"{wanted}-{number}"
    templates[name] = spec
    return name
