"""What an analysis is: metrics, how often each is measured, and how a measurement becomes a verdict.

A verdict function is a frozen value (`Conditions`, `Limits`, `Judged`, `JobState`). Its `start` gives the state of one run (`key`
names the run and the metric, for judges that need chance), whose `assess` turns an answer into a verdict in Argo's words:
Successful, Failed, Inconclusive, Error, or Undecided (keep looking: a sequential judge, or `on_nodata: wait`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeGuard

from sim.policy.chance import Key, derive
from sim.policy.commands import Query
from sim.policy.errors import PolicyError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.expr import LIST, VECTOR, Condition, measure_verdict
from sim.policy.judges.base import Arm, AtEnd, Finding, Judge, Truth, Window

__all__ = [
    "Analysis",
    "Assessment",
    "Conditions",
    "JobState",
    "Judged",
    "Limits",
    "Metric",
    "OnUnknown",
    "Rule",
    "Verdict",
]

Verdict = Literal["Successful", "Failed", "Inconclusive", "Error", "Undecided"]
OnUnknown = Literal["fail", "inconclusive", "wait", "pass"]

_UNKNOWN: dict[str, Verdict] = {
    "fail": "Failed",
    "inconclusive": "Inconclusive",
    "wait": "Undecided",
    "pass": "Successful",
}
_FOUND: dict[str, Verdict] = {
    "pass": "Successful", "fail": "Failed", "inconclusive": "Inconclusive", "error": "Error", "continue": "Undecided",
}  # fmt: skip


class Assessment(NamedTuple):
    """A measurement and what it means."""

    value: object
    verdict: Verdict
    message: str = ""
    evidence: tuple[tuple[str, float], ...] = ()


class Assess(Protocol):
    """The state of one verdict function in one run."""

    def assess(self, at: float, answer: Answer) -> Assessment: ...


class Rule(Protocol):
    """A verdict function; `sequential`: its early pass decides; `at_end`: what Undecided means when the looks are used up."""

    @property
    def sequential(self) -> bool: ...

    @property
    def at_end(self) -> AtEnd: ...

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Assess: ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """Argo's `successCondition` and `failureCondition` over `result` (judges.md section 2, measurement phase).

    `vector` says that the provider answers with a list (Prometheus): no data is then the empty list, and a single number comes as
    a list of one. Without it no data is nil.
    """

    success: Condition | None = None
    failure: Condition | None = None
    vector: bool = True

    sequential: ClassVar[bool] = False
    at_end: ClassVar[AtEnd] = "inconclusive"

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Conditions:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        match answer:
            case Failed(reason):
                return Assessment(None, "Error", reason)
            case Absent():
                result: object = [] if self.vector else None
            case NotANumber():
                result = [math.nan] if self.vector else math.nan
            case Value(value):
                result = _vector(value) if self.vector else value
        shape = VECTOR if self.vector else LIST if isinstance(result, list) else None
        verdict, message = measure_verdict(result, self.success, self.failure, shape)
        return Assessment(result, _argo_word(verdict), message)


@dataclass(frozen=True, slots=True)
class Limits:
    """A number must stay within [low, high], both ends allowed; what is unknown is said explicitly."""

    low: float | None = None
    high: float | None = None
    on_nodata: OnUnknown = "inconclusive"
    on_nan: OnUnknown = "inconclusive"
    on_error: OnUnknown = "inconclusive"

    sequential: ClassVar[bool] = False
    at_end: ClassVar[AtEnd] = "inconclusive"

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Limits:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        match answer:
            case Failed(reason):
                return Assessment(None, _UNKNOWN[self.on_error], reason or "the query failed")
            case Absent(reason):
                return Assessment(None, _UNKNOWN[self.on_nodata], reason or "no data")
            case NotANumber():
                return Assessment(math.nan, _UNKNOWN[self.on_nan], "the answer is not a number")
            case Value(value):
                return self._number(value)

    def _number(self, value: object) -> Assessment:
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if value is None or value == [] or value == ():
            return Assessment(None, _UNKNOWN[self.on_nodata], "no data")
        if not _is_number(value):
            return Assessment(value, _UNKNOWN[self.on_error], f"{value!r} is not one number")
        if math.isnan(value):
            return Assessment(value, _UNKNOWN[self.on_nan], "the answer is not a number")
        inside = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        return Assessment(value, "Successful" if inside else "Failed", f"{value:g} against [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True)
class Judged:
    """A judge of `sim.policy.judges` looks at windows of counts. No data is an empty window: the judge's own `on_nodata` decides."""

    judge: Judge
    on_nan: OnUnknown = "inconclusive"
    on_error: OnUnknown = "inconclusive"

    @property
    def sequential(self) -> bool:
        return self.judge.sequential

    @property
    def at_end(self) -> AtEnd:
        """What Undecided means when the planned looks are used up."""
        rule: AtEnd = getattr(self.judge, "at_end", "inconclusive")
        return rule

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Assess:
        return _Looking(self, self.judge.start(derive(seed, *key), truth).look)


@dataclass(frozen=True, slots=True)
class _Looking:
    rule: Judged
    look: Callable[[Window], Finding]

    def assess(self, at: float, answer: Answer) -> Assessment:
        match answer:
            case Value(Window() as window):
                return self._found(window, window)
            case Absent(reason):
                return self._found(Window(at, at, 0.0, Arm(0, 0)), None)
            case NotANumber():
                return Assessment(math.nan, _UNKNOWN[self.rule.on_nan], "the answer is not a number")
            case Failed(reason):
                return Assessment(None, _UNKNOWN[self.rule.on_error], reason or "the query failed")
        raise PolicyError(f"a judge looks at windows of counts, got {answer!r}; ask with Counts(window)")

    def _found(self, window: Window, shown: Window | None) -> Assessment:
        finding = self.look(window)
        return Assessment(shown, _FOUND[finding.verdict], finding.reason, finding.evidence)


@dataclass(frozen=True, slots=True)
class JobState:
    """A provider that answers with a verdict of its own (Argo's job and Kayenta providers)."""

    sequential: ClassVar[bool] = False
    at_end: ClassVar[AtEnd] = "inconclusive"

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> JobState:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        match answer:
            case Value(value) if value in ("Successful", "Failed", "Inconclusive"):
                return Assessment(value, _argo_word(str(value)))
            case Value(value) if isinstance(value, bool):
                return Assessment(value, "Successful" if value else "Failed")
            case Failed(reason):
                return Assessment(None, "Error", reason)
        return Assessment(None, "Error", f"{answer!r} is not the end of a job; write true, false or a verdict word")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an analysis: question, verdict, schedule and limits. Defaults: Argo utils/defaults/defaults.go.

    Times are seconds. A limit is exceeded, not reached: `failure_limit` 0 ends at the first failure, -1 never. After an error the
    next try comes after `retry`, whatever the interval.
    """

    name: str
    query: Query
    verdict: Rule
    interval: float | None = None
    count: int | None = None
    initial_delay: float = 0.0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    retry: float = 10.0
    dry_run: bool = False
    template: str = ""

    effective_count: int | None = field(init=False, default=None)  # None: until the run is ended

    def __post_init__(self) -> None:
        if self.interval is not None and not self.interval > 0:
            raise PolicyError(f"metric {self.name}: interval must be more than 0 s, got {self.interval}")
        if self.initial_delay < 0:
            raise PolicyError(f"metric {self.name}: initialDelay must be 0 s or more, got {self.initial_delay}")
        if self.count is not None and self.count > 1 and self.interval is None:
            raise PolicyError(f"metric {self.name}: count {self.count} needs an interval; write e.g. interval: 60s")
        if self.failure_limit < -1:
            raise PolicyError(f"metric {self.name}: failureLimit must be -1 (off) or more, got {self.failure_limit}")
        object.__setattr__(self, "effective_count", self.count or (1 if self.interval is None else None))


@dataclass(frozen=True, slots=True)
class Analysis:
    """Metrics that are measured together; the worst of them decides."""

    metrics: tuple[Metric, ...]
    template: str = ""

    def __post_init__(self) -> None:
        names = [metric.name for metric in self.metrics]
        if not names:
            raise PolicyError("an analysis needs at least one metric, got none")
        if len(set(names)) < len(names):
            raise PolicyError(f"metrics of one analysis need different names, got {names}")

    @property
    def finite(self) -> bool:
        """Whether it ends by itself."""
        return all(metric.effective_count is not None for metric in self.metrics)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _vector(value: object) -> object:
    """A provider's answer as the list of floats that Argo makes of it; whatever is no number stays."""
    if isinstance(value, list | tuple):
        return [float(item) if _is_number(item) else item for item in value]
    return [float(value)] if _is_number(value) else value


def _argo_word(word: str) -> Verdict:
    words: dict[str, Verdict] = {
        "Successful": "Successful", "Failed": "Failed", "Inconclusive": "Inconclusive", "Error": "Error",
    }  # fmt: skip
    return words[word]
