"""What a judge sees (`Window`), what it answers (`Finding`), and what it is (`Judge`, `Look`).

A judge is a frozen dataclass; its fields are its whole configuration. `start` opens the state of one analysis run, and
each `look` hands it one more window. A judge reads no clock and no generator, and never learns whether the release is
bad (the `oracle` control alone does). Source: judges.md section 1.

Two families, told by the class attribute `sequential`:

- batch judges (False) answer about one window: every answer is one measurement;
- sequential judges (True) carry evidence from window to window and say "continue" until they decide. When the planned
  looks are used up and the last answer is "continue", `conclude` says what that means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from sim.policy.errors import PolicyError, WorldError

__all__ = [
    "Arm", "AtEnd", "Finding", "Judge", "Look", "OnNodata", "Truth", "Verdict", "Window", "arms", "conclude", "finding",
    "gap", "nodata", "require", "require_one_of", "require_ratio", "require_rules",
]  # fmt: skip

Verdict = Literal["pass", "fail", "inconclusive", "error", "continue"]
OnNodata = Literal["fail", "inconclusive", "wait", "pass"]
AtEnd = Literal["pass", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Arm:
    """What monitoring counted for one version in one window.

    `latency` holds counts per bucket (not cumulative), one more than `Window.bounds`, the last for everything above;
    `points` holds samples per metric (NaN allowed) for judges that read series. A series may carry labels in its name:
    `latency{pod=a}`.
    """

    requests: int
    bad: int
    latency: tuple[int, ...] = ()
    points: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.requests:
            raise WorldError(
                f"an arm counts 0 <= bad <= requests, got bad={self.bad}, requests={self.requests}; "
                "count both over the same window"
            )


@dataclass(frozen=True, slots=True)
class Window:
    """One look: times in seconds since the rollout started, `weight` the planned canary share of traffic in [0, 1]."""

    start: float
    end: float
    weight: float
    canary: Arm
    baseline: Arm | None = None
    bounds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight <= 1.0:
            raise WorldError(f"a window's weight is a ratio in [0, 1], got {self.weight}; divide percent by 100")


@dataclass(frozen=True, slots=True)
class Truth:
    """What only the simulator knows, for the `oracle` control."""

    bad: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, one sentence for a person, and the numbers behind it (all finite, so that they survive JSON)."""

    verdict: Verdict
    reason: str
    evidence: tuple[tuple[str, float], ...] = ()


class Look(Protocol):
    """The state of one analysis run."""

    def look(self, window: Window) -> Finding:
        """Take in one more window."""


class Judge(Protocol):
    """A frozen dataclass with these two class attributes."""

    name: ClassVar[str]
    sequential: ClassVar[bool]

    def start(self, seed: int, truth: Truth | None) -> Look:
        """New state for one analysis run; only judges that need chance read the seed, only `oracle` the truth."""


def finding(verdict: Verdict, reason: str, **numbers: float) -> Finding:
    """A finding with named numbers.

    >>> finding("pass", "fine", requests=10).evidence
    (('requests', 10),)
    """
    return Finding(verdict, reason, tuple(numbers.items()))


def nodata(rule: OnNodata, reason: str) -> Finding:
    """The answer to missing data: "wait" keeps looking, the other rules are verdicts."""
    return Finding("continue" if rule == "wait" else rule, f"{reason} (on_nodata: {rule})", (("requests", 0),))


def gap(window: Window, rule: OnNodata) -> Finding | None:
    """Why this window cannot be judged: no canary requests; else None."""
    if window.canary.requests > 0:
        return None
    return nodata(rule, f"no canary requests in {window.start:g}..{window.end:g} s")


def arms(window: Window, rule: OnNodata) -> tuple[Arm, Arm] | Finding:
    """(canary, baseline) for a judge that compares, or why it cannot be judged; no baseline is inconclusive."""
    if (missing := gap(window, rule)) is not None:
        return missing
    if window.baseline is None or window.baseline.requests == 0:
        span = f"{window.start:g}..{window.end:g} s"
        reason = f"no baseline requests in {span}; this judge compares with a baseline"
        return finding("inconclusive", reason, requests=window.canary.requests)
    return window.canary, window.baseline


def conclude(judge: Judge, last: Finding) -> Finding:
    """The answer of a run whose planned looks are used up: `last`, unless that is still "continue".

    Then the judge's field `at_end` decides; a judge without that field is inconclusive: the unknown never promotes.
    """
    if last.verdict != "continue":
        return last
    rule: AtEnd = getattr(judge, "at_end", "inconclusive")
    return Finding(rule, f"no decision by the last look (at_end: {rule}); {last.reason}", last.evidence)


def require(ok: bool, problem: str) -> None:
    """Raise `PolicyError(problem)` unless `ok`; the text names the value and the remedy."""
    if not ok:
        raise PolicyError(problem)


def require_ratio(field: str, value: float, *, closed: bool = False) -> None:
    """A field that must lie in (0, 1), or in [0, 1] when `closed`."""
    inside = 0.0 <= value <= 1.0 if closed else 0.0 < value < 1.0
    interval = "[0, 1]" if closed else "(0, 1)"
    require(inside, f"{field} must lie in {interval}, got {value}; write 5% as 0.05")


def require_one_of(field: str, value: str, *allowed: str) -> None:
    """A field with a few allowed words."""
    require(value in allowed, f"{field} must be one of {', '.join(allowed)}, got {value!r}")


def require_rules(on_nodata: str, at_end: str = "inconclusive") -> None:
    """The words allowed in `on_nodata` and `at_end`."""
    require_one_of("on_nodata", on_nodata, "fail", "inconclusive", "wait", "pass")
    require_one_of("at_end", at_end, "pass", "inconclusive")
