"""Kayenta's run of several judgements: which windows are judged, when the run stops, and what it ends with.

Pure functions; the waiting is the driver's. Source: judges.md section 4.5 (SetupAndExecuteCanariesStage,
MonitorCanaryTask, GenerateCanaryAnalysisResultTask).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sim.policy.judges.base import Arm, require

__all__ = ["FEW_POINTS", "Interval", "Plan", "few_points", "outcome", "plan", "stops"]

FEW_POINTS = 50  # below this Kayenta warns about a control series


@dataclass(frozen=True, slots=True)
class Interval:
    """One judgement, in minutes since the start of the run: when it is due, and the windows of both arms."""

    due: float
    start: float
    end: float
    control_start: float
    control_end: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The judgements of one run; minutes."""

    lifetime: int
    interval: int
    judgements: tuple[Interval, ...]


def plan(
    *,
    lifetime: float | None = None,
    end: float | None = None,
    interval: int = 0,
    lookback: int = 0,
    control_offset: int = 0,
    warmup: int = 0,
) -> Plan:
    """Windows of a run that starts at 0: growing, or sliding when `lookback` > 0. Minutes.

    `end` is an explicit end time: the data are in the past, so nothing is waited for between judgements and the windows
    are not shifted by the warm-up, but the warm-up itself is still waited for. A remainder of the lifetime is never
    judged.

    >>> [(i.start, i.end) for i in plan(lifetime=150, interval=60).judgements]
    [(0, 60), (0, 120)]
    """
    given = end if end is not None else lifetime
    require(given is not None, "a canary analysis needs an end or a lifetime; set lifetime in minutes")
    whole = int(given or 0)
    require(whole >= 1, f"the lifetime must be at least one whole minute, got {given}")
    step = interval if 0 < interval <= whole else whole
    shift = 0 if end is not None else warmup
    judgements = []
    for i in range(1, whole // step + 1):
        stop = shift + i * step
        start = stop - lookback if lookback > 0 else shift
        due = warmup if end is not None else stop
        judgements.append(Interval(due, start, stop, start - control_offset, stop - control_offset))
    return Plan(whole, step, tuple(judgements))


def stops(score: float, marginal_score: float | None) -> bool:
    """Whether this judgement ends the run as failed: even a score equal to marginal, whose class is Marginal."""
    return marginal_score is not None and score <= marginal_score


def outcome(
    scores: Sequence[float | None], pass_score: float | None = None, marginal_score: float | None = None
) -> Literal["pass", "fail"]:
    """The end of the run: the last score counts, unless an earlier one stopped it; a missing score is 0."""
    known = [0.0 if s is None else s for s in scores]
    last = known[-1] if known else 0.0
    if pass_score is None and marginal_score is None:
        return "pass"
    if any(stops(s, marginal_score) for s in known):
        return "fail"
    return "fail" if pass_score is not None and last < pass_score else "pass"


def few_points(control: Arm) -> tuple[str, ...]:
    """Names of control series with fewer than 50 points, which Kayenta warns about."""
    return tuple(name for name, values in control.points if len(values) < FEW_POINTS)
