"""Policies as Python generators, for workshops: a runbook that yields commands and receives what came of them.

    class Cautious:
        def steps(self):
            for weight in (5, 25, 100):
                yield SetWeight(weight)
                seen = yield Look(60)
                if isinstance(seen, Absent) or seen.canary.bad > 0.01 * seen.canary.requests:
                    return Finish("aborted", "too many bad requests")

Loops are loops; an interruption arrives as `Stop` at the `yield`. Returning without a value promotes, once all traffic and pods are
there; a policy that ends in any other way restores the stable revision first. `Runbook` puts such a class behind the same seam as every
other policy. The class keeps nothing between rollouts: `steps` begins afresh for each of them, and again for a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from types import CodeType, TracebackType
from typing import NamedTuple, Protocol

from sim.policy.commands import Command, Counts, Finish, Measure, Promote, Restore, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Answer,
    Event,
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
from sim.policy.notes import Note
from sim.policy.voice import Voice

__all__ = [
    "Approval",
    "Author",
    "Look",
    "Machine",
    "Runbook",
    "Steps",
    "Stop",
    "Turn",
    "Wait",
    "ending",
    "seen",
    "turn",
]


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


_REQUESTS = 10_000  # far above what one instant of a sane runbook needs

Request = SetWeight | Look | Wait | Approval
Steps = Generator[Request, object, Finish | None]


class Turn(NamedTuple):
    """What an author heard (a value, or a `Stop` that was thrown), and what came back: a request, or how it ended."""

    heard: object
    said: object


class Author(Protocol):
    def steps(self) -> Steps: ...


@dataclass(frozen=True, slots=True)
class Runbook:
    """A generator policy. `patience` is how long, in seconds, a measurement may take after its window before it counts as failed."""

    author: Author
    patience: float = 30.0

    def __post_init__(self) -> None:
        if not self.patience > 0:
            raise PolicyError(f"patience is more than 0 s, got {self.patience:g}")

    def machine(self, emit: Callable[[Command | Note], None]) -> Machine:
        return Machine(self, emit)


def turn(steps: Steps, heard: object) -> object:
    """Hand the author what it hears; returns what it says: a request, or, at its end, `Finish` or None in an `_End`."""
    try:
        if type(heard) is Stop:
            return steps.throw(Stop(*heard.args))
        return steps.send(heard)
    except (StopIteration, Stop) as end:
        return ending(end)


def ending(end: StopIteration | Stop) -> object:
    """What an author says by ending so."""
    return _End(Finish("aborted", str(end)) if isinstance(end, Stop) else end.value)


class _End(NamedTuple):
    value: object


class Machine:
    """Carries one request of the author at a time; what the request does not wait for changes nothing.

    All that is the author's own is in `turns`: the same turns at the same moments make the same rollout.
    """

    __slots__ = (
        "_asked", "_canary", "_code", "_id", "_patience", "_pods", "_replicas", "_revision", "_steps", "_voice", "_weight",
        "turns", "wakes_at",
    )  # fmt: skip

    def __init__(self, policy: Runbook, emit: Callable[[Command | Note], None]) -> None:
        steps = policy.author.steps()
        if not isinstance(steps, Generator):
            raise PolicyError(f"{type(policy.author).__name__}.steps yields its requests, got {steps!r}; add a yield")
        self._steps: Steps | None = steps
        self.turns: list[Turn] = []
        self._code: CodeType = steps.gi_code  # type: ignore[attr-defined]
        self._patience = policy.patience
        self._voice = Voice(emit)
        self._asked: Request | None = None
        self._id = self._replicas = self._revision = 0  # the id is negative while its window is not over
        self._canary = self._pods = 0
        self._weight = 0.0
        self.wakes_at: float | None = None

    def handle(self, at: float, event: Event) -> None:
        if self._steps is None and not isinstance(self._asked, SetWeight):
            return
        asked = self._asked
        match event:
            case Woke():  # this and the next are nearly all events there are
                if self.wakes_at is not None and at >= self.wakes_at:
                    self._time(at)
            case Measured(id, answer):
                if isinstance(asked, Look) and id == self._id:
                    self._resume(at, seen(answer))
            case PodsReady():
                self._pods = event.canary
                if isinstance(asked, SetWeight) and self._pods >= self._canary:
                    self._weigh(at, asked)
            case Started():
                self._replicas, self._revision = event.replicas, event.revision
                self._voice.enter(("Progressing", ""))
                self._voice.say(SetWeight(0))
                self._resume(at, None)
            case Interrupted(cause):
                self._stop(at, Stop(cause))
            case NewRevision():
                self._stop(at, Stop("a newer revision"))
            case Human("abort"):
                self._stop(at, Stop("aborted by a person"))
            case Human("promote") if isinstance(asked, Approval):
                self._voice.enter(("Progressing", ""))
                self._resume(at, True)
            case Resized(replicas):
                self._replicas = replicas
                self._size(self._weight if not isinstance(asked, SetWeight) else asked.weight)
            case _ if self.wakes_at is not None and at >= self.wakes_at:
                self._time(at)
        if self._steps is None:
            self._voice.close()

    def _time(self, at: float) -> None:
        asked = self._asked
        if isinstance(asked, Look) and self._id < 0:  # the window is over: ask for it
            self._id = -self._id
            self.wakes_at = at + self._patience
            self._voice.say(_question(self._id, asked.seconds))
        else:
            self._resume(at, Failed("no answer in time") if isinstance(asked, Look) else None)

    def _resume(self, at: float, value: object) -> None:
        """Hand the author a value, and go on for as long as its requests are answered at once."""
        for _ in range(_REQUESTS):
            if self._steps is None:
                return
            request = self._turn(self._steps, value)
            if request is None or not self._ask(at, request):
                return
            value = WeightIs(self._weight)
        raise PolicyError(f"{self._where()}: {_REQUESTS} requests in one instant; wait or look in between")

    def _stop(self, at: float, stop: Stop) -> None:
        if self._steps is None:  # all passed already, only pods are missing
            self._end(Finish("aborted", str(stop)))
            return
        request = self._turn(self._steps, stop)
        if request is not None and self._ask(at, request):
            self._resume(at, WeightIs(self._weight))

    def _turn(self, steps: Steps, heard: object) -> Request | None:
        """The author's next request, None at its end. Whatever it raises is the policy's fault and names its line."""
        try:
            said = turn(steps, heard)
        except Exception as error:
            raise PolicyError(f"{self._where(error.__traceback__)}: {type(error).__name__}: {error}") from error
        self.turns.append(Turn(heard, said))
        if not isinstance(said, _End):
            return self._request(said)
        if said.value is not None and not isinstance(said.value, Finish):
            raise PolicyError(f"{self._where()}: it ends with {said.value!r}; return Finish(...) or nothing")
        return self._finish(said.value)

    def _request(self, said: object) -> Request:
        if not isinstance(said, SetWeight | Look | Wait | Approval):
            raise PolicyError(f"{self._where()}: {said!r} is not a request; yield SetWeight, Look, Wait or Approval")
        return said

    def _finish(self, finish: Finish | None) -> Request | None:
        """The author is done; a promotion first moves what is left of traffic and pods."""
        self._steps, self._asked, self.wakes_at = None, None, None
        if finish is not None and finish.outcome != "promoted":
            self._end(finish)
            return None
        if self._weight != 100 or self._pods < self._replicas:
            return SetWeight(100)
        self._end(finish)
        return None

    def _ask(self, at: float, request: Request) -> bool:
        """Do what is asked; True when it is answered already."""
        self._asked, self.wakes_at = request, None
        match request:
            case Look(seconds) | Wait(seconds):
                if not seconds >= 0:
                    raise PolicyError(f"{self._where()}: a time is 0 s or more, got {seconds!r}")
                if isinstance(request, Look):
                    self._id = -(abs(self._id) + 1)
                self.wakes_at = at + seconds
            case SetWeight(weight):
                if not 0 <= weight <= 100:
                    raise PolicyError(f"{self._where()}: a weight lies between 0 and 100, got {weight}")
                self._size(weight)
                return self._pods >= self._canary and self._settle(weight)
            case Approval():
                self._voice.enter(("Paused", "Approval"), waits=True)
        return False

    def _size(self, weight: float) -> None:
        canary = ceil(self._replicas * weight / 100)
        if canary != self._canary:
            self._canary = canary
            self._voice.say(SetScale(self._replicas, canary))

    def _weigh(self, at: float, asked: SetWeight) -> None:
        """The pods of a weight are there."""
        if self._settle(asked.weight):
            self._resume(at, WeightIs(asked.weight))

    def _settle(self, weight: float) -> bool:
        """Set a weight whose pods are there; False when that was the last one."""
        self._asked = None
        if weight != self._weight:
            self._weight = weight
            self._voice.say(SetWeight(weight))
        if self._steps is None:
            self._end(None)
        return self._steps is not None

    def _end(self, finish: Finish | None) -> None:
        self._steps, self._asked, self.wakes_at = None, None, None
        finish = finish or Finish("promoted", "all steps passed")
        if finish.outcome == "promoted":
            self._voice.say(Promote(self._revision))
            self._voice.say(SetWeight(0))  # of what is stable now, nothing goes to a canary
            self._voice.say(SetScale(self._replicas, 0))
            self._voice.enter(("Healthy", ""))
        else:
            self._voice.say(Restore())
            self._voice.say(SetScale(self._replicas, 0))
            self._voice.enter(("Degraded", finish.reason))
        self._voice.end(finish)

    def _where(self, trace: TracebackType | None = None) -> str:
        """The author's own line, as SimPy shows it."""
        frame = getattr(self._steps, "gi_frame", None)
        line = frame.f_lineno if frame is not None else self._code.co_firstlineno
        while trace is not None:
            if trace.tb_frame.f_code is self._code:
                line = trace.tb_lineno
            trace = trace.tb_next
        return f"{self._code.co_filename}:{line} in {self._code.co_name}"


@lru_cache
def _question(id: int, seconds: float) -> Measure:
    """The question of a look: one value for all the rollouts that ask it."""
    return Measure(id, "step", "counts", Counts(seconds))


def seen(answer: Answer) -> object:
    """What an author sees of an answer: its value, or what came instead."""
    return answer.value if isinstance(answer, Value) else answer
