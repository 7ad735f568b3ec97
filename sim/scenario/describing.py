"""A policy in a few lines for people: what it does, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from typing import Any

from sim.files import format_duration
from sim.policy.analysis import Analysis, Conditions, JobState, Judged, Limits, Metric, Rule
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.kruise import Kruise
from sim.policy.redblack import RedBlack
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.runbook import Runbook
from sim.policy.scores import Scored
from sim.policy.steps import Analyse, Experiment, Gate, Match, Mirror, Pause, ScaleCanary, SetWeight, Step
from sim.policy.swarm import Swarm
from sim.scenario.measures import Asked
from sim.scenario.values import NamedPolicy

__all__ = ["describe"]


def describe(policy: NamedPolicy | Policy) -> str:
    """What the policy does, one thing per line."""
    if isinstance(policy, NamedPolicy):
        kind = f" ({policy.kind})" if policy.kind and policy.kind != policy.name else ""
        return "\n".join([f"{policy.name}{kind}", *(f"  {line}" for line in _lines(policy.policy))])
    return "\n".join(_lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    match policy:
        case Canary():
            yield from _canary(policy)
        case Rolling():
            yield _rolling(policy)
        case BlueGreen():
            yield from _blue_green(policy)
        case RedBlack():
            yield from _red_black(policy)
        case Kruise():
            yield from _kruise(policy)
        case Swarm():
            yield from _swarm(policy)
        case Flagger():
            yield from _flagger(policy)
        case Runbook(author):
            yield f"runs the steps of {type(author).__name__}"
        case _:
            yield f"decides as {type(policy).__name__} does"


def _canary(policy: Canary) -> Iterator[str]:
    if not policy.pods:
        yield "a feature flag: the new code runs everywhere, only the weight moves"
    elif not policy.router:
        yield "without a router: the weight is the share of pods"
    if policy.background is not None:
        yield from _analysis(f"beside the steps, from step {policy.starting_step} on:", policy.background)
    shared = [step.analysis for step in policy.steps if isinstance(step, Analyse)]
    for number, (line, times) in enumerate(_grouped(policy.steps), start=1):
        yield f"{number}. {line}" + (f", {times} times" if times > 1 else "")
    for look in dict.fromkeys(shared):
        yield from _analysis("a step's analysis:", look)
    yield "then everything is promoted"


def _grouped(steps: tuple[Step, ...]) -> Iterator[tuple[str, int]]:
    for line, same in groupby(_step(step) for step in steps):
        yield line, len(list(same))


def _step(step: Step) -> str:
    match step:
        case SetWeight(weight):
            return f"{weight:g}% of traffic"
        case Pause(None):
            return "wait for a person"
        case Pause(duration):
            return f"wait {format_duration(duration or 0.0)}"
        case Analyse(analysis):
            return f"analyse {', '.join(metric.name for metric in analysis.metrics)}"
        case ScaleCanary(replicas, weight, _):
            size = (
                f"to {replicas} pods"
                if replicas is not None
                else f"for {weight}%"
                if weight is not None
                else "by its weight"
            )
            return f"size the canary {size}"
        case Gate(name):
            return f"ask gate {name}"
        case Match(segments):
            return f"send {', '.join(segments)} to the new version" if segments else "match nobody"
        case Mirror(percent):
            return f"mirror {percent:g}% of requests"
        case Experiment(duration, analysis):
            what = f"for {format_duration(duration)}" if duration is not None else "until a person promotes"
            what = "until its analysis is successful" if step.required else what
            return f"experiment {what}" + (
                f", judged by {', '.join(metric.name for metric in analysis.metrics)}" if analysis else ""
            )


def _rolling(policy: Rolling) -> str:
    if policy.recreate:
        return "ends all old pods, then starts the new ones; nothing is measured"
    return f"replaces pods in batches (surge {policy.max_surge}, unavailable {policy.max_unavailable}); nothing is measured"


def _blue_green(policy: BlueGreen) -> Iterator[str]:
    if policy.pre is not None:
        yield from _analysis("before the switch:", policy.pre)
    if not policy.auto_promotion:
        after = policy.auto_promotion_after
        yield "waits for a person before the switch" + (f", at most {format_duration(after)}" if after else "")
    yield "switches everybody at once"
    if policy.post is not None:
        yield from _analysis("after the switch:", policy.post)


def _red_black(policy: RedBlack) -> Iterator[str]:
    sizes = ", ".join(f"{one}%" for one in policy.targets)
    yield f"{'rolling ' if policy.percentages else ''}red/black: a second group ({sizes} of the first), both serve until the old one is off"
    yield "the old group is scaled down" if policy.scale_down else "the old group is disabled and keeps its pods"


def _kruise(policy: Kruise) -> Iterator[str]:
    yield f"OpenKruise, {policy.style}: pods, then traffic, then a pause; nothing is measured"
    for number, step in enumerate(policy.steps, start=1):
        traffic = f", {step.traffic:g}% of traffic" if step.traffic is not None and not step.matches else ""
        matches = f", {', '.join(step.matches)}" if step.matches else ""
        pause = "until a person approves" if step.pause is None else f"for {format_duration(step.pause)}"
        yield f"{number}. {step.replicas} new pods{traffic}{matches}, held {pause}"


def _swarm(policy: Swarm) -> Iterator[str]:
    for name, batches in (("update", policy.update), ("rollback", policy.rollback)):
        size = f"{batches.parallelism} at a time" if batches.parallelism else "all at once"
        wait = f", {format_duration(batches.delay)} apart" if batches.delay else ""
        watch = "nothing is watched"
        if batches.failure_action != "continue":
            failed = f"failed tasks above {batches.max_failure_ratio:g} of all"
            watch = f"{failed}, seen within {format_duration(batches.monitor)} of their start: {batches.failure_action}"
        yield f"{name}: {size}{wait}, {batches.order}; {watch}"


def _flagger(policy: Flagger) -> Iterator[str]:
    yield f"Flagger {policy.kind}: a tick every {format_duration(policy.interval)}, rollback after {policy.threshold} failed checks"
    for check in policy.checks:
        yield f"  checks {check.name} within [{check.low}, {check.high}]"


def _analysis(head: str, analysis: Analysis) -> Iterator[str]:
    yield head
    for metric in analysis.metrics:
        yield f"  {metric.name}: {_rule(metric.verdict)}{_schedule(metric)}"


def _schedule(metric: Metric) -> str:
    count = metric.effective_count
    times = "until it is ended" if count is None else "once" if count == 1 else f"{count} times"
    every = f", every {format_duration(metric.interval)}" if metric.interval is not None and count != 1 else ""
    return f"{every}, {times}"


def _rule(rule: Rule) -> str:
    match rule:
        case Judged(judge):
            config: Any = judge
            values = [(field.name, getattr(judge, field.name)) for field in fields(config)]
            told = [f"{name} {value}" for name, value in values if _tells(name, value)]
            return f"{judge.name} ({', '.join(told)})"
        case Asked(measure, conditions, _):
            return f"{measure.key} ({_conditions(conditions)})"
        case Conditions():
            return _conditions(rule)
        case Limits(low, high):
            return f"within [{low}, {high}]"
        case JobState():
            return "a job says it"
        case Scored(caller, pass_score, marginal, _, _):
            return f"Kayenta's score, as {caller} reads it (pass {pass_score}, marginal {marginal})"
    return type(rule).__name__


def _tells(name: str, value: object) -> bool:
    return value not in (None, (), False) and not name.startswith("on_")


def _conditions(conditions: Conditions) -> str:
    parts = [
        f"{name} if {condition.text}"
        for name, condition in (("successful", conditions.success), ("failed", conditions.failure))
        if condition
    ]
    return ", ".join(parts) or "always successful"
