"""Rows for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.engine.rows import Rows
from sim.policy.errors import WorldError
from sim.results.export import columns, write_csv, write_parquet
from sim.results.result import Cell, Result

Build = Callable[..., Result]


def test_csv_holds_every_row_and_reads_back(build: Build, four: Rows, tmp_path: Path) -> None:
    result = replace(build(), cells=(Cell("one, two", 'say "no"', True, 0.0, four),))
    write_csv(result, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == list(columns(result))
    assert [row["outcome"] for row in read] == ["aborted", "aborted", "promoted", "aborted"]
    assert (read[0]["policy"], read[0]["release"], read[0]["bad"]) == ("one, two", 'say "no"', "True")
    for name in ("exposed_at", "restored_at", "users", "harm", "bad_requests"):
        own = four["bad" if name == "bad_requests" else name]
        assert np.array([float(row[name]) for row in read], np.float32).tolist() == own.astype(np.float32).tolist()


def test_equal_results_give_equal_csv(build: Build, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(build(), tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_no_negative_zero(build: Build, four: Rows) -> None:
    four["users"] = -0.0
    table = columns(replace(build(), cells=(Cell("p", "r", True, 0.0, four),)))
    assert not np.signbit(table["users"]).any()


def test_parquet(build: Build, tmp_path: Path) -> None:
    from pyarrow import parquet

    write_parquet(build(), tmp_path / "rows.parquet")
    table = parquet.read_table(tmp_path / "rows.parquet")
    assert table.num_rows == 6 * 300
    assert table.column_names == list(columns(build()))


def test_parquet_says_what_is_missing(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(WorldError, match=r"seatrial\[parquet\]"):
        write_parquet(build(), tmp_path / "rows.parquet")


def test_an_empty_result_has_the_columns(build: Build) -> None:
    table = columns(replace(build(), cells=()))
    assert {len(column) for column in table.values()} == {0}
