"""What a policy is as Flagger's loop of ticks: exact for Flagger's own, near for canaries and blue-green, nothing for others."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sim.manifests.writing.subject import Losses, Subject
from sim.policy.analysis import Analysis, Conditions, Limits, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Text
from sim.policy.flagger import Check, Flagger, Hook
from sim.policy.steps import Analyse, Experiment, Gate, Match, Mirror, Pause, ScaleCanary, SetWeight

__all__ = ["planned"]

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_BOUND = re.compile(rf"result(?:\[0\])?\s*(>=|<=|>|<)\s*{_NUMBER}")
_HELD = 60.0  # seconds; Flagger's default interval
_LEAST = 10.0  # and its shortest


def planned(subject: Subject) -> Flagger | None:
    policy, losses = subject.policy, subject.losses
    if isinstance(policy, Flagger):
        return policy
    if isinstance(policy, Canary):
        losses.near(
            "", "Flagger decides at ticks: each weight is held for an interval, every check is one of all its metrics"
        )
        return _canary(policy, losses)
    if isinstance(policy, BlueGreen):
        losses.near("", "Flagger tests blue-green for some iterations at weight 0, then routes all, then promotes")
        return _blue_green(policy, losses)
    losses.lose("", f"{type(policy).__name__}: Flagger knows canaries, A/B tests and blue-green only")
    return None


def _canary(policy: Canary, losses: Losses) -> Flagger | None:
    weights = _weights(policy, losses)
    matched = [step.segments for step in policy.steps if isinstance(step, Match) and step.segments]
    if not weights and not matched:
        losses.lose("steps", "a plan without weights: Flagger has nothing to raise")
        return None
    analyses = [step.analysis for step in policy.steps if isinstance(step, Analyse)]
    analyses += [policy.background] if policy.background is not None else []
    for name, kind in (("size the canary apart", ScaleCanary), ("run experiments", Experiment)):
        if any(isinstance(step, kind) for step in policy.steps):
            losses.lose("steps", f"Flagger cannot {name}")
    shared: dict[str, Any] = {
        "interval": _interval(policy, losses), "checks": _checks(analyses, losses), "threshold": _threshold(analyses),
        "mirror": any(isinstance(step, Mirror) and step.percent > 0 for step in policy.steps), "hooks": _hooks(policy, losses),
        "progress_deadline": policy.progress_deadline, "router": policy.router or bool(matched),
    }  # fmt: skip
    if matched:
        return Flagger(iterations=max(1, _looks(analyses)), match=matched[0], **shared)
    if not policy.router:
        losses.near("router", "without a router Flagger shifts no weights: a blue-green test is written")
        return Flagger(iterations=max(1, _looks(analyses)), **shared)
    return Flagger(step_weights=weights, **shared)


def _weights(policy: Canary, losses: Losses) -> tuple[int, ...]:
    written = [step.weight / policy.max_weight * 100 for step in policy.steps if isinstance(step, SetWeight)]
    weights = tuple(dict.fromkeys(round(weight) for weight in written if round(weight) > 0))
    if list(weights) != written:
        losses.near("steps", f"weights {written} are written as {list(weights)}: whole, above 0 and each once")
    if any(low >= high for low, high in pairwise(weights)):
        losses.lose("steps", "weights that fall: Flagger's only rise")
        weights = tuple(sorted(weights))
    return weights


def _interval(policy: Canary, losses: Losses) -> float:
    """The time for which most weights are held."""
    held = [_lasts(step) for step in policy.steps if isinstance(step, Pause | Analyse)]
    times = [time for time in held if time]
    if len(set(times)) > 1:
        losses.near("steps", f"pauses of {sorted(set(times))} s are written as one interval")
    interval = max(set(times), key=times.count, default=_HELD)
    if interval < _LEAST:
        losses.near("steps", f"{interval:g} s is written as 10 s, Flagger's shortest interval")
    return max(_LEAST, interval)


def _lasts(step: Pause | Analyse) -> float | None:
    if isinstance(step, Pause):
        return step.duration
    spans = [(metric.interval or 0.0) * (metric.effective_count or 1) for metric in step.analysis.metrics]
    return max(spans, default=None)


def _looks(analyses: list[Analysis]) -> int:
    return max((metric.effective_count or 10 for one in analyses for metric in one.metrics), default=10)


def _threshold(analyses: list[Analysis]) -> int:
    """One counter for all: the smallest number of failures that ends any of them."""
    limits = [metric.failure_limit + 1 for one in analyses for metric in one.metrics if metric.failure_limit >= 0]
    return max(1, min(limits, default=1))


def _hooks(policy: Canary, losses: Losses) -> tuple[Hook, ...]:
    hooks = [Hook(step.name, "confirm-traffic-increase") for step in policy.steps if isinstance(step, Gate)]
    if hooks:
        losses.near("steps", "a gate is asked before every increase; a no waits, it does not abort")
    if any(isinstance(step, Pause) and step.duration is None for step in policy.steps):
        losses.near("steps", "a pause for a person is written as one confirm-promotion webhook at the end")
        hooks.append(Hook("approval", "confirm-promotion"))
    return tuple(hooks)


def _blue_green(policy: BlueGreen, losses: Losses) -> Flagger:
    analyses = [one for one in (policy.pre, policy.post) if one is not None]
    if policy.post is not None:
        losses.near("post", "after the switch Flagger analyses once, at 100%, before it promotes")
    if policy.preview_replicas is not None:
        losses.lose("preview_replicas", "Flagger's canary has the size of its scaler")
    hooks = (
        () if policy.auto_promotion and not policy.auto_promotion_after else (Hook("approval", "confirm-promotion"),)
    )
    intervals = [metric.interval for one in analyses for metric in one.metrics if metric.interval]
    return Flagger(
        interval=max(_LEAST, min(intervals, default=_HELD)), iterations=max(1, _looks(analyses) if analyses else 1),
        threshold=_threshold(analyses), checks=_checks(analyses, losses), hooks=hooks,
        progress_deadline=policy.progress_deadline,
    )  # fmt: skip


# ---- metrics ----


def _checks(analyses: list[Analysis], losses: Losses) -> tuple[Check, ...]:
    found = (_check(metric, losses) for one in analyses for metric in one.metrics)
    return tuple(dict.fromkeys(check for check in found if check is not None))


def _check(metric: Metric, losses: Losses) -> Check | None:
    """A range for what the conditions say, if they say one."""
    place = f"metric {metric.name}"
    if not isinstance(metric.query, Text) or metric.dry_run:
        losses.lose(
            place, "Flagger holds the answer of a query against a range, and knows no other judges and no dry runs"
        )
        return None
    check = Check(metric.name, metric.query, template=metric.template or (f"{metric.name}" if _named(metric) else ""))
    verdict = metric.verdict
    if isinstance(verdict, Limits):
        losses.near(place, "what is unknown is a failed check in Flagger")
        return replace(check, low=verdict.low, high=verdict.high)
    if isinstance(verdict, Conditions) and verdict.success is not None and verdict.failure is None:
        bounds = _BOUND.fullmatch(verdict.success.text.strip())
        if bounds is not None:
            return _bounded(check, bounds[1], float(bounds[2]), place, losses)
    losses.lose(place, "its conditions are more than one bound on a number")
    return None


def _named(metric: Metric) -> bool:
    return isinstance(metric.query, Text) and metric.query.provider != "prometheus"


def _bounded(check: Check, sign: str, bound: float, place: str, losses: Losses) -> Check:
    losses.near(place, "an answer without data is a failed check in Flagger")
    if len(sign) == 1:
        losses.near(place, f"the bound {bound:g} itself passes in Flagger")
    return replace(check, low=bound) if sign.startswith(">") else replace(check, high=bound)
