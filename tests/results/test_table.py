"""The printed table: readable at 100 columns, an interval with every number, names of everything behind it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from sim.engine.rows import Rows
from sim.results.blocks import Block, blocks, contrasts, footer, judged
from sim.results.budgets import verdicts
from sim.results.result import Cell, Result
from sim.results.stopping import Budget
from sim.results.table import fitting, render, show, show_difference, text

Build = Callable[..., Result]

MANY = tuple((f"errors-{n}", True, 0.1 * n) for n in range(1, 9))


def test_the_table_answers_the_questions(build: Build) -> None:
    said = text(build())
    for part in (
        "Which one?",
        "At a glance",
        "How often does a bad release reach everyone?",
        "How many requests does it break?",
    ):
        assert part in said
    for part in (
        "0123456789abcdef",
        "seed 7",
        "rung aggregated",
        "nobody answers",
        "seatrial compare careful hasty --seed 7",
    ):
        assert part in said
    assert "300 rollouts per policy and release" in said


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("releases", [(("good", False, 0.9), *MANY), (("good", False, 0.9),), MANY])
def test_nothing_is_wider_than_asked_or_cut(
    build: Build, width: int, releases: tuple[tuple[str, bool, float], ...]
) -> None:
    result = build(policies=("canary-with-threshold", "blue-green"), releases=releases, count=60)
    said = text(result, width)
    tables = said[: said.index("60 rollouts per")]
    assert max(len(line) for line in tables.splitlines()) <= width
    assert "\u2026" not in said
    assert "canary-with-threshold" in said
    assert all(name in said for name, *_ in releases if name != "good")


def test_every_number_has_an_interval_under_it(build: Build) -> None:
    for block in blocks(build()):
        for _, cells in block.rows:
            assert all(cell.lines for cell in cells if cell.text != "-")


def test_plain_text_has_no_colour_and_a_terminal_obeys_no_color(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in text(build())
    coloured, plain = io.StringIO(), io.StringIO()
    monkeypatch.delenv("NO_COLOR", raising=False)
    show(build(), Console(file=coloured, force_terminal=True, width=100, color_system="standard"))
    assert "\x1b[1;31m" in coloured.getvalue()  # an escape rate beyond one half
    monkeypatch.setenv("NO_COLOR", "1")
    show(build(), Console(file=plain, force_terminal=True, width=100, color_system="standard"))
    assert "\x1b[1;31m" not in plain.getvalue()


def test_one_policy_has_its_releases_as_rows(build: Build) -> None:
    (block,) = blocks(build(policies=("careful",)))
    assert (block.title, block.corner) == ("Policy careful", "release")
    assert [label for label, _ in block.rows] == ["good", "errors (bad)", "slow (bad)"]
    (only,) = blocks(build(policies=("careful",), releases=(("good", False, 1.0),)))
    assert only.columns == ("false rollbacks", "promote delay", "pod-hours")


def test_several_good_releases_have_blocks_of_their_own(build: Build) -> None:
    titles = [block.title for block in blocks(build(releases=(("good", False, 0.9), ("outage", False, 0.5))))]
    assert titles == ["At a glance", "How often is a good release rolled back?", "How long does a good release take?"]


def test_what_is_rare_is_shown_where_it_happens(build: Build) -> None:
    assert "lost requests" not in text(build())
    cells = list(build().cells)
    rows = cells[0].rows.copy()
    rows["lost"], rows["person"] = 12, 1
    cells[0] = Cell("careful", "good", False, 0.0, rows)
    said = text(replace(build(), cells=tuple(cells)), 200)
    assert "lost requests" in said
    assert "inconclusive" in said


def test_results_with_holes_are_shown(build: Build, four: Rows) -> None:
    result = build()
    holes = replace(result, cells=(*result.cells[:4], Cell("hasty", "slow", True, 0.0, four[:0])), complete=False)
    said = text(holes)
    assert "INTERRUPTED" in said
    assert "0 to 300 rollouts" in said
    assert text(replace(result, cells=())).startswith("Which one?")
    tiny = replace(result, cells=tuple(Cell(c.policy, c.release, c.bad, 0.0, c.rows[:1]) for c in result.cells))
    assert "1 rollout per" in text(tiny)


def test_budgets_and_contrasts_are_blocks(build: Build) -> None:
    found = judged(verdicts(build(), [Budget("escape_rate", 0.05), Budget("harm.mean", 50.0)]))
    assert [block.title for block in found] == ["escapes \u2264 5%", "blast radius, mean \u2264 50 requests"]
    assert "cut at 1,000 requests" in found[1].note
    assert {cell.text for _, cells in found[0].rows for cell in cells} <= {"fail", "undecided", "pass"}
    titles = [block.title for block in contrasts(build())]
    assert titles[0] == "escapes"
    assert "lead of a rollout, mean (delays beyond 60 min count as that)" in titles
    assert contrasts(build(policies=("one",))) == ()


def test_columns_are_grouped_by_width() -> None:
    block = Block("t", "n", "policy", ("aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"), ())
    assert fitting(block, 100) == [[0, 1, 2]]
    assert fitting(block, 35) == [[0, 1], [2]]
    assert fitting(block, 5) == [[0], [1], [2]]
    assert len(render(block, 35)) == 3


def test_differences_of_two_results_name_what_moved(build: Build) -> None:
    old = build()
    cells = []
    for cell in old.cells:
        rows = cell.rows.copy()
        if (cell.policy, cell.release) == ("careful", "errors"):
            rows["harm"] += 1
        cells.append(Cell(cell.policy, cell.release, cell.bad, 0.0, rows))
    new = replace(old, digest="f" * 64, cells=tuple(cells[:-1]))
    file = io.StringIO()
    show_difference(old, new, Console(file=file, width=100))
    said = file.getvalue()
    assert "digest: 0123" in said
    assert "only in the old result: hasty / slow" in said
    assert "careful / errors  harm.mean" in said
    assert "1 change beyond chance" in said


def test_the_footer_counts_what_is_there(build: Build) -> None:
    assert footer(build())[0].startswith("300 rollouts per policy and release; 95% intervals")
