"""Policies as Python generators, for workshops: a runbook that yields commands and receives what came of them.

    class Cautious:
        def steps(self):
            for weight in (5, 25, 100):
                yield SetWeight(weight)
                seen = yield Look(60)
                if isinstance(seen, Absent) or seen.canary.bad > 0.01 * seen.canary.requests:
                    return Finish("aborted", "too many bad requests")

Loops are loops; an interruption arrives as `Stop` at the `yield`. Returning without a value promotes; a policy that ends in any other way
restores the stable revision first. `Runbook` puts such a class behind the same seam as every other policy.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from sim.policy.commands import Command, Counts, Finish, Measure, Promote, Restore, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import Answer, Event, Failed, Human, Interrupted, Measured, NewRevision, PodsReady, Started, Value, WeightIs
from sim.policy.notes import Note, PhaseIs

__all__ = ["Approval", "Look", "Runbook", "Steps", "Stop", "Wait"]


@dataclass(frozen=True, slots=True)
class Look:
    """Ask for the counts of the next `seconds`; the answer is a `Window`, or what came instead (`Absent`, `Failed`, ...)."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Approval:
    """Wait for a person to promote."""


class Stop(Exception):
    """Thrown into a runbook when somebody interrupts the rollout."""


Request = SetWeight | Look | Wait | Approval
Steps = Generator[Request, object, Finish | None]


class Author(Protocol):
    def steps(self) -> Steps: ...


@dataclass(frozen=True, slots=True)
class Runbook:
    """A generator policy. `patience` is how long, in seconds, a measurement may take after its window before it counts as failed."""

    author: Author
    patience: float = 30.0

    def machine(self, emit: Callable[[Command | Note], None]) -> _Machine:
        return _Machine(self, emit)


class _Machine:
    __slots__ = (
        "_asked", "_canary", "_emit", "_id", "_patience", "_pods", "_replicas", "_revision", "_steps", "_weight", "wakes_at",
    )  # fmt: skip

    def __init__(self, policy: Runbook, emit: Callable[[Command | Note], None]) -> None:
        self._steps: Steps | None = policy.author.steps()
        self._patience = policy.patience
        self._emit = emit
        self._asked: Request | None = None
        self._id = self._replicas = self._revision = 0
        self._canary = self._pods = 0
        self._weight = 0.0
        self.wakes_at: float | None = None

    def handle(self, at: float, event: Event) -> None:
        if self._steps is None:
            return
        asked = self._asked
        kind = type(event)
        if kind is Measured:
            if type(asked) is Look and event.id == self._id:  # type: ignore[union-attr]
                self._resume(at, _seen(event.answer))  # type: ignore[union-attr]
        elif kind is PodsReady:
            self._pods = event.canary  # type: ignore[union-attr]
            if type(asked) is SetWeight and self._pods >= self._canary:
                self._weigh(at, asked.weight)
        elif kind is Started:
            self._replicas, self._revision = event.replicas, event.revision  # type: ignore[union-attr]
            self._emit(PhaseIs("Progressing"))
            self._emit(SetWeight(0))
            self._resume(at, None)
        elif kind is Interrupted or kind is NewRevision or (kind is Human and event.action == "abort"):  # type: ignore[union-attr]
            cause = event.cause if kind is Interrupted else "a newer revision" if kind is NewRevision else "aborted by a person"  # type: ignore[union-attr]
            self._throw(at, Stop(cause))
        elif kind is Human and type(asked) is Approval and event.action == "promote":  # type: ignore[union-attr]
            self._resume(at, True)
        elif self.wakes_at is not None and at >= self.wakes_at:
            self._time(at)

    def _time(self, at: float) -> None:
        asked = self._asked
        if type(asked) is Wait:
            self._resume(at, None)
        elif type(asked) is Look:
            if self._id < 0:  # the window is over: ask for it
                self._id = -self._id
                self.wakes_at = at + self._patience
                self._emit(Measure(self._id, "step", "counts", Counts(asked.seconds)))
            else:
                self._resume(at, Failed("no answer in time"))

    def _resume(self, at: float, value: object) -> None:
        assert self._steps is not None
        try:
            self._ask(at, self._steps.send(value))
        except StopIteration as end:
            self._end(end.value)
        except Stop as stop:
            self._end(Finish("aborted", str(stop)))

    def _throw(self, at: float, stop: Stop) -> None:
        assert self._steps is not None
        try:
            self._ask(at, self._steps.throw(stop))
        except StopIteration as end:
            self._end(end.value)
        except Stop:
            self._end(Finish("aborted", str(stop)))

    def _ask(self, at: float, request: Request) -> None:
        kind = type(request)
        self._asked, self.wakes_at = request, None
        if kind is SetWeight:
            weight = request.weight  # type: ignore[union-attr]
            if not 0 <= weight <= 100:
                raise PolicyError(f"{self._where()}: a weight lies between 0 and 100, got {weight}")
            canary = ceil(self._replicas * weight / 100)
            if canary != self._canary:
                self._canary = canary
                self._emit(SetScale(self._replicas, canary))
            if self._pods >= canary:
                self._weigh(at, weight)
        elif kind is Look:
            self._id = -(abs(self._id) + 1)
            self.wakes_at = at + request.seconds  # type: ignore[union-attr]
        elif kind is Wait:
            self.wakes_at = at + request.seconds  # type: ignore[union-attr]
        elif kind is Approval:
            self._emit(PhaseIs("Paused", "Approval", waits=True))
        else:
            raise PolicyError(f"{self._where()}: {request!r} is not a request; yield SetWeight, Look, Wait or Approval")

    def _weigh(self, at: float, weight: float) -> None:
        if weight != self._weight:
            self._weight = weight
            self._emit(SetWeight(weight))
        self._resume(at, WeightIs(weight))

    def _end(self, finish: Finish | None) -> None:
        self._steps, self._asked, self.wakes_at = None, None, None
        finish = finish or Finish("promoted", "all steps passed")
        if finish.outcome == "promoted":
            if self._weight != 100:
                self._emit(SetWeight(100))
            self._emit(Promote(self._revision))
            self._emit(SetScale(self._replicas, 0))
            self._emit(PhaseIs("Healthy"))
        else:
            self._emit(Restore())
            self._emit(SetScale(self._replicas, 0))
            self._emit(PhaseIs("Degraded", finish.reason))
        self._emit(finish)

    def _where(self) -> str:
        """The author's own line, as SimPy shows it."""
        code, frame = self._steps.gi_code, self._steps.gi_frame  # type: ignore[union-attr]
        return f"{code.co_filename}:{frame.f_lineno if frame else code.co_firstlineno} in {code.co_name}"


def _seen(answer: Answer) -> object:
    return answer.value if isinstance(answer, Value) else answer


