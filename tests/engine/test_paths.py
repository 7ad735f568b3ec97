"""Grouping replications by path changes no row: one by one, in chunks, by panel, by flock, they are byte-identical."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from sim.engine.paths import Case, _alone, _Group, draws_for, follow
from sim.engine.rows import Rows, empty
from sim.faults.effects import DriverEffect, Effect, LoadEffect, PodEffect, TelemetryEffect, VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import Counts, Finish, SetWeight
from sim.policy.events import Absent
from sim.policy.judges.base import Judge, Truth
from sim.policy.judges.controls import Random
from sim.policy.judges.eprocess import EProcessCounts
from sim.policy.judges.sprt import Sprt
from sim.policy.judges.threshold import Threshold
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.runbook import Look, Runbook, Steps
from sim.policy.steps import Analyse, Pause
from sim.service.model import Service
from sim.service.noise import Drift, Gamma, Iid, Outbreaks

WORSE = VersionEffect("canary", 0.0, inf, error_add=0.004)


def look(judge: Judge, **more: object) -> Analysis:
    return Analysis((Metric("errors", Counts(60.0), Judged(judge), interval=60.0, initial_delay=60.0, **more),))  # type: ignore[arg-type]


def stepwise(judge: Judge, **more: object) -> Canary:
    analysis = look(judge, count=3, **more)
    return Canary(steps=tuple(step for weight in (5, 20, 100) for step in (SetWeight(weight), Analyse(analysis))))


def watched(judge: Judge) -> Canary:
    steps = (SetWeight(10), Pause(180.0), SetWeight(40), Pause(180.0), SetWeight(100))
    return Canary(steps=steps, background=look(judge), starting_step=1)


class Cautious:
    """A runbook whose looks depend on what it has seen."""

    def steps(self) -> Steps:
        for weight in (5, 25, 100):
            yield SetWeight(weight)
            seen = yield Look(60.0)
            if isinstance(seen, Absent):
                return Finish("aborted", "no data")
            if seen.canary.bad > 2:  # type: ignore[attr-defined]
                seen = yield Look(120.0)
                if seen.canary.bad > 6:  # type: ignore[attr-defined]
                    return Finish("aborted", "too many bad requests")
        return None


POLICIES: dict[str, Policy] = {
    "threshold": stepwise(Threshold(0.01)),
    "threshold, two failures": stepwise(Threshold(0.008), failure_limit=1),
    "latency": stepwise(Threshold(max_error_rate=None, max_latency=0.5, quantile=0.99)),
    "ratio": stepwise(Threshold(max_error_rate=0.05, max_ratio=4.0, on_nodata="wait")),
    "e-process": watched(EProcessCounts(on_nodata="wait", at_end="pass")),
    "e-process with margin": watched(EProcessCounts(on_nodata="wait", margin=3.0)),
    "sprt": watched(Sprt(p0=0.001, on_nodata="wait")),
    "random": stepwise(Random(0.05)),
    "rolling": Rolling(),
    "blue-green": BlueGreen(post=look(Threshold(0.01), count=2)),
    "runbook": Runbook(Cautious()),
}
CONDITIONS: dict[str, tuple[Effect, ...]] = {
    "good": (),
    "worse": (WORSE,),
    "blind": (WORSE, TelemetryEffect("gap", 100.0, 220.0)),
    "rough": (
        VersionEffect("canary", 0.0, inf, growth=1e-5, cap=0.1, after=30.0),
        PodEffect("kill", "canary", 150.0, 150.0, count=1),
        LoadEffect(100.0, 200.0, factor=3.0),
        DriverEffect(170.0, 250.0),
    ),
}


def singly(case: Case, seed: int, count: int) -> Rows:
    """Every replication by itself, without forecast, without panel and flock."""
    rows = empty(count)
    rows["replication"] = np.arange(count)
    draws = draws_for(case.service, seed, 0, count)
    for row in range(count):
        groups = [_Group(np.array([row]), solo=True)]
        while groups:
            groups += _alone(case, draws, groups.pop(), rows)
    return rows


def cases() -> list[tuple[str, str]]:
    return [(policy, condition) for policy in POLICIES for condition in CONDITIONS]


@pytest.mark.parametrize(("policy", "condition"), cases())
def test_rows_do_not_depend_on_grouping(policy: str, condition: str) -> None:
    case = Case(POLICIES[policy], Service(), CONDITIONS[condition], Truth(condition != "good"))
    together = follow(case, 7, 0, 9)
    assert together.tobytes() == singly(case, 7, 9).tobytes()
    parts = [follow(case, 7, 0, 3), follow(case, 7, 3, 1), follow(case, 7, 4, 5)]
    assert together.tobytes() == np.concatenate(parts).tobytes()


def test_common_random_numbers() -> None:
    """Two policies meet the same users: the paired difference varies at least three times less than independent runs would."""
    policies = (stepwise(Threshold(0.0100)), stepwise(Threshold(0.0105)))
    first, second = (follow(Case(policy, Service(), (WORSE,)), 3, 0, 300)["harm"].astype(float) for policy in policies)
    assert np.var(first) > 0
    assert 3 * np.var(first - second) < np.var(first) + np.var(second)


def test_another_fault_shifts_nobody() -> None:
    """A fault after the end of the rollout leaves every row as it was."""
    case = Case(stepwise(Threshold(0.01)), Service(), (WORSE,))
    late = Case(stepwise(Threshold(0.01)), Service(), (WORSE, TelemetryEffect("gap", 50_000.0, 50_100.0)))
    assert follow(case, 5, 0, 20).tobytes() == follow(late, 5, 0, 20).tobytes()


@pytest.mark.parametrize("policy", ["threshold", "e-process", "runbook"])
def test_weather_is_the_same_for_every_grouping(policy: str) -> None:
    service = Service(noise=Drift(), error_noise=Outbreaks(every=600.0))
    case = Case(POLICIES[policy], service, (WORSE,))
    assert follow(case, 7, 0, 9).tobytes() == singly(case, 7, 9).tobytes()


def test_weather_disperses_the_counts() -> None:
    """Gamma noise with k = 5 per 5 minutes: the variance of a count exceeds its mean by far; Poisson's does not."""
    rows = {
        name: follow(Case(stepwise(Threshold(0.5)), Service(noise=noise)), 11, 0, 200)["requests"].astype(float)
        for name, noise in (("calm", Iid()), ("rough", Gamma(k=5.0)))
    }
    assert rows["calm"].var() < 2 * rows["calm"].mean() < 20 * rows["rough"].mean() < rows["rough"].var()
    assert abs(rows["rough"].mean() / rows["calm"].mean() - 1) < 0.1
