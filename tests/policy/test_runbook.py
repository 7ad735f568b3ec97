"""Runbooks: generators behind the seam, with errors that show the author's own line."""

from __future__ import annotations

import pytest

from sim.policy.commands import Counts, Finish, Measure, Promote, Restore, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Absent,
    Failed,
    Human,
    Interrupted,
    Measured,
    NewRevision,
    PodsReady,
    Resized,
    Started,
    Value,
    WeightIs,
    Woke,
)
from sim.policy.runbook import Approval, Look, Runbook, Steps, Stop, Wait
from tests.policy.lists import Tape

FULL = [SetWeight(100), Promote(2), SetWeight(0), SetScale(4, 0), Finish("promoted", "all steps passed")]


class Author:
    """Its steps are what the test gives; what it saw is kept for the test to read."""

    def __init__(self, *requests: object) -> None:
        self.requests, self.seen = requests, []  # type: tuple[object, ...], list[object]

    def steps(self) -> Steps:
        for request in self.requests:
            self.seen.append((yield request))  # type: ignore[misc]
        return None


def started(*requests: object) -> tuple[Tape, Author]:
    author = Author(*requests)
    tape = Tape(Runbook(author))
    tape.feed(0.0, Started(replicas=4))
    return tape, author


def test_a_weight_waits_for_its_pods() -> None:
    tape, author = started(SetWeight(25), Wait(10.0))
    assert tape.rollout.journal[0].commands == (SetWeight(0), SetScale(4, 1))
    assert tape.feed(3.0, PodsReady(4, 1)) == [SetWeight(25)]
    assert author.seen == [WeightIs(25)] and tape.rollout.wakes_at == 13.0
    assert tape.feed(5.0, Woke()) == []


def test_the_end_promotes_with_all_pods_and_all_traffic() -> None:
    tape, _ = started(SetWeight(25))
    assert tape.feed(3.0, PodsReady(4, 1)) == [SetWeight(25), SetScale(4, 4)]
    assert tape.feed(5.0, PodsReady(4, 4)) == FULL
    assert tape.feed(6.0, PodsReady(4, 0)) == []
    assert tape.phases == [] and tape.rollout.outcome == "promoted"


def test_an_interruption_while_the_last_pods_come() -> None:
    tape, _ = started(SetWeight(25))
    tape.feed(3.0, PodsReady(4, 1))
    assert tape.feed(4.0, Interrupted("no"))[-1] == Finish("aborted", "no")


def test_a_look_asks_at_the_end_of_its_window() -> None:
    tape, author = started(Look(60.0), Wait(1.0))
    assert tape.rollout.wakes_at == 60.0
    assert tape.feed(60.0, Woke()) == [Measure(1, "step", "counts", Counts(60.0))]
    assert tape.rollout.wakes_at == 90.0
    tape.feed(61.0, Measured(1, Value(7)))
    assert author.seen == [7] and tape.rollout.wakes_at == 62.0


def test_what_came_instead_of_counts() -> None:
    tape, author = started(Look(60.0), Look(60.0), Wait(1.0))
    tape.play((60.0, Woke()), (60.0, Measured(1, Absent("gone"))), (120.0, Woke()), (150.0, Woke()))
    assert author.seen == [Absent("gone"), Failed("no answer in time")]
    assert tape.feed(150.5, Measured(2, Value(1))) == []  # too late


def test_an_approval_waits_for_a_person() -> None:
    tape, author = started(Approval(), Wait(5.0))
    assert tape.phases[-1] == ("Paused", "Approval") and tape.rollout.wakes_at is None
    tape.feed(9.0, Human("promote"))
    assert tape.phases == [("Progressing", "")] and author.seen == [True] and tape.rollout.wakes_at == 14.0


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Human("abort"), "aborted by a person"),
        (Interrupted("the pager rang"), "the pager rang"),
        (NewRevision(3), "a newer revision"),
    ],
)
def test_who_does_not_catch_a_stop_fails_safe(event: Human | Interrupted | NewRevision, reason: str) -> None:
    tape, _ = started(SetWeight(25), Wait(60.0))
    tape.feed(3.0, PodsReady(4, 1))
    assert tape.feed(9.0, event) == [Restore(), SetScale(4, 0), Finish("aborted", reason)]


class Stubborn:
    def steps(self) -> Steps:
        try:
            yield Wait(60.0)
        except Stop:
            yield SetWeight(0)
            yield Wait(5.0)
        return Finish("inconclusive", "stopped gently")


def test_a_stop_may_be_caught_and_only_a_promotion_does_not_restore() -> None:
    tape = Tape(Runbook(Stubborn()))
    tape.feed(0.0, Started(replicas=4))
    assert tape.feed(9.0, Interrupted("x")) == []
    assert tape.feed(14.0, Woke()) == [Restore(), SetScale(4, 0), Finish("inconclusive", "stopped gently")]


class Endless:
    def steps(self) -> Steps:
        while True:
            yield SetWeight(0)


class Broken:
    def steps(self) -> Steps:
        yield Wait(1.0)
        raise KeyError("oops")


class Odd:
    def steps(self) -> Steps:
        yield Wait(1.0)
        return 5  # type: ignore[return-value]


class Plain:
    def steps(self) -> None:
        return None


@pytest.mark.parametrize(
    ("author", "message"),
    [
        (Author(SetWeight(101)), r"test_runbook.py:\d+ in steps: a weight lies between 0 and 100, got 101"),
        (Author("promote"), r"test_runbook.py:\d+ in steps: 'promote' is not a request; yield SetWeight"),
        (Author(Look(-1.0)), r"test_runbook.py:\d+ in steps: a time is 0 s or more, got -1.0"),
        (Endless(), r"test_runbook.py:\d+ in steps: 10000 requests in one instant"),
        (Broken(), r"test_runbook.py:\d+ in steps: KeyError: 'oops'"),
        (Odd(), r"test_runbook.py:\d+ in steps: it ends with 5; return Finish"),
        (Plain(), r"Plain.steps yields its requests, got None; add a yield"),
    ],
)
def test_errors_name_the_authors_line(author: Author, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Tape(Runbook(author)).play((0.0, Started(replicas=1)), (1.0, Woke()))


def test_another_size() -> None:
    tape, _ = started(SetWeight(50), Wait(60.0))
    tape.feed(3.0, PodsReady(4, 2))
    assert tape.feed(9.0, Resized(8)) == [SetScale(8, 4)]


def test_patience_is_a_time() -> None:
    with pytest.raises(PolicyError, match="patience is more than 0 s, got 0"):
        Runbook(Author(), patience=0.0)
