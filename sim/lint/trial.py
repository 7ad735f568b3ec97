"""Where no formula exists: SAMPLES seeded releases, and a finding only where their 95% interval leaves no doubt (L34, L35)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.power import OFTEN, POWER, of_100
from sim.lint.watches import measured
from sim.policy.analysis import Judged
from sim.policy.judges.threshold import Threshold
from sim.results.interval import Interval
from sim.results.proportions import wilson
from sim.scenario.walking import asked

__all__ = ["tried"]

SAMPLES = 200
_SEED = 1
_FIELDS = ("judge", "metrics", "background", "analysis", "strategy")


def tried(subject: Subject, computed: set[str]) -> Iterator[Finding]:
    """A good release, and where nothing is `computed`, one with the regression."""
    if not _needed(subject, computed):
        return
    good = wilson(_stopped(subject, 0.0), SAMPLES)
    if good.low > OFTEN:
        yield _told(subject, "L34", f"{of_100(good.estimate)} of 100 good releases roll back", good)
    if computed:
        return
    regression = subject.question.regression
    bad = wilson(_stopped(subject, regression), SAMPLES)
    if bad.high < POWER:
        share = f"{100 * regression:.3g}%"
        yield _told(subject, "L35", f"stops {of_100(bad.estimate)} of 100 releases with {share} more errors", bad)


def _needed(subject: Subject, computed: set[str]) -> bool:
    """Whether some metric has no formula: a judge of ours, or a query over the telemetry of a service that is given."""
    judges = [metric.verdict.judge for metric in measured(subject) if isinstance(metric.verdict, Judged)]
    if any(not isinstance(judge, Threshold) for judge in judges):
        return True
    answers = subject.answers
    if answers is None or answers.wrong():
        return False
    return any(name not in computed for _, name, _ in asked(subject.policy))


def _told(subject: Subject, rule: str, words: str, seen: Interval) -> Finding:
    question = subject.question
    holder = next((name for name in _FIELDS if subject.root.has(name)), "")
    words = f"{words} (95%: {of_100(seen.low)} to {of_100(seen.high)}; {question.about()})"
    reason = f"{SAMPLES} simulated releases, seed {_SEED}"
    return subject.root.found(rule, words, holder, severity=question.grave, reason=reason)


def _stopped(subject: Subject, p: float) -> int:
    """How many of SAMPLES releases are stopped whose requests fail by `p` more."""
    from sim.engine.paths import Case, follow
    from sim.engine.rows import OUTCOMES
    from sim.faults.reading import parse
    from sim.scenario.conditions import release

    service = subject.question.service
    if subject.replicas:
        service = replace(service, pods=replace(service.pods, count=subject.replicas))
    faults = (parse({"id": "regression", "kind": "build.error_rate", "params": {"p": p}}),) if p else ()
    made = release("lint", faults, (), (), service, _SEED)
    rows = follow(Case(subject.policy, service, made.effects, made.truth, subject.answers), _SEED, 0, SAMPLES)
    return int((rows["outcome"] == OUTCOMES.index("aborted")).sum())
