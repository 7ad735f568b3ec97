"""What a policy would notice, and what a healthy service would set off (L9, L34, L35).

Thresholds on a share of failed requests are computed exactly (`power.py`) over the requests that each look sees: the timeline of the
policy for the service, looks x weight x traffic x window (`watches.py`). What has no formula is tried (`trial.py`). A regression is blind
only when no metric of the policy sees it: the one that comes nearest is named.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Subject
from sim.lint.finding import Finding
from sim.lint.power import OFTEN, POWER, of_100, smallest, stopped
from sim.lint.reach import MATCHED, assumed
from sim.lint.trial import tried
from sim.lint.watches import Watch, watches
from sim.policy.judges.threshold import allowed, fail_probability

__all__ = ["check"]

_FORMULA = (
    "exact: a look fails with P(Bin(n, p) > rate x n), a run with more than its limit of failed looks (judges.md 3)"
)
_BLIND = f"{_FORMULA}; seen means stopped in {100 * POWER:.0f} of 100 such releases"


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about what the metrics of a policy see."""
    known = watches(subject)
    seeing = [watch for watch in known if watch.runs]
    for watch in seeing:
        yield from _nervous(subject, watch)
    yield from _blind(subject, seeing)
    yield from tried(subject, {watch.name for watch in known})


def _nervous(subject: Subject, watch: Watch) -> Iterator[Finding]:
    question, rate, least = subject.question, watch.bar.rate, watch.least.requests
    false = stopped(watch.runs, rate, watch.limit, question.service.errors)
    if false >= OFTEN:
        edge = f"a look fails above {100 * rate:.3g}%, there {allowed(rate, least)} failed"
        words = f"{of_100(false)} of 100 good releases roll back: {_said(subject, watch)}; {edge}"
        yield watch.spot.found("L34", words, watch.field, severity=question.grave, reason=_FORMULA)
    elif allowed(rate, least) == 0 and fail_probability(least, question.service.errors, rate) >= OFTEN:
        words = f"{_said(subject, watch)}: one failed request fails the look"
        yield watch.spot.found("L9", words, watch.field, severity=question.grave)


def _blind(subject: Subject, found: list[Watch]) -> Iterator[Finding]:
    question = subject.question
    wanted = min(1.0, question.service.errors + question.regression)
    if not found or any(watch.open_ended for watch in found):
        return
    if any(stopped(watch.runs, watch.bar.rate, watch.limit, wanted) >= POWER for watch in found):
        return
    seen = {watch.name: smallest(watch.runs, watch.bar.rate, watch.limit) for watch in found}
    best = min(found, key=lambda watch: seen[watch.name] or 2.0)
    least = f"less than {of_100(seen[best.name] or 0.0)}%" if seen[best.name] is not None else "any regression"
    words = f"cannot see {least}, you ask for {100 * question.regression:.3g}% more: {_said(subject, best)}"
    yield best.spot.found("L35", words, best.field, severity=question.grave, reason=_BLIND)


def _said(subject: Subject, watch: Watch) -> str:
    total, seeing = watch.looks, watch.seeing
    many = f"{seeing} of {total} looks" if total > seeing else f"{total} look{'s' if total > 1 else ''}"
    least = watch.least.requests
    requests = f"{least:,} request{'' if least == 1 else 's'}"
    about = subject.question.about()
    if assumed(subject) is not subject.question.service:
        about += f", {100 * MATCHED:g}% of them matched"
    if watch.load:
        about += f", {watch.load:g} requests/s of a load test"
    return f"{many} of {watch.name} see the new version, the smallest {requests} ({about})"
