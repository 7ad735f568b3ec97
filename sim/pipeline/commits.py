"""Changes that enter the pipeline: the value, synthetic ones, and which of them are bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.durations import Duration, Exponential, Uniforms, spend
from sim.pipeline.model import Commits, Risk
from sim.policy.errors import WorldError

LIMIT = 2**24
"""Identities of changes are below this; a fix of change n is n + LIMIT, its own fix n + 2 LIMIT, and so on. So the
draws of a fix depend on what it fixes and on nothing else."""


@dataclass(frozen=True, slots=True)
class Change:
    """One commit: its identity (from 1 on), when, how large (lines), and the truth about it.

    ``severity`` is the share of requests it breaks; ``source`` the commit hash of a replayed one; ``fixes`` the
    identities of the bad changes it repairs.
    """

    id: int
    at: float
    size: int = 1
    author: str = ""
    bad: bool = False
    severity: float = 0.0
    files: int = 1
    source: str = ""
    fixes: tuple[int, ...] = ()


def calendar(worked: float, commits: Commits) -> float:
    """The moment at which ``worked`` seconds of working time have passed since Monday 00:00."""
    start, end = commits.hours
    day, rest = divmod(worked, (end - start) * 3600.0)
    week, weekday = divmod(int(day), commits.days)
    return (week * 7 + weekday) * 86400.0 + start * 3600.0 + rest


def synthesize(commits: Commits, uniform: Uniforms, *, until: float) -> tuple[Change, ...]:
    """Poisson pushes within working hours up to ``until``, each with its commits, sizes and truth."""
    changes: list[Change] = []
    worked, push = 0.0, 0
    gap = Exponential(3600.0 / commits.per_hour)
    while True:
        push += 1
        worked += spend(gap, uniform, "commit.gap", push, 0)
        at = calendar(worked, commits)
        if at >= until:
            return mark(changes, commits.risk, uniform)
        for _ in range(_batch(commits.batch, uniform("commit.batch", push, 0))):
            number = len(changes) + 1
            changes.append(Change(number, at, lines(commits.size, uniform, number)))


def mark(changes: Iterable[Change], risk: Risk, uniform: Uniforms) -> tuple[Change, ...]:
    """The same changes with ``bad`` and ``severity`` drawn from ``risk``: a replayed history does not tell them."""
    marked = []
    for change in changes:
        if not 1 <= change.id < LIMIT:
            raise WorldError(f"a change is numbered from 1 to {LIMIT - 1}, got {change.id}")
        bad = uniform("change.bad", change.id, 0) < risk.probability(change.size)
        severity = harmful(risk, uniform, change.id) if bad else 0.0
        marked.append(replace(change, bad=bad, severity=severity))
    return tuple(marked)


def lines(size: Duration, uniform: Uniforms, id: int) -> int:
    """The size of a synthetic change."""
    return max(1, round(spend(size, uniform, "commit.size", id, 0)))


def harmful(risk: Risk, uniform: Uniforms, id: int) -> float:
    """The severity of a bad change."""
    return min(1.0, spend(risk.severity, uniform, "change.severity", id, 0))


def _batch(weights: tuple[float, ...], u: float) -> int:
    left = u * sum(weights)
    for number, weight in enumerate(weights, start=1):
        left -= weight
        if left < 0:
            return number
    return len(weights)
