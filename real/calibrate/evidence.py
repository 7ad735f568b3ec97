"""What was seen of a service, whoever saw it: counts, latencies, starts of pods, weights that arrived, scrapes. Seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Any

from sim.policy.errors import WorldError
from sim.policy.special import binomial_at_least

__all__ = ["Change", "Evidence", "Look", "Piece", "pooled", "unfit"]

REQUESTS = 1000  # at least: the rate is then known within 6%, an error rate of 1% within 0.7 points (95%)
SECONDS = 20.0
_RARE = 0.001  # false alarms of one test of health


@dataclass(frozen=True, slots=True)
class Piece:
    """Requests that came in [start, end), and how many of them failed: an error, or no answer."""

    start: float
    end: float
    requests: int
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A change of traffic: when it was commanded, the share of the new version before and after it, when it was said to be so, and
    `(start, end, answers of the new version, answers)` around it. `way`: weight or switch, which do not arrive alike."""

    at: float
    before: float
    after: float
    said: float
    way: str = "weight"
    answers: tuple[tuple[float, float, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A measurement: when it was asked and answered, the newest scrape in it, and how long it was due before it was asked."""

    asked: float
    answered: float
    newest: float
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was seen. `latency` counts answers up to each of `bounds`, and above the last (one more number).

    `scrapes`: moments of each run. `versions`: (requests, bad) of the stable and the new version, where they were told apart. `told`: how
    many requests our own generator was told to send in the pieces (None: users came by themselves). `router`: which of ours it was.
    """

    about: str
    pieces: tuple[Piece, ...]
    bounds: tuple[float, ...] = ()
    latency: tuple[int, ...] = ()
    starts: tuple[float, ...] = ()
    replicas: int = 0
    changes: tuple[Change, ...] = ()
    scrapes: tuple[tuple[float, ...], ...] = ()
    interval: tuple[float, ...] = ()
    looks: tuple[Look, ...] = ()
    versions: tuple[tuple[int, int], ...] = ()
    told: float | None = None
    router: str = ""

    @property
    def requests(self) -> int:
        return sum(piece.requests for piece in self.pieces)

    @property
    def bad(self) -> int:
        return sum(piece.bad for piece in self.pieces)

    @property
    def seconds(self) -> float:
        return fsum(piece.end - piece.start for piece in self.pieces)


def pooled(runs: Sequence[Evidence]) -> Evidence:
    """What several runs showed of one service. Raises WorldError if they cannot be of one."""
    first = runs[0]
    for name in ("replicas", "router", "bounds"):
        if len({getattr(run, name) for run in runs}) > 1:
            raise WorldError(
                f"the runs are not of one service: {name} {', '.join(str(getattr(run, name)) for run in runs)}"
            )
    joined: dict[str, Any] = {
        name: tuple(one for run in runs for one in getattr(run, name))
        for name in ("pieces", "starts", "changes", "scrapes", "interval", "looks")
    }
    told = [run.told for run in runs if run.told is not None]
    return replace(
        first, about="; ".join(run.about for run in runs), **joined,
        latency=tuple(map(sum, zip(*(run.latency for run in runs), strict=True))),
        versions=tuple(
            (sum(sent for sent, _ in arms), sum(bad for _, bad in arms)) for arms in zip(*(run.versions for run in runs), strict=False)
        ),
        told=sum(told) if len(told) == len(runs) else None,
    )  # fmt: skip


def unfit(seen: Evidence) -> Iterator[str]:
    """Why no model of a healthy service can be fitted to it: each with what is missing."""
    if seen.requests < REQUESTS or seen.seconds < SECONDS:
        rate = seen.requests / seen.seconds if seen.seconds else 0.0
        lacks = max(SECONDS - seen.seconds, (REQUESTS - seen.requests) / rate if rate else SECONDS)
        yield (
            f"too short: {seen.requests:,} requests in {seen.seconds:.0f} s; {REQUESTS:,} requests and {SECONDS:.0f} s are needed, "
            f"so {lacks:.0f} s more{' of load' if rate else ', and load: nobody counted requests'}"
        )
    yield from _bunched(seen)
    yield from _apart(seen.versions)


def _bunched(seen: Evidence) -> Iterator[str]:
    """Errors that came together: a service that was ill for a while. Given how many there were, each falls into a piece in proportion to
    its requests; the fullest piece is tested, times the number of pieces (Bonferroni)."""
    worst = max(seen.pieces, key=lambda piece: piece.bad, default=None)
    if worst is None or worst.bad < 3 or worst.requests >= seen.requests:
        return
    p = len(seen.pieces) * binomial_at_least(worst.bad, seen.bad, worst.requests / seen.requests)
    if p < _RARE:
        yield (
            f"not healthy: {worst.bad} of {seen.bad} failed requests came from {worst.start:.0f} s to {worst.end:.0f} s "
            f"(chance {p:.2g}); choose a stretch without trouble"
        )


def _apart(versions: Sequence[tuple[int, int]]) -> Iterator[str]:
    """A new version that fails more often than the stable one: given all failures, its part of them is binomial."""
    if len(versions) != 2 or not all(requests for requests, _ in versions):
        return
    (old, bad_old), (new, bad_new) = versions
    p = binomial_at_least(bad_new, bad_old + bad_new, new / (old + new)) if bad_new else 1.0
    if p < _RARE:
        yield (
            f"not healthy: the new version failed {bad_new:,} of {new:,} requests, the stable one {bad_old:,} of {old:,} "
            f"(chance {p:.2g}); calibrate from the promotion of a good version"
        )
