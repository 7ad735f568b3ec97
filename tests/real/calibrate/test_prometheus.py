"""A Prometheus that kept a known service: its numbers are found again; what it has not is told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from math import log
from pathlib import Path
from statistics import NormalDist
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from real.calibrate.asked import Span, evidence
from real.calibrate.model import calibrated
from real.calibrate.queries import Queries, of_dialect, own
from real.measure.prometheus import Unanswered
from sim.policy.errors import WorldError
from sim.promql.parse import parse
from sim.promql.profiles import PROFILES
from sim.scenario import load_service
from sim.service.telemetry.dialects import DIALECTS
from tests.cli.conftest import Said, seatrial  # noqa: F401

RATE, ERRORS, MEDIAN, SIGMA = 120.0, 0.004, 0.09, 0.6
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
SPAN = Span(1_700_000_000.0, 1_700_003_600.0, 60.0)


class Kept:
    """Answers like Prometheus, from counts drawn minute by minute. `ill`: minutes in which a tenth fails."""

    def __init__(self, ill: range = range(0), series: int = 1) -> None:
        self.ill, self.series = ill, series
        draw = np.random.Generator(np.random.PCG64(11))
        self.counts = draw.poisson(RATE * 60, 10_000)
        self.bad = [draw.binomial(n, 0.1 if at in ill else ERRORS) for at, n in enumerate(self.counts)]
        self.asked: list[str] = []

    def __call__(self, endpoint: str, parameters: Mapping[str, str]) -> Any:
        text = parameters["query"]
        self.asked.append(text)
        if endpoint == "query":
            samples = [[1000.0 + 30 * n + 0.002 * (n % 2), "1"] for n in range(20)]
            return {
                "status": "success",
                "data": {"resultType": "matrix", "result": [{"metric": {}, "values": samples}]},
            }
        start, step = float(parameters["start"]), float(parameters["step"])
        moments = [start + step * n for n in range(round((float(parameters["end"]) - start) / step) + 1)]
        result = [
            {"metric": metric, "values": [[at, str(value(n))] for n, at in enumerate(moments)]}
            for metric, value in self.rows(text)
        ]
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}  # fmt: skip

    def rows(self, text: str) -> Iterator[tuple[dict[str, str], Callable[[int], float]]]:
        if "nothing" in text:
            return
        if "_bucket" in text:
            for bound in (*BOUNDS, float("inf")):
                share = 1.0 if bound == float("inf") else NormalDist(log(MEDIAN), SIGMA).cdf(log(bound))
                yield (
                    {"le": "+Inf" if bound == float("inf") else str(bound)},
                    lambda n, s=share: s * self.counts[n] / 60,
                )
        elif "starts" in text:
            yield from (({"pod": str(n)}, lambda _, n=n: 3.0 + n) for n in range(5))
        else:
            counts = self.bad if "5.." in text or "errors" in text else self.counts
            yield from (({"n": str(n)} if n else {}, lambda at: counts[at] / 60) for n in range(self.series))


def test_the_model_is_found_again() -> None:
    queries = of_dialect("app", {"app": "web"})
    found = calibrated(evidence(Kept(), Queries({**queries.texts, "starts": "starts"}), SPAN, "kept"))
    numbers = {name: one for line in found.lines for name, one in line.numbers}
    assert RATE in numbers["requests per second"]
    assert ERRORS in numbers["error rate"]
    assert numbers["latency median"].estimate == pytest.approx(MEDIAN, rel=0.01)
    assert numbers["pods start median"].n == 5
    assert {line.path: line.value for line in found.lines}["monitoring", "scrape"] == "30s"
    assert numbers["requests per second"].n == found.requests == pytest.approx(RATE * 3600, rel=0.01)


@pytest.mark.parametrize("name", DIALECTS)
def test_queries_of_every_dialect_are_promql(name: str) -> None:
    try:
        queries = of_dialect(name, {"namespace": "shop"})
    except WorldError as error:
        assert "does not tell failed requests" in str(error)
        return
    profile = next(iter(PROFILES.values()))
    for one in queries.texts:
        parse(queries.text(one, 60.0), profile, 60_000)
    assert queries.text("errors", 60.0) != queries.text("requests", 60.0)
    assert 'namespace="shop"' in queries.text("requests", 60.0)


def test_bounds_of_a_dialect_in_milliseconds_are_seconds() -> None:
    assert of_dialect("istio", {}).unit == 1000.0
    assert 'reporter="destination"' in of_dialect("istio", {}).text("requests", 30.0)
    seen = evidence(Kept(), Queries(of_dialect("app", {}).texts, 1000.0), SPAN, "kept")
    assert seen.bounds == pytest.approx([bound / 1000 for bound in BOUNDS])


@pytest.mark.parametrize(
    ("kept", "texts", "says"),
    [
        (Kept(), {"requests": "nothing"}, "no series of requests"),
        (Kept(series=2), {"requests": "x"}, "gives 2 series; one is needed"),
        (Kept(ill=range(20, 24)), {"requests": "x", "errors": "errors"}, "choose a stretch without trouble"),
    ],
)  # fmt: skip
def test_what_it_has_not_is_told(kept: Kept, texts: dict[str, str], says: str) -> None:
    with pytest.raises(WorldError, match=says):
        calibrated(evidence(kept, Queries(texts), SPAN, "kept"))


def test_errors_of_prometheus_are_told() -> None:
    with pytest.raises(Unanswered, match="parse error"):
        evidence(
            lambda *_: {"status": "error", "errorType": "bad_data", "error": "parse error"},
            Queries({"requests": "x"}),
            SPAN,
            "kept",
        )
    with pytest.raises(WorldError, match="longer --step"):
        Span(0.0, 1e6, 1.0)
    with pytest.raises(WorldError, match="longer --since"):
        Span(0.0, 30.0, 30.0)
    with pytest.raises(WorldError, match="NAME=PROMQL"):
        own(["requests"])


@pytest.fixture
def served() -> Iterator[str]:
    kept = Kept()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            body = json.dumps(kept(place.path.removeprefix("/api/v1/"), dict(parse_qsl(place.query)))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_service_file_comes_out(served: str, tmp_path: Path, seatrial: Callable[..., Said]) -> None:  # noqa: F811
    (tmp_path / "base.yaml").write_text("seatrial: service\nlatency: {limit: 1s}\nusers: 77\n")
    said = seatrial(
        "real", "calibrate", "--prometheus", served, "--label", "app=web", "--since", "30m", "--base", "base.yaml", "--name", "shop",
        "--out", "service.yaml",
    )  # fmt: skip
    assert said.code == 0, said.err
    service = load_service(tmp_path / "service.yaml")
    assert service.latency is not None
    assert (service.name, service.users, service.latency.limit) == ("shop", 77, 1.0)
    assert service.latency.median == pytest.approx(MEDIAN, rel=0.01)
    assert service.monitoring.scrape == 30.0
    assert "http://" not in (tmp_path / "service.yaml").read_text()
