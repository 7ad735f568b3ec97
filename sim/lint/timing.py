"""Whether an analysis has the time that it needs (L7, L8, L10, L17, L46). Sums of the written times; pods start as in the median."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.queries import facts
from sim.lint.spot import said
from sim.policy.analysis import Analysis, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Text
from sim.policy.scale import bounds
from sim.policy.steps import Analyse, Experiment, Gate, Pause, SetWeight, Step

__all__ = ["Hold", "check", "holds", "length"]


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a weight is held: seconds written, whether a person or gate ends it, and the analyses that run as steps in it."""

    index: int
    weight: float
    written: float
    manual: bool
    analyses: tuple[tuple[float, Analysis], ...] = ()  # (seconds since the weight changed, analysis)


def length(metric: Metric) -> float | None:
    """Seconds from the start of a run to its last measurement; None without an end."""
    if metric.effective_count is None:
        return None
    return metric.initial_delay + (metric.effective_count - 1) * (metric.interval or 0.0)


def holds(policy: Canary) -> list[Hold]:
    """The weights of a program and how long each is held."""
    found: list[Hold] = []
    index, weight, written, manual = -1, 0.0, 0.0, False
    analyses: list[tuple[float, Analysis]] = []
    for position, step in enumerate(policy.steps):
        if isinstance(step, SetWeight):
            found.append(Hold(index, weight, written, manual, tuple(analyses)))
            index, weight, written, manual, analyses = position, step.weight, 0.0, False, []
        elif isinstance(step, Analyse):
            analyses.append((written, step.analysis))
        written += _time(step)
        manual = manual or _waits(step)
    return [*found, Hold(index, weight, written, manual, tuple(analyses))]


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the times of a policy's analyses."""
    policy = subject.policy
    yield from _pods(subject)
    yield from _horizon(subject)
    if not isinstance(policy, Canary):
        return
    for index, step in enumerate(policy.steps):
        if isinstance(step, Experiment):
            yield from _experiment(subject, index, step)
    if policy.background is not None:
        yield from _background(subject, policy, policy.background)
        yield from _mixed_beside(subject, policy, policy.background)
    for hold in holds(policy):
        for since, analysis in hold.analyses:
            yield from _mixed_step(subject, since, analysis)


def _pods(subject: Subject) -> Iterator[Finding]:
    """A deadline that passes while the first pod starts, with the start-up times of a service that is given."""
    service, deadline = subject.question.service, getattr(subject.policy, "progress_deadline", None)
    start = service.pods.start.draw(0.5)
    if subject.question.given and deadline is not None and deadline <= start:
        field = next((name for name in ("progressDeadlineSeconds", "progress_deadline") if subject.root.has(name)), "")
        words = (
            f"a deadline of {said(deadline)}, half of the pods of {service.name} take {said(start)} or more to start"
        )
        yield subject.root.found("L17", words, field)


def _horizon(subject: Subject) -> Iterator[Finding]:
    """A rollout whose waits alone are longer than we look on; told at the longest."""
    policy, horizon = subject.policy, subject.question.service.horizon
    times = [_time(step) for step in policy.steps] if isinstance(policy, Canary) else []
    if subject.question.given and sum(times) > horizon:
        words = f"the steps wait {said(sum(times))}, the horizon is {said(horizon)}: every rollout ends undecided"
        remedy = f"set horizon: {said(2 * sum(times))} in the scenario, or shorten the pauses"
        yield subject.step(times.index(max(times))).found("L46", words, remedy=remedy)


def _experiment(subject: Subject, index: int, step: Experiment) -> Iterator[Finding]:
    """An experiment that ends before its analyses do, and does not wait for any of them."""
    spot = subject.step(index).child("experiment")
    if (
        step.duration is None
        or step.analysis is None
        or any(one.get("requiredForCompletion") for one in spot.items("analyses"))
    ):
        return
    need = max(length(metric) or 0.0 for metric in step.analysis.metrics)
    unseen = [metric for metric in step.analysis.metrics if metric.initial_delay > step.duration]
    for metric in unseen:
        first = f"the first measurement of {metric.name} comes after {said(metric.initial_delay)}"
        words = f"{first}, the experiment lasts {said(step.duration)}"
        yield spot.found("L8", words, "duration", remedy="shorten initialDelay, or lengthen the experiment")
    if need > step.duration and not unseen:
        words = f"the experiment lasts {said(step.duration)}, its analysis needs {said(need)}"
        remedy = "lengthen it, or add requiredForCompletion: true to the analysis"
        yield spot.found("L7", words, "duration", remedy=remedy)


def _time(step: Step) -> float:
    """Seconds that a step takes when all goes well, without the start of pods."""
    if isinstance(step, Pause):
        return step.duration or 0.0
    if isinstance(step, Analyse):
        return max(length(metric) or 0.0 for metric in step.analysis.metrics)
    if isinstance(step, Experiment):
        ends = [length(metric) or 0.0 for metric in step.analysis.metrics] if step.analysis else []
        return step.duration or max(ends, default=0.0)
    return 0.0


def _waits(step: Step) -> bool:
    return isinstance(step, Gate) or (isinstance(step, Pause) and step.duration is None)


# ---- beside the steps ----


def _background(subject: Subject, policy: Canary, background: Analysis) -> Iterator[Finding]:
    start, steps = policy.starting_step, policy.steps
    holder = subject.root.child("strategy", "canary", "analysis")
    if start >= len(steps) and steps:
        words = f"startingStep {start}, but the last step is step {len(steps) - 1}: the background run never begins"
        yield holder.found("L8", words, "startingStep", remedy=f"use startingStep {len(steps) - 1} or less")
        return
    rest = steps[start:]
    if any(_waits(step) for step in rest):
        return  # a person decides how long it lasts
    pods = subject.question.service.pods.start.draw(0.5) * _waves(subject, policy, rest)
    written = sum(map(_time, rest))
    for metric in background.metrics:
        yield from _cut(subject, metric, written, pods)


def _waves(subject: Subject, policy: Canary, rest: tuple[Step, ...]) -> int:
    """How many times, at most, the rollout waits for pods to start: once for each weight, without a router also for each batch."""
    waves = 1 + sum(isinstance(step, SetWeight) for step in rest)
    if policy.router:
        return waves
    allowed = bounds(subject.replicas, policy.max_surge, policy.max_unavailable)
    return waves + -(-subject.replicas // max(1, allowed.surge + allowed.unavailable))


def _cut(subject: Subject, metric: Metric, written: float, pods: float) -> Iterator[Finding]:
    have = f"the steps last {said(written)}" + (f" (and about {said(pods)} while pods start)" if pods else "")
    spot, count, need = subject.metric(metric.name, metric.template), metric.effective_count, length(metric)
    if metric.initial_delay > written + pods:
        yield spot.found(
            "L8",
            f"the first measurement of {metric.name} comes after {said(metric.initial_delay)}, {have}",
            "initialDelay",
        )
    elif need is not None and count is not None and need > written + pods:
        looks = f"{count} looks every {said(metric.interval or 0.0)}"
        first = f" after {said(metric.initial_delay)}" if metric.initial_delay else ""
        yield spot.found("L7", f"the run of {metric.name} needs {said(need)} ({looks}{first}), {have}", "count")


def _mixed_beside(subject: Subject, policy: Canary, background: Analysis) -> Iterator[Finding]:
    short = [
        hold
        for hold in holds(policy)
        if hold.index >= 0 and 0 < hold.written and not hold.manual and 0 < hold.weight < policy.max_weight
    ]
    for metric in background.metrics:
        window = _window(metric)
        worst = min((hold for hold in short if hold.written < window), key=lambda hold: hold.written, default=None)
        if worst is not None:
            words = f"{metric.name} looks back {said(window)}, weight {worst.weight:g} lasts {said(worst.written)}"
            yield subject.metric(metric.name, metric.template).found("L10", words, "provider")


def _mixed_step(subject: Subject, since: float, analysis: Analysis) -> Iterator[Finding]:
    """The last look of a blocking analysis must see the new weight alone, if any does."""
    for metric in analysis.metrics:
        window, last = _window(metric), length(metric)
        if last is not None and window > since + last:
            words = f"{metric.name} looks back {said(window)}, its last look comes {said(since + last)} after the weight changed"
            yield subject.metric(metric.name, metric.template).found("L10", words, "provider")


def _window(metric: Metric) -> float:
    """Seconds that a PromQL metric looks back over both versions; 0 where old samples change nothing."""
    if not isinstance(metric.query, Text) or metric.query.provider != "prometheus":
        return 0.0
    if '"latest"' in metric.query.text:  # the new pods alone: their samples at a lower weight are theirs as well
        return 0.0
    return max((look.range for look in facts(metric.query.text).looks if look.mixes), default=0.0)
