"""The ports of a driver. Each is as small as the driver lets it be; what is behind them is no concern of a policy.

Time: a port never sleeps longer than its deadline and never retries; the driver does both. Threads: a port may have its own, and they
speak through `Tell` only. Everything else is called by one thread, one call at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from real.ports.things import Injection, Live, Put, Seen, Stamp
from sim.policy.commands import AskGate, Command, Measure
from sim.policy.events import Event
from sim.policy.notes import Note

__all__ = ["Changed", "Clock", "Cluster", "Look", "Mischief", "Monitor", "People", "Stop", "Tell", "Things"]


@dataclass(frozen=True, slots=True)
class Changed:
    """Pods or traffic may have changed: look again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Someone wants the run to end now: Ctrl-C, SIGTERM, `real halt`. Traffic is restored first."""

    cause: str


Tell = Callable[["Event | Changed | Stop"], None]
"""Hand the driver what happened; may be called by any thread, never blocks."""


class Things(Protocol):
    """Named things with a value and a version: the objects of a cluster, or the faults of a chaos port."""

    def names(self) -> tuple[str, ...]:
        """The things of this service in the owned namespace that are there now, whoever made them."""
        ...

    def read(self, name: str, deadline: float) -> Live:
        """What is there now; a thing that is not there has version ''. At most `deadline` seconds. Never from a cache."""
        ...

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        """Give a thing its value, if its version is still the stamp's, else `Conflict`. Nothing else is changed.

        The stamp's run, epoch and undo are kept on the object (annotations); an undo that is there already stays: the first one of a run
        is the value from before it. Returns what was written, with its new version. Any other PortError means what errors.py says.
        """
        ...


class Cluster(Things, Protocol):
    """The cluster, or the part of it that this run owns."""

    def look(self, deadline: float) -> Seen:
        """Pods and traffic as they are now: a list, never an event, so that a lost watch does no harm."""
        ...

    def listen(self, tell: Tell) -> Callable[[], None]:
        """Say `Changed()` whenever pods or traffic may have changed, until the returned function is called. Losing one is no error."""
        ...


class Look(Protocol):
    """What a measurement needs to know about the rollout."""

    at: float  # seconds since Started
    started: float  # the wall clock then, seconds since 1970

    def share(self, begin: float, end: float) -> float:
        """The planned share of the new revision, averaged over a stretch of time in seconds since Started."""
        ...


class Monitor(Protocol):
    """Turns a question into `Measured(question.id, Value | Absent | NotANumber | Failed)`."""

    def ask(self, question: Measure, look: Look, tell: Tell) -> None:
        """Begin to answer. `Counts` wants `Value(Window)`: both versions, times in seconds since Started; `Text` the provider's own value.

        Never raises: what breaks is `Failed(reason)`. The driver gives up by itself after its deadline; a late answer does no harm.
        """
        ...


class People(Protocol):
    """Who answers gates and pauses."""

    def ask(self, gate: AskGate, tell: Tell) -> None:
        """Begin to ask; the answer is `Answered(gate.gate, yes or no)`."""
        ...

    def heard(self, at: float, item: Command | Note, tell: Tell) -> None:
        """What an observer of the rollout hears; a `PhaseIs` that waits calls for a person, who may say `Human(...)`."""
        ...


class Mischief(Protocol):
    """The faults of a scenario: when each begins and ends. The driver puts them, journaled and undone like all else."""

    @property
    def wakes_at(self) -> float | None:
        """When the next fault begins or ends, in seconds since Started."""
        ...

    def due(self, at: float) -> tuple[Put, ...]:
        """The faults to put (a value) or to take away (None) by now, in order; each is given out once."""
        ...

    def missed(self, at: float, there: Mapping[str, Injection]) -> tuple[Put, ...]:
        """After a crash: what each fault that has begun is to be by now. One that came and went is not there; one that is `there` keeps its
        targets."""
        ...

    def heard(self, at: float, event: Event, commands: tuple[Command, ...]) -> None:
        """For faults that are triggered by an event or a weight."""
        ...

    def noted(self, at: float, item: Command | Note) -> None:
        """For faults that are triggered by a step or a phase: what an observer of the rollout hears."""
        ...


class Clock(Protocol):
    """Time, and the inbox that a driver waits at."""

    def wall(self) -> float:
        """Seconds since 1970; may jump."""
        ...

    def mono(self) -> float:
        """Seconds; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def tell(self, item: Event | Changed | Stop) -> None:
        """`Tell`: any thread."""
        ...

    def wait(self, seconds: float | None) -> Event | Changed | Stop | None:
        """What happened next, or None when `seconds` have passed (None: wait for ever)."""
        ...
