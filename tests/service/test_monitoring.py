"""What monitoring shows: scrapes, lag, gaps, resets and bad answers, on counts that are known."""

from __future__ import annotations

import numpy as np
import pytest

from sim.engine.draws import Draws
from sim.engine.ledger import Ledger
from sim.faults.effects import TelemetryEffect
from sim.policy.events import Absent, Failed, NotANumber
from sim.service.mix import layout
from sim.service.model import Service
from sim.service.monitoring import Monitor, View

SHAPE = layout(Service(latency=None))
SCRAPE = 15.0


def ledger(phase: float = 0.0) -> Ledger:
    """Ten good old and one bad new request a second, as if they came like clockwork."""
    book = Ledger(Draws(1, 0, 1, SHAPE.width), np.array([0]), SCRAPE, phase)
    for scrape in range(1, 60):
        seconds = max(0.0, book.time(scrape))
        counts = np.zeros((1, SHAPE.width + 2), np.int64)
        counts[0, 0], counts[0, SHAPE.errors + 1] = round(10 * seconds), round(seconds)
        book.cumulative.append(counts)
    return book


def look(
    at: float, *effects: TelemetryEffect, span: float = 60.0, lag: float = 0.0, born: float = 0.0, phase: float = 0.0
) -> object:
    monitor = Monitor(ledger(phase), SHAPE, lag, effects)
    monitor.expose(born)
    return monitor.look(at, span, lambda start, end: 0.1)


def counted(view: object) -> tuple[float, float, int, int]:
    assert isinstance(view, View)
    return view.start, view.end, int(view.baseline.requests[0]), int(view.canary.bad[0])


CASES: dict[str, tuple[object, tuple[float, float, int, int]]] = {
    "aligned": (look(120.0), (60.0, 120.0, 600, 60)),
    "between scrapes": (look(127.0), (75.0, 120.0, 450, 45)),
    "with a phase": (look(127.0, phase=7.0), (67.0, 127.0, 600, 60)),
    "before the first window is full": (look(30.0), (0.0, 30.0, 300, 30)),
    "lag": (look(120.0, lag=15.0), (45.0, 105.0, 600, 60)),
    "more lag by a fault": (look(120.0, TelemetryEffect("lag", 100.0, 200.0, delay=30.0)), (30.0, 90.0, 600, 60)),
    "a gap in the middle hides nothing": (look(120.0, TelemetryEffect("gap", 80.0, 100.0)), (60.0, 120.0, 600, 60)),
    "a gap at the end": (look(120.0, TelemetryEffect("gap", 100.0, 130.0)), (60.0, 90.0, 300, 30)),
    "a gap at the start": (look(120.0, TelemetryEffect("gap", 50.0, 80.0)), (90.0, 120.0, 300, 30)),
    "a reset loses a window": (look(120.0, TelemetryEffect("reset", 80.0, 80.0)), (60.0, 120.0, 450, 45)),
    "the new series begins late": (look(120.0, born=80.0), (60.0, 120.0, 600, 30)),
}


@pytest.mark.parametrize("name", CASES)
def test_counts(name: str) -> None:
    view, expected = CASES[name]
    assert counted(view) == expected


def test_no_two_scrapes_are_absent() -> None:
    assert isinstance(look(120.0, TelemetryEffect("gap", 0.0, 200.0)), Absent)
    assert isinstance(look(10.0), Absent)
    assert isinstance(look(120.0, TelemetryEffect("nan", 100.0, 200.0, code="empty")), Absent)


def test_bad_answers_are_told_apart() -> None:
    assert look(120.0, TelemetryEffect("nan", 100.0, 200.0, code="nan")) == NotANumber()
    assert look(120.0, TelemetryEffect("error", 100.0, 200.0, code="503")) == Failed("the provider answered 503")
    assert isinstance(look(220.0, TelemetryEffect("error", 100.0, 200.0, code="503")), View)


def test_a_new_version_without_scrapes_has_no_requests() -> None:
    view = look(120.0, born=119.0)
    assert isinstance(view, View)
    assert int(view.canary.requests[0]) == 0 < int(view.baseline.requests[0])


def test_series_for_judges_that_read_them() -> None:
    monitor = Monitor(ledger(), SHAPE, 0.0, ())
    monitor.expose(0.0)
    view = monitor.look(120.0, 60.0, lambda start, end: 0.1, ("requests", "errors", "error-rate"))
    assert isinstance(view, View)
    arm = view.window(0).canary
    assert dict(arm.points) == {"requests": (15.0,) * 4, "errors": (15.0,) * 4, "error-rate": (1.0,) * 4}
    assert view.windows(np.array([0])) == [view.window(0)]
