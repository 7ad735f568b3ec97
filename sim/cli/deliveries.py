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


def answer(session: Session, *, jobs: int | None, out: Path | None, quiet: bool, json: bool) -> int:
    """Run, save, print; returns the exit code."""
    from sim.deliveries import deliver, expected
    from sim.results.delivery import show
    from sim.results.expectations import told

    with progress("delivering", quiet=quiet) as tell:
        result = deliver(session, jobs or os.cpu_count() or 1, tell)
    answers = expected(session.scenario, result)
    code = exits.FAILED if session.as_written and not all(one.holds for one in answers) else exits.DONE
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "result.json").write_text(console.dumped(result.document()), encoding="utf-8")
    if json:
        console.document(result.document() | {"expected": [one.document() for one in answers]})
        return code
    show(result, console.out())
    for text in told(answers):
        console.line(text, wrap=False)
    if not quiet:
        rows = [("wrote", f"{out}/result.json")] if out is not None else []
        console.pairs(*rows, ("next", "seatrial run scenarios/demo.yaml   # one rollout at a time"))
    return code
