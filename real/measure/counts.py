"""Counts of both versions over the last seconds, from raw samples: no extrapolation, so that they are whole and exact.

As in the simulated monitoring: what lies between the first and the last scrape in the range is counted, per pod, with counter resets; a
pod that was scraped once shows nothing yet. Answers with a code of 500 or more are bad.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from real.measure.prometheus import Ask, result
from real.ports.ports import Look
from sim.policy.commands import Counts
from sim.policy.errors import WorldError
from sim.policy.events import Absent, Answer, Value
from sim.policy.judges.base import Arm, Window

__all__ = ["Names", "rise", "window"]

Samples = Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Names:
    """What the service's metrics are called. `where`: labels that choose this service; `revision` tells versions apart."""

    where: Mapping[str, str]
    requests: str = "http_requests_total"
    seconds: str = "http_request_duration_seconds"
    code: str = "code"
    revision: str = "revision"

    def selector(self, name: str) -> str:
        chosen = ",".join(f'{label}="{value}"' for label, value in sorted(self.where.items()))
        return f"{name}{{{chosen}}}"


@dataclass(slots=True)
class _Seen:
    requests: int = 0
    bad: int = 0
    below: dict[float, int] = field(
        default_factory=lambda: defaultdict(int)
    )  # upper bound -> good answers at or below it
    points: dict[str, tuple[float, ...]] = field(default_factory=dict)


def rise(samples: Samples) -> int:
    """How much a counter rose between its first and last sample; a fall is a reset, after which it counts from 0.

    >>> rise([(0, "5"), (1, "9"), (2, "2")])
    6
    """
    values = [float(value) for _, value in samples]
    return round(sum(now - before if now >= before else now for before, now in pairwise(values)))


def window(ask: Ask, names: Names, query: Counts, look: Look, stable: int, revision: int) -> Answer:
    """The `Window` that a judge sees at `look.at`, or why there is none. Raises PortError where Prometheus does not answer."""
    when = f"{look.started + look.at:.3f}"
    span = f"[{math.ceil(query.window * 1000)}ms]"
    series = result(ask("query", {"query": names.selector(names.requests) + span, "time": when}))[1]
    times = [float(at) for one in series for at, _ in one["values"]]
    if not times or max(times) == min(times):
        return Absent(f"fewer than two scrapes in the last {query.window:g} s")
    seen: defaultdict[str, _Seen] = defaultdict(_Seen)
    _count(seen, names, series)
    buckets = result(ask("query", {"query": names.selector(names.seconds + "_bucket") + span, "time": when}))[1]
    _latency(seen, names, buckets)
    bounds = tuple(sorted({bound for one in seen.values() for bound in one.below if bound != math.inf}))
    if query.points:
        _points(seen, names, query.points, series)
    start, end = max(0.0, min(times) - look.started), max(0.0, max(times) - look.started)
    return Value(
        Window(start, end, look.share(start, end), _arm(seen, revision, bounds), _arm(seen, stable, bounds), bounds)
    )


def _count(seen: Mapping[str, _Seen], names: Names, series: Iterable[Any]) -> None:
    for one in series:
        arm, count = seen[one["metric"].get(names.revision, "")], rise(one["values"])
        arm.requests += count
        arm.bad += count if _bad(one["metric"], names) else 0


def _latency(seen: Mapping[str, _Seen], names: Names, series: Iterable[Any]) -> None:
    for one in series:
        if not _bad(one["metric"], names):
            below = seen[one["metric"].get(names.revision, "")].below
            below[float(one["metric"]["le"])] += rise(one["values"])


def _points(seen: Mapping[str, _Seen], names: Names, wanted: Sequence[str], series: Sequence[Any]) -> None:
    """One sample per scrape for judges that read series; not a number where nothing was requested."""
    for label, arm in seen.items():
        own = [one for one in series if one["metric"].get(names.revision, "") == label]
        steps = max((len(one["values"]) for one in own), default=1) - 1
        total, bad = [0.0] * steps, [0.0] * steps
        for one in own:
            for place in range(1, len(one["values"])):
                grown = float(rise(one["values"][place - 1 : place + 1]))
                total[place - 1] += grown
                bad[place - 1] += grown if _bad(one["metric"], names) else 0.0
        for name in wanted:
            arm.points[name] = _series(name, total, bad)


def _series(name: str, total: Sequence[float], bad: Sequence[float]) -> tuple[float, ...]:
    match name:
        case "requests":
            return tuple(total)
        case "errors":
            return tuple(bad)
        case "error-rate":
            return tuple(b / t if t else math.nan for b, t in zip(bad, total, strict=True))
    raise WorldError(f"no series {name!r} is measured; write requests, errors or error-rate")


def _bad(labels: Mapping[str, str], names: Names) -> bool:
    code = labels.get(names.code, "")
    return code.isdigit() and int(code) >= 500


def _arm(seen: Mapping[str, _Seen], revision: int, bounds: tuple[float, ...]) -> Arm:
    found = seen.get(str(revision)) or _Seen()
    cumulative = [0, *(found.below.get(bound, 0) for bound in bounds), found.below.get(math.inf, 0)]
    latency = tuple(max(0, high - low) for low, high in pairwise(cumulative))
    return Arm(found.requests, min(found.bad, found.requests), latency, tuple(found.points.items()))
