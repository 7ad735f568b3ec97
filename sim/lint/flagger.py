"""Flagger's analyses (L21 to L26): its one counter, its ticks, and weights that are never clamped (DS 4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sim.lint.files import Files, Subject
from sim.lint.finding import Finding
from sim.lint.limits import FLAKE
from sim.lint.queries import facts
from sim.lint.spot import Spot, said, seconds
from sim.policy.flagger import Flagger
from sim.policy.special import binomial_at_least

__all__ = ["checks", "objects", "ticks"]

_BUILT_IN = ("request-success-rate", "request-duration")
_WAITING = ("confirm-traffic-increase", "confirm-promotion")  # confirm-rollout waits before anybody is exposed
_LEAST = 10.0  # seconds: Flagger's shortest interval
_OFTEN = 0.01  # share of good releases that may be rolled back by flakes


def objects(files: Files) -> Iterator[Finding]:
    """Findings about Canary and MetricTemplate objects as they are written."""
    for canary in files.objects("Canary"):
        spec = canary.child("spec")
        analysis = spec.child("analysis" if spec.has("analysis") else "canaryAnalysis")
        if analysis.names() and spec.get("skipAnalysis") is not True:
            yield from _plan(analysis)
            yield from _metrics(analysis)
            yield from _gates(analysis)
    for template in files.objects("MetricTemplate"):
        spec = template.child("spec")
        known = facts(spec.text("query"))
        if spec.child("provider").text("type") in ("", "prometheus") and known.error and spec.has("query"):
            yield spec.found("L38", f"the query does not parse: {known.error}", "query")


def _plan(analysis: Spot) -> Iterator[Finding]:
    interval = seconds(analysis.get("interval"), 60.0)
    if 0 < interval < _LEAST:
        yield analysis.found(
            "L23", f"an interval of {interval:g}s counts as 10s", "interval", remedy="write 10s or more"
        )
    step, most, listed = (
        analysis.whole("stepWeight", 0),
        analysis.whole("maxWeight", 0) or 100,
        analysis.get("stepWeights"),
    )
    weights = [one for one in listed if isinstance(one, int)] if isinstance(listed, list) else []
    if analysis.whole("iterations", 0) > 0:
        return
    if step == 0 and not weights and (analysis.has("stepWeight") or analysis.has("stepWeights")):
        yield analysis.found(
            "L23",
            "stepWeight 0 and no stepWeights: nothing ever advances",
            "stepWeight",
            remedy="give stepWeight or iterations",
        )
    elif step > 0 and most % step and most < 100:
        top = -(-most // step) * step
        yield analysis.found("L21", f"steps of {step} up to {most} reach {min(100, top)}", "maxWeight")
    elif step == 0 and any(low >= high for low, high in pairwise(weights)):
        yield analysis.found(
            "L21",
            f"the weights {weights} do not rise: from an element that stands twice Flagger goes back or stops",
            "stepWeights",
        )
    if step == 0 and any(not 0 < weight <= 100 for weight in weights):
        bad = next(weight for weight in weights if not 0 < weight <= 100)
        yield analysis.found("L21", f"stepWeights holds {bad}, weights lie in 1..100", "stepWeights")


def _metrics(analysis: Spot) -> Iterator[Finding]:
    every = max(_LEAST, seconds(analysis.get("interval"), 60.0))
    threshold = max(1, analysis.whole("threshold", 1))
    for metric in analysis.items("metrics"):
        if not metric.names():
            continue
        name, templated = metric.text("name"), metric.has("templateRef")
        if not templated and not metric.has("query") and name not in _BUILT_IN:
            words = (
                f"metric {name or '(no name)'} is none of {', '.join(_BUILT_IN)} and has no query: every check fails"
            )
            yield metric.found("L23", words, "name", remedy="add templateRef or query, or use a built-in name")
        window = seconds(metric.get("interval"), 60.0 if not templated else 0.0)
        if window > every:
            words = f"{name} looks back {said(window)} every {said(every)}: "
            times = -(-window // every)
            words += f"a bad moment fails {times:.0f} checks in a row, and {threshold} in all roll back"
            yield metric.found("L24", words, "interval", severity="warning" if times >= threshold else "note")
        if templated and not metric.has("thresholdRange") and not metric.has("threshold"):
            yield metric.found("L25", f"{name}: every value above 0 fails", "name")


def _gates(analysis: Spot) -> Iterator[Finding]:
    hooks = analysis.items("webhooks")
    kinds = {hook.text("type") or "rollout" for hook in hooks}
    if analysis.items("metrics") or "rollback" in kinds or "rollout" in kinds:
        return
    for hook in hooks:
        if hook.text("type") in _WAITING:
            yield hook.found(
                "L26",
                f"{hook.text('type')} {hook.text('name')}: no metric and no rollback webhook watches while it waits",
                "type",
            )


# ---- policies ----


def checks(subject: Subject) -> Iterator[Finding]:
    """Findings about the policy that a Canary gives."""
    policy = subject.policy
    if not isinstance(policy, Flagger) or policy.skip_analysis or not policy.checks:
        return
    analyses = ticks(policy)
    chance = binomial_at_least(policy.threshold, analyses + policy.threshold - 1, FLAKE)  # failures before all passes
    if analyses and chance >= _OFTEN:
        words = f"{analyses} checks, {policy.threshold} failed ones roll back: "
        words += f"if 1 in 100 fails by chance, {100 * chance:.3g} of 100 good releases do"
        yield subject.analysis().found("L22", words, "threshold")


def ticks(policy: Flagger) -> int:
    """How many times the metrics are checked when all goes well (DS 4.2, 4.6)."""
    if policy.iterations:
        return policy.iterations + (1 if policy.kind == "a/b" else 2)
    weight = looks = 0
    while weight < policy.promotes_at and looks < 1000:
        step = policy.increment(weight)
        if step <= 0:
            return looks
        weight, looks = min(100, weight + step), looks + 1
    return looks
