"""Two results side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.results.difference import difference
from sim.results.result import Cell, Result

Build = Callable[..., Result]


def changed(result: Result, column: str, by: float, first: int = 0) -> Result:
    """The result with `by` added to a column of the first bad cell, from row `first` on."""
    cells = list(result.cells)
    place = next(i for i, cell in enumerate(cells) if cell.bad)
    rows = cells[place].rows.copy()
    rows[column][first:] = rows[column][first:] + by
    cells[place] = Cell(cells[place].policy, cells[place].release, True, 0.0, rows)
    return replace(result, cells=tuple(cells))


def test_equal_results_do_not_differ(build: Build) -> None:
    found = difference(build(), build())
    assert (found.origins, found.only_old, found.only_new, found.changes) == ((), (), (), ())


def test_a_small_change_is_seen_run_by_run(build: Build) -> None:
    """One request more in every rollout: far inside the interval of the mean, certain in pairs."""
    found = difference(build(), changed(build(), "harm", 1))
    mean = next(one for one in found.clear if one.measure == "harm.mean")
    assert mean.difference is not None
    assert (mean.difference.low, mean.difference.high, mean.example) == (1, 1, 0)
    assert mean.new.estimate in mean.old


def test_the_example_is_the_first_that_differs(build: Build) -> None:
    found = difference(build(), changed(build(), "harm", 1, first=42))
    assert next(one for one in found.changes if one.measure == "harm.mean").example == 42


def test_other_seeds_are_not_paired(build: Build) -> None:
    found = difference(build(), replace(changed(build(), "harm", 1), seed=8))
    assert found.origins == (("seed", "7", "8"),)
    assert found.clear == ()
    assert all(one.difference is None for one in found.changes)
    far = difference(build(), replace(changed(build(), "harm", 10_000), seed=8))
    assert {one.measure for one in far.clear} == {"harm.mean", "harm.p95"}


def test_outcomes_are_compared_too(build: Build) -> None:
    result = build()
    cells = list(result.cells)
    rows = cells[1].rows.copy()
    rows["outcome"][:100] = 0
    cells[1] = Cell("careful", "errors", True, 0.0, rows)
    found = difference(result, replace(result, cells=tuple(cells)))
    escape = next(one for one in found.clear if one.measure == "escape_rate")
    assert escape.difference is not None
    assert escape.difference.method == "tango"
    assert escape.difference.estimate > 0.2
