"""Every measure against four rollouts whose values are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from sim.engine.rows import Rows
from sim.policy.errors import WorldError
from sim.results.measures import ALIASES, MEASURES, evaluate, named, sample, summary
from sim.results.result import Cell, Result


def bad(rows: Rows, onset: float = 0.0) -> Cell:
    return Cell("p", "errors", True, onset, rows)


def good(rows: Rows) -> Cell:
    return Cell("p", "good", False, 0.0, rows)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("escape_rate", [0, 0, 1, 0]),
        ("abort_rate", [1, 1, 0, 1]),
        ("inconclusive_rate", [0, 1, 0, 0]),
        ("person_rate", [0, 1, 0, 0]),
        ("alert_rate", [0, 0, 1, 0]),
        ("called_rate", [0, 1, 0, 0]),
        ("harm", [6, 50, 5000, 0]),
        ("harm_share", [6e-4, 50 / 28_000, 5000 / 151_500, 0]),
        ("users", [6, 49, 4000, 0]),
        ("detection_delay", [60, 240, inf, 0]),
        ("time_to_mitigate", [61, 241, 1490, 0]),
        ("duration", [70, 250, 600, 60]),
        ("lost", [0, 0, 7, 0]),
        ("pod_hours", [0.1, 0.5, 1.0, 0.2]),
    ],
)
def test_on_a_bad_release(four: Rows, name: str, values: list[float]) -> None:
    assert sample(bad(four), MEASURES[name]).tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    ("name", "values"),
    [("false_rollback_rate", [1, 1, 0, 1]), ("promote_delay", [500]), ("lead", [inf, inf, 500, inf])],
)
def test_on_a_good_release(four: Rows, name: str, values: list[float]) -> None:
    assert sample(good(four), MEASURES[name]).tolist() == values


def test_a_latent_fault_counts_from_its_onset(four: Rows) -> None:
    """Exposed at 10, bites 120 s later: an abort at 70 came before any harm."""
    assert sample(bad(four, 120.0), MEASURES["detection_delay"]).tolist() == [0, 120, inf, 0]
    assert sample(bad(four, 120.0), MEASURES["time_to_mitigate"]).tolist() == [0, 121, 1370, 0]


def test_an_escape_stays_infinite_in_quantiles_and_counts_as_the_horizon_in_means(four: Rows) -> None:
    assert evaluate(bad(four), "detection_delay.median").estimate == 60
    assert evaluate(bad(four), "detection_delay.p90").estimate == inf
    mean = evaluate(bad(four), "detection_delay.mean", horizon=1000.0)
    assert mean.estimate == (60 + 240 + 1000 + 0) / 4
    assert "restricted to 1000 s" in mean.method


def test_a_rollout_without_a_decision_is_inconclusive(four: Rows) -> None:
    rows = four.copy()
    rows["outcome"], rows["decided_at"] = 2, inf
    assert evaluate(bad(rows), "inconclusive_rate").estimate == 1
    assert evaluate(bad(rows), "escape_rate").estimate == 0
    assert evaluate(bad(rows), "detection_delay.median").estimate == inf


def test_counts_stand_behind_every_number(four: Rows) -> None:
    assert evaluate(good(four), "promote_delay.median").n == 1
    assert evaluate(good(four), "lead.median").n == 4
    assert all(interval.n in (1, 4) for interval in summary(good(four)).values())


def test_nothing_is_known_without_rollouts(four: Rows) -> None:
    for cell in (bad(four[:0]), good(four[:0])):
        for interval in summary(cell).values():
            assert interval.n == 0
            assert np.isnan(interval.estimate)


def test_answers_are_kept_with_the_cell(four: Rows) -> None:
    cell = bad(four)
    assert evaluate(cell, "harm.mean") is evaluate(cell, "blast_radius.mean")
    assert evaluate(cell, "harm.mean", 0.9) is not evaluate(cell, "harm.mean")
    assert replace(cell).known == {}


def test_the_usual_statistic_needs_no_name() -> None:
    assert [named(name)[1] for name in ("escape_rate", "harm", "detection_delay", "harm.p99.9")] == [
        "rate",
        "mean",
        "median",
        "p99.9",
    ]
    assert {named(alias)[0].name for alias in ALIASES} == set(ALIASES.values())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("harmm.p95", "unknown measure 'harmm'"),
        ("harm.p0", "write mean, median, p90, p95 or p99"),
        ("harm.rate", "of an amount"),
        ("detection_delay.pp", "of a delay"),
        ("escape_rate.p95", "write escape_rate alone"),
        ("false_rollback_rate", "measured on good releases; 'errors' is a bad one"),
    ],
)
def test_names_that_mean_nothing_are_refused(four: Rows, name: str, says: str) -> None:
    with pytest.raises(WorldError, match=says):
        evaluate(bad(four), name)


def test_every_measure_is_defined(build: Callable[..., Result]) -> None:
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert measure.definition.endswith(".")
        assert len(measure.definition) > 40
    for cell in build().cells:
        assert {named(name)[0].name for name in summary(cell)} == {
            m.name for m in MEASURES.values() if m.fits(cell.bad)
        }
