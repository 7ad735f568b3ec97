"""Chance: stable for ever, uniform, and no two keys alike."""

from __future__ import annotations

import statistics

import scipy.stats

from sim.policy.chance import normal, uniform

PINNED = (0.6666513261516069, 0.6236459086496614, -0.620714470182)


def test_values_are_pinned_for_ever() -> None:
    """Journals replay only while these stay; a change here is a change of every recorded run."""
    assert uniform(0) == PINNED[0]
    assert uniform(7, "random", 3) == PINNED[1]
    assert round(normal(7, "kayenta", "latency", 0), 12) == PINNED[2]


def test_keys_do_not_collide_by_their_text() -> None:
    keys = [(1, 23), (12, 3), ("1", 23), ("1", "23"), (1, 2, 3), (123,), ("12:3",), (-1, 23)]
    assert len({uniform(0, *key) for key in keys}) == len(keys)
    assert uniform(1, 2) != uniform(2, 1)


def test_uniform_is_uniform_and_normal_is_normal() -> None:
    """Kolmogorov-Smirnov at 1e-4 each, fixed keys."""
    us, zs = [uniform(3, i) for i in range(4000)], [normal(3, i) for i in range(4000)]
    assert all(0.0 <= u < 1.0 for u in us)
    assert scipy.stats.kstest(us, "uniform").pvalue > 1e-4
    assert scipy.stats.kstest(zs, "norm").pvalue > 1e-4
    assert abs(statistics.correlation(us[:-1], us[1:])) < 0.07
