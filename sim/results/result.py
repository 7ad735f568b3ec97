"""A finished evaluation: cells of rows, what names it, and how it is kept on disk and printed as one document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.engine.rows import OUTCOMES, ROW, Rows
from sim.policy.errors import HistoryError
from sim.results.interval import Interval

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1  # of result.json; raised when an older reader would misread it
_TEXTS = ("scenario", "digest", "service", "rung", "people", "command", "question")


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One policy under one release. `rows` has dtype ROW, sorted by replication; do not write to it.

    `bad` is the truth, once per condition. `onset`: seconds from the first exposed request until the fault bites, 0 for
    deploy-born ones. `known` keeps intervals that were worked out before (`measures.evaluate`).
    """

    policy: str
    release: str
    bad: bool
    onset: float
    rows: Rows
    known: dict[tuple[str, float, float], Interval] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rows.dtype != ROW:
            raise HistoryError(
                f"cell {self.policy!r} / {self.release!r}: rows need the dtype ROW, got {self.rows.dtype}"
            )
        if not (np.diff(self.rows["replication"]) > 0).all():
            raise HistoryError(
                f"cell {self.policy!r} / {self.release!r}: replications must rise, each once; sort the rows"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Every cell of an evaluation. It holds no wall time, path, host or worker count (contracts.md section 2).

    `people` is the rule in words, `command` reproduces the result byte for byte, `complete` is false after an interruption.
    """

    scenario: str
    digest: str
    seed: int
    service: str
    rung: str
    people: str
    command: str
    cells: tuple[Cell, ...]
    question: str = ""
    complete: bool = True

    def __post_init__(self) -> None:
        names = [(cell.policy, cell.release) for cell in self.cells]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise HistoryError(
                f"a result holds each policy and release once, got {twice[0]!r} under {twice[1]!r} twice"
            )
        truth: dict[str, bool] = {}
        for cell in self.cells:
            if truth.setdefault(cell.release, cell.bad) != cell.bad:
                raise HistoryError(f"release {cell.release!r} is good in one cell and bad in another; name them apart")

    @property
    def policies(self) -> tuple[str, ...]:
        """Names in the order of the cells."""
        return tuple(dict.fromkeys(cell.policy for cell in self.cells))

    @property
    def releases(self) -> tuple[str, ...]:
        """Names in the order of the cells."""
        return tuple(dict.fromkeys(cell.release for cell in self.cells))

    def split(self, bad: bool) -> tuple[str, ...]:
        """The bad releases, or the good ones."""
        return tuple(dict.fromkeys(cell.release for cell in self.cells if cell.bad == bad))

    def cell(self, policy: str, release: str) -> Cell:
        """The cell of a policy under a release; KeyError names those that there are."""
        found = self.find(policy, release)
        if found is None:
            raise KeyError(f"no cell {policy!r} under {release!r}; policies {self.policies}, releases {self.releases}")
        return found

    def find(self, policy: str, release: str) -> Cell | None:
        """The same, None where there is none (an interrupted run)."""
        return next((cell for cell in self.cells if (cell.policy, cell.release) == (policy, release)), None)

    def frame(self) -> pd.DataFrame:
        """All rows as a data frame: see `export.columns`; inf stays inf."""
        import pandas as pd

        from sim.results.export import columns

        return pd.DataFrame(columns(self))

    def document(self) -> dict[str, Any]:
        """The `--json` document: numbers to 12 significant digits, infinite ones as "inf" and "-inf", unknown ones null."""
        from sim.results.measures import summary

        cells = [
            {**_head(cell), "measures": {name: entry(interval) for name, interval in summary(cell).items()}}
            for cell in self.cells
        ]
        return {**self._named(), "cells": cells}

    def _named(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) for name in _TEXTS}
        return {"format": FORMAT, **texts, "seed": self.seed, "complete": self.complete}

    def save(self, folder: Path | str) -> None:
        """Write result.json and rows.npy; equal results give equal bytes. An existing result there is replaced."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {**self._named(), "cells": [_head(cell) for cell in self.cells]}, indent=1, ensure_ascii=False
        )
        (place / "result.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        rows = np.concatenate([cell.rows for cell in self.cells]) if self.cells else np.zeros(0, ROW)
        np.save(place / "rows.npy", rows, allow_pickle=False)


def load(folder: Path | str) -> Result:
    """Read what `Result.save` wrote. HistoryError when it is damaged or from another version."""
    place = Path(folder)
    try:
        named = json.loads((place / "result.json").read_text(encoding="utf-8"))
        rows = np.load(place / "rows.npy", allow_pickle=False)
        if named["format"] != FORMAT or rows.dtype != ROW:
            raise HistoryError(
                f"{place}: written by another version of Seatrial; run it again: {named.get('command', '')}"
            )
        texts = {name: named[name] for name in _TEXTS}
        return Result(**texts, seed=named["seed"], complete=named["complete"], cells=_cells(named["cells"], rows))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HistoryError(f"{place}: not a complete result ({error}); run it again or name another folder") from error


def _cells(heads: list[Mapping[str, Any]], rows: Rows) -> tuple[Cell, ...]:
    if sum(head["replications"] for head in heads) != len(rows):
        raise ValueError("rows.npy does not hold as many rows as result.json says")
    cells, start = [], 0
    for head in heads:
        stop = start + head["replications"]
        cells.append(Cell(head["policy"], head["release"], head["bad"], float(head["onset_s"]), rows[start:stop]))
        start = stop
    return tuple(cells)


def _head(cell: Cell) -> dict[str, Any]:
    return {
        "policy": cell.policy, "release": cell.release, "bad": cell.bad, "onset_s": _number(cell.onset), "replications": len(cell.rows),
    }  # fmt: skip


def entry(interval: Interval) -> dict[str, Any]:
    ends = {"estimate": _number(interval.estimate), "low": _number(interval.low), "high": _number(interval.high)}
    return {**ends, "level": interval.level, "n": interval.n, "method": interval.method}


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(f"{value:.12g}") if math.isfinite(value) else str(value)


def outcomes(cell: Cell) -> tuple[int, ...]:
    """How many rollouts ended in each of OUTCOMES."""
    return tuple(np.bincount(cell.rows["outcome"], minlength=len(OUTCOMES)).tolist())
