"""Counts from raw samples, and the shapes of Prometheus's answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest

from real.measure.counts import Names, rise, window
from real.measure.monitor import Prometheus
from real.measure.prometheus import answer, result
from real.ports.errors import Unavailable
from sim.policy.commands import Counts, Measure, Text
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.judges.base import Window

STARTED = 1_800_000_000.0


class Look:
    at, started = 60.0, STARTED

    def share(self, begin: float, end: float) -> float:
        return 0.2


def series(samples: Mapping[float, int], **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": [[STARTED + at, str(value)] for at, value in samples.items()]}


def prometheus(requests: list[dict[str, Any]], buckets: list[dict[str, Any]]) -> Any:
    def ask(endpoint: str, parameters: Mapping[str, str]) -> Any:
        assert endpoint == "query"
        assert parameters["time"] == f"{STARTED + 60:.3f}"
        found = buckets if "_bucket" in parameters["query"] else requests
        assert '{app="web",namespace="mine"}[30000ms]' in parameters["query"]
        return {"status": "success", "data": {"resultType": "matrix", "result": found}}

    return ask


NAMES = Names({"namespace": "mine", "app": "web"})


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 0), ([5], 0), ([5, 9], 4), ([5, 9, 2], 6), ([5, 0, 0, 7], 7), ([3, 3, 3], 0)],
)  # fmt: skip
def test_a_counter_rises_by_what_lies_between_and_a_fall_is_a_reset(values: list[int], expected: int) -> None:
    assert rise([(float(at), str(value)) for at, value in enumerate(values)]) == expected


def test_a_window_has_both_versions_over_all_their_pods() -> None:
    ask = prometheus(
        [
            series({40: 100, 50: 150, 58: 200}, revision="1", pod="a", code="200"),
            series({40: 10, 58: 60}, revision="1", pod="b", code="200"),
            series({45: 0, 58: 30}, revision="2", pod="c", code="200"),
            series({45: 0, 58: 6}, revision="2", pod="c", code="503"),
            series({58: 9}, revision="2", pod="d", code="200"),  # scraped once: nothing is known yet
        ],
        [
            series({45: 0, 58: 20}, revision="2", pod="c", code="200", le="0.1"),
            series({45: 0, 58: 30}, revision="2", pod="c", code="200", le="+Inf"),
            series({45: 0, 58: 6}, revision="2", pod="c", code="503", le="0.1"),
        ],
    )
    found = window(ask, NAMES, Counts(30.0, ("error-rate",)), Look(), 1, 2)
    assert isinstance(found, Value)
    assert isinstance(found.value, Window)
    seen = found.value
    assert (seen.start, seen.end, seen.weight, seen.bounds) == (40.0, 58.0, 0.2, (0.1,))
    assert (seen.canary.requests, seen.canary.bad, seen.canary.latency) == (36, 6, (20, 10))
    assert seen.baseline is not None
    assert (seen.baseline.requests, seen.baseline.bad) == (150, 0)
    assert seen.canary.points[0][0] == "error-rate"
    assert seen.canary.points[0][1] == pytest.approx((6 / 36,))


def test_without_two_scrapes_there_is_nothing() -> None:
    assert isinstance(window(prometheus([], []), NAMES, Counts(30.0), Look(), 1, 2), Absent)
    once = prometheus([series({58: 9}, revision="2", code="200")], [])
    assert window(once, NAMES, Counts(30.0), Look(), 1, 2) == Absent("fewer than two scrapes in the last 30 s")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"resultType": "scalar", "result": [1, "0.5"]}, Value(0.5)),
        ({"resultType": "scalar", "result": [1, "NaN"]}, NotANumber()),
        ({"resultType": "vector", "result": []}, Absent("the query found no series")),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "0.99"]}]}, Value([0.99])),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "NaN"]}]}, NotANumber()),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "+Inf"]}]}, Value([math.inf])),
        ({"resultType": "matrix", "result": []}, Failed("the query's result is a matrix; a scalar or a vector is needed")),
    ],
)  # fmt: skip
def test_four_kinds_of_answer(data: dict[str, Any], expected: Answer) -> None:
    assert answer(lambda endpoint, parameters: {"status": "success", "data": data}, "q", STARTED) == expected


@pytest.mark.parametrize(
    "document", [None, [], {"status": "error", "errorType": "bad_data", "error": "parse error"}, {"status": "success"}]
)
def test_whatever_breaks_is_failed_and_never_raises(document: Any) -> None:
    monitor = Prometheus(lambda endpoint, parameters: document, NAMES, 1, 2)
    for query in (Counts(30.0), Text("prometheus", "up")):
        assert isinstance(monitor.answer(Measure(1, "step", "m", query), Look()), Failed)


def test_a_prometheus_that_is_not_there_is_failed_with_the_reason() -> None:
    def gone(endpoint: str, parameters: Mapping[str, str]) -> Any:
        raise Unavailable("no endpoints")

    assert Prometheus(gone, NAMES, 1, 2).answer(Measure(1, "step", "m", Text("prometheus", "up")), Look()) == Failed(
        "no endpoints"
    )
    assert "no provider wavefront" in str(
        Prometheus(gone, NAMES, 1, 2).answer(Measure(1, "s", "m", Text("wavefront", "x")), Look())
    )


def test_an_error_of_prometheus_keeps_its_words() -> None:
    with pytest.raises(Exception, match="bad_data: parse error"):
        result(json.loads('{"status": "error", "errorType": "bad_data", "error": "parse error"}'))
