"""From a scenario to a result: what the command line, the explorer and notebooks share.

Looks and stopping depend on the replication index only and finished chunks are kept under OUT/chunks, so a run that was interrupted and
continued ends with the bytes of one that was not. A result's command leaves out what changes no result: workers, folders, silence.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import naming
from sim.exchange import Given, with_policies, with_seed, with_service
from sim.naming import command
from sim.scenario import Release, Replications, Scenario, assemble, load

if TYPE_CHECKING:
    from sim.engine.rows import Rows
    from sim.results.budgets import Verdict
    from sim.results.expectations import Answered
    from sim.results.interval import Interval
    from sim.results.result import Cell, Result
    from sim.results.stopping import Decision, Stop

__all__ = ["Interrupted", "Progress", "Session", "compare", "expected", "judged", "load", "run"]

RUNG = "aggregated"  # of the fidelity ladder (design.md section 3): the only one so far

Progress = Callable[[int, int], None]
"""Hears (finished, planned) replications, over all cases."""

Asked = str | Path | Scenario


class Interrupted(KeyboardInterrupt):
    """A person stopped the run; `result` holds what was finished, `kept` the folder from which it can be continued."""

    def __init__(self, result: Result, kept: Path) -> None:
        super().__init__("interrupted")
        self.result, self.kept = result, kept


def run(
    scenario: Asked,
    policy: Given | None = None,
    *,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    out: Path | str | None = None,
    resume: bool = False,
) -> Result:
    """Run every policy of a scenario (or `policy` alone) under every release.

    `replications` is a fixed number in place of the scenario's rule. `out` is a folder for the result and for chunks on the way;
    `resume` continues what is there. Raises FileErrors and other SeatrialErrors, and `Interrupted`.
    """
    policies = () if policy is None else (policy,)
    return Session.of(scenario, policies, replications=replications, seed=seed).run(jobs, progress, out, resume)


def compare(
    asked: Asked | Sequence[Given],
    scenario: Asked | None = None,
    *,
    service: str | Path | None = None,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    out: Path | str | None = None,
    resume: bool = False,
) -> Result:
    """The policies of a scenario, or these policies under `scenario`, or under the named releases for a service (else the default one)."""
    policies: Sequence[Given] = ()
    if isinstance(asked, str | Path | Scenario):
        scenario = asked
    else:
        policies = asked
    session = Session.of(scenario, policies, service=service, replications=replications, seed=seed, verb="compare")
    return session.run(jobs, progress, out, resume)


@dataclass(frozen=True, slots=True)
class Session:
    """A scenario with everything that was asked of it filled in.

    `command` asks for the same again, as a result may hold it; `typed` is for the person at this terminal.
    """

    scenario: Scenario
    command: str
    typed: str
    asked: dict[str, Any]

    @classmethod
    def of(
        cls,
        asked: Asked | None,
        policies: Sequence[Given] = (),
        *,
        service: str | Path | None = None,
        replications: int | None = None,
        seed: int | None = None,
        verb: str = "run",
    ) -> Session:
        if asked is None:
            scenario = assemble(policies, service=service)
        else:
            scenario = asked if isinstance(asked, Scenario) else load(asked)
            scenario = with_policies(scenario, policies) if policies else scenario
            scenario = scenario if service is None else with_service(scenario, service)
        scenario = scenario if seed is None else with_seed(scenario, seed)
        if replications is not None:
            scenario = replace(scenario, replications=Replications(replications, replications))
        written = partial(command, verb, scenario, policies, replications, service)
        known = {
            "verb": verb, "scenario": None if scenario.file is None else str(scenario.file.absolute()),
            "policies": list(map(str, policies)),
            "replications": replications, "seed": seed, "service": service and str(service),
        }  # fmt: skip
        return cls(scenario, written(), written(str), known)

    @property
    def as_written(self) -> bool:
        """Whether the file's own seed and replications are used: then its expected answers must come out."""
        return self.asked["seed"] is None and self.asked["replications"] is None

    # ---- the run ----

    def run(
        self, jobs: int = 1, progress: Progress | None = None, out: Path | str | None = None, resume: bool = False
    ) -> Result:
        """The result; see `run`."""
        from sim.engine import runner
        from sim.folder import Folder  # numpy

        folder = None if out is None else Folder.opened(Path(out), self.identity(), self.asked, resume)
        if folder is not None and (known := folder.finished()) is not None:
            return known
        cases = self.scenario.cases()
        stop = self._stop()
        if jobs > 1:
            _portable()
        try:
            rows = runner.run(
                [case for _, _, case in cases], self.scenario.seed, rounds(stop), workers=jobs, progress=progress,
                enough=lambda rows: len(rows[0]) >= stop.maximum or not stop.more(len(rows[0]), *self._judge(rows, stop)),
                store=None if folder is None else folder.store(),
            )  # fmt: skip
        except runner.Interrupted as stopped:
            result = self._result(stopped.rows, complete=False)
            folder = folder or Folder.opened(self.place(), self.identity(), self.asked, resume=False)
            folder.keep(stopped.rows, rounds(stop))
            result.save(folder.path)
            raise Interrupted(result, folder.path) from None
        result = self._result(rows)
        if folder is not None:
            folder.finish(result)
        return result

    def identity(self) -> dict[str, Any]:
        """What a folder's chunks belong to. Not part of any result."""
        import sim

        scenario = self.scenario
        wanted = scenario.replications
        return {
            "digest": scenario.digest, "seed": scenario.seed, "version": sim.__version__,
            "policies": [policy.name for policy in scenario.policies],
            "replications": [wanted.minimum, wanted.batch, wanted.maximum, wanted.half_width],
        }  # fmt: skip

    def place(self) -> Path:
        """Where an interrupted run without a folder is kept."""
        return Path("out") / f"{self.scenario.name or 'run'}-{self.scenario.digest[:8]}-{self.scenario.seed}"

    def _stop(self) -> Stop:
        from sim.results.stopping import Stop

        wanted = self.scenario.replications
        return Stop(wanted.minimum, wanted.batch, wanted.maximum, wanted.half_width)

    def _judge(self, rows: Sequence[Rows], stop: Stop) -> tuple[list[Interval], list[Decision]]:
        """What a look finds: the intervals whose width was asked for, and the decisions of the budgets."""
        from sim.results.budgets import judge
        from sim.results.multiplicity import cell_level
        from sim.results.stopping import Budget

        result = self._result(rows)
        decisions = [verdict.decision for verdict in judged(self.scenario, result)]
        if stop.half_width is None:
            return [], decisions
        level = cell_level(len(result.cells))
        # Rates have a common unit: how often a bad release escapes, and a good one is lost.
        rates = {True: Budget("escape_rate", 0.0), False: Budget("false_rollback_rate", 0.0)}
        intervals = [judge(cell, rates[cell.bad], level).interval for cell in result.cells]
        return intervals, decisions

    def _result(self, rows: Sequence[Rows], *, complete: bool = True) -> Result:
        from sim.results.result import Result

        scenario = self.scenario
        return Result(
            scenario=scenario.name, digest=scenario.digest, seed=scenario.seed, service=naming.service(scenario), rung=RUNG,
            people=naming.people(scenario), command=self.command, cells=tuple(self._cells(rows)), question=scenario.question,
            complete=complete,
        )  # fmt: skip

    def _cells(self, rows: Sequence[Rows]) -> Iterator[Cell]:
        from sim.results.result import Cell

        for (policy, name, _), mine in zip(self.scenario.cases(), rows, strict=True):
            if len(mine):
                release = self.scenario.release(name)
                yield Cell(policy, name, release.truth.bad, onset(release), mine)


def _portable() -> None:
    """Let classes of `./file.py:Class` travel to worker processes, which cannot import them: by value, not by name."""
    for name in (
        "cloudpickle",
        "joblib.externals.cloudpickle",
    ):  # joblib 1.6 uses the first, older ones bring the second
        try:
            pickler = importlib.import_module(name)
        except ImportError:
            continue
        for module in [module for known, module in sorted(sys.modules.items()) if known.startswith("seatrial_")]:
            pickler.register_pickle_by_value(module)


def rounds(stop: Stop) -> Iterator[int]:
    """The looks, as totals of replications."""
    done = 0
    while done < stop.maximum:
        done = stop.next(done)
        yield done


def judged(scenario: Scenario, result: Result, level: float = 0.95) -> tuple[Verdict, ...]:
    """What the result says of the scenario's budgets, in the order of the file; all of them hold together at `level`."""
    from sim.results.budgets import judge
    from sim.results.measures import named
    from sim.results.multiplicity import cell_level
    from sim.results.stopping import Budget

    asked = [
        (cell, Budget(budget.measure, budget.limit, budget.sense, budget.band))
        for budget in scenario.budgets
        for cell in result.cells
        if (not budget.policies or cell.policy in budget.policies)
        and (not budget.releases or cell.release in budget.releases)
        and named(budget.measure)[0].fits(cell.bad)
    ]
    return tuple(judge(cell, budget, cell_level(len(asked), level)) for cell, budget in asked)


def expected(scenario: Scenario, result: Result) -> tuple[Answered, ...]:
    """The answers that the scenario's file expects, beside those of the result."""
    from sim.results.blocks import unit_of
    from sim.results.expectations import Place, answered
    from sim.results.measures import evaluate

    def place(cell: Cell) -> Place:
        return Place(cell.policy, cell.release, lambda measure: evaluate(cell, measure).estimate, unit_of)

    return answered([place(cell) for cell in result.cells], scenario.expectations)


def onset(release: Release) -> float:
    """Seconds from the first exposed request until the release's own fault bites; 0 for one that is born with it."""
    from sim.faults.effects import VersionEffect

    return min(
        (e.after for e in release.effects if isinstance(e, VersionEffect) and e.version != "stable"), default=0.0
    )
