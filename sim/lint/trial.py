"""Where no formula exists: SAMPLES seeded releases, and a finding only where their 95% interval leaves no doubt (L34, L35)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.power import OFTEN, POWER, of_100
from sim.lint.reach import unreached
from sim.lint.watches import measured
from sim.policy.analysis import Judged
from sim.policy.judges.threshold import Threshold
from sim.policy.scores import Scored
from sim.results.interval import Interval
from sim.results.proportions import wilson
from sim.scenario.walking import asked

__all__ = ["tried"]

SAMPLES = 200
_SEED = 1
_FIELDS = ("judge", "metrics", "background", "analysis", "strategy", "canaryConfig")


def tried(subject: Subject, computed: set[str]) -> Iterator[Finding]:
    """A good release, and where nothing is `computed`, one with the regression."""
    samples = _samples(subject, computed)
    if not samples:
        return
    good = wilson(_stopped(subject, 0.0, samples), samples)
    if good.low > OFTEN:
        yield _told(subject, "L34", f"{of_100(good.estimate)} of 100 good releases roll back", good)
    if computed:
        return
    regression = subject.question.regression
    bad = wilson(_stopped(subject, regression, samples), samples)
    if bad.high < POWER:
        share = f"{100 * regression:.3g}%"
        yield _told(subject, "L35", f"stops {of_100(bad.estimate)} of 100 releases with {share} more errors", bad)


def _samples(subject: Subject, computed: set[str]) -> int:
    """How many releases are tried: none where every metric has a formula, or where there is no service to try the policy on.

    Without a formula: a judge of ours, a query over the telemetry of a service that is given, and Kayenta's judge of other people's
    configs, which is so slow that fewer must do, and that for a given service only. Nor where the requests come from somebody whom the
    simulation does not have.
    """
    if unreached(subject):
        return 0
    rules = [metric.verdict for metric in measured(subject)]
    if any(isinstance(rule, Scored) for rule in rules):
        return SAMPLES // 4 if subject.question.given else 0
    if any(isinstance(rule, Judged) and not isinstance(rule.judge, Threshold) for rule in rules):
        return SAMPLES
    answers = subject.answers
    if answers is None or answers.wrong():
        return 0
    return SAMPLES if any(name not in computed for _, name, _ in asked(subject.policy)) else 0


def _told(subject: Subject, rule: str, words: str, seen: Interval) -> Finding:
    question = subject.question
    holder = next((name for name in _FIELDS if subject.root.has(name)), "")
    words = f"{words} (95%: {of_100(seen.low)} to {of_100(seen.high)}; {question.about()})"
    reason = f"{seen.n} simulated releases, seed {_SEED}"
    return subject.root.found(rule, words, holder, severity=question.grave, reason=reason)


def _stopped(subject: Subject, p: float, samples: int) -> int:
    """How many of so many releases are stopped whose requests fail by `p` more."""
    from sim.engine.paths import Case, follow
    from sim.engine.rows import OUTCOMES
    from sim.faults.reading import parse
    from sim.scenario.conditions import release

    service = subject.question.service
    if subject.replicas:
        service = replace(service, pods=replace(service.pods, count=subject.replicas))
    faults = (parse({"id": "regression", "kind": "build.error_rate", "params": {"p": p}}),) if p else ()
    made = release("lint", faults, (), (), service, _SEED)
    rows = follow(Case(subject.policy, service, made.effects, made.truth, subject.answers), _SEED, 0, samples)
    return int((rows["outcome"] == OUTCOMES.index("aborted")).sum())
