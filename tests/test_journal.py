"""The journal file: written, read, torn, damaged, replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.journal import Journal, Mismatch, replay
from sim.policy.canary import Canary
from sim.policy.commands import SetWeight
from sim.policy.errors import HistoryError
from sim.policy.events import Human, Interrupted, PodsReady, Started, Woke
from sim.policy.rollout import Entry, Rollout
from sim.policy.steps import Analyse, Pause
from tests.policy.lists import analysis

POLICY = Canary(steps=(SetWeight(20), Pause(10.0), Analyse(analysis(count=1))))


def history() -> Journal:
    rollout = Rollout(POLICY)
    rollout.handle(0.0, Started(replicas=5))
    rollout.handle(2.5, PodsReady(5, 1))
    rollout.handle(12.5, Woke())
    rollout.handle(13.0, Interrupted("line\nbreak, \u2028, \x85, é and a lone \ud800"))
    return Journal(tuple(rollout.journal), {"policy": "canary", "seed": 3})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    history().write(path)
    assert Journal.read(path) == history()
    assert path.read_bytes().isascii() and path.read_bytes().count(b"\n") == 5
    assert list(Journal.read(path).lines()) == list(history().lines())


def test_a_journal_cut_at_any_byte_is_read_up_to_the_line_before(tmp_path: Path) -> None:
    whole, path = "".join(line + "\n" for line in history().lines()).encode(), tmp_path / "torn.jsonl"
    head = whole.index(b"\n") + 1
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        if cut < head:
            with pytest.raises(HistoryError, match="the journal is empty"):
                Journal.read(path)
            continue
        found = Journal.read(path)
        lines = whole[:cut].count(b"\n") - 1
        assert found.entries == history().entries[:lines]
        assert found.torn == (not whole[:cut].endswith(b"\n"))
        assert replay(POLICY, found) is None


def test_a_torn_character_is_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "torn.jsonl"
    path.write_bytes(next(iter(history().lines())).encode() + b"\n" + b'{"at": 1, "event": "\xc3')
    assert Journal.read(path).torn


DAMAGED = {
    "not JSON": ("{at: 1}", "not a line of JSON"),
    "empty": ("", "not a line of JSON"),
    "no object": ("[1]", "a journal line is a JSON object, got list"),
    "no moment": ('{"event": {"type": "Woke"}, "commands": []}', "not an entry of a journal"),
    "no event": (
        '{"at": 1, "event": {"type": "SetWeight", "weight": 1}, "commands": []}',
        "one event and a list of commands",
    ),
    "no commands": (
        '{"at": 1, "event": {"type": "Woke"}, "commands": {"type": "Woke"}}',
        "one event and a list of commands",
    ),
    "unknown": ('{"at": 1, "event": {"type": "Slept"}, "commands": []}', "'Slept' is no event and no command"),
    "another form": (
        '{"at": 1, "event": {"type": "Woke", "late": 1}, "commands": []}',
        "unexpected keyword argument 'late'",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_line_is_named(name: str) -> None:
    line, message = DAMAGED[name]
    lines = [text + "\n" for text in history().lines()]
    with pytest.raises(HistoryError, match=f"^run.jsonl:3: .*{message}"):
        Journal.parse([*lines[:2], line + "\n", *lines[2:]], "run.jsonl")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"seatrial": "journal", "format": 2}, "journal:1: format 2 of another version; this one reads format 1"),
        ({"seatrial": "policy"}, "journal:1: not a journal"),
        ({}, "journal:1: not a journal"),
    ],
)
def test_other_files(head: dict[str, object], message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        Journal.parse([json.dumps(head) + "\n"])


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="cannot be read as a journal"):
        Journal.read(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\n")
    with pytest.raises(HistoryError, match="cannot be read as a journal"):
        Journal.read(tmp_path / "binary")


def test_a_replay_asks_the_same() -> None:
    assert replay(POLICY, history()) is None


def test_another_policy_is_a_what_if_and_the_first_difference_is_named() -> None:
    other = Canary(steps=(SetWeight(20), Pause(10.0), SetWeight(60), Pause()))
    found = replay(other, history())
    assert isinstance(found, Mismatch) and (found.entry, found.at, found.event) == (2, 12.5, Woke())
    assert str(found).startswith("entry 2 at 12.5 s, Woke(): recorded [Measure(id=1")
    assert str(found).endswith("this policy asks [SetScale(stable=5, canary=3, older=0, min_ready=0.0)]")


def test_a_history_that_cannot_be() -> None:
    entries = (Entry(5.0, Started(), history().entries[0].commands), Entry(4.0, Human("abort"), ()))
    with pytest.raises(HistoryError, match="entry 1 at 4 s cannot be replayed: time goes forward"):
        replay(
            Canary(steps=(SetWeight(20),)),
            Journal(
                (Entry(5.0, Started(), Rollout(Canary(steps=(SetWeight(20),))).handle(5.0, Started())), entries[1])
            ),
        )
