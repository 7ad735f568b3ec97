"""A policy -> an Argo Rollout with its AnalysisTemplates (delivery-systems.md section 2)."""

from __future__ import annotations

from sim.manifests.writing.argo_metrics import Templates
from sim.manifests.writing.argo_steps import steps
from sim.manifests.writing.subject import Losses, Object, Subject, seconds
from sim.policy.analysis import Analysis, Conditions, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.expr import parse_condition
from sim.policy.flagger import Check, Flagger
from sim.policy.rolling import Rolling
from sim.policy.steps import Match, Mirror, Pause, SetWeight, Step

__all__ = ["write_rollout"]

_VERSION = "argoproj.io/v1alpha1"
_ROUTER = (Match, Mirror)  # steps that nginx cannot do


def write_rollout(subject: Subject) -> list[Object]:
    """The Rollout and its templates; nothing (and a loss) for a policy that has no counterpart."""
    policy, losses = subject.policy, subject.losses
    templates = Templates(subject)
    if isinstance(policy, Flagger):
        losses.near(
            "", "Flagger's ticks are written as steps and pauses of one interval, its checks as a background analysis"
        )
        policy = _of_flagger(policy, losses)
    if isinstance(policy, Rolling):
        losses.near("", "Argo Rollouts has batches of its own; phases and the order of pods differ from a Deployment's")
        policy = _of_rolling(policy, losses)
    if isinstance(policy, Canary):
        strategy: Object = {"canary": _canary(policy, subject, templates)}
    elif isinstance(policy, BlueGreen):
        strategy = {"blueGreen": _blue_green(policy, subject, templates)}
    else:
        losses.lose("", f"{type(policy).__name__}: Argo Rollouts knows canaries and blue-green only")
        return []
    spec: Object = {"replicas": subject.replicas} | _pods(subject)
    ready = seconds(policy.min_ready, "min_ready", losses)
    spec |= {"minReadySeconds": ready} if ready else {}
    deadline = seconds(policy.progress_deadline, "progress_deadline", losses, ready + 1)
    spec |= {"progressDeadlineSeconds": deadline} if deadline != 600 else {}
    spec |= {"progressDeadlineAbort": True} if policy.progress_deadline_abort else {}
    spec |= {"paused": True} if policy.paused else {}
    spec |= {"rollbackWindow": {"revisions": policy.rollback_window}} if policy.rollback_window else {}
    if policy.on_inconclusive != "pause":
        losses.near("on_inconclusive", "an inconclusive analysis pauses an Argo Rollout; abort it by hand")
    return [subject.thing(_VERSION, "Rollout", subject.name, spec | {"strategy": strategy}), *templates.objects]


def _pods(subject: Subject) -> Object:
    """The pods of a manifest, or a reference to a Deployment that has them."""
    if "template" in subject.pods:
        return dict(subject.pods)
    if not subject.target:
        subject.losses.fill("workloadRef", f"the pods come from a Deployment, taken to be {subject.name}")
    name = subject.target or subject.name
    return {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}


# ---- canary ----


def _canary(policy: Canary, subject: Subject, templates: Templates) -> Object:
    losses = subject.losses
    written: Object = {}
    if not policy.pods:
        losses.near("pods", "a feature flag runs in the pods that are there; a Rollout starts pods for it")
    if policy.router:
        written |= _routing(policy, subject)
    if policy.steps:
        written["steps"], routes = steps(policy.steps, templates, losses)
        if routes:
            written["trafficRouting"]["managedRoutes"] = [{"name": name} for name in routes]
    if policy.background is not None:
        block = templates.block(policy.background, "background")
        first = {"startingStep": policy.starting_step} if policy.starting_step else {}
        written |= {} if block is None else {"analysis": block | first}
    for key, amount in (("maxSurge", policy.max_surge), ("maxUnavailable", policy.max_unavailable)):
        written |= {key: amount} if amount != "25%" else {}
    written |= {"minPodsPerReplicaSet": policy.min_pods} if policy.min_pods else {}
    written |= {"dynamicStableScale": True} if policy.dynamic_stable_scale else {}
    written |= _threshold(policy)
    return written | _delays(policy, losses)


def _routing(policy: Canary, subject: Subject) -> Object:
    """A router that can do what the steps ask, and the services that it needs."""
    name, losses = subject.name, subject.losses
    matched = any(isinstance(step, _ROUTER) for step in policy.steps)
    router: Object = {"nginx": {"stableIngress": name}}
    if matched:
        router = {"istio": {"virtualService": {"name": name}}}
    if policy.max_weight != 100:
        router["maxTrafficWeight"] = policy.max_weight
        if matched:
            losses.lose(
                "max_weight", f"no router of Argo Rollouts matches and counts to {policy.max_weight}: use a plugin"
            )
    losses.fill("router", f"the router is not the policy's: {next(iter(router))}, services {name} and {name}-canary")
    return {"canaryService": f"{name}-canary", "stableService": name, "trafficRouting": router}


def _threshold(policy: Canary) -> Object:
    threshold = policy.progress_threshold
    if threshold is None:
        return {}
    kind, value = ("Pods", threshold) if isinstance(threshold, int) else ("Percent", int(threshold.removesuffix("%")))
    return {"replicaProgressThreshold": {"type": kind, "value": value}}


def _delays(policy: Canary, losses: Losses) -> Object:
    written: Object = {}
    if policy.router and policy.scale_down_delay != 30.0 and not policy.dynamic_stable_scale:
        written["scaleDownDelaySeconds"] = seconds(policy.scale_down_delay, "scale_down_delay", losses)
    if policy.router and policy.scale_down_delay_revisions is not None:
        written["scaleDownDelayRevisionLimit"] = policy.scale_down_delay_revisions
    delay = policy.abort_scale_down_delay
    if policy.router and (delay != 30.0 or not policy.pods_follow_abort):
        written["abortScaleDownDelaySeconds"] = _abort_delay(delay, losses)
        if policy.dynamic_stable_scale and policy.pods_follow_abort:
            losses.near("pods_follow_abort", "with a delay that is written, canary pods wait for it after an abort")
    return written


def _abort_delay(delay: float | None, losses: Losses) -> int:
    """An explicit 0 is no deadline (what that means: `Canary`, `BlueGreen`)."""
    if delay == 0:
        losses.near("abort_scale_down_delay", "0 is no deadline at all in Argo Rollouts: written as 1")
        return 1
    return 0 if delay is None else seconds(delay, "abort_scale_down_delay", losses, 1)


# ---- blue-green ----


def _blue_green(policy: BlueGreen, subject: Subject, templates: Templates) -> Object:
    losses, name = subject.losses, subject.name
    losses.fill("services", f"the services are not the policy's: {name} and {name}-preview")
    written: Object = {"activeService": name}
    written |= {"previewService": f"{name}-preview"} if policy.preview else {}
    for key, place, analysis in (
        ("prePromotionAnalysis", "pre", policy.pre), ("postPromotionAnalysis", "post", policy.post),
    ):  # fmt: skip
        block = templates.block(analysis, place) if analysis is not None else None
        written |= {} if block is None else {key: block}
    written |= {} if policy.auto_promotion else {"autoPromotionEnabled": False}
    if policy.auto_promotion_after:
        written["autoPromotionSeconds"] = seconds(policy.auto_promotion_after, "auto_promotion_after", losses, 1)
    if policy.preview_replicas is not None:
        written["previewReplicaCount"] = policy.preview_replicas
    if policy.scale_down_delay is not None:
        written["scaleDownDelaySeconds"] = seconds(policy.scale_down_delay, "scale_down_delay", losses)
    if policy.scale_down_delay_revisions is not None:
        written["scaleDownDelayRevisionLimit"] = policy.scale_down_delay_revisions
    if policy.abort_scale_down_delay != 30.0:
        written["abortScaleDownDelaySeconds"] = _abort_delay(policy.abort_scale_down_delay, losses)
    return written


# ---- what another system says ----


def _of_rolling(policy: Rolling, losses: Losses) -> Canary:
    surge, unavailable = policy.max_surge, policy.max_unavailable
    if policy.recreate:
        losses.near("recreate", "all old pods go as the new ones come: maxUnavailable 100%, maxSurge 0")
        surge, unavailable = 0, "100%"
    return Canary(
        router=False, max_surge=surge, max_unavailable=unavailable, progress_deadline=policy.progress_deadline, min_ready=policy.min_ready,
    )  # fmt: skip


def _of_flagger(policy: Flagger, losses: Losses) -> Canary:
    """One step for each tick: the weights that Flagger would set, each held for an interval."""
    weights: list[int] = [0] if policy.iterations else []
    while not policy.iterations and (not weights or weights[-1] < policy.promotes_at):
        weight = weights[-1] if weights else 0
        increment = policy.increment(weight)
        if increment <= 0:
            losses.lose("step_weight", "a plan that never advances")
            break
        weights.append(min(100, weight + increment))
    program: list[Step] = [Match(policy.match)] if policy.kind == "a/b" else []
    held = policy.interval * max(1, policy.iterations)
    program += [step for weight in weights for step in (SetWeight(weight), Pause(held))]
    if policy.kind == "a/b":
        program.append(Match(()))
    for hook in policy.hooks:
        if hook.type not in ("event", "post-rollout"):
            losses.lose(
                f"webhook {hook.name}", f"Argo Rollouts asks no webhooks: a {hook.type} needs a pause or a web metric"
            )
    metrics = tuple(filter(None, (_of_check(check, policy, losses) for check in policy.checks)))
    background = Analysis(metrics) if metrics and len({one.name for one in metrics}) == len(metrics) else None
    if metrics and background is None:
        losses.lose("checks", "metrics of one analysis need different names")
    if policy.mirror:
        losses.lose("mirror", "mirroring needs a setMirrorRoute of your router")
    deadline = max(policy.progress_deadline, policy.min_ready + 1)
    return Canary(steps=tuple(program), background=background, progress_deadline=deadline, min_ready=policy.min_ready)


def _of_check(check: Check, policy: Flagger, losses: Losses) -> Metric | None:
    query = check.query
    if query is None or getattr(query, "provider", "") != "prometheus":
        losses.lose(f"check {check.name}", "not a PromQL query: write the metric of your monitoring")
        return None
    parts = ["len(result) > 0"]
    parts += [f"result[0] >= {check.low!r}"] if check.low is not None else []
    parts += [f"result[0] <= {check.high!r}"] if check.high is not None else []
    condition = Conditions(parse_condition(" && ".join(parts)))
    return Metric(
        check.name, query, condition, interval=policy.interval, initial_delay=policy.interval,
        failure_limit=policy.threshold - 1, template=check.template,
    )  # fmt: skip
