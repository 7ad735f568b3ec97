"""Running a question and showing its answer: what `run`, `compare` and `demo` share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sim.cli import console, exits
from sim.cli.progress import progress

if TYPE_CHECKING:
    from sim.results.budgets import Verdict
    from sim.results.expectations import Answered
    from sim.results.result import Result
    from sim.session import Session

__all__ = ["Answer", "answer", "workers"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, what it says of the budgets, and the answers that the file expects. `binding`: those must come out."""

    result: Result
    verdicts: tuple[Verdict, ...]
    expected: tuple[Answered, ...] = ()
    binding: bool = True

    @property
    def code(self) -> int:
        """0 pass or no budgets, 1 one failed or an answer is another than expected, 3 undecided."""
        from sim.results.budgets import overall

        if self.binding and not all(one.holds for one in self.expected):
            return exits.FAILED
        if not self.verdicts:
            return exits.DONE
        return {"pass": exits.DONE, "fail": exits.FAILED, "undecided": exits.UNDECIDED}[overall(self.verdicts)]

    def document(self) -> dict[str, Any]:
        """The `--json` document: the result, and the budgets where there are any."""
        from sim.results.budgets import overall

        said = self.result.document()
        if self.verdicts:
            said["verdict"] = overall(self.verdicts)
            said["budgets"] = [_budget(verdict) for verdict in self.verdicts]
        if self.expected:
            said["expected"] = [one.document() for one in self.expected]
        return said


_POOL = 20_000  # rollouts, below which starting worker processes takes longer than they save (measured: 1 to 2 s)


def workers(jobs: int | None, session: Session) -> int:
    """Worker processes: as asked, else all cores that this process may use, where that pays."""
    if jobs is not None:
        return min(jobs, 1024)
    scenario = session.scenario
    if scenario.replications.maximum * len(scenario.policies) * len(scenario.releases) < _POOL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def answer(
    session: Session,
    *,
    jobs: int | None,
    out: Path | None,
    resume: bool,
    quiet: bool,
    json: bool,
    following: Sequence[str] = (),
    comparing: bool = False,
    brief: bool = False,
) -> Answer:
    """Run, save, print. `following` are the commands to try next. Raises typer.Exit(130) after an interruption."""
    from sim.session import Interrupted, expected, judged

    try:
        with progress("simulating", quiet=quiet) as tell:
            result = session.run(workers(jobs, session), tell, out, resume)
    except Interrupted as stopped:
        _interrupted(stopped, session, json=json)
        raise typer.Exit(exits.INTERRUPTED) from None
    scenario = session.scenario
    found = Answer(result, judged(scenario, result), expected(scenario, result), session.as_written)
    if out is not None:
        _report(found, out)
    if json:
        console.document(found.document())
    else:
        _show(found, session.typed, out, following, quiet=quiet, comparing=comparing, brief=brief)
    return found


def _show(
    found: Answer, typed: str, out: Path | None, following: Sequence[str], *, quiet: bool, comparing: bool, brief: bool
) -> None:
    from sim.results.blocks import blocks, contrasts, footer, judged
    from sim.results.expectations import told
    from sim.results.table import render

    screen, result = console.out(), found.result
    console.line(result.question.strip() or result.scenario, "bold")
    for block in (*blocks(result)[: 2 if brief else None], *judged(found.verdicts)):
        console.show(*render(block, screen.width))
    if comparing and len(result.policies) > 1:
        console.line(f"\nDifferences to {result.policies[0]}, replication by replication", "bold")
        console.line("p: paired test, after Holm. r: variance left by common random numbers, 100% without them.", "dim")
        for block in contrasts(result):
            console.show(*render(block, screen.width))
    for text in told(found.expected):
        console.line(text, wrap=False)
    for text in footer(replace(result, command=typed)):
        console.line(text, "dim", wrap=False)
    if not quiet:
        rows = [("wrote", f"{out}/result.json, rows.npy, report.html")] if out is not None else []
        console.pairs(*rows, *(("next", one) for one in following))


def _report(found: Answer, out: Path) -> None:
    from sim.results.report import write_report

    write_report(found.result, out / "report.html", found.verdicts)


def _interrupted(stopped: Any, session: Session, *, json: bool) -> None:
    """What was finished is kept; say where, and how to go on."""
    done = sum(len(cell.rows) for cell in stopped.result.cells)
    if json:
        console.document(stopped.result.document())
    screen = console.err()
    screen.print(f"interrupted; {done:,} rollouts are kept in {stopped.kept}", style="yellow")
    screen.print(f"continue with: {session.typed} --resume {stopped.kept}", soft_wrap=True)


def _budget(verdict: Verdict) -> dict[str, Any]:
    from sim.results.result import entry

    budget = verdict.budget
    return {
        "policy": verdict.policy, "release": verdict.release, "measure": budget.metric, "sense": budget.sense, "limit": budget.limit,
        "band": budget.band, "decision": verdict.decision, "interval": entry(verdict.interval), "cap": verdict.cap,
        "beyond": verdict.beyond,
    }  # fmt: skip
