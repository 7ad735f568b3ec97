"""A scenario with a `pipeline:`: a long run of many commits, every deployment a real rollout of the policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim import naming
from sim.pipeline.rows import Rows
from sim.session import RUNG, Progress, Session

if TYPE_CHECKING:
    from sim.results.delivery import DeliveryCell, DeliveryResult
    from sim.results.expectations import Answered
    from sim.scenario import Scenario

__all__ = ["Interrupted", "deliver", "expected"]


class Interrupted(KeyboardInterrupt):
    """A person stopped the runs; `kept` is the folder from which they can be continued, `runs` how many it holds."""

    def __init__(self, runs: int, kept: Path) -> None:
        super().__init__("interrupted")
        self.runs, self.kept = runs, kept


@dataclass(frozen=True, slots=True)
class _Runs:
    """The finished runs of one policy, as files."""

    folder: Path
    policy: int

    def get(self, run: int) -> Rows | None:
        path = self._path(run)
        return Rows.restored(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def put(self, run: int, rows: Rows) -> None:
        self.folder.mkdir(exist_ok=True)
        part = self._path(run).with_suffix(".part")
        part.write_text(json.dumps(rows.document()), encoding="utf-8")
        part.replace(self._path(run))

    def _path(self, run: int) -> Path:
        return self.folder / f"{self.policy}-{run}.json"


def deliver(
    session: Session,
    jobs: int = 1,
    progress: Progress | None = None,
    out: Path | None = None,
    resume: bool = False,
) -> DeliveryResult:
    """What becomes of the commits under every policy; `replications` are runs of the whole pipeline.

    `out` is a folder for finished runs and the result; `resume` continues what is there. Raises `Interrupted`.
    """
    from sim.engine import delivery  # numpy, simpy

    scenario = session.scenario
    if scenario.pipeline is None:
        raise ValueError(f"scenario {scenario.name!r} has no pipeline; use sim.session.run")
    effects = tuple(effect for release in scenario.releases for effect in release.effects)
    folder = None if out is None else _opened(session, out, resume)
    try:
        runs = delivery.deliver(
            scenario.pipeline, {policy.name: policy.policy for policy in scenario.policies}, scenario.service,
            changes=scenario.changes, seed=scenario.seed, replications=scenario.replications.maximum, effects=effects,
            metrics={policy.name: scenario.metrics_of(policy) for policy in scenario.policies}, workers=jobs, progress=progress,
            stores=None if folder is None else _stores(session, folder),
        )  # fmt: skip
    except delivery.Interrupted as stopped:
        if folder is None:
            folder = _opened(session, session.place(), resume=False)
            for name, store in _stores(session, folder).items():
                for run, rows in enumerate(stopped.runs.get(name, ())):
                    store.put(run, rows)
        raise Interrupted(sum(map(len, stopped.runs.values())), folder) from None
    result = _result(session, runs)
    if folder is not None:
        result.save(folder)
    return result


def _opened(session: Session, out: Path, resume: bool) -> Path:
    from sim.folder import Folder  # numpy

    return Folder.opened(out, session.identity(), session.asked, resume).path


def _stores(session: Session, folder: Path) -> dict[str, _Runs]:
    return {policy.name: _Runs(folder / "runs", number) for number, policy in enumerate(session.scenario.policies)}


def _result(session: Session, runs: Mapping[str, tuple[Rows, ...]]) -> DeliveryResult:
    from sim.results.delivery import DeliveryCell, DeliveryResult

    scenario = session.scenario
    cells = tuple(DeliveryCell(name, rows) for name, rows in runs.items())
    return DeliveryResult(
        scenario.name, scenario.digest, scenario.seed, naming.service(scenario), RUNG, naming.people(scenario),
        session.command, cells, scenario.question,
    )  # fmt: skip


def expected(scenario: Scenario, result: DeliveryResult) -> tuple[Answered, ...]:
    """The answers that the scenario's file expects, beside those of the result."""
    from sim.results.delivery import MEASURES
    from sim.results.expectations import Place, answered

    def place(cell: DeliveryCell) -> Place:
        return Place(
            cell.policy, "", lambda measure: MEASURES[measure].of(cell).estimate, lambda name: MEASURES[name].unit
        )

    return answered([place(cell) for cell in result.cells], scenario.expectations)
