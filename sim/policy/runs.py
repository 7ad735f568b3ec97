"""An analysis run under way: which metric is due, what its counters say, how the run ends.

Sources: judges.md section 2, delivery-systems.md sections 2.4 and 2.5; Argo: analysis/analysis.go.

Rules, in Argo's order.
1. A measurement is Successful, Failed, Inconclusive or Error. An Error does not use up `count`.
2. After each one the metric is assessed: failures and inconclusive measurements count in total, errors and successes in a row.
   Of the three limits the last exceeded one wins: Error over Inconclusive over Failed.
3. The interval counts from the end of the last measurement; after an Error the wait is `retry`.
4. The first metric that ends other than Successful ends the run: nothing new is started, and the untouched siblings count as
   Successful. Dry-run metrics decide nothing, but the run waits for them.
5. What is due together is measured together, and judged when the last of them has answered; until then nothing else is measured
   (one reconcile of Argo; seen: hang-sibling). The run shows as Running from its first judgement, or at once if nothing is due.
6. A sequential judge's early pass ends its metric; Undecided uses up `count` and means what the judge's `at_end` says at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sim.policy.analysis import Analysis, Assess, Assessment, Metric, Verdict
from sim.policy.commands import Command, Measure
from sim.policy.events import Answer
from sim.policy.judges.base import Truth
from sim.policy.notes import AnalysisIs, Measurement, MetricIs, Note

__all__ = ["AnalysisRun"]

_ENDED = ("Successful", "Failed", "Inconclusive", "Error")
_WORSE = {"Successful": 0, "Inconclusive": 1, "Error": 2, "Failed": 3}
_AT_END: dict[str, Verdict] = {"pass": "Successful", "inconclusive": "Inconclusive"}


class _MetricState:
    """Counters of one metric, and when it is due."""

    __slots__ = (
        "answered", "assess", "consecutive_errors", "consecutive_successes", "count", "due", "failed", "in_flight",
        "inconclusive", "message", "metric", "phase",
    )  # fmt: skip

    def __init__(self, metric: Metric, assess: Assess, due: float) -> None:
        self.metric, self.assess, self.due = metric, assess, due
        self.in_flight: int | None = None
        self.answered: tuple[float, Answer] | None = None  # waits for the others that were asked together
        self.phase = self.message = ""
        self.count = self.failed = self.inconclusive = 0
        self.consecutive_errors = self.consecutive_successes = 0

    def record(self, at: float, verdict: Verdict) -> None:
        """Count one measurement that ended at `at`."""
        metric = self.metric
        if verdict == "Error":
            self.consecutive_errors += 1
            self.consecutive_successes = 0
            self.due = at + metric.retry
            return
        self.count += 1
        self.consecutive_errors = 0
        self.consecutive_successes = self.consecutive_successes + 1 if verdict == "Successful" else 0
        self.failed += verdict == "Failed"
        self.inconclusive += verdict == "Inconclusive"
        self.due = at + (metric.retry if metric.interval is None else metric.interval)

    def verdict(self, last: Verdict) -> tuple[str, str]:
        """The metric's phase after a measurement, and why (Argo: assessMetricStatus)."""
        metric, phase, why = self.metric, "Running", ""
        if 0 <= metric.failure_limit < self.failed:
            phase, why = "Failed", f"failed ({self.failed}) > failureLimit ({metric.failure_limit})"
        if self.inconclusive > metric.inconclusive_limit:
            limit = metric.inconclusive_limit
            phase, why = "Inconclusive", f"inconclusive ({self.inconclusive}) > inconclusiveLimit ({limit})"
        if self.consecutive_errors > metric.consecutive_error_limit:
            limit = metric.consecutive_error_limit
            phase, why = "Error", f"consecutiveErrors ({self.consecutive_errors}) > consecutiveErrorLimit ({limit})"
        if phase != "Running":
            return phase, why
        wanted = metric.consecutive_success_limit
        if 0 < wanted <= self.consecutive_successes:
            done = self.consecutive_successes
            return "Successful", f"consecutiveSuccess ({done}) >= consecutiveSuccessLimit ({wanted})"
        if last == "Successful" and metric.verdict.sequential:
            return "Successful", "the judge decided early"
        if metric.effective_count is not None and self.count >= metric.effective_count:
            if wanted > 0:
                return (
                    "Inconclusive" if metric.failure_limit >= 0 else "Failed"
                ), "consecutiveSuccessLimit not reached"
            return (
                (_AT_END[metric.verdict.at_end], "undecided at the end") if last == "Undecided" else ("Successful", "")
            )
        return "Running", ""


@dataclass(slots=True)
class AnalysisRun:
    """One run of an analysis: `kind` is step, background, pre or post; `index` the step it belongs to."""

    analysis: Analysis
    kind: str
    index: int
    seed: int
    truth: Truth | None
    emit: Callable[[Command | Note], None]
    next_id: Callable[[], int]
    phase: str = ""
    message: str = ""
    terminating: bool = False
    told: bool = False  # that it runs
    states: tuple[_MetricState, ...] = ()

    def start(self, at: float) -> None:
        """Begin; metrics without initial delay are due at once."""
        self.states = tuple(
            _MetricState(metric, self._rule(metric), at + metric.initial_delay) for metric in self.analysis.metrics
        )
        self.phase = "Running"
        self.poll(at)
        if not self._waiting():
            self._tell()

    def _rule(self, metric: Metric) -> Assess:
        return metric.verdict.start(self.seed, (self.kind, metric.name), self.truth)

    @property
    def ended(self) -> bool:
        return self.phase in _ENDED

    @property
    def wakes_at(self) -> float | None:
        """When the next measurement is due, None when nothing is (what is in flight wakes by its answer)."""
        if self.terminating or self.ended or self._waiting():
            return None
        return min((state.due for state in self._open()), default=None)

    def poll(self, at: float) -> None:
        """Start every measurement that is due."""
        if self.ended or self.terminating or self._waiting():
            return
        for state in self.states:
            if state.due <= at and state.phase not in _ENDED:
                state.in_flight = self.next_id()
                metric = state.metric
                self.emit(
                    Measure(
                        state.in_flight, self.kind, metric.name, metric.query, metric.template or self.analysis.template
                    )
                )

    def answer(self, at: float, id: int, answer: Answer) -> bool:
        """Take the answer to one of our measurements; False when it is not ours."""
        for state in self.states:
            if state.in_flight == id:
                state.in_flight, state.answered = None, (at, answer)
                if not self._waiting():
                    self._judge()
                return True
        return False

    def _waiting(self) -> bool:
        return any(state.in_flight is not None for state in self.states)

    def _judge(self) -> None:
        """Judge what was measured together."""
        self._tell()
        for state in self.states:
            if state.answered is not None:
                at, answer = state.answered
                state.answered = None
                assessment = state.assess.assess(at, answer)
                state.record(at, assessment.verdict)
                self._note(state, assessment)
                self._assess_metric(state, assessment)
        self._assess_run()

    def _tell(self) -> None:
        if not self.told:
            self.told = True
            self.emit(AnalysisIs(self.kind, self.index, self.analysis.template, "Running", ""))

    def terminate(self) -> None:
        """End the run from outside: Successful, unless something worse has been found already."""
        if not self.ended:
            self.terminating = True
            self._tell()
            for state in self.states:
                state.in_flight = state.answered = None
            self._assess_run()

    def _open(self) -> Iterator[_MetricState]:
        return (state for state in self.states if state.phase not in _ENDED)

    def _note(self, state: _MetricState, seen: Assessment) -> None:
        verdict = "Running" if seen.verdict == "Undecided" else seen.verdict
        self.emit(Measurement(self.kind, state.metric.name, seen.value, verdict, seen.message, seen.evidence))

    def _assess_metric(self, state: _MetricState, seen: Assessment) -> None:
        phase, why = state.verdict(seen.verdict)
        if phase in ("Failed", "Error", "Inconclusive"):
            detail = f': "Error Message: {seen.message}"' if phase == "Error" else ""
            name = "Metric" if state.metric.dry_run else f'Metric "{state.metric.name}"'
            why = f"{name} assessed {phase} due to {why}{detail}"
            if not state.metric.dry_run:
                self.terminating = True
                state.message = why
        self._metric_becomes(state, phase, why)

    def _assess_run(self) -> None:
        if self.terminating:
            for state in self._open():
                self._metric_becomes(state, "Successful", "Run Terminated")
        if any(True for _ in self._open()):
            return
        worst, self.message = "Successful", ""  # dry-run metrics decide nothing; of equals the first one speaks
        for state in self.states:
            if not state.metric.dry_run and _WORSE[state.phase] > _WORSE[worst]:
                worst, self.message = state.phase, state.message
        self._become(worst, self.message)

    def _metric_becomes(self, state: _MetricState, phase: str, why: str) -> None:
        if phase != state.phase:
            state.phase = phase
            self.emit(MetricIs(self.kind, state.metric.name, phase, why))

    def _become(self, phase: str, message: str) -> None:
        if phase != self.phase:
            self.phase = phase
            self.emit(AnalysisIs(self.kind, self.index, self.analysis.template, phase, message))
