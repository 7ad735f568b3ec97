"""Fronts and their bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.results.pareto import front_membership, pareto_front
from sim.results.resampling import resamples


def test_front() -> None:
    points: list[list[float]] = [[1, 5], [2, 2], [5, 1], [3, 3], [2, 2], [math.nan, 0]]
    assert pareto_front(points).tolist() == [True, True, True, False, True, True]
    assert pareto_front(points[:4], [False, False]).tolist() == [True, False, True, True]
    assert pareto_front([[1.0, math.nan], [1.0, 2.0]]).tolist() == [False, True]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=8))
def test_front_by_definition(points: list[tuple[int, int, int]]) -> None:
    def dominates(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    assert pareto_front(points).tolist() == [not any(dominates(a, b) for a in points) for b in points]


def test_membership_of_clear_and_of_equal_policies() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(500, 1, 2))
    runs = np.concatenate((noise, noise + 1, rng.normal(size=(500, 1, 2)) + np.array([5, -5])), axis=1)
    assert front_membership(runs).tolist() == [1, 0, 1]
    first = rng.normal(size=(400, 1, 1))
    swapped = np.concatenate((first, 2 * first.mean() - first), axis=1)
    assert front_membership(swapped)[0] == pytest.approx(0.5, abs=0.08)


def test_membership_equals_the_plain_loop_with_missing_runs_and_medians() -> None:
    rng = np.random.default_rng(2)
    runs = rng.lognormal(size=(40, 4, 3))
    runs[rng.random((40, 4)) < 0.3, 1] = math.inf
    runs[rng.random((40, 4)) < 0.5, 2] = math.nan
    hits = np.zeros(4)
    for row in np.concatenate(list(resamples(40, 200))):
        points = []
        for policy in range(4):
            mean, delays, rate = runs[row, policy].T
            kept = np.sort(rate[~np.isnan(rate)])
            points.append([mean.mean(), np.sort(delays)[19], kept.mean()])
        hits += pareto_front(points)
    seen = front_membership(runs, ["mean", "median", "mean"], count=200)
    assert seen.tolist() == pytest.approx((hits / 200).tolist())


def test_maximised_objectives() -> None:
    runs = np.zeros((50, 2, 1))
    runs[:, 1] = 1
    assert front_membership(runs, minimise=[False]).tolist() == [0, 1]


def test_an_objective_without_runs_is_worst() -> None:
    runs = np.ones((20, 2, 1))
    runs[:, 0] = math.nan
    assert front_membership(runs).tolist() == [0, 1]
    assert front_membership(runs, ["median"]).tolist() == [0, 1]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        pareto_front([1.0, 2.0])
    with pytest.raises(ValueError, match="as many flags"):
        pareto_front([[1.0, 2.0]], [True])
    with pytest.raises(ValueError, match="shape"):
        front_membership(np.ones((2, 2)))
    with pytest.raises(ValueError, match="as many of"):
        front_membership(np.ones((2, 2, 1)), ["mean", "mean"])
    with pytest.raises(ValueError, match="infinite value"):
        front_membership(np.full((2, 2, 1), math.inf))
