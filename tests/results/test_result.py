"""A result on disk and as one document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.engine.rows import COLUMNS, Rows
from sim.policy.errors import HistoryError
from sim.results.result import Cell, Result, load

Build = Callable[..., Result]


def test_equal_results_give_equal_bytes(build: Build, tmp_path: Path) -> None:
    build().save(tmp_path / "a")
    load(tmp_path / "a").save(tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["result.json", "rows.npy"]
    for name in ("result.json", "rows.npy"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_was_saved_comes_back(build: Build, tmp_path: Path) -> None:
    result = replace(build(), complete=False, question="Wird's besser? <b>")
    result.save(tmp_path)
    again = load(tmp_path)
    assert (again.question, again.complete, again.seed) == (result.question, False, 7)
    assert (again.policies, again.releases) == (("careful", "hasty"), ("good", "errors", "slow"))
    assert (again.split(True), again.split(False)) == (("errors", "slow"), ("good",))
    assert all((a.rows == b.rows).all() and a.onset == b.onset for a, b in zip(again.cells, result.cells, strict=True))


def test_an_empty_result(tmp_path: Path, build: Build) -> None:
    empty = replace(build(), cells=())
    empty.save(tmp_path)
    assert load(tmp_path).cells == ()
    assert empty.document()["cells"] == []


@pytest.mark.parametrize("damage", ["missing", "truncated", "counts", "format", "rows"])
def test_a_damaged_folder_is_refused(build: Build, tmp_path: Path, damage: str) -> None:
    build().save(tmp_path)
    named = tmp_path / "result.json"
    text = named.read_text(encoding="utf-8")
    match damage:
        case "missing":
            named.unlink()
        case "truncated":
            named.write_text(text[:-30], encoding="utf-8")
        case "counts":
            named.write_text(text.replace('"replications": 300', '"replications": 301', 1), encoding="utf-8")
        case "format":
            named.write_text(text.replace('"format": 1', '"format": 99'), encoding="utf-8")
        case _:
            np.save(tmp_path / "rows.npy", np.zeros(3))
    with pytest.raises(HistoryError, match="run it again"):
        load(tmp_path)


def test_the_document_is_strict_json_and_names_no_machine(build: Build) -> None:
    text = json.dumps(build().document(), allow_nan=False)
    document = json.loads(text)
    first = document["cells"][1]
    assert (first["policy"], first["release"], first["bad"], first["replications"]) == ("careful", "errors", True, 300)
    assert set(first["measures"]["harm.mean"]) == {"estimate", "low", "high", "level", "n", "method"}
    slow = document["cells"][2]["measures"]["detection_delay.median"]
    assert slow["estimate"] == "inf"
    assert float(slow["estimate"]) == np.inf
    assert float(f"{first['measures']['harm.mean']['low']:.12g}") == first["measures"]["harm.mean"]["low"]
    assert str(Path.cwd()) not in text


def test_cells_are_found_by_name(build: Build) -> None:
    result = build()
    assert result.cell("hasty", "slow") is result.find("hasty", "slow")
    assert result.find("hasty", "leak") is None
    with pytest.raises(KeyError, match="no cell 'hasty' under 'leak'"):
        result.cell("hasty", "leak")


def test_cells_that_contradict_each_other_are_refused(build: Build, four: Rows) -> None:
    result = build()
    with pytest.raises(HistoryError, match="twice"):
        replace(result, cells=(*result.cells, result.cells[0]))
    with pytest.raises(HistoryError, match="good in one cell and bad in another"):
        replace(result, cells=(*result.cells, Cell("third", "good", True, 0.0, four)))
    with pytest.raises(HistoryError, match="replications must rise"):
        Cell("p", "r", True, 0.0, four[::-1])
    with pytest.raises(HistoryError, match="dtype ROW"):
        Cell("p", "r", True, 0.0, np.zeros(3))


def test_the_frame(build: Build) -> None:
    frame = build().frame()
    own = ["bad_requests" if name == "bad" else name for name in COLUMNS]
    assert list(frame.columns) == ["policy", "release", "bad", *own]
    assert len(frame) == 6 * 300
    assert set(frame["outcome"]) == {"promoted", "aborted"}
    assert np.isinf(frame["alerted_at"]).all()
    assert frame["bad"].sum() == 4 * 300
