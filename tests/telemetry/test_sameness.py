"""Nothing depends on who else looks: common random numbers, groupings of replications, pods apart or together."""

from __future__ import annotations

import numpy as np

from sim.policy.commands import SetScale, SetWeight
from tests.telemetry.world import World, apart, service

TOTAL = 'sum(increase(http_requests_total{service="shop-canary",code="200"}[5m]))'
PODS = 'http_requests_total{service="shop-canary"}'


def test_some_replications_see_what_all_see() -> None:
    for text in (TOTAL, PODS):
        whole, some = World(text).ask(400.0), World(text, rows=(3, 7, 8, 9, 20, 21)).ask(400.0)
        assert np.array_equal(whole.values[:, [3, 7, 8, 9, 20, 21]], some.values)
        one = World(text, rows=(7,)).ask(400.0)
        assert np.array_equal(whole.values[:, [7]], one.values)


def test_pods_told_apart_answer_nearly_as_pods_together() -> None:
    """Equal up to what the README says: each pod's own start, and its own distance from 0."""
    together, told = World(TOTAL).ask(585.0), World(TOTAL, of=apart(service())).ask(585.0)
    assert np.abs(together.values / told.values - 1).max() < 0.02


def test_another_pod_changes_no_other_pods_words() -> None:
    """More pods of the old version: the new version's pods count what they counted."""
    more = ((0.0, SetScale(7, 2)), (0.0, SetWeight(0.0)), (30.0, SetWeight(20.0)))
    assert np.array_equal(World(PODS).ask(400.0).values, World(PODS, script=more).ask(400.0).values)


def test_a_heavier_canary_gets_more_in_every_replication() -> None:
    """The same users: a larger weight never gives fewer requests."""
    more = ((0.0, SetScale(4, 2)), (0.0, SetWeight(0.0)), (30.0, SetWeight(25.0)))
    text = 'sum(increase(http_requests_total{service="shop-canary",code="200"}[1m]))'
    assert (World(text, script=more).ask(400.0).values >= World(text).ask(400.0).values).all()


def test_looking_changes_nothing() -> None:
    """Counts are those of a world in which nobody asked."""
    asked = World(PODS)
    for at in (45.0, 50.0, 100.0, 333.0):
        asked.ask(at)
    silent = World(PODS)
    assert np.array_equal(asked.ledger.cumulative[40], silent.ledger.cumulative[40])
