"""The seam itself: the first event, time, the end, the journal, and the JSON form of everything in it."""

from __future__ import annotations

import json
from math import inf, isnan, nan
from typing import get_args

import pytest
from hypothesis import given, settings

from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.codec import decode, encode
from sim.policy.commands import Command, Counts, Finish, Query, SetScale, SetWeight
from sim.policy.errors import HistoryError, PolicyError
from sim.policy.events import Answer, Event, Human, Measured, NewRevision, PodsReady, Started, Value, Woke
from sim.policy.notes import PhaseIs
from sim.policy.rolling import Rolling
from sim.policy.rollout import Entry, Policy, Rollout
from sim.policy.steps import Pause
from sim.policy.voice import Voice
from tests.policy import values
from tests.policy.lists import Tape

CANARY = Canary(steps=(SetWeight(20), Pause(10.0)))


def test_the_first_event_is_started_and_comes_once() -> None:
    rollout = Rollout(CANARY)
    with pytest.raises(PolicyError, match=r"the first event is Started, got Woke\(\)"):
        rollout.handle(0.0, Woke())
    rollout.handle(0.0, Started())
    with pytest.raises(PolicyError, match="has started already"):
        rollout.handle(1.0, Started())


@pytest.mark.parametrize("at", [4.9, -1.0, nan])
def test_time_goes_forward(at: float) -> None:
    rollout = Rollout(CANARY)
    rollout.handle(5.0, Started())
    with pytest.raises(PolicyError, match="time goes forward: "):
        rollout.handle(at, Woke())
    assert rollout.handle(5.0, Woke()) == ()
    assert [entry.event for entry in rollout.journal] == [Started(), Woke()]  # what was refused is not history


def test_the_journal_is_every_event_and_what_was_asked() -> None:
    rollout = Rollout(CANARY)
    first = rollout.handle(0.0, Started(replicas=5))
    assert rollout.journal == [Entry(0.0, Started(replicas=5), first)]
    rollout.handle(1.0, Woke())
    assert rollout.journal[1] == Entry(1.0, Woke(), ())


def test_the_observer_hears_commands_and_notes_with_their_moment() -> None:
    heard: list[tuple[float, object]] = []
    rollout = Rollout(CANARY, observe=lambda at, item: heard.append((at, item)))
    rollout.handle(3.0, Started(replicas=5))
    assert (3.0, SetScale(5, 1)) in heard
    assert (3.0, PhaseIs("Progressing", "more replicas need to be updated")) in heard


def test_the_outcome_is_the_last_finish() -> None:
    tape = Tape(CANARY)
    tape.feed(0.0, Started())
    assert (tape.rollout.outcome, tape.rollout.reason) == (None, "")
    assert tape.feed(1.0, Human("abort"))[-1] == Finish("aborted", tape.rollout.reason)
    assert tape.rollout.outcome == "aborted"
    tape.feed(2.0, Human("retry"))
    assert (tape.rollout.outcome, tape.rollout.reason) == (None, "")


@pytest.mark.parametrize("policy", [Canary(), BlueGreen(), Rolling()])
def test_after_the_end_only_what_is_taken_up_opens_the_outcome(policy: Policy) -> None:
    tape = Tape(policy)
    tape.play((0.0, Started(replicas=2)), (5.0, PodsReady(2, 2)), (6.0, PodsReady(0, 2)), (6.0, PodsReady(2, 0)))
    assert tape.rollout.outcome == "promoted"
    for event in (Woke(), NewRevision(2), Human("retry"), Human("promote"), PodsReady(2, 0), Measured(1, Value(1))):
        assert tape.feed(7.0, event) == []
        assert tape.rollout.outcome == "promoted"
    tape.feed(8.0, NewRevision(3))
    assert tape.rollout.outcome is None


def test_a_machine_that_never_settles_is_the_policys_fault() -> None:
    voice = Voice(lambda item: None)
    voice.enter(("Progressing", "for ever"))
    with pytest.raises(PolicyError, match=r"does not settle at 3 s; last phase \('Progressing', 'for ever'\)"):
        voice.settle(3.0, lambda at: voice.mark())


# ---- JSON ----


def test_every_event_and_command_has_an_example() -> None:
    """A new kind needs a strategy in `values`, so that the round trip covers it."""
    kinds = {*get_args(Event), *get_args(Answer), *get_args(Command), *get_args(Query)}
    assert all(kind.__name__ in values.__dict__ for kind in kinds)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(values.events)
def test_events_come_back_equal(event: Event) -> None:
    text = json.dumps(encode(event), allow_nan=False)
    assert _same(decode(json.loads(text)), event)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(values.commands)
def test_commands_come_back_equal(command: Command) -> None:
    assert decode(json.loads(json.dumps(encode(command), allow_nan=False))) == command


def _same(left: object, right: object) -> bool:
    """Equal with the same kinds of sequences and numbers all the way down."""
    return left == right and repr(left) == repr(right)


def test_lists_stay_lists_in_answers_and_only_there() -> None:
    event = Measured(1, Value([0.5, (1, [2])]))
    assert encode(event)["answer"]["value"] == [0.5, {"type": "tuple", "items": [1, [2]]}]
    assert _same(decode(encode(event)), event)
    assert decode(encode(Counts(1.0, ("latency",)))) == Counts(1.0, ("latency",))


def test_numbers_that_json_has_no_word_for() -> None:
    assert decode(encode(Value(inf))) == Value(inf)
    assert isnan(decode(encode(Value(nan))).value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", 1j, Canary()])
def test_what_has_no_json_form(value: object) -> None:
    with pytest.raises(HistoryError, match="has no JSON form"):
        encode(Value(value))


@pytest.mark.parametrize(
    "document",
    [
        {"type": "Nothing"}, {"kind": "Woke"}, {"type": "SetWeight"}, {"type": "SetWeight", "weight": 1, "more": 2},
        {"type": "float"}, {"type": "float", "value": "x"}, {"type": "map", "items": [1]}, {"type": ["list"]},
        {"type": "Arm", "requests": 1, "bad": 2},
    ],
)  # fmt: skip
def test_damaged_documents(document: object) -> None:
    with pytest.raises(HistoryError, match="from another version or damaged"):
        decode(document)
