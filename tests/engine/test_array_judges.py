"""Judging many replications at once equals asking the scalar judge, look by look, on identical counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.array_judges import ARRAY_LOOKS
from sim.policy.judges.base import Judge
from sim.policy.judges.eprocess import EProcessCounts
from sim.policy.judges.threshold import Threshold
from sim.service.monitoring import Seen, View

CODES = {"pass": 0, "fail": 1, "inconclusive": 2, "error": 3, "continue": 4}
BOUNDS = (0.1, 0.5, 1.0)
JUDGES: tuple[Judge, ...] = (
    Threshold(0.29),
    Threshold(0.05, min_requests=20, on_nodata="fail"),
    Threshold(max_error_rate=None, max_latency=0.5, quantile=0.9),
    Threshold(max_error_rate=0.3, max_latency=0.3, quantile=0.5, on_nodata="wait"),
    Threshold(max_error_rate=None, max_latency=1.0, quantile=0.9, on_nodata="pass"),
    Threshold(max_error_rate=None, max_ratio=2.0),
    Threshold(max_error_rate=0.2, max_latency=0.7, max_ratio=1.5),
    EProcessCounts(),
    EProcessCounts(alpha=0.3, margin=1.5, on_nodata="wait"),
    EProcessCounts(alpha=0.2, split="requests", on_nodata="fail"),
    EProcessCounts(alpha=0.5, split="equal"),
)


@st.composite
def seen(draw: st.DrawFn, rows: int) -> Seen:
    histogram = st.lists(st.integers(0, 40), min_size=4, max_size=4)
    latency = np.array(draw(st.lists(histogram, min_size=rows, max_size=rows)), np.int64)
    empty = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    latency[empty] = 0
    bad = np.array(draw(st.lists(st.integers(0, 30), min_size=rows, max_size=rows)), np.int64)
    bad[empty] = 0
    return Seen(bad, latency)


@st.composite
def looks(draw: st.DrawFn) -> list[View]:
    rows = draw(st.integers(1, 5))
    weights = draw(st.lists(st.sampled_from((0.0, 0.1, 0.5, 1.0)), min_size=1, max_size=6))
    return [
        View(60.0 * i, 60.0 * i + 60.0, w, draw(seen(rows)), draw(seen(rows)), BOUNDS) for i, w in enumerate(weights)
    ]


@pytest.mark.parametrize("judge", JUDGES, ids=repr)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(views=looks())
def test_array_judge_equals_scalar_judge(judge: Judge, views: list[View]) -> None:
    size = len(views[0].canary.requests)
    array = ARRAY_LOOKS[type(judge)](judge, size)
    scalars = [judge.start(0, None) for _ in range(size)]
    for view in views:
        expected = [CODES[scalar.look(view.window(row)).verdict] for row, scalar in enumerate(scalars)]
        assert array.look(view).tolist() == expected
