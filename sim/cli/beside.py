"""A real controller beside its simulation, on the terminal: for `replay`, `compare --real` and `explain` of such a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli import console, exits

if TYPE_CHECKING:
    from sim.controlled import Controlled
    from sim.tracing.likeness import Row

__all__ = ["show_beside"]


def show_beside(run: Path, policy: str | None, *, json: bool, following: str = "compare --real") -> int:
    """Print both sides and the first difference; returns the exit code: 1 when they differ."""
    from sim.controlled import controlled

    both = controlled(run, policy)
    if json:
        console.document(both.document())
    else:
        _show(both, run)
        console.pairs(("next", shlex.join(["seatrial", *following.split(), str(run)])))
    return exits.DONE if both.same else exits.FAILED


def _show(both: Controlled, run: Path) -> None:
    from rich.markup import escape
    from rich.table import Table

    console.title(str(run), f"{both.history.controller}, {both.history.kubernetes}, policy {both.policy.name}")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("what", "real", "", "simulated", ""):
        table.add_column(column, overflow="fold")
    for row in both.rows:
        table.add_row(escape(row.stream), *map(escape, _cells(row)), style="" if row.same else "bold red")
    console.show(table)
    if both.same:
        console.line(f"the same: {len(both.rows)} changes, in value, order and waits", "green")
    else:
        console.line(f"FIRST DIFFERENCE  {both.differences[0]}", "bold red")
        for text in both.differences[1:6]:
            console.line(f"then  {text}", "dim")
    for text in both.about.get("changed", ()):
        console.line(f"changed  {text}", "dim")


def _cells(row: Row) -> tuple[str, str, str, str]:
    """Moment and value of both sides; an equal value is not said twice."""
    real, ours = (("", "") if side is None else (f"{side[0]:g}s", side[1]) for side in (row.recorded, row.traced))
    return (*real, ours[0], "same" if row.same else ours[1])
