"""The clock of a tick-driven policy: a grid of ticks, and one question at a time inside a tick.

Rules.
1. Ticks fall on a grid that nothing moves: `first`, then every interval. One that lasts longer than an interval is
   followed by the next at once, and the grid goes on (Flagger's ticker holds one tick back).
2. A tick is a walk: a generator that yields the questions it asks and is sent their answers. A query that does not
   answer in `QUERY_TIMEOUT` has failed, a gate that does not answer in the same instant has said no. An answer that
   comes later is the answer to the next question at that gate.
3. What else happens in the instant of a tick, or of a silent question, comes first: only `Woke` or a later moment moves
   the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from math import floor

from sim.policy.commands import AskGate, Command, Measure
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Answered, Event, Failed, Measured, Woke
from sim.policy.notes import Note

__all__ = ["Question", "Reply", "Ticks", "Walk"]

QUERY_TIMEOUT = 5.0  # Flagger: pkg/metrics/providers/prometheus.go

Reply = Answer | bool
Walk = Generator[Measure | AskGate, Reply, None]
Question = Generator[Measure | AskGate, Reply, bool]


class Ticks:
    """Runs a `walk` at every tick while it is `wanted`; times are seconds since the rollout started."""

    def __init__(
        self,
        first: float,
        interval: float,
        walk: Callable[[], Walk],
        wanted: Callable[[], bool],
        emit: Callable[[Command | Note], None],
    ) -> None:
        self._first, self._interval = first, interval
        self._walk, self._wanted, self._emit = walk, wanted, emit
        self._number, self._due = 0, first
        self._under_way: Walk | None = None
        self._asked: Measure | AskGate | None = None
        self._asked_at = 0.0
        self._late: dict[str, bool] = {}

    @property
    def wakes_at(self) -> float | None:
        """The end of patience with a question, else the next tick; None when no tick is wanted."""
        if self._asked is not None:
            return self._asked_at + (QUERY_TIMEOUT if isinstance(self._asked, Measure) else 0.0)
        return self._due if self._wanted() else None

    def hear(self, at: float, event: Event) -> None:
        """Take the answer to the question under way, or keep one that comes too late."""
        match event:
            case Measured(id, answer) if isinstance(self._asked, Measure) and self._asked.id == id:
                self._resume(at, answer)
            case Answered(gate, approved) if isinstance(self._asked, AskGate) and self._asked.gate == gate:
                self._resume(at, approved)
            case Answered(gate, approved):
                self._late[gate] = approved

    def move(self, at: float, event: Event) -> None:
        """Give up on a silent question, or start the tick that is due."""
        due = self.wakes_at
        if due is None or at < due or (at == due and not isinstance(event, Woke)):
            return
        if isinstance(self._asked, Measure):
            self._resume(at, Failed("no answer within 5 s"))
        elif self._asked is not None:
            self._resume(at, False)
        else:
            self._under_way = self._walk()
            self._resume(at, None)

    def skip(self, at: float) -> None:
        """Ticks up to now went by unwanted; the next one is strictly after now."""
        if at >= self._due:
            self._plan(at, floor((at - self._first) / self._interval) + 1)

    def gate(self, kind: str, name: str) -> Question:
        """Ask a gate inside a walk; an answer that came too late for the last question is taken instead."""
        late = self._late.pop(kind, None)
        return late if late is not None else (yield AskGate(kind, name)) is True

    def _resume(self, at: float, reply: Reply | None) -> None:
        """Go on with the tick under way until it asks the next question or ends."""
        if self._under_way is None:
            raise PolicyError("an answer without a tick under way")
        try:
            self._asked = next(self._under_way) if reply is None else self._under_way.send(reply)
            self._asked_at = at
            self._emit(self._asked)
        except StopIteration:
            self._under_way = self._asked = None
            self._plan(at, self._number + 1)

    def _plan(self, at: float, number: int) -> None:
        """The next tick is this one of the grid, or comes at once when that has passed already."""
        if self._first + number * self._interval < at:
            number = floor((at - self._first) / self._interval)
        self._number = number
        self._due = max(at, self._first + number * self._interval)
