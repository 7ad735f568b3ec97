"""The answer to a scenario with a `pipeline:`: DORA's keys instead of rollouts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli import console, exits
from sim.cli.progress import progress

if TYPE_CHECKING:
    from sim.session import Session

__all__ = ["answer"]


def answer(session: Session, *, jobs: int | None, out: Path | None, resume: bool, quiet: bool, json: bool) -> int:
    """Run, save, print; returns the exit code."""
    from sim.deliveries import Interrupted, deliver, expected
    from sim.results.delivery import show
    from sim.results.expectations import told

    try:
        with progress("delivering", quiet=quiet) as tell:
            result = deliver(session, jobs or os.cpu_count() or 1, tell, out, resume)
    except Interrupted as stopped:
        screen = console.err()
        screen.print(f"interrupted; {stopped.runs:,} runs are kept in {stopped.kept}", style="yellow")
        screen.print(f"continue with: {session.typed} --resume {stopped.kept}", soft_wrap=True)
        return exits.INTERRUPTED
    answers = expected(session.scenario, result)
    code = exits.FAILED if session.as_written and not all(one.holds for one in answers) else exits.DONE
    if json:
        console.document(result.document() | {"expected": [one.document() for one in answers]})
        return code
    show(result, console.out())
    for text in told(answers):
        console.line(text, wrap=False)
    if not quiet:
        rows = [("wrote", f"{out}/result.json, runs/")] if out is not None else []
        console.pairs(*rows, ("next", "seatrial run scenarios/demo.yaml   # one rollout at a time"))
    return code
