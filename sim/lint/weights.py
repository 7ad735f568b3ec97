"""Weights and pods: what share of the traffic a step really gets (L14, L15, L16, L33)."""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.policy.canary import Canary
from sim.policy.scale import bounds, routed, shared
from sim.policy.steps import ScaleCanary, SetWeight

__all__ = ["check"]

_FAR = 0.05  # share of the traffic by which pods may miss the weight


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the weights of a canary."""
    policy = subject.policy
    if not isinstance(policy, Canary) or not policy.pods or subject.replicas < 1:
        return
    scale: ScaleCanary | None = None
    for index, step in enumerate(policy.steps):
        if isinstance(step, ScaleCanary):
            scale = None if step.match_weight else step
        elif isinstance(step, SetWeight) and 0 < step.weight:
            yield from (_routed if policy.router else _shared)(subject, policy, index, step.weight, scale)


def _shared(subject: Subject, policy: Canary, index: int, weight: float, _: ScaleCanary | None) -> Iterator[Finding]:
    if weight >= policy.max_weight:
        return
    replicas = subject.replicas
    surge = bounds(replicas, policy.max_surge, policy.max_unavailable).surge
    canary, stable = shared(replicas, weight, surge, policy.max_weight)
    have = f"{_pods(replicas)}{'' if _written(subject) else ' (replicas is not written)'}"
    if canary == 0:
        yield _at(subject, index, "L33", f"weight {weight:g} of {have} without a router is no canary pod")
    elif abs(canary / (canary + stable) - weight / policy.max_weight) > _FAR:
        share = 100 * canary / (canary + stable)
        yield _at(
            subject,
            index,
            "L14",
            f"weight {weight:g} of {have} is {canary} of {canary + stable}: {share:.3g}% of the traffic",
        )


def _routed(
    subject: Subject, policy: Canary, index: int, weight: float, scale: ScaleCanary | None
) -> Iterator[Finding]:
    replicas, maximum = subject.replicas, policy.max_weight
    needed = routed(replicas, weight, maximum)
    if scale is None:
        pods = needed
    else:
        pods = scale.replicas if scale.replicas is not None else routed(replicas, scale.weight or 0, maximum)
    if pods == 0:
        yield _at(subject, index, "L33", f"weight {weight:g} goes to a canary that setCanaryScale keeps at no pod")
    elif pods < needed:
        words = f"setCanaryScale keeps {_pods(pods)} for {weight:g} of {maximum} parts of the traffic; {needed} would match it"
        yield _at(subject, index, "L15", words)
    yield from _capacity(subject, index, weight / maximum, pods)


def _capacity(subject: Subject, index: int, share: float, pods: int) -> Iterator[Finding]:
    service = subject.question.service
    capacity = service.pods.capacity
    load = share * service.traffic.rate(0.0)
    if capacity is not None and 0 < pods * capacity < load:
        words = f"{_pods(pods)} of {capacity:g} requests/s each for {load:,.4g} requests/s of {service.name}"
        yield _at(subject, index, "L16", words)


def _at(subject: Subject, index: int, rule: str, words: str) -> Finding:
    return subject.step(index).found(rule, words, "setWeight")


def _written(subject: Subject) -> bool:
    return subject.kind != "Rollout" or subject.root.has("replicas")


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
