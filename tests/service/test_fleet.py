"""The fleet: pods that count later than they are ready, an experiment's pods, pods that are renewed."""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.commands import Apply, SetExperiment, SetScale
from sim.policy.events import BatchesDone, ExperimentReady, PodsReady
from sim.service.fleet import Fleet


class Yard:
    """A fleet of 2 pods whose new pods take 3 s, and what it tells, by time."""

    def __init__(self) -> None:
        self.planned: list[float] = []
        self.fleet = Fleet(2, lambda revision, number: 3.0, self.planned.append)
        self.at = 0.0

    def until(self, at: float, act: Callable[[float], None] = lambda at: None) -> list[tuple[float, object]]:
        """Let time pass, then act."""
        told = []
        while self.planned and min(self.planned) <= at:
            self.at = max(self.at, min(self.planned))
            self.planned.remove(min(self.planned))
            seen = self.fleet.look(self.at)
            if seen is not None:
                told.append((self.at, seen))
        act(at)
        return told


def test_a_pod_takes_traffic_before_it_counts() -> None:
    yard = Yard()
    yard.until(0.0, lambda at: yard.fleet.resize(at, SetScale(2, 1, min_ready=4.0)))
    assert yard.until(9.0) == [(3.0, PodsReady(2, 0, settling=1)), (7.0, PodsReady(2, 1))]
    assert yard.fleet.available(3.0, 2) == 1 and PodsReady(2, 0, settling=1).ready == 3


def test_an_experiment_has_pods_beside_the_service() -> None:
    yard = Yard()
    yard.until(0.0, lambda at: yard.fleet.experiment(at, SetExperiment(1, 2)))
    assert yard.fleet.wanted() == (2, 0, 0) and yard.fleet.beyond == 3
    assert yard.until(5.0, lambda at: yard.fleet.experiment(at, SetExperiment(0, 0))) == [(3.0, ExperimentReady(1, 2))]
    assert yard.until(9.0) == [(5.0, ExperimentReady(0, 0))] and yard.fleet.available(5.0, 1) == 2


def test_pods_of_one_revision_are_renewed_in_batches() -> None:
    yard = Yard()
    yard.until(0.0, lambda at: yard.fleet.resize(at, SetScale(3, 0)))
    yard.until(5.0, lambda at: yard.fleet.apply(at, Apply(1, 1, 0, beside=1, renew=True)))
    assert yard.until(7.0) == [] and yard.fleet.wanted() == (4, 0, 0)
    assert yard.until(99.0) == [
        (8.0, PodsReady(4, 0)), (8.0, PodsReady(3, 0)), (11.0, PodsReady(4, 0)), (11.0, PodsReady(3, 0)),
        (11.0, BatchesDone(1, 2)),
    ]  # fmt: skip
    assert yard.fleet.available(99.0, 1) == 3 and sum(life.at(99.0) for life in yard.fleet.lives) == 3
