"""`Rollout`: one policy under way. `handle` is the only way in; nothing here reads a clock or acts.

Rules.
1. The first event is `Started`; times never decrease.
2. `handle` returns the commands to carry out, in order. The driver decides nothing.
3. `wakes_at` is a "no later than": the driver hands over what happens before, or `Woke` when the moment comes.
4. What the current state does not wait for changes nothing and is journaled all the same, so late or doubled events are harmless.
5. `outcome` is set by `Finish`. Afterwards a rollout may still tidy up (`wakes_at`), be retried, or be superseded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from sim.policy.commands import Command, Finish
from sim.policy.errors import PolicyError
from sim.policy.events import Event, Human, NewRevision, Started
from sim.policy.notes import AnalysisIs, Measurement, MetricIs, Note, Observer, PhaseIs, StepIs, TickIs

__all__ = ["Entry", "Machine", "Policy", "Rollout"]

_NOTES = frozenset((PhaseIs, StepIs, AnalysisIs, MetricIs, Measurement, TickIs))


class Machine(Protocol):
    """The decision logic of one policy under way; it emits commands and notes in order."""

    def handle(self, at: float, event: Event) -> None: ...

    @property
    def wakes_at(self) -> float | None: ...


class Policy(Protocol):
    """A frozen dataclass whose fields are its whole configuration."""

    def machine(self, emit: Callable[[Command | Note], None]) -> Machine: ...


class Entry(NamedTuple):
    """One line of a journal: when, what happened, what the policy asked for."""

    at: float
    event: Event
    commands: tuple[Command, ...]


_entry = tuple.__new__  # what `Entry(...)` does, without its Python code


class Rollout:
    """A policy under way.

    >>> from sim.policy.canary import Canary
    >>> from sim.policy.commands import SetWeight
    >>> from sim.policy.events import PodsReady
    >>> rollout = Rollout(Canary(steps=(SetWeight(20),)))
    >>> rollout.handle(0.0, Started(replicas=5))
    (SetWeight(weight=0), SetScale(stable=5, canary=1, older=0, min_ready=0.0))
    >>> rollout.handle(8.0, PodsReady(stable=5, canary=1))
    (SetWeight(weight=20), SetScale(stable=5, canary=5, older=0, min_ready=0.0))
    """

    __slots__ = ("_at", "_commands", "_heard", "_machine", "_observe", "journal", "outcome", "policy", "reason")

    def __init__(self, policy: Policy, observe: Observer | None = None) -> None:
        self.policy = policy
        self.journal: list[Entry] = []
        self.outcome: str | None = None
        self.reason = ""
        self._observe = observe
        self._commands: list[Command] = []
        self._heard = False  # the machine said something
        self._at: float | None = None
        self._machine = policy.machine(self._take)

    @property
    def machine(self) -> Machine:
        """The decision logic, to be looked at only."""
        return self._machine

    @property
    def wakes_at(self) -> float | None:
        return self._machine.wakes_at

    def handle(self, at: float, event: Event) -> tuple[Command, ...]:
        """Take one event at `at` seconds since the start; returns what is to be done now, in order."""
        if self._at is None or type(event) is Started or not at >= self._at:
            self._check(at, event)
        self._at = at
        self._commands = []
        if self.outcome is None or not isinstance(event, NewRevision | Human):
            self._machine.handle(at, event)
        else:
            self._reopen(at, event)
        commands = tuple(self._commands)
        self.journal.append(_entry(Entry, (at, event, commands)))
        return commands

    def _check(self, at: float, event: Event) -> None:
        """Rule 1."""
        if self._at is None:
            if not isinstance(event, Started):
                raise PolicyError(f"the first event is Started, got {event!r}")
        elif isinstance(event, Started):
            raise PolicyError("the rollout has started already; a newer revision is NewRevision")
        elif not at >= self._at:
            raise PolicyError(f"time goes forward: {at:g} s comes after {self._at:g} s")

    def _reopen(self, at: float, event: NewRevision | Human) -> None:
        """After the end a person or a newer revision may open the outcome again: if the machine takes that up."""
        before, self._heard = self._machine.wakes_at, False
        outcome, self.outcome = self.outcome, None
        reason, self.reason = self.reason, ""
        self._machine.handle(at, event)
        opens = isinstance(event, NewRevision) or event.action in ("retry", "promote-full")
        taken = self._heard or self._machine.wakes_at != before
        if self.outcome is None and not (opens and taken):
            self.outcome, self.reason = outcome, reason

    def _take(self, item: Command | Note) -> None:
        self._heard = True
        if self._observe is not None and self._at is not None:
            self._observe(self._at, item)
        if type(item) in _NOTES:
            return
        self._commands.append(item)  # type: ignore[arg-type]
        if type(item) is Finish:
            self.outcome, self.reason = item.outcome, item.reason
