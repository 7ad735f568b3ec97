"""Evidence -> the lines of a service file: each number with its interval, its count and how it was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from real.calibrate import latency, rates, timing
from real.calibrate.delays import delay
from real.calibrate.evidence import Evidence, unfit
from real.routers.haproxy import RETRIES
from sim.policy.errors import WorldError
from sim.results.interval import Interval, format_interval

__all__ = ["Calibrated", "Line", "calibrated"]

_RARE = 0.001  # requests further off than this from what our generator was told: it could not keep up
_RETRIES = {"haproxy": RETRIES, "nginx": 0, "service": 0}  # of a request that a pod did not take, by routers of ours
_ONCE = "the factor of a gamma posterior, drawn once per rollout"
_POOR = 0.05  # a bucket whose fitted share is further off than this is told


@dataclass(frozen=True, slots=True)
class Line:
    """One number of a service: its place in the file, its value as written there, and the small print. `numbers`: for `--json`."""

    path: tuple[str, ...]
    value: str
    why: str
    numbers: tuple[tuple[str, Interval], ...] = ()


@dataclass(frozen=True, slots=True)
class Calibrated:
    """All lines, and what could not be told."""

    about: str
    requests: int
    seconds: float
    lines: tuple[Line, ...]
    missing: tuple[str, ...]


def calibrated(seen: Evidence, against: tuple[str, ...] = ()) -> Calibrated:
    """Fit everything that the evidence tells. Raises WorldError with every reason why it must not be done."""
    if reasons := (*against, *unfit(seen)):
        raise WorldError(f"{seen.about} tells no service model:\n" + "\n".join(reasons))
    lines: list[Line] = []
    missing: list[str] = []
    for kind in (_traffic, _errors, _latency, _pods, _propagation, _monitoring):
        for one in kind(seen):
            (missing if isinstance(one, str) else lines).append(one)  # type: ignore[arg-type]
    return Calibrated(seen.about, seen.requests, seen.seconds, tuple(lines), tuple(missing))


def _traffic(seen: Evidence) -> Iterator[Line | str]:
    found, spread = rates.rate(seen.pieces), rates.spread(seen.pieces)
    if seen.told is not None and seen.told / seen.seconds in rates.rate(seen.pieces, 1 - _RARE):
        yield f"traffic: it is what our generator was told; {seen.requests:,} requests came, of {seen.told:,.0f}"
        return
    why = f"{_shown(found, '/s')} requests in {seen.seconds:.0f} s; {found.method}"
    yield Line(("traffic",), f"{_plain(found.estimate)}/s", why, (("requests per second", found),))
    counts = f"dispersion {spread.index:.3g} over {spread.pieces} counts"
    if spread.kind == "fixed":
        yield Line(("arrivals",), "fixed", f"{counts}: more even than a Poisson process (p {spread.less:.2g})")
    elif spread.kind == "gamma":
        every = seen.pieces[0].end - seen.pieces[0].start
        value = f"{{gamma: {{k: {min(1e6, max(0.01, spread.k)):.4g}, every: {_duration(every)}}}}}"
        yield Line(("noise",), value, f"{counts}: wider than a Poisson process (p {spread.more:.2g})")
    else:
        yield Line(("noise",), _once(min(1e6, seen.requests + 0.5)), f"the doubt about it; {_ONCE}")


def _errors(seen: Evidence) -> Iterator[Line | str]:
    found = rates.failures(seen.bad, seen.requests)
    why = f"{format_interval(found, percent=True)}: {seen.bad:,} failed; {found.method}"
    yield Line(("errors",), f"{_plain(100 * found.estimate)}%", why, (("error rate", found),))
    yield Line(("error_noise",), _once(min(1e6, seen.bad + 0.5)), f"the doubt about it; {_ONCE}")


def _latency(seen: Evidence) -> Iterator[Line | str]:
    found = latency.fitted(seen.bounds, seen.latency) if seen.bounds else None
    if found is None:
        yield "latency: fewer than three buckets hold answers; a finer histogram is needed"
        return
    poor = (
        f"; a lognormal describes it poorly: the share of a bucket is {found.off:.0%} off" if found.off > _POOR else ""
    )
    median = f"{_shown(found.median, ' s')}; {found.median.method}{poor}"
    yield Line(("latency", "median"), _duration(found.median.estimate), median, (("latency median", found.median),))
    p99 = f"{_shown(found.p99, ' s')}; sigma {_shown(found.sigma, '')}"
    yield Line(("latency", "p99"), _duration(found.p99.estimate), p99, (("latency p99", found.p99),))


def _pods(seen: Evidence) -> Iterator[Line | str]:
    if seen.replicas:
        yield Line(("pods", "count"), str(seen.replicas), "pods of the stable version when the run began")
    yield from _delay(("pods", "start"), seen.starts, "pods", "no pod was seen to start")


def _propagation(seen: Evidence) -> Iterator[Line | str]:
    yield from _delay(
        ("propagation",), timing.propagation(seen.changes), "changes", "no change of traffic was seen to arrive"
    )
    if seen.changes:
        yield Line(("serial",), "true", "our driver waits for a change of traffic before it does anything else")
    if seen.router in _RETRIES:
        yield Line(("retries",), str(_RETRIES[seen.router]), f"of {seen.router}, as we configure it")


def _delay(path: tuple[str, ...], seconds: Sequence[float], of: str, without: str) -> Iterator[Line | str]:
    found = delay(seconds)
    if found is None:
        yield f"{'.'.join(path)}: {without}"
        return
    value = f"{{lognormal: {{median: {_duration(found.median.estimate)}, p99: {_duration(found.p99)}}}}}"
    why = f"median {_shown(found.median, ' s')} {of}; p99 is the prediction bound of one more"
    yield Line(path, value, why, ((f"{' '.join(path)} median", found.median),))


def _monitoring(seen: Evidence) -> Iterator[Line | str]:
    if seen.looks:
        yield from _delay(("monitoring", "query"), timing.queries(seen.looks), "looks", "")
    interval = timing.scrape(seen.scrapes) or timing.spacing(seen.interval)
    if interval is None:
        yield "monitoring.scrape: too few scrapes were seen to tell their interval"
        return
    count = sum(len(set(moments)) for moments in seen.scrapes) or len(seen.interval)
    yield Line(("monitoring", "scrape"), _duration(interval), f"n={count} moments of scrapes")
    anywhere = f"{{uniform: {{low: 0s, high: {_duration(interval)}}}}}"
    yield Line(("monitoring", "phase"), anywhere, "another run begins elsewhere in the interval")
    late = timing.lag(seen.looks, interval)
    if late is not None:
        why = f"{_shown(late, ' s')} looks; {late.method}"
        yield Line(("monitoring", "lag"), _duration(late.estimate), why, (("lag", late),))


def _once(k: float) -> str:
    """A factor with mean 1 for all of a rollout. Given n events in a time, the posterior of their rate is gamma with shape n + 1/2
    (Jeffreys' prior); of a small probability its beta posterior is that."""
    return f"{{gamma: {{k: {_plain(k)}, every: 24h}}}}"


def _shown(found: Interval, unit: str) -> str:
    return format_interval(found, unit=unit)


def _plain(number: float) -> str:
    """Five digits, never an exponent."""
    return (
        f"{number:.5f}".rstrip("0").rstrip(".")
        if number < 10
        else f"{number:.5g}"
        if number < 99_999
        else f"{number:.0f}"
    )


def _duration(seconds: float) -> str:
    return f"{_plain(1000 * seconds)}ms" if seconds < 1 else f"{_plain(seconds)}s"
