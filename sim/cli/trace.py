"""`seatrial trace`: a policy against a script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import console, exits, options

if TYPE_CHECKING:
    from sim.tracing.run import Trace

app = options.application()

_PATHS = typer.Argument(
    metavar="PATH...", help="A policy: files or a folder of manifests, '-' for standard input.", show_default=False
)
_SCRIPT = typer.Option(
    "--script", "-s", help="The script: measurements, pods, people (seatrial schema script).", show_default=False
)
_PROFILE = typer.Option("--profile", help="Version to reproduce, e.g. argo-rollouts@1.8.", show_default=False)
_NAME = typer.Option("--name", help="Which policy, when the files hold several.", show_default=False)


@app.command()
def trace(
    paths: Annotated[list[str], _PATHS],
    script: Annotated[Path, _SCRIPT],
    profile: Annotated[str | None, _PROFILE] = None,
    name: Annotated[str, _NAME] = "",
    json: options.Json = False,
    strict: options.Strict = False,
) -> None:
    """Run a policy against a SCRIPT in place of a world: what would the controller do if monitoring said this?

    The script gives every measurement, pod and person; the trace lists each change, in the words of the policy's own
    system. Nothing is random, so a trace is a unit test of a manifest.
    """
    from sim.single import trace as run

    if strict:
        _exact(paths, profile)
    found = run(list(paths), script, profile=profile, name=name)
    if json:
        console.document(found.document())
    else:
        _show(found)
        console.pairs(("next", "seatrial trace ... --json   # for a test; its schema: seatrial schema trace"))


def _exact(paths: list[str], profile: str | None) -> None:
    """With --strict whatever is not read exactly is an error."""
    from sim.manifests import load

    if "-" in paths:
        raise exits.Usage("--strict reads the files twice, which standard input does not allow; name files")
    load(paths, profile=profile, strict=True)


def _show(found: Trace) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console.title(found.policy, found.profile)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, justify in (
        ("at", "right"),
        ("step", "right"),
        ("weight", "right"),
        ("stable", "right"),
        ("canary", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("what changes", overflow="fold")
    for entry in found.entries:
        # The two columns are wanted pods; the entry `available` carries those that are there, and says so in words.
        wanted = ("", "") if entry["kind"] == "available" else (str(entry["stable"]), str(entry["canary"]))
        state = (f"{entry['at']:g}s", str(entry["step"]), f"{entry['weight']:g}%", *wanted)
        table.add_row(*state, Text(words(entry), style(entry)))
    console.show(table)
    console.show(
        console.styled(("ends ", "dim"), (found.phase, _STYLES.get(found.phase, "bold")), (f"  {found.reason}", ""))
    )


_STYLES = {
    "Healthy": "bold green", "Successful": "green", "Degraded": "bold red", "Failed": "red", "Error": "red", "Paused": "yellow",
    "Inconclusive": "yellow", "Succeeded": "bold green",
}  # fmt: skip


def style(entry: dict[str, Any]) -> str:
    """How these words are printed."""
    return _STYLES.get(str(entry.get("phase") or entry.get("verdict") or ""), "")


def words(entry: dict[str, Any]) -> str:
    """An entry of a trace in a few words."""
    match entry["kind"]:
        case "phase":
            return f"{entry['phase']}  {entry['reason']}".rstrip()
        case "step":
            return f"step {entry['index']}"
        case "weight":
            return f"weight {entry['weight']:g}%"
        case "scale":
            older = f", {entry['older']} older" if entry["older"] else ""
            return f"wants {entry['stable']} stable, {entry['canary']} canary{older}"
        case "available":
            return f"available: {entry['stable']} stable, {entry['canary']} canary"
        case "measurement":
            return f"{entry['run']} {entry['metric']} = {entry['value']}: {entry['verdict']}"
        case "metric":
            return f"{entry['run']} {entry['metric']} is {entry['phase']}"
        case "analysis":
            template = f" {entry['template']}" if entry["template"] else ""
            return f"{entry['run']} analysis{template} is {entry['phase']}"
        case "switch":
            return f"active is revision {entry['active']}, preview {entry['preview']}"
        case "tick":
            return f"{entry['failedChecks']} failed checks, iteration {entry['iterations']}"
        case "human":
            return f"a person: {entry['action']}"
    return f"{entry['kind']} {entry.get('revision', '')}".rstrip()
