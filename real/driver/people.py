"""Who answers gates and pauses in a run without a person at the terminal: the scenario's own `people` (contracts section 7)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from real.ports.ports import Tell
from sim.policy.commands import AskGate, Command
from sim.policy.events import Answered, Human
from sim.policy.notes import Measurement, Note, PhaseIs

__all__ = ["Steward"]

_FAILED = ("Failed", "Inconclusive", "Error")
_BAD = ("Degraded", "paused", "rollback_paused")  # phases that show a person that something failed (Argo, Swarm)


class Steward:
    """Answers as the simulated people do, after `response` seconds. `rule`: promote | abort | by-alert; `gates`: approve | deny.

    `later` says something after a while; a test gives its own clock.
    """

    def __init__(
        self, rule: str, gates: str, response: float, later: Callable[[float, Callable[[], None]], object] | None = None
    ) -> None:
        self._rule, self._gates, self._response = rule, gates, response
        self._later = later or _timer
        self._failed = self._bad_phase = self._waiting = False

    def ask(self, gate: AskGate, tell: Tell) -> None:
        # A rollback webhook's yes would end the rollout (as in sim/service/site.py).
        tell(Answered(gate.gate, self._gates == "approve" and gate.gate != "rollback"))

    def heard(self, at: float, item: Command | Note, tell: Tell) -> None:
        if isinstance(item, Measurement):
            self._failed = self._failed or item.verdict in _FAILED
        elif isinstance(item, PhaseIs):
            self._waiting = item.waits
            self._bad_phase = item.phase in _BAD  # as in sim/service/site.py
            if item.waits:
                self._later(self._response, lambda: self._decide(tell))

    def _decide(self, tell: Tell) -> None:
        if self._waiting:
            aborts = self._rule == "abort" or (self._rule == "by-alert" and (self._failed or self._bad_phase))
            tell(Human("abort" if aborts else "promote"))


def _timer(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer
