"""OpenKruise Rollouts (L15, L18, L33, L44): pods and traffic are written apart, nothing is measured, a pause without duration waits."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.spot import Spot
from sim.policy.kruise import Kruise, KruiseStep

__all__ = ["check"]


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the steps of an OpenKruise Rollout."""
    policy = subject.policy
    if not isinstance(policy, Kruise):
        return
    plan = subject.root.child("strategy", "blueGreen" if policy.style == "blueGreen" else "canary")
    steps = list(zip(plan.items("steps"), policy.steps, strict=True))
    for spot, step in steps:
        yield from _traffic(spot, step, subject.replicas)
    yield from _pauses(steps)
    share = _share(policy.failure_threshold)
    if share is not None and share >= 1:
        words = f"failureThreshold {policy.failure_threshold}: a batch counts as ready however many of its pods fail"
        yield plan.found(
            "L44",
            words,
            "failureThreshold",
            reason="nothing else is looked at",
            remedy="use e.g. 10%, or leave it out (0)",
        )


def _traffic(spot: Spot, step: KruiseStep, replicas: int) -> Iterator[Finding]:
    """Pods of a step that cannot carry its share of the traffic; sizes are known where the workload is among the files."""
    if step.traffic is None or step.traffic == 0 or replicas <= 1:
        return
    share = _share(step.replicas)
    pods = ceil(share * replicas) if share is not None else int(step.replicas)
    needed = ceil(Fraction(step.traffic) * replicas / 100)
    if pods == 0:
        yield spot.found("L33", f"traffic {step.traffic:g}% goes to no pod", "replicas")
    elif pods < needed:
        words = f"{pods} of {replicas} pods for {step.traffic:g}% of the traffic; {needed} would match it"
        yield spot.found(
            "L15",
            words,
            "replicas",
            reason="pods and traffic of a step are written apart",
            remedy="raise replicas, or lower traffic",
        )


def _pauses(steps: list[tuple[Spot, KruiseStep]]) -> Iterator[Finding]:
    """The last step of 100% is done at once; every other without a duration waits for a person."""
    waiting = [spot for spot, step in steps if step.pause is None]
    if steps and steps[-1][1].replicas == "100%" and steps[-1][0] in waiting:
        waiting.remove(steps[-1][0])
    if waiting:
        others = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        yield waiting[0].found(
            "L18", f"a step without pause.duration{others}", "pause", remedy="give it one: pause: {duration: 600}"
        )


def _share(value: int | str) -> Fraction | None:
    """A percentage as a share; None for a number of pods."""
    return Fraction(int(value.rstrip("%")), 100) if isinstance(value, str) else None
