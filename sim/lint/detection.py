"""What a policy would notice, and what a healthy service would set off (L9, L34, L35).

Thresholds on a share of failed requests are computed exactly (`power.py`) over the requests that each look sees: the timeline of the
policy for the service (`sim.timeline`), looks x weight x traffic x window. Other judges of our own, and other queries where a service is
given, are tried: SAMPLES seeded replications, and a finding only where their 95% interval leaves no doubt. Where a person decides how
long a weight lasts, the looks up to the earliest promotion count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sim.lint.bars import Bar, bar, bar_of_check
from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.power import POWER, Looks, Run, smallest, stopped
from sim.lint.shown import providers
from sim.lint.spot import Spot
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.flagger import Flagger
from sim.policy.judges.threshold import Threshold, allowed, fail_probability
from sim.policy.steps import Analyse
from sim.scenario.walking import asked
from sim.timeline import Leg, earliest

if TYPE_CHECKING:
    from sim.results.interval import Interval

__all__ = ["check"]

OFTEN = 0.01  # false rollbacks per release from which on lint speaks
SAMPLES = 200
_SEED = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """One metric that watches a release: more than `limit` failed looks of a run stop it; `one_run`: over all weights together."""

    name: str
    bar: Bar
    limit: int
    one_run: bool
    spot: Spot
    field: str


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about what each metric sees."""
    watches = list(_watches(subject))
    if watches:
        legs = earliest(subject.policy, subject.question.service, subject.replicas or None)
        for watch in watches:
            yield from _watched(subject, watch, legs)
    if _to_try(subject, {watch.name for watch in watches}):
        yield from _tried(subject, alone=not watches)


def _to_try(subject: Subject, computed: set[str]) -> bool:
    """Whether some metric has no formula: a judge of ours, or a query over the telemetry of a service that is given."""
    if any(
        isinstance(metric.verdict, Judged) and not isinstance(metric.verdict.judge, Threshold)
        for metric in _all(subject)
    ):
        return True
    if not subject.question.given or subject.identity is None:
        return False
    answers = providers(subject)
    return (
        answers is not None
        and not answers.wrong()
        and any(name not in computed for _, name, _ in asked(subject.policy))
    )


# ---- metrics ----


def _watches(subject: Subject) -> Iterator[Watch]:
    policy = subject.policy
    if isinstance(policy, Flagger):
        # In blue/green without a mirror only a load test reaches the canary, and the files do not say how much.
        seen = policy.kind == "canary" or policy.mirror or bool(policy.match)
        for one in policy.checks if seen and not policy.skip_analysis else ():
            if (found := bar_of_check(one)) is not None:
                yield Watch(one.name, found, policy.threshold - 1, True, subject.metric(one.name), "thresholdRange")
        return
    background = policy.background.metrics if isinstance(policy, Canary) and policy.background else ()
    for metric in _all(subject):
        found = bar(metric)
        if found is not None and not metric.dry_run:
            yield Watch(
                metric.name,
                found,
                metric.failure_limit,
                metric in background,
                subject.metric(metric.name, metric.template),
                "successCondition",
            )


def _all(subject: Subject) -> list[Metric]:
    policy = subject.policy
    analyses: list[Analysis | None] = []
    if isinstance(policy, Canary):
        analyses = [policy.background, *(step.analysis for step in policy.steps if isinstance(step, Analyse))]
    elif isinstance(policy, BlueGreen):
        analyses = [policy.post]  # before the switch nobody uses the new pods
    return list(dict.fromkeys(metric for analysis in analyses if analysis for metric in analysis.metrics))


# ---- exact ----


def _watched(subject: Subject, watch: Watch, legs: tuple[Leg, ...]) -> Iterator[Finding]:
    question, runs = subject.question, _runs(subject, watch, legs)
    if not runs:
        return
    healthy, rate = question.service.errors, watch.bar.rate
    least = min((looks for run in runs for looks in run), key=lambda looks: looks.requests)
    total, seeing = (
        sum(dict(leg.looks).get(watch.name, 0) for leg in legs),
        sum(looks.count for run in runs for looks in run),
    )
    many = f"{seeing} of {total} looks" if total > seeing else f"{total} look{'s' if total > 1 else ''}"
    said = f"{many} of {watch.name} see the new version, the smallest {least.requests:,} requests ({question.about()})"
    false = stopped(runs, rate, watch.limit, healthy)
    if false >= OFTEN:
        edge = f"a look fails above {100 * rate:.3g}%, there {allowed(rate, least.requests)} failed"
        words = f"{_of_100(false)} of 100 good releases roll back: {said}; {edge}"
        yield watch.spot.found("L34", words, watch.field, severity=question.grave, reason=_reason("L34"))
    elif allowed(rate, least.requests) == 0 and fail_probability(least.requests, healthy, rate) >= OFTEN:
        words = f"{said}: one failed request fails the look"
        yield watch.spot.found("L9", words, watch.field, severity=question.grave)
    if stopped(runs, rate, watch.limit, min(1.0, healthy + question.regression)) < POWER:
        seen = smallest(runs, rate, watch.limit)
        least_seen = f"less than {_of_100(seen)}%" if seen is not None else "any regression"
        words = f"cannot see {least_seen}, you ask for {100 * question.regression:.3g}% more: {said}"
        yield watch.spot.found("L35", words, watch.field, severity=question.grave, reason=_reason("L35"))


def _of_100(share: float) -> str:
    """Two digits that mean something, never an exponent for a whole number."""
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.2g}"


def _reason(rule: str) -> str:
    formula = (
        "exact: a look fails with P(Bin(n, p) > rate x n), a run with more than its limit of failed looks (judges.md 3)"
    )
    return formula if rule == "L34" else f"{formula}; seen means stopped in {100 * POWER:.0f} of 100 such releases"


def _runs(subject: Subject, watch: Watch, legs: tuple[Leg, ...]) -> tuple[Run, ...]:
    """The looks of each run by the requests of the new version that they see; looks without any are no evidence."""
    service = subject.question.service
    window = watch.bar.window or service.monitoring.scrape
    groups: list[Looks] = []
    for leg in legs:
        count = dict(leg.looks).get(watch.name, 0)
        requests = round(service.traffic.rate((leg.start + leg.end) / 2) * leg.share * window)
        if count and requests:
            groups.append(Looks(requests, count, isinstance(subject.policy, Flagger)))
    if watch.one_run:
        return (tuple(groups),) if groups else ()
    return tuple((looks,) for looks in groups)


# ---- tried ----


def _tried(subject: Subject, *, alone: bool) -> Iterator[Finding]:
    """A short seeded simulation of a good release, and where nothing is computed, of one with the regression."""
    from sim.results.proportions import wilson

    question = subject.question
    holder = next(
        (name for name in ("judge", "metrics", "background", "analysis", "strategy") if subject.root.has(name)), ""
    )
    share = f"{100 * question.regression:.3g}%"
    good = wilson(_stopped(subject, 0.0), SAMPLES)
    if good.low > OFTEN:
        yield _simulated(subject, "L34", f"{_of_100(good.estimate)} of 100 good releases roll back", good, holder)
    if not alone:
        return
    bad = wilson(_stopped(subject, question.regression), SAMPLES)
    if bad.high < POWER:
        words = f"stops {_of_100(bad.estimate)} of 100 releases with {share} more errors"
        yield _simulated(subject, "L35", words, bad, holder)


def _simulated(subject: Subject, rule: str, words: str, seen: Interval, holder: str) -> Finding:
    question = subject.question
    words = f"{words} (95%: {_of_100(seen.low)} to {_of_100(seen.high)}; {question.about()})"
    reason = f"{SAMPLES} simulated releases, seed {_SEED}"
    return subject.root.found(rule, words, holder, severity=question.grave, reason=reason)


def _stopped(subject: Subject, p: float) -> int:
    from sim.engine.paths import Case, follow
    from sim.engine.rows import OUTCOMES
    from sim.faults.reading import parse
    from sim.scenario.conditions import release

    service = subject.question.service
    if subject.replicas:
        service = replace(service, pods=replace(service.pods, count=subject.replicas))
    faults = (parse({"id": "regression", "kind": "build.error_rate", "params": {"p": p}}),) if p else ()
    made = release("lint", faults, (), (), service, _SEED)
    rows = follow(Case(subject.policy, service, made.effects, made.truth, providers(subject)), _SEED, 0, SAMPLES)
    return int((rows["outcome"] == OUTCOMES.index("aborted")).sum())
