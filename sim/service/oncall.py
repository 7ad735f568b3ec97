"""People who watch a rollout: they answer pauses and gates after a while, by the scenario's rule (contracts section 7)."""

from __future__ import annotations

from collections.abc import Callable

from sim.policy.commands import Command
from sim.policy.events import Answered, Event, Human
from sim.policy.notes import Measurement, Note, PhaseIs
from sim.service.model import People

__all__ = ["OnCall"]

_BAD = ("Degraded", "paused", "rollback_paused")  # phases that show a person that something failed (Argo, Swarm)


class OnCall:
    """What they have seen of one rollout, and what they do about it."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._called = 0
        self._waiting = False
        self._failed_metric = self._bad_phase = False

    def heard(self, item: Command | Note) -> bool:
        """They see the rollout's phase and its measurements; returns whether it now waits for one of them."""
        if isinstance(item, Measurement):
            self._failed_metric = self._failed_metric or item.verdict in ("Failed", "Inconclusive", "Error")
        elif isinstance(item, PhaseIs):
            self._waiting = item.waits
            self._bad_phase = item.phase in _BAD  # a deadline that was late and is met says nothing any more
            return item.waits
        return False

    def delay(self, chance: Callable[[str, int], float]) -> float:
        """Seconds until the one who is called acts, drawn with `chance(purpose, index)` in [0, 1)."""
        seconds = self._people.response.draw(chance("people", self._called))
        self._called += 1
        return seconds

    def decide(self, at: float) -> Event | None:
        """What the one who was called does, if the rollout still waits."""
        if not self._waiting:
            return None
        rule = self._people.rule
        if rule == "by-alert":
            rule = "abort" if self._failed_metric or self._bad_phase else "promote"
        return Human("abort" if rule == "abort" else "promote")

    def answer(self, gate: str) -> Event:
        """To a gate; never yes to a rollback webhook, which would end the rollout."""
        return Answered(gate, self._people.gates == "approve" and gate != "rollback")
