"""Real rows: a canary and a rolling update, followed by the engine, up to the table and the report."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from sim.engine.paths import Case, follow
from sim.faults.effects import VersionEffect
from sim.policy.analysis import Analysis, Judged, Metric
from sim.policy.canary import Canary
from sim.policy.commands import Counts
from sim.policy.judges.threshold import Threshold
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.steps import Analyse, SetWeight
from sim.results.measures import evaluate
from sim.results.report import html
from sim.results.result import Cell, Result, load
from sim.results.table import text
from sim.service.model import Service

COUNT = 60
BAD = (VersionEffect("canary", 0.0, inf, error_add=0.02),)


def looks(count: int) -> Analyse:
    metric = Metric("errors", Counts(60.0), Judged(Threshold(0.01)), interval=60.0, count=count, initial_delay=60.0)
    return Analyse(Analysis((metric,)))


@pytest.fixture(scope="module")
def result() -> Result:
    policies: dict[str, Policy] = {
        "canary": Canary(steps=(SetWeight(10), looks(2), SetWeight(50), looks(2))),
        "rolling": Rolling(),
    }
    cells = tuple(
        Cell(name, release, bool(effects), 0.0, follow(Case(policy, Service(), effects), 5, 0, COUNT))
        for name, policy in policies.items()
        for release, effects in (("good", ()), ("errors", BAD))
    )
    return Result("engine", "ab" * 32, 5, "default", "aggregated", "by alert", "seatrial run", cells)


def test_the_numbers_are_those_of_the_model(result: Result) -> None:
    """100 requests/s, 10 % of them on a version that breaks 2 % more, until an abort after about 60 s: 12 requests."""
    canary, rolling = result.cell("canary", "errors"), result.cell("rolling", "errors")
    assert evaluate(canary, "escape_rate").estimate == 0
    assert evaluate(rolling, "escape_rate").estimate == 1
    assert evaluate(canary, "harm.mean").estimate == pytest.approx(12, abs=3)
    assert evaluate(canary, "detection_delay.median").estimate == pytest.approx(60, abs=15)
    assert evaluate(rolling, "detection_delay.median").estimate == inf
    assert evaluate(rolling, "alert_rate").estimate == 1
    assert evaluate(rolling, "time_to_mitigate.median").estimate < inf


def test_it_can_be_shown_and_kept(result: Result, tmp_path: Path) -> None:
    assert "At a glance" in text(result)
    assert "<svg" in html(result)
    result.save(tmp_path)
    assert load(tmp_path).document() == result.document()
