"""`seatrial compare --real RUN`: what was recorded, over what was predicted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli import console, exits

if TYPE_CHECKING:
    from sim.overlay import Compared

__all__ = ["show_overlay"]


def show_overlay(
    run: Path,
    scenario: Path | None,
    policy: str | None,
    release: str | None,
    service: Path | None,
    replications: int | None,
    seed: int | None,
    out: Path | None,
    json: bool,
) -> int:
    """Print the comparison (and write `report.html` and `overlay.json` to `out`); returns the exit code: 1 when it lies outside."""
    from sim.overlay import compared
    from sim.results.outside import told
    from sim.results.overlay_page import html

    found = compared(
        run, scenario, policy=policy, release=release, service=service, replications=replications, seed=seed
    )
    assert found.found is not None
    document = {**_names(found), **found.found.document(), "outside": list(told(found.found))}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        page = html(found.found, f"{found.policy.name}: recorded and predicted", _names(found))
        (out / "report.html").write_text(page, encoding="utf-8", newline="\n")
        (out / "overlay.json").write_text(console.dumped(document), encoding="utf-8", newline="\n")
    if json:
        console.document(document)
    else:
        _show(found, run, out)
    return exits.DONE if found.found.inside else exits.FAILED


def _names(found: Compared) -> dict[str, str]:
    recorded = found.recorded.about
    names = {
        "run": str(recorded.get("run", "")), "policy": found.policy.name, "release": found.release.name, "scenario": found.scenario.name,
        "service": found.scenario.service.name,
        "digest": found.scenario.digest[:16],
    }  # fmt: skip
    other = str(recorded.get("digest", ""))
    if other and other != found.scenario.digest:
        names["recorded with"] = other[:16]
    return names


def _show(found: Compared, run: Path, out: Path | None) -> None:
    from rich.table import Table

    from sim.results.outside import told
    from sim.results.overlay_page import COLUMNS, rows, verdict

    assert found.found is not None
    console.title(str(run), ", ".join(f"{name} {text}" for name, text in _names(found).items() if text))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in COLUMNS:
        table.add_column(column)
    for check, cells in zip(found.found.checks, rows(found.found), strict=True):
        table.add_row(*cells, style="" if check.inside else "bold red")
    console.show(table)
    console.line(verdict(found.found), "green" if found.found.inside else "bold red")
    for sentence in told(found.found):
        console.line(f"  {sentence}", "red")
    level = found.found.checks[0].level
    console.line(
        f"{len(found.found.checks)} checks, together at a false-alarm rate of {found.found.alarm:.2g} (each at {level:.2g})",
        "dim",
    )
    for note in found.found.notes:
        console.line(note, "dim")
    console.pairs(
        ("report", str(out / "report.html") if out else ""), ("next", shlex.join(["seatrial", "explain", str(run)]))
    )
