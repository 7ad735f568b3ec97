"""The world of a trace: answers come from a script, pods become ready when it says so (contracts section 8)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from sim.agenda import Agenda
from sim.policy.commands import Apply, AskGate, Command, Measure, Promote, SetExperiment, SetScale, Text, Update
from sim.policy.errors import PolicyError, WorldError
from sim.policy.events import (
    Answered,
    Event,
    Failed,
    Human,
    Measured,
    NewRevision,
    Resized,
    Started,
    Terminated,
    Woke,
)  # fmt: skip
from sim.service.fleet import Fleet
from sim.tracing.script import Hang, Happening, Script

__all__ = ["ScriptWorld"]

HANG_TIMEOUT = 30.0  # Argo's timeout of a Prometheus query (delivery-systems.md section 2.1)
_TIMEOUTS = {"web": 10.0}  # of other providers (same section)
_TURNS = 10_000  # events in one instant, far above what any policy needs


class ScriptWorld:
    """Carries commands out against a script. `scaled` hears of sizes that the policy does not say: a Deployment's batches, and which
    role pods have after a newer revision came."""

    def __init__(self, script: Script, replicas: int, scaled: Callable[[float, int, int, int], None]) -> None:
        self._script, self._scaled = script, scaled
        self._at, self._turns = 0.0, 0
        self._agenda: Agenda[Event | Happening | None] = Agenda()
        self._asked: dict[str, int] = {}  # measurements taken so far, per entry of the script
        self._fleet = Fleet(replicas, script.ready_after, self._look, scaled, script.ends_after)
        self._gates: dict[str, bool] = {}
        self._waiting: list[tuple[str, str]] = []  # name and type
        for happening in script.events:
            self._agenda.plan(happening.at, happening)

    def start(self) -> tuple[float, Event]:
        return 0.0, Started(self._fleet.replicas, self._fleet.revision, self._fleet.stable)

    def next(self, wakes_at: float | None) -> tuple[float, Event] | None:
        following = self._following(wakes_at)
        if following is not None:
            self._turns = self._turns + 1 if following[0] == self._at else 0
            self._at = following[0]
            if self._turns > _TURNS:
                raise PolicyError(f"the policy does not get on: {_TURNS} events at {self._at:g} s; check its wakes_at")
        return following

    def _following(self, wakes_at: float | None) -> tuple[float, Event] | None:
        while True:
            planned = self._agenda.next_at
            at = min((moment for moment in (planned, wakes_at) if moment is not None), default=inf)
            if at > self._script.until:
                return None
            if planned is None or planned > at:
                return at, Woke()
            event = self._happen(*self._agenda.pop())
            if event is not None:
                return at, event

    def carry(self, at: float, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case Measure():
                    self._measure(at, command)
                case SetScale():
                    self._fleet.resize(at, command)
                case SetExperiment():
                    self._fleet.experiment(at, command)
                case Apply():
                    self._fleet.apply(at, command)
                case Update():
                    self._fleet.update(at, command)
                case AskGate(gate, name):
                    self._ask(at, gate, name)
                case Promote(revision):
                    self._promote(at, revision)

    def _promote(self, at: float, revision: int) -> None:
        if (
            revision not in self._fleet.pods
        ):  # it has no pods of its own (a feature flag): it runs in those that are there
            self._fleet.pods[revision] = self._fleet.pods.pop(self._fleet.stable)
        self._fleet.promote(at, revision)

    # ---- what happens ----

    def _happen(self, at: float, item: Event | Happening | None) -> Event | None:
        if item is None:
            return self._fleet.look(at)
        if not isinstance(item, Happening):
            return item
        match item.kind:
            case "approve" | "deny":
                return self._answer_gate(at, item)
            case "revision":
                self._fleet.supersede(at, int(str(item.value)))
                self._scaled(at, *self._fleet.wanted())  # sizes are by role
                return NewRevision(self._fleet.revision)
            case "replicas":
                self._fleet.replicas = int(str(item.value))
                return Resized(self._fleet.replicas)
            case "fail":
                self._fleet.lose(at, self._fleet.revision, int(str(item.value)))
                return None
            case "terminate":
                return Terminated(str(item.value))
        return Human(item.action)

    def _answer_gate(self, at: float, item: Happening) -> Event | None:
        gate, approved = str(item.value), item.kind == "approve"
        self._gates[gate] = approved
        for waiting in self._waiting:
            if gate in waiting:
                self._waiting.remove(waiting)
                return Answered(waiting[1], approved)
        return None

    def _ask(self, at: float, gate: str, name: str) -> None:
        """A gate answers by its name, else by its type; without a word in the script it says yes, a rollback webhook no."""
        for word in (name, gate):
            if word in self._gates:
                self._agenda.plan(at, Answered(gate, self._gates[word]))
                return
        if any(item.kind in ("approve", "deny") and item.value in (gate, name) for item in self._script.events):
            self._waiting.append((name, gate))
        else:
            self._agenda.plan(at, Answered(gate, gate != "rollback"))

    def _measure(self, at: float, command: Measure) -> None:
        name = command.metric
        full = f"{command.template}/{name}"
        key = full if full in self._script.measurements else name
        if key not in self._script.measurements:
            what = full.lstrip("/")
            raise WorldError(f"the script has no measurements for metric {what}; add measurements: {{{name}: [...]}}")
        values = self._script.measurements[key]
        turn = self._asked.get(key, 0)
        self._asked[key] = turn + 1
        answer = values[min(turn, len(values) - 1)]
        if isinstance(answer, Hang):
            provider = command.query.provider if isinstance(command.query, Text) else ""
            patience = _TIMEOUTS.get(provider, HANG_TIMEOUT)
            self._agenda.plan(at + patience, Measured(command.id, Failed("timeout: no answer")))
        else:
            self._agenda.plan(at + self._script.query, Measured(command.id, answer))

    def _look(self, at: float) -> None:
        self._agenda.plan(at, None)
