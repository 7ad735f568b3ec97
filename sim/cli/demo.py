"""`seatrial demo`: the main job, with nothing to configure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import options

app = options.application()

_REPORT = typer.Option("--report", help="Where to write the report.", show_default=True)


@app.command()
def demo(
    replications: options.Replications = None,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    report: Annotated[Path, _REPORT] = Path("report.html"),
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare five ways to roll out a release (all at once, rolling, two canaries, blue-green) under seven conditions.

    Prints a table with intervals and writes a self-contained report.html. Needs no network and no configuration.
    """
    from sim.cli.answers import answer
    from sim.cli.gallery import shipped
    from sim.results.report import write_report
    from sim.session import Session

    session = Session.of(shipped("demo"), replications=replications, seed=seed, verb="compare")
    found = answer(session, jobs=jobs, out=None, resume=False, quiet=quiet, json=json, brief=True)
    write_report(found.result, report, found.verdicts)
    if not json and not quiet:
        from sim.cli import console

        console.pairs(
            ("wrote", f"{report}: everything, with plots and definitions, in one file"),
            ("next", "seatrial init demo mine   # a copy to change: your traffic, your policy, your faults"),
            ("next", f"seatrial explain {session.scenario.file} --policy canary-thresholds --release errors-small --why promoted"),
        )  # fmt: skip
