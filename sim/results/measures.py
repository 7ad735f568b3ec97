"""What is measured about a policy: functions of rows, each with its written definition (judges.md section 17).

Three kinds: a *rate* (share of rollouts), an *amount* (finite, skewed: mean and quantiles), a *delay* (seconds, infinite for
what never happened: quantiles, and a mean only of min(delay, horizon)). A rollout that does not count has NaN.

>>> sorted(name for name in MEASURES if MEASURES[name].kind == "rate" and MEASURES[name].applies == "good")
['false_rollback_rate']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sim.engine.rows import OUTCOMES
from sim.policy.errors import WorldError
from sim.results.interval import Interval
from sim.results.means import mean_interval
from sim.results.proportions import wilson
from sim.results.quantiles import quantile_interval
from sim.results.resampling import Floats
from sim.results.result import Cell
from sim.results.survival import restricted_mean

Kind = Literal["rate", "amount", "delay"]
Applies = Literal["good", "bad", "both"]

HORIZON = (
    3600.0  # of restricted means: as long as a promoted bad release is watched by default (service/model.py, Recovery)
)
PROMOTED, ABORTED, INCONCLUSIVE = range(len(OUTCOMES))


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: `values(cell)` has shape (rollouts,), NaN where a rollout does not count; 0 and 1 for a rate."""

    name: str
    title: str
    unit: str
    kind: Kind
    applies: Applies
    better: Literal["lower", "higher"]
    values: Callable[[Cell], Floats]
    definition: str

    def fits(self, bad: bool) -> bool:
        """Whether it is measured on a bad release (or a good one)."""
        return self.applies == "both" or (self.applies == "bad") == bad


def _column(name: str, scale: float = 1.0) -> Callable[[Cell], Floats]:
    return lambda cell: cell.rows[name].astype(np.float64) * scale


def _ended(outcome: int) -> Callable[[Cell], Floats]:
    return lambda cell: (cell.rows["outcome"] == outcome).astype(np.float64)


def _happened(name: str) -> Callable[[Cell], Floats]:
    return lambda cell: np.isfinite(cell.rows[name]).astype(np.float64)


def _helped(cell: Cell) -> Floats:
    return np.asarray((cell.rows["outcome"] == INCONCLUSIVE) | (cell.rows["person"] != 0), np.float64)


def _harm_share(cell: Cell) -> Floats:
    return np.asarray(_column("harm")(cell) / np.maximum(cell.rows["requests"], 1), np.float64)


def _since_harm(cell: Cell, name: str) -> Floats:
    """Seconds from the first moment at which a request could be harmed; 0 when that never came or came later."""
    first = cell.rows["exposed_at"].astype(np.float64) + cell.onset
    then = cell.rows[name].astype(np.float64)
    found = np.where(np.isinf(then), np.inf, 0.0)
    known = np.isfinite(then) & np.isfinite(first)
    found[known] = np.maximum(then[known] - first[known], 0.0)
    return found


def _detection(cell: Cell) -> Floats:
    return np.where(cell.rows["outcome"] == ABORTED, _since_harm(cell, "decided_at"), np.inf)


def _promotion(cell: Cell, otherwise: float) -> Floats:
    return np.where(cell.rows["outcome"] == PROMOTED, cell.rows["full_at"].astype(np.float64), otherwise)


_ALL = (
    Measure("escape_rate", "escapes", "", "rate", "bad", "lower", _ended(PROMOTED),
            "Share of rollouts of a bad release that were promoted: it reached everyone and passed its bake time."),
    Measure("false_rollback_rate", "false rollbacks", "", "rate", "good", "lower", _ended(ABORTED),
            "Share of rollouts of a good release that were aborted or rolled back."),
    Measure("abort_rate", "aborted", "", "rate", "both", "lower", _ended(ABORTED),
            "Share of rollouts that were aborted; on a bad release this is what one wants, on a good one a false rollback."),
    Measure("inconclusive_rate", "inconclusive", "", "rate", "both", "lower", _helped,
            "Share of rollouts that needed a person: ended without a decision, or waited for somebody."),
    Measure("person_rate", "waited for a person", "", "rate", "both", "lower", _column("person"),
            "Share of rollouts that waited for a person at a pause, a gate or an inconclusive analysis."),
    Measure("alert_rate", "alerts", "", "rate", "both", "lower", _happened("alerted_at"),
            "Share of rollouts during which, or while they were watched, an alert of the whole service fired."),
    Measure("called_rate", "stopped by a person", "", "rate", "both", "lower", _column("called"),
            "Share of rollouts that a person, called by an alert of the whole service, stopped before the policy had decided."),
    Measure("harm", "blast radius", "requests", "amount", "both", "lower", _column("harm"),
            "Blast radius: requests that the change broke beyond what stable would have broken, until traffic was back "
            "or watching ended. Counted by cause, not by raw errors; 0 for a good release."),
    Measure("harm_share", "blast radius, share", "%", "amount", "both", "lower", _harm_share,
            "Blast radius over all requests from the start of the rollout until counting ended; a rollout that is over sooner "
            "divides by fewer requests."),
    Measure("users", "users affected", "users", "amount", "both", "lower", _column("users"),
            "Expected number of users that met at least one request broken by the change."),
    Measure("detection_delay", "detection delay", "s", "delay", "bad", "lower", _detection,
            "From the first moment at which a request could be harmed to the abort; infinite when it was not aborted, "
            "0 when it was aborted before anything could be harmed."),
    Measure("time_to_mitigate", "time to mitigate", "s", "delay", "bad", "lower", lambda cell: _since_harm(cell, "restored_at"),
            "From the first moment at which a request could be harmed until the old version served everything again, also "
            "when an alert brought it back after promotion; infinite when that never happened while it was watched."),
    Measure("promote_delay", "promote delay", "s", "delay", "good", "lower", lambda cell: _promotion(cell, np.nan),
            "From the start of a good rollout that was promoted until the new version served everything."),
    Measure("lead", "lead of a rollout", "s", "delay", "good", "lower", lambda cell: _promotion(cell, np.inf),
            "Promote delay over all rollouts of a good release, infinite for those that were not promoted."),
    Measure("duration", "duration", "s", "delay", "both", "lower", _column("decided_at"),
            "From the start of a rollout until it was promoted, aborted or given up."),
    Measure("lost", "lost requests", "requests", "amount", "both", "lower", _column("lost"),
            "Requests that no pod could take, whatever the release."),
    Measure("pod_hours", "capacity cost", "pod-hours", "amount", "both", "lower", _column("pod_seconds", 1 / 3600),
            "Pod-hours beyond the service's own size: canary and baseline pods, the second set of blue-green, surge."),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
ALIASES = {
    "blast_radius": "harm",
    "blast_radius_share": "harm_share",
    "lead_time": "lead",
    "capacity_cost": "pod_hours",
}
_SUMMARY = {"rate": ("rate",), "amount": ("mean", "p50", "p95"), "delay": ("median", "p90")}
_USUAL = {"rate": "rate", "amount": "mean", "delay": "median"}


def named(name: str) -> tuple[Measure, str]:
    """The measure and the statistic that a name like "harm.p95" or "escape_rate" means; the usual statistic without one."""
    stem, _, statistic = name.partition(".")
    measure = MEASURES.get(ALIASES.get(stem, stem))
    if measure is None:
        raise WorldError(f"unknown measure {stem!r}; there are {', '.join(MEASURES)}")
    chosen = statistic or _USUAL[measure.kind]
    ordered = chosen == "median" or quantile(chosen) is not None
    if not (chosen == "rate" if measure.kind == "rate" else chosen == "mean" or ordered):
        what = f"{measure.name} alone" if measure.kind == "rate" else "mean, median, p90, p95 or p99"
        raise WorldError(
            f"{name!r} asks for {chosen!r} of a{'n' * (measure.kind == 'amount')} {measure.kind}; write {what}"
        )
    return measure, chosen


def quantile(statistic: str) -> float | None:
    """0.95 for "p95", 0.5 for "median"; None for what is no quantile."""
    if statistic == "median":
        return 0.5
    try:
        share = float(statistic[1:]) / 100 if statistic[:1] == "p" else 0.0
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def sample(cell: Cell, measure: Measure) -> Floats:
    """The values of the rollouts that count, in the order of the rows."""
    values = measure.values(cell)
    return values[~np.isnan(values)]


def evaluate(cell: Cell, name: str, level: float = 0.95, horizon: float = HORIZON) -> Interval:
    """Estimate and interval of a measure, such as "harm.p95", "harm.mean", "escape_rate" or "detection_delay.median".

    Rates by Wilson, means by bootstrap-t (Hall beyond 5,000 rollouts), quantiles from order statistics; a mean of delays is
    that of min(delay, horizon). For a number of rollouts fixed beforehand: budgets use sequences. WorldError for a name that
    there is not, or that is not measured on this kind of release.
    """
    measure, statistic = named(name)
    if not measure.fits(cell.bad):
        kind = "bad" if cell.bad else "good"
        raise WorldError(f"{measure.name} is measured on {measure.applies} releases; {cell.release!r} is a {kind} one")
    key = (f"{measure.name}.{statistic}", level, horizon)
    if key not in cell.known:
        cell.known[key] = _evaluate(sample(cell, measure), measure.kind, statistic, level, horizon)
    return cell.known[key]


def _evaluate(values: Floats, kind: Kind, statistic: str, level: float, horizon: float) -> Interval:
    if kind == "rate":
        return wilson(int(values.sum()), values.size, level)
    share = quantile(statistic)
    if share is not None:
        return quantile_interval(values, share, level)
    if kind == "amount":
        return mean_interval(values, level)
    interval = restricted_mean(values, horizon, level)
    return replace(interval, method=f"{interval.method}, restricted to {horizon:g} s")


def summary(cell: Cell, level: float = 0.95) -> dict[str, Interval]:
    """Every measure that fits the cell, with its usual statistics, by full name."""
    found = {}
    for measure in MEASURES.values():
        if measure.fits(cell.bad):
            for statistic in _SUMMARY[measure.kind]:
                name = measure.name if statistic == "rate" else f"{measure.name}.{statistic}"
                found[name] = evaluate(cell, name, level)
    return found
