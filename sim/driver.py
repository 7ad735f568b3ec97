"""The driver of virtual time: it carries commands out and brings one event back. If it ever decides something, the seam has leaked."""

from __future__ import annotations

from typing import Protocol

from sim.policy.commands import Command
from sim.policy.events import Event

__all__ = ["Driven", "World", "drive"]


class World(Protocol):
    """Everything a policy acts on, in virtual time."""

    def start(self) -> tuple[float, Event]:
        """The first moment and event."""
        ...

    def carry(self, at: float, commands: tuple[Command, ...]) -> None:
        """Carry commands out, at `at` seconds."""
        ...

    def next(self, wakes_at: float | None) -> tuple[float, Event] | None:
        """The next event, `Woke` if none happens before `wakes_at`, or None when nothing more can happen."""
        ...


class Driven(Protocol):
    """A rollout, or several in step, before a driver."""

    @property
    def wakes_at(self) -> float | None: ...

    def handle(self, at: float, event: Event) -> tuple[Command, ...]: ...


def drive(rollout: Driven, world: World) -> None:
    """Run a rollout in a world until nothing more can happen."""
    following: tuple[float, Event] | None = world.start()
    while following is not None:
        at, event = following
        world.carry(at, rollout.handle(at, event))
        following = world.next(rollout.wakes_at)
