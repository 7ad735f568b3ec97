"""Thresholds at a matched false-rollback rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.results.matching import threshold_at_rate


def test_the_rate_is_reached_by_the_rule_itself() -> None:
    scores = np.random.default_rng(1).exponential(size=2000)
    threshold = threshold_at_rate(scores, 0.05)
    assert (scores >= threshold.value).mean() == threshold.rate == 0.05
    assert threshold.matched


def test_ties_fall_on_one_side_together() -> None:
    scores = [0.0] * 90 + [1.0] * 8 + [2.0] * 2
    assert threshold_at_rate(scores, 0.05).value == 2
    assert not threshold_at_rate(scores, 0.05).matched
    assert threshold_at_rate(scores, 0.1).value == 1
    assert threshold_at_rate(scores, 0.06).value == 2  # 0.02 and 0.10 are as near: the stricter
    assert threshold_at_rate(scores, 0.001).value > 2


def test_infinite_scores_cannot_be_spared() -> None:
    threshold = threshold_at_rate([1.0] * 6 + [math.inf] * 4, 0.01)
    assert (threshold.value, threshold.rate, threshold.matched) == (math.inf, 0.4, False)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="got none"):
        threshold_at_rate([], 0.05)
    with pytest.raises(ValueError, match="got 5"):
        threshold_at_rate([1.0], 5)
