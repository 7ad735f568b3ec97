"""The table of an analysis run: judges.md section 2, delivery-systems.md sections 2.4 and 2.5. One row per rule."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from sim.policy.analysis import Analysis, Assess, Assessment, JobState, Metric, Verdict
from sim.policy.chance import Key
from sim.policy.commands import Command, Counts, Measure
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Failed, Value
from sim.policy.judges.base import AtEnd, Truth
from sim.policy.notes import AnalysisIs, Measurement, MetricIs, Note
from sim.policy.runs import AnalysisRun

WORDS: dict[str, Verdict] = {"s": "Successful", "f": "Failed", "i": "Inconclusive", "e": "Error", "u": "Undecided"}


class Said:
    """A verdict function that says what the answer says."""

    def __init__(self, sequential: bool = False, at_end: AtEnd = "inconclusive") -> None:
        self.sequential, self.at_end = sequential, at_end

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> Assess:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        assert isinstance(answer, Value)
        return Assessment(answer.value, WORDS[str(answer.value)], f"said {answer.value}")


class Clock:
    """A run that is answered `query` seconds after it asks, from a text of one letter per measurement and metric."""

    def __init__(self, *metrics: Metric, query: float = 0.0, answers: dict[str, str] | None = None) -> None:
        self.items: list[Command | Note] = []
        self.now, self.query, self.asked = 0.0, query, []  # type: float, float, list[tuple[float, str]]
        self.answers = {name: list(text) for name, text in (answers or {}).items()}
        ids = iter(range(1, 10_000))
        self.run = AnalysisRun(Analysis(metrics), "step", 0, 0, None, self._hear, lambda: next(ids))
        self.waiting: list[tuple[float, int, str]] = []

    def _hear(self, item: Command | Note) -> None:
        self.items.append(item)
        if isinstance(item, Measure):
            self.asked.append((self.now, item.metric))
            self.waiting.append((self.now + self.query, item.id, item.metric))

    def go(self, until: float = 1e6) -> Clock:
        """Let time pass until the run ends, its text does, or `until`."""
        if not self.items:
            self.run.start(self.now)
        while not self.run.ended:
            at = min([at for at, _, _ in self.waiting] + ([self.run.wakes_at] if self.run.wakes_at is not None else []))
            if at > until:
                break
            self.now = at
            for due, id, name in [entry for entry in self.waiting if entry[0] <= at]:
                if not self.answers.get(name):
                    return self
                self.waiting.remove((due, id, name))
                assert self.run.answer(at, id, Value(self.answers[name].pop(0)))
            self.run.poll(at)
        return self

    def metric(self, name: str) -> str:
        """The last phase of a metric."""
        found = [item.phase for item in self.items if isinstance(item, MetricIs) and item.metric == name]
        return found[-1] if found else ""

    def times(self, name: str = "m") -> list[float]:
        return [at for at, metric in self.asked if metric == name]


class Row(NamedTuple):
    """What a single metric does: the letters are its measurements, `phase` what the run is afterwards."""

    rule: str
    answers: str
    phase: str
    message: str = ""
    interval: float | None = 10.0
    count: int | None = None
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    sequential: bool = False
    at_end: AtEnd = "inconclusive"


R = Row
ROWS = [
    # ---- effective count (2.4 rule 1)
    R("2.4.1 no count, no interval: one", "s", "Successful", interval=None),
    R("2.4.1 count 0, no interval: one", "s", "Successful", interval=None, count=0),
    R("2.4.1 count 0 with interval: without end", "sssssssss", "Running", count=0),
    R("2.4.1 no count with interval: without end", "ssssss", "Running"),
    R("2.4.1 count 1 without interval", "s", "Successful", interval=None, count=1),
    R("2.4.1 count 3: two are not enough", "ss", "Running", count=3),
    R("2.4.1 count 3: three are", "sss", "Successful", count=3),
    # ---- counters (2.4 rule 5)
    R("2.4.5 an Error does not use up count", "eees", "Running", count=2),
    R("2.4.5 an Error does not use up count, and is forgotten", "eeesees", "Successful", count=2),
    R("2.4.5 a Failed uses up count", "fs", "Successful", count=2, failure_limit=1),
    R("2.4.5 an Inconclusive uses up count", "is", "Successful", count=2, inconclusive_limit=1),
    R("2.4.5 Successful resets consecutive errors", "eeeeseeeesss", "Successful", count=4),
    R("2.4.5 Failed resets consecutive errors", "eeeefeeee", "Running", failure_limit=9),
    R("2.4.5 Inconclusive resets consecutive errors", "eeeeieeee", "Running", inconclusive_limit=9),
    R("2.4.5 Undecided resets consecutive errors", "eeeeueeee", "Running"),
    R("2.4.5 Failed resets consecutive successes", "ssfss", "Running", consecutive_success_limit=3, failure_limit=9),
    R("2.4.5 Inconclusive resets consecutive successes", "ssiss", "Running", consecutive_success_limit=3, inconclusive_limit=9),
    R("2.4.5 Error resets consecutive successes", "ssess", "Running", consecutive_success_limit=3),
    # ---- limits (2.5 step c)
    R("2.5.c failureLimit 0 fails on the first", "f", "Failed", "failed (1) > failureLimit (0)"),
    R("2.5.c failureLimit 2 endures two", "ff", "Running", failure_limit=2),
    R("2.5.c failureLimit 2 fails on the third", "fff", "Failed", "failed (3) > failureLimit (2)", failure_limit=2),
    R("2.5.c failures count in total", "fssfssf", "Failed", "failed (3) > failureLimit (2)", failure_limit=2),
    R("2.5.c failureLimit -1 never fails", "ffffff", "Running", failure_limit=-1),
    R("2.5.c failureLimit -1, all looks used", "fff", "Successful", count=3, failure_limit=-1),
    R("2.5.c inconclusiveLimit 0", "i", "Inconclusive", "inconclusive (1) > inconclusiveLimit (0)"),
    R("2.5.c inconclusiveLimit 1 endures one", "is", "Running", inconclusive_limit=1),
    R("2.5.c inconclusive in total", "isi", "Inconclusive", "inconclusive (2) > inconclusiveLimit (1)", inconclusive_limit=1),
    R("2.5.c four errors in a row are endured", "eeee", "Running"),
    R("2.5.c the fifth error in a row ends", "eeeee", "Error", "consecutiveErrors (5) > consecutiveErrorLimit (4)"),
    R("2.5.c the message of an Error holds the last one", "eeeee", "Error", '"Error Message: said e"'),
    R("2.5.c consecutiveErrorLimit 0", "e", "Error", "consecutiveErrors (1)", consecutive_error_limit=0),
    R("2.5.c consecutiveErrorLimit 1 needs two in a row", "esee", "Error", "consecutiveErrors (2)", consecutive_error_limit=1),
    R("2.5.c a failure after errors", "eeef", "Failed", "failed (1)"),
    R("2.5.c errors after a tolerated failure", "feeeee", "Error", "consecutiveErrors (5)", failure_limit=1),
    R("2.5.c a limit is before count", "sf", "Failed", "failed (1)", count=2),
    R("2.5.c an inconclusive last look is before count", "si", "Inconclusive", "inconclusive (1)", count=2),
    # ---- successes in a row (2.5 step d)
    R("2.5.d consecutiveSuccessLimit reached", "sss", "Successful", consecutive_success_limit=3),
    R("2.5.d consecutiveSuccessLimit not reached", "ss", "Running", consecutive_success_limit=3),
    R("2.5.d reached after a failure", "sfsss", "Successful", consecutive_success_limit=3, failure_limit=1),
    R("2.5.d reached before count", "ss", "Successful", consecutive_success_limit=2, count=9),
    R("2.5.d a failure limit is before it", "sf", "Failed", "failed (1)", consecutive_success_limit=2),
    R("2.5.d at the same measurement as count", "fss", "Successful", consecutive_success_limit=2, count=3, failure_limit=1),
    # ---- count used up (2.5 step e)
    R("2.5.e successes not in a row: Inconclusive", "sfs", "Inconclusive", count=3, consecutive_success_limit=2, failure_limit=1),
    R("2.5.e and with failureLimit -1: Failed", "sfs", "Failed", count=3, consecutive_success_limit=2, failure_limit=-1),
    R("2.5.e without that limit: Successful", "sfs", "Successful", count=3, failure_limit=1),
    R("2.5.e tolerated inconclusive ones: Successful", "isi", "Successful", count=3, inconclusive_limit=2),
    R("2.5.e only errors use up nothing", "eeee", "Running", count=2),
    # ---- one metric, no interval
    R("2.4 one error, then the retry", "es", "Successful", interval=None),
    R("2.4 five errors", "eeeee", "Error", interval=None),
    R("2.4 one failure", "f", "Failed", interval=None),
    R("2.4 one inconclusive", "i", "Inconclusive", interval=None),
    # ---- sequential judges (design.md section 2: the unknown never promotes)
    R("judge: Undecided keeps looking", "uuu", "Running", sequential=True),
    R("judge: an early pass ends the metric", "uus", "Successful", sequential=True),
    R("judge: a fail ends it", "uuf", "Failed", "failed (1)", sequential=True),
    R("judge: undecided at the end", "uuu", "Inconclusive", "undecided at the end", count=3, sequential=True),
    R("judge: undecided at the end may pass", "uuu", "Successful", count=3, sequential=True, at_end="pass"),
    R("judge: an early pass before count", "us", "Successful", count=9, sequential=True),
    R("judge: a batch judge goes on after a pass", "us", "Running", count=9),
    R("wait: undecided last look of a batch", "su", "Inconclusive", count=2),
    R("wait: undecided on the way", "us", "Successful", count=2),
    R("wait: undecided uses up count", "uus", "Successful", count=3),
    R("judge: errors on the way", "ueus", "Successful", sequential=True),
    R("judge: too many errors", "ueeeee", "Error", "consecutiveErrors (5)", sequential=True),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[f"{number} {row.rule}" for number, row in enumerate(ROWS)])
def test_one_metric(row: Row) -> None:
    metric = Metric(
        "m", Counts(60.0), Said(row.sequential, row.at_end), interval=row.interval, count=row.count,
        failure_limit=row.failure_limit, inconclusive_limit=row.inconclusive_limit,
        consecutive_error_limit=row.consecutive_error_limit, consecutive_success_limit=row.consecutive_success_limit,
    )  # fmt: skip
    clock = Clock(metric, answers={"m": row.answers}).go()
    assert clock.run.phase == row.phase
    assert row.message in clock.run.message
    assert clock.metric("m") == row.phase
    assert not clock.answers["m"]  # it looked as often as the row says
    if row.phase in ("Failed", "Inconclusive", "Error"):
        assert clock.run.message.startswith(f'Metric "m" assessed {row.phase} due to ')


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 60


# ---- when (2.4 rules 2, 3, 6)


class When(NamedTuple):
    rule: str
    answers: str
    times: tuple[float, ...]
    query: float = 0.0
    interval: float | None = 30.0
    count: int | None = 3
    delay: float = 0.0
    retry: float = 10.0


WHEN = [
    When("2.4.2 the first at once", "sss", (0.0, 30.0, 60.0)),
    When("2.4.2 initialDelay", "sss", (45.0, 75.0, 105.0), delay=45.0),
    When("2.4.3 the interval runs from the finish", "sss", (0.0, 35.0, 70.0), query=5.0),
    When("2.4.3 a slow query with a delay", "ss", (10.0, 45.0), query=5.0, count=2, delay=10.0),
    When("2.4.2 after an Error 10 s, whatever the interval", "esss", (0.0, 10.0, 40.0, 70.0)),
    When("2.4.2 after an Error 10 s, also when the interval is shorter", "esss", (0.0, 10.0, 12.0, 14.0), interval=2.0),
    When("2.4.2 and from the finish", "es", (0.0, 15.0), query=5.0, interval=None, count=None),
    When("2.4.2 our own policies may say how long", "es", (0.0, 3.0), interval=None, count=None, retry=3.0),
    When("2.5.7 an outage: 4 x 10 s", "eeeee", (0.0, 10.0, 20.0, 30.0, 40.0)),
    When("2.5.7 an outage with time-outs", "eeeee", (0.0, 40.0, 80.0, 120.0, 160.0), query=30.0),
]


@pytest.mark.parametrize("when", WHEN, ids=[when.rule for when in WHEN])
def test_times(when: When) -> None:
    metric = Metric(
        "m", Counts(60.0), Said(), interval=when.interval, count=when.count, initial_delay=when.delay, retry=when.retry
    )
    clock = Clock(metric, query=when.query, answers={"m": when.answers}).go()
    assert tuple(clock.times()) == when.times
    assert clock.run.ended


# ---- several metrics (2.5, run)


class Several(NamedTuple):
    """Metrics a, b, c with intervals of 10 s (a), 20 s (b) and 30 s (c); `dry`: the ones that decide nothing."""

    rule: str
    answers: dict[str, str]
    phase: str
    metrics: dict[str, str]
    decided: str = ""
    count: int | None = 2
    dry: str = ""
    delay: dict[str, float] = {}  # noqa: RUF012 - a table row


MANY = [
    Several("2.5.3 waits for every metric", {"a": "ss", "b": "ss", "c": "ss"}, "Successful",
            {"a": "Successful", "b": "Successful", "c": "Successful"}),
    Several("2.5.3 until then it runs", {"a": "ss", "b": "ss", "c": "s"}, "Running",
            {"a": "Successful", "b": "Successful", "c": "Running"}),
    Several("2.5.4 siblings of a failing metric end Successful", {"a": "f", "b": "s", "c": "s"}, "Failed",
            {"a": "Failed", "b": "Successful", "c": "Successful"}, "a"),
    Several("2.5.4 siblings that only had errors too", {"a": "sf", "b": "ee", "c": "ee"}, "Failed",
            {"a": "Failed", "b": "Successful", "c": "Successful"}, "a"),
    Several("2.5.1 those of the same instant still count", {"a": "f", "b": "f", "c": "s"}, "Failed",
            {"a": "Failed", "b": "Failed", "c": "Successful"}, "a"),
    Several("2.5.2 the worst decides: Failed over Inconclusive", {"a": "i", "b": "f", "c": "s"}, "Failed",
            {"a": "Inconclusive", "b": "Failed", "c": "Successful"}, "b"),
    Several("Q9 the first to cross decides", {"a": "i", "b": "s", "c": "s"}, "Inconclusive",
            {"a": "Inconclusive", "b": "Successful", "c": "Successful"}, "a"),
    Several("2.5.3 dry-run metrics decide nothing", {"a": "f", "b": "ss", "c": "ss"}, "Successful",
            {"a": "Failed", "b": "Successful", "c": "Successful"}, dry="a"),
    Several("2.5.3 but are waited for", {"a": "ss", "b": "ss", "c": "s"}, "Running",
            {"a": "Successful", "b": "Successful", "c": "Running"}, dry="c"),
    Several("2.5.2 only dry-run metrics: Successful", {"a": "f", "b": "i", "c": "ss"}, "Successful",
            {"a": "Failed", "b": "Inconclusive", "c": "Successful"}, dry="abc"),
    Several("2.5.1 a dry-run failure ends nobody else", {"a": "f", "b": "ss", "c": "s"}, "Running",
            {"a": "Failed", "b": "Successful", "c": "Running"}, dry="a"),
    Several("2.5.3 a metric that still waits keeps the run Running", {"a": "ss", "b": "ss", "c": ""}, "Running",
            {"a": "Successful", "b": "Successful", "c": ""}, delay={"c": 900.0}),
    Several("2.5.3 and a failure ends it before its first look", {"a": "sf", "b": "s", "c": ""}, "Failed",
            {"a": "Failed", "b": "Successful", "c": "Successful"}, "a", delay={"c": 900.0}),
    Several("2.5.4 an unlimited metric only ends by failing", {"a": "sssssf", "b": "sss", "c": "ss"}, "Failed",
            {"a": "Failed", "b": "Successful", "c": "Successful"}, "a", count=None),
]  # fmt: skip


@pytest.mark.parametrize("case", MANY, ids=[case.rule for case in MANY])
def test_several_metrics(case: Several) -> None:
    metrics = [
        Metric(
            name, Counts(60.0), Said(), interval=interval, count=case.count,
            dry_run=name in case.dry, initial_delay=case.delay.get(name, 0.0),
        )
        for name, interval in (("a", 10.0), ("b", 20.0), ("c", 30.0))
    ]  # fmt: skip
    clock = Clock(*metrics, answers=case.answers).go(until=500.0)
    assert clock.run.phase == case.phase
    assert {name: clock.metric(name) for name in "abc"} == case.metrics
    assert clock.run.message.startswith(f'Metric "{case.decided}"') if case.decided else not clock.run.message


def test_a_dry_run_failure_is_told_on_the_metric_alone() -> None:
    clock = Clock(Metric("m", Counts(1.0), Said(), dry_run=True), answers={"m": "f"}).go()
    told = [item.message for item in clock.items if isinstance(item, MetricIs) and item.phase == "Failed"]
    assert told == ["Metric assessed Failed due to failed (1) > failureLimit (0)"] and clock.run.message == ""


def test_what_is_in_flight_is_waited_for() -> None:
    a, b = (Metric(name, Counts(1.0), Said(), interval=10.0, count=3) for name in "ab")
    clock = Clock(a, b)
    clock.run.start(0.0)
    first, second = (id for _, id, _ in clock.waiting)
    clock.run.answer(5.0, first, Value("f"))
    assert clock.metric("a") == "" and clock.run.wakes_at is None  # not even judged (seen: hang-sibling)
    clock.run.poll(29.0)
    assert len(clock.asked) == 2  # nothing new begins
    clock.run.answer(30.0, second, Value("s"))
    assert (clock.run.phase, clock.metric("a"), clock.metric("b")) == ("Failed", "Failed", "Successful")


def test_the_interval_counts_from_a_metrics_own_answer() -> None:
    a, b = (Metric(name, Counts(1.0), Said(), interval=10.0, count=3) for name in "ab")
    clock = Clock(a, b)
    clock.run.start(0.0)
    first, second = (id for _, id, _ in clock.waiting)
    clock.run.answer(5.0, first, Value("s"))
    clock.run.answer(12.0, second, Value("s"))
    assert clock.run.wakes_at == 15.0


def test_an_end_from_outside_is_successful_at_once() -> None:
    clock = Clock(Metric("m", Counts(1.0), Said(), interval=10.0), answers={"m": "eee"}).go(until=25.0)
    clock.run.terminate()
    assert (clock.run.phase, clock.metric("m")) == ("Successful", "Successful")
    clock.run.terminate()
    assert [item.phase for item in clock.items if isinstance(item, AnalysisIs)] == ["Running", "Successful"]


def test_an_end_from_outside_before_the_first_look() -> None:
    clock = Clock(Metric("m", Counts(1.0), Said(), initial_delay=60.0))
    clock.run.start(0.0)
    clock.run.terminate()
    assert clock.run.phase == "Successful" and clock.asked == []


def test_a_measurement_tells_value_verdict_and_message() -> None:
    clock = Clock(Metric("m", Counts(1.0), Said(sequential=True), interval=9.0), answers={"m": "us"}).go()
    seen = [(item.value, item.verdict, item.message) for item in clock.items if isinstance(item, Measurement)]
    assert seen == [("u", "Running", "said u"), ("s", "Successful", "said s")]


def test_foreign_answers_are_not_taken() -> None:
    clock = Clock(Metric("m", Counts(1.0), Said()))
    clock.run.start(0.0)
    assert clock.run.answer(1.0, 99, Value("f")) is False


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Value("Successful"), "Successful"),
        (Value("Failed"), "Failed"),
        (Value("Inconclusive"), "Inconclusive"),
        (Value(True), "Successful"),
        (Value(False), "Failed"),
        (Value(3), "Error"),
        (Value(None), "Error"),
        (Failed("gone"), "Error"),
    ],
)
def test_providers_with_a_verdict_of_their_own(answer: Answer, verdict: str) -> None:
    assert JobState().assess(0.0, answer).verdict == verdict


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"interval": 0.0}, "interval must be more than 0 s, got 0.0"),
        ({"initial_delay": -1.0}, "initialDelay must be 0 s or more, got -1.0"),
        ({"count": 2}, "count 2 needs an interval"),
        ({"failure_limit": -2}, "failureLimit must be -1"),
    ],
)
def test_what_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Metric("m", Counts(1.0), Said(), **fields)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match="at least one metric"):
        Analysis(())
    one = Metric("m", Counts(1.0), Said())
    with pytest.raises(PolicyError, match="different names"):
        Analysis((one, one))
