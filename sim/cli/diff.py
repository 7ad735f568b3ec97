"""`seatrial diff`: one script against two policies, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options
from sim.cli.trace import style, words

if TYPE_CHECKING:
    from sim.tracing.difference import Beside, Row
    from sim.versus import Pair, Versus

app = options.application()

_A = typer.Argument(metavar="A", help="A policy: a file or folder of manifests, or one of ours.", show_default=False)
_B = typer.Argument(metavar="[B]", help="Another; without it A again, under two profiles.", show_default=False)
_SCRIPT = typer.Option(
    "--script", "-s", help="The script: measurements, pods, people (seatrial schema script).", show_default=False
)
_PROFILE = typer.Option(
    "--profile", metavar="P", help="Version to reproduce; given twice: one for A, one for B.", show_default=False
)
_NAME = typer.Option("--name", help="Only the policy of this name.", show_default=False)
_ALL = typer.Option("--all", help="All entries, also those long before the first difference.")
_KEPT = 3  # equal entries shown around differences


@app.command(epilog="Exit codes: 0 the same, 1 different, 2 a file is at fault or the script lacks a metric.")
def diff(
    a: Annotated[str, _A],
    script: Annotated[Path, _SCRIPT],
    b: Annotated[str | None, _B] = None,
    profile: Annotated[list[str] | None, _PROFILE] = None,
    name: Annotated[str, _NAME] = "",
    everything: Annotated[bool, _ALL] = False,
    json: options.Json = False,
) -> None:
    """Run the same SCRIPT against A and B and lay the traces side by side: where do they part, and why?

    Policies are paired by name; where both sides hold one, these two. With one file, give two profiles.
    """
    from sim.versus import diff as run

    profiles = profile or []
    if len(profiles) > 2 or (b is None and len(profiles) != 2):
        raise exits.Usage("compare two files, or one file under two profiles: --profile X --profile Y")
    found = run(a, b, script, profiles=profiles, name=name)
    if not found.pairs and not found.only_a and not found.only_b:
        raise exits.Usage(f"no policy {name!r} on either side" if name else "no policies on either side")
    if json:
        console.document(found.document())
    else:
        _show(found, (a, b or a), everything)
    raise typer.Exit(exits.DONE if found.same else exits.FAILED)


def _show(found: Versus, sides: tuple[str, str], everything: bool) -> None:
    for pair in found.pairs:
        _pair(pair, sides, everything)
    for side, names in (("A", found.only_a), ("B", found.only_b)):
        if names:
            console.line(f"only in {side}: {', '.join(names)}", "yellow")
    if found.same:
        console.line("the same", "bold green")


def _pair(pair: Pair, sides: tuple[str, str], everything: bool) -> None:
    traces = pair.traces
    console.title(pair.name)
    console.pairs(
        *(
            (side, f"{place}  {trace.profile}".rstrip())
            for side, place, trace in zip("AB", sides, (traces.a, traces.b), strict=True)
        )
    )
    _table(traces, everything)
    console.pairs(
        *(
            (f"{side} ends", f"{trace.phase}  {trace.reason}".rstrip())
            for side, trace in (("A", traces.a), ("B", traces.b))
        ),
        style="",
    )
    _first(pair)


def _table(traces: Beside, everything: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=True)
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("A", overflow="fold", ratio=1)
    table.add_column("B", overflow="fold", ratio=1)
    for row in _shown(traces.rows, everything):
        if isinstance(row, int):
            table.add_row("", "", Text(f"... {row} equal entries", "dim"), Text(""))
        else:
            cells = [Text(words(entry), style(entry)) if entry else Text("") for entry in (row.a, row.b)]
            table.add_row(f"{row.at:g}s", Text("=" if row.same else "≠", "dim" if row.same else "bold red"), *cells)
    console.show(table)


def _shown(rows: tuple[Row, ...], everything: bool) -> list[Row | int]:
    """Rows with long stretches of equal ones left out: a number stands for so many."""
    if everything:
        return [*rows]
    apart = [index for index, row in enumerate(rows) if not row.same]
    near = {at for index in apart for at in range(index - _KEPT, index + _KEPT + 1)} if apart else set(range(len(rows)))
    shown: list[Row | int] = []
    for index, row in enumerate(rows):
        if index in near:
            shown.append(row)
        elif shown and isinstance(shown[-1], int):
            shown[-1] += 1
        else:
            shown.append(1)
    return shown


def _first(pair: Pair) -> None:
    first = pair.traces.first
    if first is None:
        return
    console.line()
    console.line(f"first difference at {first.at:g}s, entry {first.index + 1}", "bold red")
    rows = [(side, _entry(entry)) for side, entry in (("A", first.a), ("B", first.b))]
    rows += [("after", f"{entry['at']:g}s  {words(entry)}") for entry in first.before]
    rows += [("field", f"{field.path}: {_value(field.a)} | {_value(field.b)}") for field in pair.fields[:8]]
    if len(pair.fields) > 8:
        rows.append(("", f"and {len(pair.fields) - 8} more fields (--json has all)"))
    console.pairs(*rows, style="")


def _entry(entry: dict[str, Any] | None) -> str:
    return (
        f"{entry['at']:g}s  {words(entry)}  (step {entry['step']}, weight {entry['weight']:g}%)"
        if entry
        else "nothing more"
    )


def _value(value: Any) -> str:
    from sim.files.words import show

    return (
        str(value.get("is", ""))
        if isinstance(value, dict)
        else f"{len(value)} entries"
        if isinstance(value, list)
        else show(value)
    )
