"""A scenario with a `pipeline:`: a long run of many commits, every deployment a real rollout of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim import naming
from sim.session import RUNG, Progress, Session

if TYPE_CHECKING:
    from sim.results.delivery import DeliveryCell, DeliveryResult
    from sim.results.expectations import Answered
    from sim.scenario import Scenario

__all__ = ["deliver", "expected"]


def deliver(session: Session, jobs: int = 1, progress: Progress | None = None) -> DeliveryResult:
    """What becomes of the commits under every policy; `replications` are runs of the whole pipeline.

    An interruption raises KeyboardInterrupt: runs are short, and none is kept.
    """
    from sim.engine import delivery  # numpy, simpy
    from sim.results.delivery import DeliveryCell, DeliveryResult

    scenario = session.scenario
    if scenario.pipeline is None:
        raise ValueError(f"scenario {scenario.name!r} has no pipeline; use sim.session.run")
    effects = tuple(effect for release in scenario.releases for effect in release.effects)
    runs = delivery.deliver(
        scenario.pipeline, {policy.name: policy.policy for policy in scenario.policies}, scenario.service,
        changes=scenario.changes, seed=scenario.seed, replications=scenario.replications.maximum, effects=effects,
        metrics={policy.name: scenario.metrics_of(policy) for policy in scenario.policies}, workers=jobs, progress=progress,
    )  # fmt: skip
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
