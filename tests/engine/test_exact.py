"""The aggregated engine against one SimPy process per request: a Kolmogorov-Smirnov test cannot tell them apart
(contracts section 10).

Both sides run the same policy on the same service, 500 replications each at 20 requests/s, with seeds that are fixed
and of no relation to each other. Three p-values must be above 0.01 / 3 each; for a right engine a new choice of seeds
fails in 1% of the cases at most, and the fixed ones always pass. The p-values are exact also for tied values
(`tests/oracle/ks.py`): bad requests are counts, and decisions fall on few moments, where the textbook p-value would be
too kind.

The short trials here have the contract's size in replications, rate and bad requests, with quick pods and short steps:
a per-request simulation pays for every second. The long ones, marked nightly, are the 20-minute canaries of the
benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

import numpy as np
import pytest
from scipy.stats import binom, poisson

from sim.durations import Constant as Fixed
from sim.engine.paths import Case, follow
from sim.engine.rows import OUTCOMES, Rows
from sim.faults.effects import VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.judges.controls import AlwaysPromote
from sim.policy.judges.threshold import Threshold
from sim.policy.steps import Analyse, SetWeight
from sim.service.model import Alerts, Latency, Monitoring, Pods, Recovery, Service
from sim.service.traffic import Constant
from tests.oracle import ks
from tests.oracle.requests import Change, Facts, simulate

SIZE = 500
ALPHA = 0.01 / 3
RATE = 20.0


@dataclass(frozen=True)
class Trial:
    policy: Canary
    service: Service
    change: Change


def _service(start: float, monitoring: Monitoring) -> Service:
    return Service(
        traffic=Constant(RATE), errors=0.002, latency=Latency(0.08, 0.7, 0.5), pods=Pods(5, Fixed(start)),
        monitoring=monitoring, alerts=Alerts(pairs=()), recovery=Recovery(watch=0.0),
    )  # fmt: skip


def _judged(window: float, interval: float, count: int, judge: Threshold | AlwaysPromote) -> Analyse:
    metric = Metric("errors", Counts(window), Judged(judge), interval=interval, count=count, initial_delay=interval)
    return Analyse(Analysis((metric,)))


def _canary(weights: Sequence[float], analysis: Analyse, tail: float = 30.0) -> Canary:
    """`tail`: seconds that the pods which are no longer needed stay; counting ends with them."""
    steps = tuple(step for weight in weights for step in (SetWeight(weight), analysis))
    return Canary(steps=steps, scale_down_delay=tail, abort_scale_down_delay=tail)


NEVER_STOPS = Trial(
    _canary((25, 50, 100), _judged(10.0, 5.0, 3, AlwaysPromote()), tail=15.0),
    _service(2.0, Monitoring(scrape=5.0)),
    Change(error=0.5),
)
AT_ITS_EDGE = Trial(
    _canary((20, 60, 100), _judged(20.0, 10.0, 2, Threshold(max_error_rate=0.0725)), tail=15.0),
    _service(2.0, Monitoring(scrape=4.0, phase=Fixed(3.0), lag=1.0, query=Fixed(0.5))),
    Change(error=0.05, latency_factor=2.0),
)
# 20 minutes, four weights, 20 looks over 80 scrapes: the workload of the benchmark at a tenth of its rate.
NEVER_STOPS_LONG = Trial(
    _canary((5, 20, 50, 100), _judged(60.0, 60.0, 5, AlwaysPromote())), _service(10.0, Monitoring()), Change(error=0.05)
)
AT_ITS_EDGE_LONG = Trial(
    _canary((5, 20, 50, 100), _judged(60.0, 60.0, 5, Threshold(max_error_rate=0.0435))),
    _service(10.0, Monitoring()),
    Change(error=0.015, latency_factor=1.5),
)


# Seconds that each share of requests goes to the new version when nothing stops it: the plan behind the expected counts.
PLANS = {
    NEVER_STOPS: ((0.25, 17.0), (0.5, 17.0), (1.0, 28.0)),
    NEVER_STOPS_LONG: ((0.05, 300.0), (0.2, 310.0), (0.5, 310.0), (1.0, 329.0)),
}
never_stops = pytest.mark.parametrize(
    "trial",
    [pytest.param(NEVER_STOPS, id="short"), pytest.param(NEVER_STOPS_LONG, id="long", marks=pytest.mark.nightly)],
)
at_its_edge = pytest.mark.parametrize(
    "trial",
    [pytest.param(AT_ITS_EDGE, id="short"), pytest.param(AT_ITS_EDGE_LONG, id="long", marks=pytest.mark.nightly)],
)


def ours(trial: Trial) -> Rows:
    change = VersionEffect("canary", 0.0, inf, error_add=trial.change.error, latency_factor=trial.change.latency_factor)
    return follow(Case(trial.policy, trial.service, (change,)), 41, 0, SIZE)


@lru_cache
def natural(trial: Trial) -> tuple[Facts, ...]:
    """One SimPy process per request; both tests of a trial use the same 500 runs."""
    return tuple(simulate(trial.policy, trial.service, trial.change, 1_000_000 + number) for number in range(SIZE))


def worse(trial: Trial) -> Trial:
    """The same with the canary's error rate 3% higher."""
    before = trial.service.errors
    rate = 1.0 - (1.0 - before) * (1.0 - trial.change.error)
    return replace(trial, change=replace(trial.change, error=(1.03 * rate - before) / (1.0 - before)))


def expected(trial: Trial, plan: Trial) -> float:
    """Expected requests that the change breaks."""
    served = sum(share * seconds for share, seconds in PLANS[plan])
    return RATE * served * (1.0 - trial.service.errors) * trial.change.error


@never_stops
def test_bad_requests_of_a_policy_that_never_stops(trial: Trial) -> None:
    rows, facts = ours(trial), natural(trial)
    assert {fact.outcome for fact in facts} == {"promoted"}
    assert {OUTCOMES[code] for code in rows["outcome"]} == {"promoted"}
    assert {fact.ended_at for fact in facts} == set(rows["ended_at"].tolist())
    assert ks.pvalue(rows["harm"], [fact.harm for fact in facts]) > ALPHA


@at_its_edge
def test_decisions_and_bad_requests_at_a_threshold_s_edge(trial: Trial) -> None:
    rows, facts = ours(trial), natural(trial)
    for rolled_back in (
        np.mean(rows["outcome"] == OUTCOMES.index("aborted")),
        np.mean([fact.outcome == "aborted" for fact in facts]),
    ):
        assert 0.4 <= rolled_back <= 0.6
    assert ks.pvalue(rows["decided_at"], [fact.decided_at for fact in facts]) > ALPHA
    assert ks.pvalue(rows["bad"], [fact.bad for fact in facts]) > ALPHA


@never_stops
def test_a_change_of_three_percent_is_seen(trial: Trial) -> None:
    assert ks.pvalue(ours(worse(trial))["harm"], [fact.harm for fact in natural(trial)]) <= ALPHA


@pytest.mark.parametrize("trial", PLANS, ids=("short", "long"))
def test_the_power_against_three_percent_is_at_least_99_percent(trial: Trial) -> None:
    """Broken requests are Poisson, as the plan is always the same. The largest gap is at least the gap at the count x
    where the two distributions lie furthest apart, and there the two samples hold independent binomial numbers of
    values up to x. So

        power >= P(X - Y >= c),  X ~ binomial(500, F(x)),  Y ~ binomial(500, F'(x)),

    where c is the smallest gap whose p-value is at most 0.01 / 3 without ties (with ties the p-value only becomes
    smaller).
    """
    mean, changed = expected(trial, trial), expected(worse(trial), trial)
    assert mean >= 400
    assert abs(np.mean(ours(trial)["harm"]) - mean) < 4.0 * np.sqrt(
        mean / SIZE
    )  # the plan is the one that was followed
    counts = np.arange(2 * int(mean))
    below, below_changed = poisson.cdf(counts, mean), poisson.cdf(counts, changed)
    x = int((below - below_changed).argmax())
    least = -(-ks.critical(SIZE, SIZE, ALPHA) // SIZE)
    values = np.arange(SIZE + 1)
    power = float((binom.pmf(values, SIZE, below[x]) * binom.cdf(values - least, SIZE, below_changed[x])).sum())
    assert power >= 0.99
