"""Budgets of a result: pass, fail or undecided, by intervals that hold however often one looks (judges.md section 17.2).

A rate is judged by a confidence sequence for a probability, a mean by that of the values clipped at a stated cap, a quantile by
inverting the first: x stays in the interval while the share of values up to x may still be q. All of them hold together: each
has the level 1 - alpha / k of k questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.results.interval import Interval
from sim.results.measures import HORIZON, Measure, named, quantile, sample
from sim.results.multiplicity import cell_level
from sim.results.quantiles import first, rank
from sim.results.resampling import Floats
from sim.results.result import Cell, Result
from sim.results.sequences import bernoulli_sequence, clipped_sequence
from sim.results.stopping import Budget, Decision

CAP = 20.0  # times the limit: a single rollout counts no more than twenty allowances (estimate)

Overall = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one cell says of one budget. A mean is that of values cut at `cap`; `beyond` is the share of rollouts it cuts."""

    policy: str
    release: str
    budget: Budget
    interval: Interval
    decision: Decision
    cap: float | None = None
    beyond: float = 0.0

    @property
    def note(self) -> str:
        """What must be said beside a mean; empty for anything else."""
        return (
            "" if self.cap is None else f"mean of values cut at {self.cap:,g}; {self.beyond:.1%} of the rollouts beyond"
        )


def verdicts(result: Result, budgets: Sequence[Budget], level: float = 0.95) -> tuple[Verdict, ...]:
    """Every budget for every cell that its measure fits, in the order of the budgets. `level`: of all together."""
    asked = [(cell, budget) for budget in budgets for cell in result.cells if named(budget.metric)[0].fits(cell.bad)]
    return tuple(judge(cell, budget, cell_level(len(asked), level)) for cell, budget in asked)


def overall(found: Sequence[Verdict]) -> Overall:
    """fail if any fails, else undecided if any is (or there is none), else pass."""
    decisions = {verdict.decision for verdict in found}
    if "fail" in decisions:
        return "fail"
    return "undecided" if "undecided" in decisions or not decisions else "pass"


def judge(cell: Cell, budget: Budget, level: float) -> Verdict:
    """What a cell says of a budget at that level."""
    interval, cap, beyond = sequence(cell, budget.metric, budget.limit, level)
    return Verdict(cell.policy, cell.release, budget, interval, budget.decide(interval), cap, beyond)


def sequence(cell: Cell, name: str, limit: float, level: float) -> tuple[Interval, float | None, float]:
    """The time-uniform interval of a measure; for a mean also the cap, chosen from the limit, and the share cut there."""
    measure, statistic = named(name)
    values, share = sample(cell, measure), quantile(statistic)
    if measure.kind == "rate":
        return bernoulli_sequence(int(values.sum()), values.size, level), None, 0.0
    if share is not None:
        return quantile_sequence(values, share, level), None, 0.0
    cap = _cap(measure, limit)
    clipped = clipped_sequence(
        np.minimum(values, 2 * cap), cap, level=level
    )  # what never happened is cut like the rest
    return clipped.interval, clipped.cap, clipped.share


def _cap(measure: Measure, limit: float) -> float:
    if measure.kind == "delay":
        return HORIZON
    cap = CAP * limit if limit > 0 else 1.0
    return min(1.0, cap) if measure.unit == "%" else cap


def quantile_sequence(values: Floats, q: float, level: float) -> Interval:
    """Time-uniform interval of a quantile of values of at least 0; each end holds at `level`, ties or not.

    At the true quantile x the share P(X <= x) is at least q and P(X < x) at most q. So x is no smaller than the order
    statistic below which too few values lie, and no larger than the one below which too many would.
    """
    ordered = np.sort(values)
    n = ordered.size
    if n == 0:
        return Interval(0.0, np.inf, np.nan, level, 0, "inverted sequence")
    enough = first(n, lambda k: bernoulli_sequence(k, n, level).high >= q)
    beyond = first(n, lambda k: bernoulli_sequence(k, n, level).low > q)
    low = float(ordered[enough - 1]) if enough >= 1 else 0.0
    high = float(ordered[beyond - 1]) if beyond <= n else np.inf
    return Interval(low, high, float(ordered[rank(n, q) - 1]), level, n, "inverted sequence")
