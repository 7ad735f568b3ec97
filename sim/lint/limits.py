"""What a metric forgives (L11, L12, L44): limits are exceeded, not reached, and an Error comes back after 10 s."""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Files, Subject
from sim.lint.finding import Finding
from sim.lint.metrics import Limits, metrics_of, uses
from sim.lint.spot import Spot
from sim.policy.commands import Counts

__all__ = ["FLAKE", "check", "own"]

BACKEND = 30.0  # seconds until a restarted metrics backend answers again (estimate: container start and readiness)
FLAKE = 0.01  # share of looks that fail by chance, for the examples in L12 and L22
_MANY = 10  # looks: DS 13, L12
_RETRY = 10.0  # seconds: DS 2.1


def check(files: Files) -> Iterator[Finding]:
    """Findings about metrics of Argo's templates."""
    for use in uses(files):
        if use.limits is not None:
            yield from _patience(use.spot, use.limits)
            yield from _strikes(use.spot, use.limits)
            yield from _toothless(use.spot, use.spot.text("name"), use.limits.count, use.limits)


def own(subject: Subject) -> Iterator[Finding]:
    """Findings about metrics of our own policies."""
    for metric in dict.fromkeys(metrics_of(subject.policy)):
        if isinstance(metric.query, Counts):
            limits = Limits(metric.effective_count, metric.failure_limit, 4, metric.consecutive_success_limit)
            yield from _toothless(
                subject.metric(metric.name, metric.template), metric.name, metric.effective_count, limits
            )


def _patience(spot: Spot, limits: Limits) -> Iterator[Finding]:
    if spot.has("consecutiveErrorLimit") and limits.errors * _RETRY < BACKEND:
        tries = f"{limits.errors + 1} Error{'s' if limits.errors else ''} in a row, within {limits.errors * _RETRY:g}s"
        yield spot.found("L11", f"{tries}, end {spot.text('name')}", "consecutiveErrorLimit")


def _strikes(spot: Spot, limits: Limits) -> Iterator[Finding]:
    count = limits.count
    if limits.failures == 0 and count is not None and count > _MANY and not limits.dry_run:
        chance = 100 * (1 - (1 - FLAKE) ** count)
        words = f"{count} looks, none may fail: if 1 in 100 fails by chance, {chance:.0f} of 100 good releases abort"
        yield spot.found("L12", words, "failureLimit" if spot.has("failureLimit") else "count")


def _toothless(spot: Spot, name: str, count: int | None, limits: Limits) -> Iterator[Finding]:
    if count is not None and limits.failures >= count and not limits.successes:
        times = f"{count} time{'s' if count > 1 else ''}"
        yield spot.found(
            "L44",
            f"{name} is measured {times}, failureLimit {limits.failures} allows {limits.failures} failed",
            "failureLimit",
        )
