"""A policy -> a Kubernetes Deployment (delivery-systems.md section 5)."""

from __future__ import annotations

from sim.manifests.writing.subject import Object, Subject, seconds
from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.rolling import Rolling

__all__ = ["deployment", "write_deployment"]


def write_deployment(subject: Subject) -> list[Object]:
    """The Deployment; whatever a Deployment does not do (weights, pauses, analyses) is lost, and told."""
    policy, losses = subject.policy, subject.losses
    if isinstance(policy, Rolling):
        return [deployment(subject, policy)]
    if isinstance(policy, Flagger):
        losses.lose(
            "analysis", "a Deployment measures nothing and shifts no traffic: what is left is the target's own update"
        )
        own = Rolling(
            max_surge=policy.max_surge, max_unavailable=policy.max_unavailable, min_ready=policy.min_ready,
            progress_deadline=max(policy.progress_deadline, policy.min_ready + 1),
        )  # fmt: skip
    elif isinstance(policy, Canary):
        if policy.steps or policy.background is not None:
            losses.lose("steps", "a Deployment has no steps, weights and analyses: what is left is a rolling update")
        losses.near("", "a Deployment has batches of its own; phases and the order of pods differ from a Rollout's")
        own = Rolling(
            max_surge=policy.max_surge,
            max_unavailable=policy.max_unavailable,
            progress_deadline=policy.progress_deadline,
            min_ready=policy.min_ready,
        )
    else:
        losses.lose(
            "", f"{type(policy).__name__}: a Deployment updates in batches, or all at once; a rolling update is written"
        )
        own = Rolling()
    return [deployment(subject, own)]


def deployment(subject: Subject, policy: Rolling, name: str = "") -> Object:
    losses = subject.losses
    spec: Object = {"replicas": subject.replicas} | subject.workload()
    if policy.recreate:
        spec["strategy"] = {"type": "Recreate"}
    elif (policy.max_surge, policy.max_unavailable) != ("25%", "25%"):
        amounts = {"maxSurge": _amount(policy.max_surge), "maxUnavailable": _amount(policy.max_unavailable)}
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": amounts}
    ready = seconds(policy.min_ready, "min_ready", losses)
    spec |= {"minReadySeconds": ready} if ready else {}
    deadline = seconds(policy.progress_deadline, "progress_deadline", losses, ready + 1)
    spec |= {"progressDeadlineSeconds": deadline} if deadline != 600 else {}
    spec |= {"paused": True} if policy.paused else {}
    return subject.thing("apps/v1", "Deployment", name or subject.name, spec)


def _amount(amount: int | str) -> int | str:
    """A percentage carries its sign: Argo's "25" is 25%, which Kubernetes does not take."""
    return f"{amount.rstrip('%')}%" if isinstance(amount, str) else amount
