"""Policies on the same replications; scipy as the oracle of the p-value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sim.engine.rows import Rows
from sim.policy.errors import WorldError
from sim.results.compare import compare, compare_all, student_p
from sim.results.front import average, front
from sim.results.multiplicity import holm
from sim.results.result import Cell, Result

Build = Callable[..., Result]
Maker = Callable[..., Rows]


def test_student_p_is_scipys() -> None:
    values = np.random.default_rng(1).normal(0.3, 2, 80)
    assert student_p(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=1e-9)
    assert student_p(np.zeros(5)) == 1
    assert student_p(np.full(5, 0.1)) == 0
    assert student_p(np.ones(1)) == 1


def test_a_difference_is_policy_minus_reference(build: Build) -> None:
    result = build()
    hasty, careful = (result.cell(policy, "errors").rows["harm"] for policy in ("hasty", "careful"))
    there = compare(result, "hasty", "careful", "errors", "harm.mean")
    assert there.difference.estimate == pytest.approx(float((hasty - careful).mean()))
    back = compare(result, "careful", "hasty", "errors", "harm.mean")
    assert (back.difference.low, back.difference.high) == pytest.approx((-there.difference.high, -there.difference.low))
    assert there.variance_ratio < 1  # the same draws in both


def test_rates_are_compared_by_mcnemar(build: Build) -> None:
    found = compare(build(), "hasty", "careful", "errors", "escape_rate")
    assert found.difference.method == "tango"
    assert found.difference.estimate == pytest.approx(0.1, abs=0.05)
    assert found.p_value < 0.001
    assert compare(build(), "careful", "careful", "errors", "escape_rate").p_value == 1


def test_only_replications_of_both_are_paired(build: Build, rows: Maker) -> None:
    result = build(policies=("careful",))
    shifted = Cell("late", "errors", True, 0.0, rows(8, 300, bad=True, escapes=0.1, first=200))
    found = compare(replace(result, cells=(*result.cells, shifted)), "late", "careful", "errors", "harm.mean")
    assert found.difference.n == 100
    far = Cell("late", "errors", True, 0.0, rows(8, 300, bad=True, escapes=0.1, first=900))
    with pytest.raises(WorldError, match="no replication is common"):
        compare(replace(result, cells=(*result.cells, far)), "late", "careful", "errors", "harm.mean")
    assert compare_all(replace(result, cells=(*result.cells, far))) == ()


def test_all_against_the_reference_with_holm(build: Build) -> None:
    result = build()
    found = compare_all(result)
    assert {(one.policy, one.reference) for one in found} == {("hasty", "careful")}
    assert [one.adjusted for one in found] == list(holm([one.p_value for one in found]))
    said = {(one.release, one.measure): one.verdict for one in found}
    assert said["errors", "escape_rate"] == "worse"
    assert said["good", "false_rollback_rate"] == "better"
    assert compare_all(result, "hasty")[0].verdict == "better"
    assert compare_all(build(policies=("one",))) == ()
    with pytest.raises(WorldError, match="'nobody' is not among"):
        compare_all(result, "nobody")


def test_quantiles_have_no_paired_interval(build: Build) -> None:
    with pytest.raises(WorldError, match=r"compare harm\.mean"):
        compare(build(), "hasty", "careful", "errors", "harm.p95")


def test_delays_are_cut_before_they_are_subtracted(build: Build) -> None:
    found = compare(build(), "hasty", "careful", "slow", "detection_delay.mean")
    assert np.isfinite(found.difference.estimate)


def test_the_front_keeps_what_nobody_beats(build: Build, rows: Maker) -> None:
    result = build()
    cells = []
    for cell in result.cells:
        worse = cell.rows.copy()
        worse["harm"] += 1
        worse["pod_seconds"] += 100
        cells.append(Cell("worse", cell.release, cell.bad, 0.0, worse) if cell.policy == "careful" else cell)
    found = front(replace(result, cells=(*result.cells, *(cell for cell in cells if cell.policy == "worse"))))
    assert found.objectives[0] == "mean blast radius"
    assert {place.policy: place.member for place in found.places} == {"careful": True, "hasty": True, "worse": False}
    assert found.places[0].share > 0.9
    assert found.places[1].share > 0.9
    assert found.places[2].share == 0
    assert found.place("nobody") is None


def test_each_bad_release_counts_the_same(build: Build) -> None:
    result = build()
    harms = [result.cell("careful", release).rows["harm"].mean() for release in ("errors", "slow")]
    interval = average(result, "careful", "harm", True)
    assert interval is not None
    assert interval.estimate == pytest.approx(np.mean(harms))
    assert average(build(releases=(("good", False, 1.0),)), "careful", "harm", True) is None


def test_a_front_needs_cells(build: Build) -> None:
    result = build()
    assert front(replace(result, cells=())).places == ()
    missing = tuple(cell for cell in result.cells if (cell.policy, cell.release) != ("hasty", "slow"))
    assert [place.policy for place in front(replace(result, cells=missing)).places] == ["careful"]
    only_bad = front(build(releases=(("errors", True, 0.2),)))
    assert only_bad.objectives == ("mean blast radius", "mean pod-hours", "mean lost requests")
