"""Budgets: decisions, and that quantile sequences hold at every look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.engine.rows import Rows
from sim.results.budgets import overall, quantile_sequence, sequence, verdicts
from sim.results.result import Cell, Result
from sim.results.stopping import Budget

Build = Callable[..., Result]


def test_pass_fail_and_undecided(build: Build) -> None:
    result = build(policies=("careful",), count=1000)
    decisions = {
        limit: {one.release: one.decision for one in verdicts(result, [Budget("escape_rate", limit)])}
        for limit in (0.02, 0.11, 0.5)
    }
    assert decisions[0.02] == {"errors": "fail", "slow": "fail"}
    assert decisions[0.11] == {"errors": "undecided", "slow": "fail"}
    assert decisions[0.5] == {"errors": "pass", "slow": "fail"}


def test_overall_never_takes_undecided_for_a_pass(build: Build) -> None:
    result = build(policies=("careful",), releases=(("errors", True, 0.1),), count=1000)
    asked = [verdicts(result, [Budget("escape_rate", limit)]) for limit in (0.5, 0.11, 0.01)]
    assert [overall(found) for found in asked] == ["pass", "undecided", "fail"]
    assert overall((*asked[0], *asked[1])) == "undecided"
    assert overall((*asked[1], *asked[2])) == "fail"
    assert overall(()) == "undecided"


def test_a_budget_asks_only_the_releases_that_it_fits(build: Build) -> None:
    found = verdicts(build(), [Budget("false_rollback_rate", 0.05), Budget("detection_delay.p90", 300)])
    assert [(one.policy, one.release) for one in found][:2] == [("careful", "good"), ("hasty", "good")]
    assert {one.release for one in found[2:]} == {"errors", "slow"}


def test_more_questions_make_wider_intervals(build: Build) -> None:
    one = verdicts(build(), [Budget("false_rollback_rate", 0.05)])[0]
    many = verdicts(build(), [Budget("false_rollback_rate", limit / 100) for limit in range(1, 30)])[0]
    assert many.interval.low < one.interval.low < one.interval.high < many.interval.high


def test_a_mean_states_its_cap(build: Build) -> None:
    found = verdicts(build(), [Budget("harm.mean", 10)])
    assert found[1].cap == 200
    assert found[1].beyond > 0.05
    assert "cut at 200" in found[1].note
    assert sequence(build().cell("careful", "errors"), "detection_delay.mean", 60, 0.95)[1] == 3600
    assert sequence(build().cell("careful", "errors"), "harm_share.mean", 0.5, 0.95)[1] == 1.0
    assert verdicts(build(), [Budget("escape_rate", 0.5)])[0].note == ""


def test_no_harm_seen_is_no_proof_of_none(four: Rows) -> None:
    calm = four[[3]]
    rows = np.repeat(calm, 400)
    rows["replication"] = np.arange(400)
    interval, cap, beyond = sequence(Cell("p", "errors", True, 0.0, rows), "harm.mean", 100, 0.95)
    assert (interval.low, interval.estimate, cap, beyond) == (0, 0, 2000, 0)
    assert 0 < interval.high < 100


def test_quantiles_may_be_infinite() -> None:
    interval = quantile_sequence(np.array([60.0] * 45 + [np.inf] * 55), 0.5, 0.95)
    assert (interval.low, interval.estimate, interval.high) == (60, np.inf, np.inf)
    assert quantile_sequence(np.zeros(0), 0.5, 0.95).high == np.inf


@pytest.mark.parametrize("ties", [False, True])
def test_quantile_sequences_hold_at_every_look(ties: bool) -> None:
    """200 runs with looks at 200, 300, ..., 2000, level 90 %: each end may miss in 10 % of the runs at most.

    The bound of 0.17 is 10 % plus more than three standard errors: a false alarm in fewer than 1 of 1000 seeds.
    """
    rng = np.random.default_rng(11)
    low_missed = high_missed = 0
    for _ in range(200):
        values = rng.exponential(100.0, 2000)
        truth = 100 * np.log(20)
        if ties:
            values, truth = np.ceil(values / 50) * 50, 300.0  # P(X <= 300) = 0.9502, P(X < 300) = 0.918
        looks = [quantile_sequence(values[:n], 0.95, 0.9) for n in range(200, 2001, 300)]
        low_missed += any(look.low > truth for look in looks)
        high_missed += any(look.high < truth for look in looks)
    assert low_missed / 200 <= 0.17
    assert high_missed / 200 <= 0.17
