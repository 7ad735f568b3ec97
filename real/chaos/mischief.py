"""When the faults of a scenario begin and end, in seconds since Started; what they hit is resolved when they begin.

Times are `sim.faults.timing`'s, so that both worlds agree. A fault that waits for a trigger starts when the rollout has come there; it
fires once, and again by `repeat`.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from real.chaos.aim import resolve
from real.chaos.catalogue import injector
from real.chaos.field import Field
from real.ports.things import Injection, Put
from real.ports.things import fault as named
from sim.faults.fault import Fault
from sim.faults.timing import windows
from sim.policy.commands import Command, SetWeight
from sim.policy.events import Event
from sim.policy.notes import Note, PhaseIs, StepIs

__all__ = ["Mischief"]

_HORIZON = 86_400.0  # seconds; a run is over long before


@dataclass(order=True, slots=True)
class _Turn:
    """At one instant ends come before starts (faults.md section 1)."""

    at: float
    start: bool
    number: int
    fault: Fault = field(compare=False)


class Mischief:
    """Satisfies `real.ports.ports.Mischief`. `seed` fixes which pods are hit and every jitter."""

    def __init__(self, faults: Iterable[Fault], where: Field, seed: int = 0, netem: bool = False) -> None:
        self._field, self._seed, self._netem = where, seed, netem
        self._turns: list[_Turn] = []
        self._waiting: list[Fault] = []
        for one in faults:
            if one.at_s is None:
                self._waiting.append(one)
            else:
                self._plan(one)

    @property
    def wakes_at(self) -> float | None:
        return self._turns[0].at if self._turns else None

    def due(self, at: float) -> tuple[Put, ...]:
        """What is to be put by now. Raises PortError where a target is not there or too large."""
        puts: list[Put] = []
        while self._turns and self._turns[0].at <= at:
            turn = heapq.heappop(self._turns)
            name = named(turn.fault.id)
            puts.append(Put(name, self._injection(turn.fault) if turn.start else None))
            if turn.start and turn.fault.about.instant:
                puts.append(Put(name, None))
        return tuple(puts)

    def missed(self, at: float, there: Mapping[str, Injection]) -> tuple[Put, ...]:
        """What each fault that has begun is like by now; where it was aimed at is looked for only if nobody aimed it before."""
        last: dict[str, _Turn] = {}
        while self._turns and self._turns[0].at <= at:
            turn = heapq.heappop(self._turns)
            last[named(turn.fault.id)] = turn
        return tuple(Put(name, self._now(name, turn, there)) for name, turn in last.items())

    def _now(self, name: str, turn: _Turn, there: Mapping[str, Injection]) -> Injection | None:
        if not turn.start or turn.fault.about.instant:
            return None
        if name in there:
            return Injection(turn.fault.kind, there[name].targets, _params(turn.fault))
        return self._injection(turn.fault)

    def heard(self, at: float, event: Event, commands: tuple[Command, ...]) -> None:
        """Events by the name of their kind, and weights that were asked for."""
        self._happened(at, "event", type(event).__name__)
        for command in commands:
            if isinstance(command, SetWeight):
                self._happened(at, "weight_at_least", command.weight)

    def noted(self, at: float, item: Command | Note) -> None:
        """Steps and phases."""
        if isinstance(item, StepIs):
            self._happened(at, "step_entered", item.index)
        elif isinstance(item, PhaseIs):
            self._happened(at, "phase", item.phase)

    def _happened(self, at: float, what: str, value: float | str) -> None:
        for one in tuple(self._waiting):
            trigger = one.trigger
            assert trigger is not None
            if trigger.on == what and _met(what, trigger.value, value):
                self._waiting.remove(one)
                self._plan(replace(one, at_s=at, trigger=None))

    def _plan(self, one: Fault) -> None:
        def uniform(index: int) -> float:
            return random.Random(f"{self._seed}/{one.seed_stream}/{index}").random()

        for start, end in windows(one, _HORIZON, uniform):
            self._push(start, True, one)
            if math.isfinite(end) and not one.about.instant:
                self._push(end, False, one)

    def _push(self, at: float, start: bool, one: Fault) -> None:
        heapq.heappush(self._turns, _Turn(at, start, len(self._turns), one))

    def _injection(self, one: Fault) -> Injection:
        acts = injector(one.kind, self._netem)
        targets = resolve(one, self._field, acts, self._seed)
        return Injection(one.kind, targets, _params(one))


def _params(one: Fault) -> tuple[tuple[str, Any], ...]:
    lasts = () if one.duration_s is None else (("lasts_s", one.duration_s),)
    return (*one.params.items(), *lasts)


def _met(what: str, wanted: int | float | str, value: float | str) -> bool:
    if what == "weight_at_least":
        return float(value) >= float(wanted)
    return str(value) == str(wanted)
