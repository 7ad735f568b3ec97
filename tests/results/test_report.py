"""The report: self-contained, escaped, the same bytes again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sim.engine.rows import Rows
from sim.results.budgets import verdicts
from sim.results.report import html, write_report
from sim.results.result import Cell, Result
from sim.results.stopping import Budget

Build = Callable[..., Result]

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Checks that elements nest, and keeps ids and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_names_everything(build: Build) -> None:
    result = build()
    reader = read(html(result, verdicts(result, [Budget("escape_rate", 0.05), Budget("harm.mean", 40.0)])))
    said = " ".join(reader.words)
    for part in (
        "Which one?", "by-hand", "0123456789abcdef", "300 per cell", "aggregated", "nobody answers", result.command,
        "At a glance", "Budgets", "Differences to careful", "What the words mean", "false_rollback_rate", "cut at 800",
    ):  # fmt: skip
        assert part in said
    assert "svg" in reader.tags
    assert len(reader.ids) == len(set(reader.ids))


def test_nothing_comes_from_elsewhere(build: Build) -> None:
    page = html(build())
    assert not re.search(r"<(script|link|img|iframe|object)\b", page)
    assert not re.search(r"@import|url\((?!#)", page)
    links = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert links <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert len(page) < 1_500_000


def test_the_readers_text_is_escaped(build: Build) -> None:
    evil = "<script>alert('x')</script> & {body} {title}"
    result = build(policies=(evil, "b"), releases=(("good<b>", False, 0.9), ("bad<i>&", True, 0.3)))
    page = html(replace(result, question=evil, scenario=evil, people=evil, command=evil, service=evil))
    assert "<script" not in page
    assert "<b>good" not in page
    assert "<i>" not in page
    assert "alert(&#x27;x&#x27;)" in page
    assert "{body}" in "".join(read(page).words)


def test_equal_results_give_equal_bytes(build: Build, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(build(), tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize(
    "shape",
    [
        {"policies": ("one",)},
        {"policies": ("one",), "releases": (("good", False, 0.9),)},
        {"releases": (("good", False, 0.9),)},
        {"releases": (("errors", True, 0.9),)},
        {"policies": ()},
    ],
)
def test_every_shape_of_result(build: Build, shape: dict[str, tuple[object, ...]]) -> None:
    read(html(build(**shape, count=50)))


def test_an_interrupted_result_says_so(build: Build, four: Rows) -> None:
    result = build()
    holes = replace(result, cells=(*result.cells[:4], Cell("hasty", "slow", True, 0.0, four[:0])), complete=False)
    assert "Interrupted" in "".join(read(html(holes)).words)


def test_figures_can_be_left_out(build: Build) -> None:
    assert "<svg" not in html(build(), figures=False)


def test_differences_can_be_against_another_policy(build: Build) -> None:
    assert "Differences to hasty" in html(build(), reference="hasty", figures=False)
