"""A policy -> an OpenKruise Rollout (v1beta1) and its Deployment (delivery-systems.md section 6)."""

from __future__ import annotations

from itertools import pairwise

from sim.manifests.routes import conditions
from sim.manifests.writing.kubernetes import deployment
from sim.manifests.writing.subject import Losses, Object, Subject, seconds
from sim.policy.canary import Canary
from sim.policy.errors import PolicyError
from sim.policy.kruise import Kruise, KruiseStep
from sim.policy.rolling import Rolling
from sim.policy.steps import Match, Pause, ScaleCanary, SetWeight

__all__ = ["write_kruise"]

_TYPES = {"exact": "Exact", "regex": "RegularExpression"}


def write_kruise(subject: Subject) -> list[Object]:
    policy, losses = subject.policy, subject.losses
    found = policy if isinstance(policy, Kruise) else _near(policy, losses)
    if found is None:
        losses.lose("", f"{type(policy).__name__}: OpenKruise knows steps of pods, traffic and pauses only")
        return []
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": subject.target or subject.name}
    key = "blueGreen" if found.style == "blueGreen" else "canary"
    strategy: Object = {key: _plan(found, subject)} | ({"paused": True} if found.paused else {})
    spec = {"workloadRef": reference, "strategy": strategy}
    written = [subject.thing("rollouts.kruise.io/v1beta1", "Rollout", subject.name, spec)]
    update = Rolling(
        max_surge=found.max_surge, max_unavailable=found.max_unavailable, min_ready=found.min_ready,
        progress_deadline=max(600.0, found.min_ready + 1),
    )  # fmt: skip
    return written if subject.target else [*written, deployment(subject, update)]


def _plan(policy: Kruise, subject: Subject) -> Object:
    written: Object = {"enableExtraWorkloadForCanary": True} if policy.style == "canary" else {}
    written["steps"] = [_step(step, f"steps.{index}", subject.losses) for index, step in enumerate(policy.steps)]
    if policy.routing:
        subject.losses.fill("routing", f"the router is not the policy's: service and ingress {subject.name}")
        grace = seconds(policy.grace, "grace", subject.losses)
        ingress = {"classType": "nginx", "name": subject.name}
        written["trafficRoutings"] = [{"service": subject.name, "gracePeriodSeconds": grace, "ingress": ingress}]
    written |= {"failureThreshold": policy.failure_threshold} if policy.failure_threshold != 0 else {}
    return written


def _step(step: KruiseStep, place: str, losses: Losses) -> Object:
    written: Object = {"replicas": step.replicas}
    if step.traffic is not None:
        written["traffic"] = f"{step.traffic:g}%"
    if step.matches:
        written["matches"] = [match for name in step.matches if (match := _match(name, place, losses)) is not None]
    if step.pause is not None:
        written["pause"] = {"duration": seconds(step.pause, place, losses)}
    return written


def _match(name: str, place: str, losses: Losses) -> Object | None:
    found = conditions(name)
    ways = {way for header in (found or {}).get("headers", {}).values() for way in header}
    if found is None or ways - set(_TYPES):
        losses.lose(place, f"segment {name}: write how these requests are told: a header, say")
        return None
    headers = found.pop("headers", {})
    listed = [
        {"type": _TYPES[way], "name": header, "value": value}
        for header, said in headers.items()
        for way, value in said.items()
    ]
    return ({"headers": listed} if listed else {}) | found


def _near(policy: object, losses: Losses) -> Kruise | None:
    """The weights of a canary, each with its pods and the pause that follows."""
    if not isinstance(policy, Canary):
        return None
    losses.near(
        "", "OpenKruise moves pods first, then traffic, then pauses; it measures nothing and never rolls back by itself"
    )
    steps = []
    for step, after in pairwise((*policy.steps, None)):
        if isinstance(step, SetWeight) and step.weight > 0:
            share = step.weight / policy.max_weight * 100
            pause = after.duration if isinstance(after, Pause) else 0.0
            traffic = share if policy.router else None
            steps.append(KruiseStep(replicas=f"{max(1, round(share))}%", traffic=traffic, pause=pause))
        elif not isinstance(step, SetWeight | Pause):
            what = {Match: "matches", ScaleCanary: "sizes apart from weights"}.get(
                type(step), "analyses, gates and experiments"
            )
            losses.lose("steps", f"{what} are not written")
    if policy.background is not None:
        losses.lose("background", "OpenKruise has no analyses")
    try:
        return Kruise(
            steps=tuple(steps), style="canary" if policy.router else "partition", routing=policy.router,
            max_surge=policy.max_surge, max_unavailable=policy.max_unavailable,
        )  # fmt: skip
    except PolicyError as error:
        losses.lose("steps", str(error))
        return None
