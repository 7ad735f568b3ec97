"""A user's Prometheus as evidence: range queries over a stretch of time that ended."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from real.calibrate.evidence import Evidence, Piece
from real.calibrate.queries import Queries
from real.measure.prometheus import Ask, result
from sim.policy.errors import WorldError

__all__ = ["Span", "evidence"]

_MOST = 11_000  # points that Prometheus gives for one series
_SAMPLES = 600.0  # seconds of raw samples in which scrapes are looked for


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, seconds since 1970, in steps."""

    start: float
    end: float
    step: float

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.end - self.start >= 2 * self.step):
            raise WorldError(
                f"{self.end - self.start:g} s in steps of {self.step:g} s are fewer than two; choose a longer --since"
            )
        if (self.end - self.start) / self.step > _MOST:
            raise WorldError(f"Prometheus gives at most {_MOST:,} points; choose a longer --step")

    @property
    def parameters(self) -> dict[str, str]:
        """Points are at the ends of steps."""
        return {"start": f"{self.start + self.step:.3f}", "end": f"{self.end:.3f}", "step": f"{self.step:g}"}


def evidence(ask: Ask, queries: Queries, span: Span, name: str) -> Evidence:
    """Raises PortError where Prometheus does not answer, WorldError where it has nothing."""
    rates = _single(ask, queries, "requests", span)
    if not rates:
        raise WorldError(
            f"no series of requests in that time: {queries.text('requests', span.step) or '(no query)'}; look at the labels "
            "(--label) or name the query: --query requests=PROMQL"
        )
    failed = _single(ask, queries, "errors", span)
    pieces = tuple(_piece(at - span.start, span.step, rate, failed.get(at, 0.0)) for at, rate in sorted(rates.items()))
    bounds, latency = _latency(ask, queries, span)
    starts = tuple(_starts(ask, queries, span))
    intervals = tuple(_intervals(ask, queries, span))
    seen = json.dumps([sorted(rates.items()), sorted(failed.items()), bounds, latency, starts])
    digest = hashlib.sha256(seen.encode()).hexdigest()[:16]
    about = f"{name}, {span.end - span.start:g} s in steps of {span.step:g} s (sha256 {digest})"
    return Evidence(about, pieces, bounds, latency, starts, interval=intervals)


def _piece(end: float, step: float, rate: float, failed: float) -> Piece:
    """Rates over the step before `end`, as counts."""
    requests = round(rate * step)
    return Piece(end - step, end, requests, min(requests, round(failed * step)))


def _range(ask: Ask, text: str, span: Span) -> list[Any]:
    kind, found = result(ask("query_range", {"query": text, **span.parameters}))
    if kind != "matrix":
        raise WorldError(f"the answer to {text} is a {kind}; a range query gives a matrix")
    return list(found)


def _single(ask: Ask, queries: Queries, name: str, span: Span) -> dict[float, float]:
    """Value by moment; NaN is left out. Several series are an error: their sum may count twice."""
    text = queries.text(name, span.step)
    if not text:
        return {}
    found = _range(ask, text, span)
    if len(found) > 1:
        raise WorldError(f"the query {name} gives {len(found)} series; one is needed: sum(...)")
    values = found[0]["values"] if found else ()
    return {float(at): float(value) for at, value in values if math.isfinite(float(value))}


def _latency(ask: Ask, queries: Queries, span: Span) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """(bounds in seconds, answers per bucket) over the whole span."""
    text = queries.text("latency", span.step)
    if not text:
        return (), ()
    below: dict[float, float] = {}
    for one in _range(ask, text, span):
        if "le" not in one["metric"]:
            raise WorldError(f"the query latency needs its label le: sum by (le) (rate(..._bucket[STEP])), got {text}")
        values = [float(value) for _, value in one["values"]]
        bound = float(one["metric"]["le"]) / queries.unit
        below[bound] = below.get(bound, 0.0) + math.fsum(v for v in values if math.isfinite(v)) * span.step
    if math.inf not in below or len(below) < 2:
        return (), ()
    bounds = sorted(below)
    counts = [round(below[bounds[0]])] + [max(0, round(below[b] - below[a])) for a, b in pairwise(bounds)]
    return tuple(bounds[:-1]), tuple(counts)


def _starts(ask: Ask, queries: Queries, span: Span) -> Iterator[float]:
    """One number per series: the last of it in the span."""
    text = queries.text("starts", span.step)
    for one in _range(ask, text, span) if text else ():
        value = float(one["values"][-1][1])
        if math.isfinite(value) and value > 0:
            yield value


def _intervals(ask: Ask, queries: Queries, span: Span) -> Iterator[float]:
    """Between neighbouring samples of one series, at the end of the span."""
    text = queries.text("samples", span.step)
    if not text:
        return
    parameters: Mapping[str, str] = {"query": f"{text}[{round(_SAMPLES)}s]", "time": f"{span.end:.3f}"}
    for one in result(ask("query", parameters))[1]:
        yield from (float(b) - float(a) for (a, _), (b, _) in pairwise(one["values"]))
