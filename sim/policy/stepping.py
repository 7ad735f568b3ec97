"""When the current step of a canary is complete (delivery-systems.md section 2.8, its table of steps)."""

from __future__ import annotations

from collections.abc import Iterator

from sim.policy.commands import AskGate, Match, Mirror, SetWeight
from sim.policy.desk import Desk
from sim.policy.events import Answered
from sim.policy.sizes import reached
from sim.policy.standing import Standing
from sim.policy.steps import Analyse, Experiment, Gate, Pause, ScaleCanary
from sim.policy.trial import Trial
from sim.policy.voice import Voice

__all__ = ["Stepping"]


class Stepping:
    """What lasts for one step only: whether a gate was asked and opened; and the experiment, whose pods outlast it."""

    __slots__ = ("_desk", "_gate_open", "_standing", "_voice", "trial")

    def __init__(self, standing: Standing, desk: Desk, voice: Voice) -> None:
        self._standing, self._desk, self._voice = standing, desk, voice
        self.trial = Trial(standing.policy.progress_deadline, standing.policy.min_ready, voice.say)
        self._gate_open: bool | None = None  # None: not asked yet

    def leave(self, at: float) -> None:
        """The step is over; its run with it."""
        self._desk.forget("step")
        self.trial.leave(at)
        self._gate_open = None

    def hear(self, event: Answered) -> bool | None:
        """An answer of the gate that the step waits for; None for any other."""
        step = self._standing.step
        if not isinstance(step, Gate) or step.name != event.gate or self._gate_open is not False:
            return None
        self._gate_open = event.approved
        return event.approved

    def due(self) -> Iterator[float]:
        """When the step ends by time."""
        step, paused_at = self._standing.step, self._standing.paused_at
        if isinstance(step, Pause) and step.duration is not None and paused_at is not None:
            yield paused_at + step.duration
        yield from self.trial.due(looked_at=not self._standing.inconclusive)

    def complete(self, at: float) -> bool:
        """Whether the current step is complete; asks its gate, sets its route."""
        s = self._standing
        match s.step:
            case Pause(duration):
                if s.paused_at is None:
                    return s.controller_pause  # a person cleared the condition, or an inconclusive one stands
                return duration is not None and at >= s.paused_at + duration
            case SetWeight() | ScaleCanary():
                return reached(s)
            case Analyse():
                return self._desk.phase("step") == "Successful"
            case Gate(name):
                return self._ask(name)
            case Match() | Mirror() as route:
                s.routes = s.routes or route not in (Match(()), Mirror(0.0))
                self._voice.say(route)
                return True
            case Experiment():
                return self.trial.over(at, self._desk.phase("step"))
        return False

    def _ask(self, gate: str) -> bool:
        if self._gate_open is None:
            self._gate_open = False
            self._voice.say(AskGate(gate))
        return self._gate_open
