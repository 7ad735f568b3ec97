"""V12 (judges.md section 19), end to end: a naive threshold on a healthy canary, checked ten times, aborts at the first
failure.

600 requests a check, 0.5% errors, limit 1%. With exactly 600 requests a check fails with chance .0331301 and the
rollout is aborted with chance .2860293; with Poisson arrivals of mean 600 the chances are .0559749 and .4378716,
because the limit jumps at n = 600. Ten scrapes fall on the ten checks. Each fraction must lie in the central 99.9% of
its binomial distribution: a right engine fails with chance 0.001 per case over seeds; the seed is fixed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from scipy.stats import binom

from sim.durations import Constant as Fixed
from sim.engine.paths import Case, follow
from sim.engine.rows import OUTCOMES
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.judges.threshold import Threshold
from sim.policy.steps import Analyse, SetWeight
from sim.service.model import Monitoring, Pods, Service
from sim.service.traffic import Constant

METRIC = Metric("errors", Counts(60.0), Judged(Threshold(0.01)), interval=60.0, count=10, initial_delay=60.0)
POLICY = Canary(steps=(SetWeight(50), Analyse(Analysis((METRIC,)))))
# Pods are ready and the weight arrives at 60 s, a scrape; half of 20 requests/s is 600 in a minute.
SERVICE = Service(
    traffic=Constant(20.0),
    errors=0.005,
    pods=Pods(start=Fixed(60.0)),
    monitoring=Monitoring(scrape=60.0),
    propagation=Fixed(0.0),
)
SIZE = 4000


@pytest.mark.parametrize(("arrivals", "aborted"), [("fixed", 0.2860293), ("poisson", 0.4378716)])
def test_the_share_of_rollbacks(arrivals: Literal["fixed", "poisson"], aborted: float) -> None:
    case = Case(POLICY, replace(SERVICE, arrivals=arrivals))
    found = sum(
        int((follow(case, 7, first, 1000)["outcome"] == OUTCOMES.index("aborted")).sum())
        for first in range(0, SIZE, 1000)
    )
    low, high = binom.interval(0.999, SIZE, aborted)
    assert low <= found <= high


def test_fixed_arrivals_are_exactly_what_is_expected() -> None:
    """20 requests/s until the old pods are gone, whatever happened: at 90 s + 60 s a check."""
    rows = follow(Case(POLICY, replace(SERVICE, arrivals="fixed")), 7, 0, 200)
    assert (rows["requests"] == 20 * rows["ended_at"]).all()
    stopped = rows["outcome"] == OUTCOMES.index("aborted")
    assert (rows["canary_requests"][stopped] == 10 * (rows["decided_at"][stopped] - 60)).all()
