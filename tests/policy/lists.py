"""Policies as lists: events in, commands out."""

from __future__ import annotations

from collections.abc import Sequence

from sim.policy.analysis import Analysis, Limits, Metric
from sim.policy.commands import Command, Counts, Finish, Measure
from sim.policy.events import Event, Measured, Value
from sim.policy.notes import Note, PhaseIs, StepIs
from sim.policy.rollout import Policy, Rollout


class Tape:
    """A rollout that is fed by hand; remembers its notes."""

    def __init__(self, policy: Policy) -> None:
        self.notes: list[Command | Note] = []
        self.rollout = Rollout(policy, observe=lambda at, item: self.notes.append(item))

    def feed(self, at: float, event: Event) -> list[Command]:
        self.notes.clear()
        return list(self.rollout.handle(at, event))

    def play(self, *events: tuple[float, Event]) -> list[Command]:
        """Feed all of them; the commands of the last."""
        commands: list[Command] = []
        for at, event in events:
            commands = self.feed(at, event)
        return commands

    def answer(self, at: float, number: float) -> list[Command]:
        """Answer the last measurement asked for."""
        return self.feed(at, Measured(self.asked, Value(number)))

    @property
    def asked(self) -> int:
        """The id of the last measurement asked for."""
        ids = [c.id for entry in self.rollout.journal for c in entry.commands if isinstance(c, Measure)]
        return ids[-1]

    @property
    def phases(self) -> list[tuple[str, str]]:
        """The phases that the last event brought."""
        return [(note.phase, note.reason) for note in self.notes if isinstance(note, PhaseIs)]

    @property
    def steps(self) -> list[int]:
        """The steps that the last event brought."""
        return [note.index for note in self.notes if isinstance(note, StepIs)]


def metric(name: str = "errors", **more: object) -> Metric:
    """Successful up to 1, Failed above."""
    return Metric(name, Counts(60.0), Limits(high=1.0), **more)  # type: ignore[arg-type]


def analysis(**more: object) -> Analysis:
    return Analysis((metric(**more),))


def outcome(commands: Sequence[Command]) -> str:
    """The outcome that these commands end with."""
    last = commands[-1]
    assert isinstance(last, Finish), last
    return last.outcome
