"""The journal of one rollout: its events and commands as lines of JSON, to be replayed with the same or another policy.

The first line says what it is; every further line is one entry `{"at": s, "event": ..., "commands": [...]}`. A driver of the real world
writes what it did in between (`{"at": s, "effect": 3, ...}`): lines without an event, which no policy sees. Lines are ASCII and end with
a newline each. A file whose last line is torn (a crash while writing) is read up to the line before, and says so. The journal of a run
that is a folder is its `journal.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.policy.codec import decode, encode
from sim.policy.commands import Command
from sim.policy.errors import HistoryError, PolicyError
from sim.policy.events import Event
from sim.policy.rollout import Entry, Policy, Rollout

__all__ = ["Acts", "Journal", "Mismatch", "entry_line", "head_line", "replay"]

FORMAT = 1
Acts = tuple[dict[str, Any], ...]
"""What a real driver wrote between the entries, in order: documents with `at` and no event."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Entries in order, and what was said about the rollout (`about`: policy, scenario, seed, replication...)."""

    entries: tuple[Entry, ...]
    about: dict[str, Any] = field(default_factory=dict)
    torn: bool = False
    acts: Acts = ()

    def lines(self) -> Iterator[str]:
        """The file, line by line, without acts."""
        yield head_line(self.about)
        yield from map(entry_line, self.entries)

    def write(self, path: Path) -> None:
        path.write_bytes("".join(line + "\n" for line in self.lines()).encode("ascii"))

    @classmethod
    def read(cls, path: Path) -> Journal:
        """A file, or the folder of a run. Errors: `HistoryError` with file and line."""
        path = path / "journal.jsonl" if path.is_dir() else path
        try:
            whole, newline, rest = path.read_bytes().rpartition(b"\n")
            text = (whole + newline).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise HistoryError(f"{path}: cannot be read as a journal: {error}") from error
        lines = [line + "\n" for line in text.split("\n")[:-1]]  # a text may hold other ends of line
        return cls.parse([*lines, rest.decode("utf-8", "replace")] if rest else lines, str(path))

    @classmethod
    def parse(cls, lines: Iterable[str], name: str = "journal") -> Journal:
        """A journal from its lines, each with its newline; a last one without is torn. Errors: `HistoryError` with the line."""
        whole = list(lines)
        torn = bool(whole) and not whole[-1].endswith("\n")
        about: dict[str, Any] | None = None
        entries: list[Entry] = []
        acts: list[dict[str, Any]] = []
        for number, line in enumerate(whole[:-1] if torn else whole, 1):
            document = _load(line, f"{name}:{number}")
            if about is None:
                about = _head(document, name)
            elif "event" not in document and isinstance(document.get("at"), int | float) and "commands" not in document:
                acts.append(document)
            else:
                entries.append(_entry(document, f"{name}:{number}"))
        if about is None:
            raise HistoryError(f"{name}: the journal is empty; its first line says what it is")
        return cls(tuple(entries), about, torn, tuple(acts))


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a history and a policy part: at the entry with this number (from 0)."""

    entry: int
    at: float
    event: Event
    recorded: tuple[Command, ...]
    asked: tuple[Command, ...]

    def __str__(self) -> str:
        where = f"entry {self.entry} at {self.at:g} s, {self.event!r}"
        return f"{where}: recorded {list(self.recorded)}, this policy asks {list(self.asked)}"


def replay(policy: Policy, journal: Journal) -> Mismatch | None:
    """Feed recorded events to a policy; the first entry whose commands differ, or None if all agree."""
    rollout = Rollout(policy)
    for number, (at, event, commands) in enumerate(journal.entries):
        try:
            asked = rollout.handle(at, event)
        except PolicyError as error:
            raise HistoryError(f"entry {number} at {at:g} s cannot be replayed: {error}") from error
        if asked != commands:
            return Mismatch(number, at, event, commands, asked)
    return None


def head_line(about: dict[str, Any]) -> str:
    """The first line, without its newline."""
    return _json({"seatrial": "journal", "format": FORMAT, **about})


def entry_line(entry: Entry) -> str:
    """The line of an entry, without its newline."""
    at, event, commands = entry
    return _json({"at": at, "event": encode(event), "commands": [encode(command) for command in commands]})


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def _load(line: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise HistoryError(f"{where}: not a line of JSON ({error})") from error
    if not isinstance(document, dict):
        raise HistoryError(f"{where}: a journal line is a JSON object, got {type(document).__name__}")
    return document


def _head(document: dict[str, Any], name: str) -> dict[str, Any]:
    if document.get("seatrial") != "journal":
        raise HistoryError(f"{name}:1: not a journal; the first line begins with seatrial: journal")
    if document.get("format") != FORMAT:
        raise HistoryError(
            f"{name}:1: format {document.get('format')!r} of another version; this one reads format {FORMAT}"
        )
    return {key: value for key, value in document.items() if key not in ("seatrial", "format")}


def _entry(document: dict[str, Any], where: str) -> Entry:
    try:
        entry = Entry(float(document["at"]), decode(document["event"]), decode(document["commands"]))
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"{where}: not an entry of a journal ({error!r})") from error
    except HistoryError as error:
        raise HistoryError(f"{where}: {error}") from error
    sound = isinstance(entry.commands, tuple) and all(isinstance(command, Command) for command in entry.commands)
    if not (sound and isinstance(entry.event, Event)):
        raise HistoryError(f"{where}: an entry holds one event and a list of commands")
    return entry
