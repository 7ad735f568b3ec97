"""Many rollouts of a policy that reads values (a runbook, say), for as long as they ask for the same things.

The first one leads: it is the one that people watch and that the world obeys. Afterwards each of the others hears the same events, with
its own counts in place of the leader's. Whoever asks for something else than the leader has left at that event, and starts again in a
flock of its own. One rollout goes its whole way before the next begins: that keeps it in the processor's cache.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engine.frozen import many
from sim.policy.commands import Command
from sim.policy.events import Event, Measured, Started, Value
from sim.policy.judges.base import Truth
from sim.policy.notes import Observer
from sim.policy.rollout import Policy, Rollout
from sim.policy.runbook import Author, Machine, Runbook, Stop, ending, turn
from sim.service.monitoring import Looks

__all__ = ["Flock"]

_TOGETHER = 500  # rollouts whose values are made at once: they stay in the cache until they were heard
_SWEEP = 8  # rollouts after which their memory is used again: a rollout and its machine refer to each other


class _Heard(NamedTuple):
    """What the leader heard (if `own`: each rollout in its own form) and what it asked for."""

    at: float
    event: Event
    own: Sequence[Event] | None
    commands: tuple[Command, ...]
    wakes_at: float | None
    turns: int  # of the author of a runbook


class _Told(NamedTuple):
    """One turn of the leader's author: at which event, what it heard (if `own`: each author its own), and what it said."""

    event: int
    heard: object
    own: Sequence[object] | None
    said: object


class Flock:
    """Stands in for the `Rollout`s of `size` replications before a driver. `seed`: of the one at a position."""

    def __init__(
        self, policy: Policy, size: int, seed: Callable[[int], int], truth: Truth | None, observe: Observer
    ) -> None:
        self._policy, self._size, self._seed, self._truth = policy, size, seed, truth
        self._leader = Rollout(policy, observe)
        self._heard: list[_Heard] = []
        self._followed = 0  # events that the others have heard
        self._here, self._left = list(range(size)), list[list[int]]()

    @property
    def wakes_at(self) -> float | None:
        return self._leader.wakes_at

    @property
    def here(self) -> list[int]:
        """Positions that still follow."""
        self._follow()
        return self._here

    @property
    def left(self) -> list[list[int]]:
        """Positions of those who left, in groups."""
        self._follow()
        return self._left

    def handle(self, at: float, event: Event) -> tuple[Command, ...]:
        before = self._said
        commands = self._leader.handle(at, self._led(event))
        self._heard.append(_Heard(at, event, None, commands, self._leader.wakes_at, self._said - before))
        return commands

    @property
    def _said(self) -> int:
        """Turns of the leader's author so far."""
        machine = self._leader.machine
        return len(machine.turns) if isinstance(machine, Machine) else 0

    def _led(self, event: Event) -> Event:
        """What the leader hears."""
        if isinstance(event, Started):
            return self._started(event, 0)
        looks = _looks(event)
        return event if looks is None else Measured(event.id, looks.of(0))  # type: ignore[union-attr]

    def _started(self, event: Started, position: int) -> Started:
        return Started(event.replicas, event.revision, event.stable, self._seed(position), self._truth)

    def _follow(self) -> None:
        """Let the others hear what the leader has heard."""
        if self._followed == len(self._heard):
            return
        self._followed = len(self._heard)
        leaves: dict[int, list[int]] = {}
        stay: list[int] = []
        with _quiet():
            for start in range(0, len(self._here), _TOGETHER):
                positions = self._here[start : start + _TOGETHER]
                for position, index in zip(positions, self._left_at(np.array(positions, np.intp)), strict=True):
                    (stay if index is None else leaves.setdefault(index, [])).append(position)
        self._here, self._left = stay, [leaves[index] for index in sorted(leaves)]

    def _left_at(self, positions: NDArray[np.intp]) -> Iterator[int | None]:
        """For each position the event at which it leaves the leader (None: it follows to the end).

        Of a runbook only the author has to hear its own values: everything else is a function of the author's requests.
        """
        if isinstance(self._policy, Runbook):
            turns = self._turns(positions)
            return (_leaves(self._policy.author, turns, number) for number in range(len(positions)))
        heard = [self._owned(each, positions) for each in self._heard]
        return (self._parts(heard, number) for number in range(len(positions)))

    def _owned(self, heard: _Heard, positions: NDArray[np.intp]) -> _Heard:
        """The same with each rollout's own form of the event."""
        if isinstance(heard.event, Started):
            return heard._replace(own=[self._started(heard.event, position) for position in positions.tolist()])
        looks = _looks(heard.event)
        if looks is None:
            return heard
        own = many(Measured, len(positions), repeat(heard.event.id), looks.each(positions))  # type: ignore[union-attr]
        return heard._replace(own=own)

    def _turns(self, positions: NDArray[np.intp]) -> list[_Told]:
        machine = self._leader.machine
        assert isinstance(machine, Machine)
        told, turns = [], iter(machine.turns)
        for index, heard in enumerate(self._heard):
            looks = _looks(heard.event)
            own = None if looks is None else looks.seen(positions)
            for number, (value, said) in enumerate(islice(turns, heard.turns)):
                told.append(_Told(index, value, None if number else own, said))
        return told

    def _parts(self, heard: Sequence[_Heard], number: int) -> int | None:
        """The event at which a rollout leaves the leader, None: it follows to the end."""
        if number % _SWEEP == 0:
            gc.collect(0)
        rollout = Rollout(self._policy)
        for index, (at, event, own, commands, wakes_at, _) in enumerate(heard):
            if rollout.handle(at, event if own is None else own[number]) != commands or rollout.wakes_at != wakes_at:
                return index
        return None


def _leaves(author: Author, turns: Sequence[_Told], number: int) -> int | None:
    """The event at which an author says something else than the leader's; what it raises is told where it leads."""
    steps = author.steps()
    send = steps.send
    for event, heard, own, said in turns:
        try:  # a look is no `Stop`, and is handed on without a call of `turn`: there are as many as rollouts times looks
            answer = turn(steps, heard) if own is None else send(own[number])
        except (StopIteration, Stop) as end:
            answer = ending(end)
        except Exception:
            return event
        if answer is said or answer == said:
            continue
        return event
    return None


def _looks(event: Event) -> Looks | None:
    """The looks that an event brings, one for each rollout."""
    if isinstance(event, Measured) and isinstance(event.answer, Value) and isinstance(event.answer.value, Looks):
        return event.answer.value
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Garbage is looked for only when asked for: of a hundred thousand values nearly all stay, and each search would visit them all."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
