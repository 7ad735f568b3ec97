"""Rows for other programs: CSV always, Parquet where pyarrow is installed. One line per rollout, outcomes as words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.rows import COLUMNS, OUTCOMES, ROW
from sim.policy.errors import WorldError
from sim.results.result import Result

__all__ = ["columns", "write_csv", "write_parquet"]


def columns(result: Result) -> dict[str, Any]:
    """Arrays by column: policy, release, bad (the truth), then those of ROW, rows in the order of the cells.

    ROW's own `bad` is called bad_requests here, and outcomes are words.
    """
    sizes = [len(cell.rows) for cell in result.cells]
    rows = np.concatenate([cell.rows for cell in result.cells]) if result.cells else np.zeros(0, ROW)
    truth: dict[str, Any] = {
        "policy": np.repeat(np.array([cell.policy for cell in result.cells], object), sizes),
        "release": np.repeat(np.array([cell.release for cell in result.cells], object), sizes),
        "bad": np.repeat(np.array([cell.bad for cell in result.cells], bool), sizes),
    }
    told = {"bad_requests" if name == "bad" else name: _plain(rows[name]) for name in COLUMNS}
    told["outcome"] = np.array(OUTCOMES, object)[rows["outcome"]]
    told["person"], told["called"] = rows["person"] != 0, rows["called"] != 0
    return {**truth, **told}


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    return column + np.float32(0) if column.dtype.kind == "f" else column  # -0.0 becomes 0.0


def write_csv(result: Result, path: Path | str) -> None:
    """Comma-separated, UTF-8, a header line, `inf` for what never happened; equal results give equal bytes."""
    table = columns(result)
    # Text of single-precision numbers is their shortest: 70.1, not 70.0999984741.
    lists = [column.astype(str).tolist() if column.dtype.kind == "f" else column.tolist() for column in table.values()]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*lists, strict=True))


def write_parquet(result: Result, path: Path | str) -> None:
    """Parquet, for which pyarrow must be installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise WorldError("Parquet needs pyarrow: pip install 'seatrial[parquet]', or write CSV") from error
    parquet.write_table(pa.table(columns(result)), path)
