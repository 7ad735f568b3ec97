"""The timeline of a policy: what it does when all goes well, at the earliest and at the latest. No chance, no world, no statistics.

The real `Rollout` runs twice against a world that answers as wished. Earliest: every look passes and a judge that may decide early does,
people answer at once, pods start as fast as they do in the median. Latest: every judge uses all its looks, people and pods take as long
as they do once in a hundred. Failed or missing measurements are not part of a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from math import inf
from typing import Any, ClassVar, Literal

from sim.agenda import Agenda
from sim.driver import drive
from sim.durations import Duration
from sim.policy.analysis import Assessment, Metric, Verdict
from sim.policy.chance import Key
from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Counts,
    Finish,
    Match,
    Measure,
    Mirror,
    Promote,
    SetExperiment,
    SetScale,
    SetWeight,
    Switch,
    Update,
)
from sim.policy.events import Answer, Answered, Event, Human, Measured, PodsReady, Started, Value, WeightIs, Woke
from sim.policy.flagger import Check
from sim.policy.judges.base import Arm, AtEnd, Truth, Window
from sim.policy.notes import Note, PhaseIs
from sim.policy.rollout import Policy, Rollout
from sim.service.fleet import Fleet
from sim.service.model import Service
from sim.service.telemetry.spans import span

__all__ = ["Leg", "Plan", "Wait", "earliest", "plan"]

Pace = Literal["earliest", "latest"]
_SLOW = 0.99  # "once in a hundred"


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch under one routing. `weight`: percent of the traffic, `also`: who else is sent or copied to the new version.

    `share` of all requests reaches the new version. `looks`: measurements per metric, `windows`: the seconds that one looks back.
    """

    weight: float
    also: str
    share: float
    start: float
    end: float
    looks: tuple[tuple[str, int], ...] = ()
    windows: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Both runs. `decided` is infinite when the policy does not end within the service's horizon."""

    earliest: tuple[Leg, ...]
    latest: tuple[Leg, ...]
    decided: tuple[float, float]
    outcome: tuple[str, str]
    waits: tuple[Wait, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause or gate that a person ends: reached at `start` (earliest run), for how long."""

    reason: str
    start: float
    shortest: float
    longest: float


def plan(policy: Policy, service: Service, replicas: int | None = None) -> Plan:
    """The timeline of `policy` for `service`, with `replicas` pods instead of the service's own."""
    quick, slow = (_run(policy, service, pace, replicas or service.pods.count) for pace in ("earliest", "latest"))
    longest = service.people.response.draw(_SLOW)
    waits = tuple(Wait(reason, at, 0.0, longest) for at, reason in quick.waits)
    return Plan(
        tuple(quick.legs()), tuple(slow.legs()), (quick.decided, slow.decided), (quick.outcome, slow.outcome), waits
    )  # fmt: skip


def earliest(policy: Policy, service: Service, replicas: int | None = None) -> tuple[Leg, ...]:
    """The earliest of the two runs alone."""
    return tuple(_run(policy, service, "earliest", replicas or service.pods.count).legs())


def _run(policy: Policy, service: Service, pace: Pace, replicas: int) -> _Wished:
    world = _Wished(service, pace, replicas, float(getattr(policy, "max_weight", 100)))
    drive(Rollout(_wishful(policy, pace), observe=world.heard), world)
    return world


# ---- verdicts as wished ----


@dataclass(frozen=True, slots=True)
class _Passes:
    """Stands in for a verdict function: passes, or (`late`) stays undecided until the looks are used up."""

    sequential: bool
    late: bool

    at_end: ClassVar[AtEnd] = "pass"

    def start(self, seed: int, key: tuple[Key, ...], truth: Truth | None) -> _Passes:
        return self

    def assess(self, at: float, answer: Answer) -> Assessment:
        verdict: Verdict = "Undecided" if self.late and self.sequential else "Successful"
        return Assessment(None, verdict)


def _wishful(value: Any, pace: Pace) -> Any:
    """A policy with every verdict as wished."""
    if isinstance(value, Metric):
        return replace(value, verdict=_Passes(value.verdict.sequential, pace == "latest"))
    if isinstance(value, Check):
        return replace(value, low=None, high=None, query=value.query or Counts(60.0))
    if isinstance(value, tuple):
        return tuple(_wishful(item, pace) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        new = {name: _wishful(item, pace) for name, item in old.items()}
        changed = {name: item for name, item in new.items() if item is not old[name]}
        return replace(value, **changed) if changed else value
    return value


# ---- a world as wished ----


class _Wished:
    """Carries commands out; everything goes well. Weights are kept in percent."""

    def __init__(self, service: Service, pace: Pace, replicas: int, max_weight: float) -> None:
        self._service, self._late, self._max = service, pace == "latest", max_weight
        self._agenda: Agenda[Event | None] = Agenda()
        self._replicas = replicas
        self._person: float | None = None
        self._weight, self._matched, self._mirror = 0.0, (), 0.0  # type: float, tuple[str, ...], float
        self._marks: list[tuple[float, tuple[float, str, float]]] = []  # (at, (weight, also, share))
        self._looks: list[tuple[float, str, float]] = []  # (at, metric, window)
        self._router = False
        self.waits: list[tuple[float, str]] = []
        self.decided, self.outcome = inf, ""
        start = self._drawn(service.pods.start)
        self._fleet = Fleet(replicas, lambda revision, number: start, lambda at: self._agenda.plan(at, None))

    def _drawn(self, duration: Duration) -> float:
        return duration.draw(_SLOW if self._late else 0.5)

    # ---- the world's three doors ----

    def start(self) -> tuple[float, Event]:
        return 0.0, Started(self._replicas, truth=Truth(bad=False))

    def next(self, wakes_at: float | None) -> tuple[float, Event] | None:
        while True:
            moments = [moment for moment in (self._agenda.next_at, self._person, wakes_at) if moment is not None]
            at = min(moments, default=inf)
            if at > self._service.horizon or (at > self.decided and at == wakes_at and self._agenda.next_at is None):
                return None
            if self._agenda.next_at == at:
                event = self._agenda.pop()[1] or self._look(at)
                if event is not None:
                    return at, event
            elif self._person == at:
                self._person = None
                return at, Human("promote")
            else:
                return at, Woke()

    def carry(self, at: float, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case Measure():
                    took = self._drawn(self._service.monitoring.query)
                    self._agenda.plan(at + took, Measured(command.id, self._answer(at, command)))
                case SetWeight(weight):
                    self._router = True
                    self._mark(at, 100 * weight / self._max)
                    self._agenda.plan(at + self._drawn(self._service.propagation), WeightIs(weight))
                case Match(segments):
                    self._matched = segments
                    self._mark(at, self._weight)
                case Mirror(percent):
                    self._mirror = percent
                    self._mark(at, self._weight)
                case Switch(active):
                    self._router = True
                    self._mark(at, 0.0 if active == self._fleet.stable else 100.0)
                case SetScale():
                    self._fleet.resize(at, command)
                case SetExperiment():
                    self._fleet.experiment(at, command)
                case Apply():
                    self._fleet.apply(at, command)
                case Update():
                    self._fleet.update(at, command)
                case AskGate(gate):
                    self._agenda.plan(at, Answered(gate, True))
                case Promote(revision):
                    self._mark(at, 100.0)
                    self._fleet.promote(at, revision)
                case Finish(outcome):
                    if self.decided == inf:
                        self.decided, self.outcome = at, outcome

    def heard(self, at: float, item: Command | Note) -> None:
        if isinstance(item, PhaseIs):
            if item.waits and self._person is None:
                self.waits.append((at, item.reason))
                self._person = at + (self._service.people.response.draw(_SLOW) if self._late else 0.0)
            elif not item.waits:
                self._person = None

    # ---- what is seen ----

    def _look(self, at: float) -> Event | None:
        seen = self._fleet.look(at)
        if isinstance(seen, PodsReady) and not self._router and seen.ready:
            fleet = self._fleet
            old = fleet.available(at, fleet.stable)
            new = fleet.available(at, fleet.revision) if fleet.revision != fleet.stable else 0
            self._mark(at, 100 * new / (old + new) if old + new else 0.0)
        return seen

    def _mark(self, at: float, weight: float) -> None:
        self._weight = weight
        routing = (weight, self._also(), self._share())
        if at < self.decided and (not self._marks or self._marks[-1][1] != routing):
            self._marks.append((at, routing))

    def _also(self) -> str:
        """Who is sent or copied to the new version besides the weight."""
        matched = f"all of {', '.join(self._matched)}" if self._matched else ""
        return ", ".join(filter(None, (matched, f"{self._mirror:g}% copied" if self._mirror else "")))

    def _share(self) -> float:
        """Of all requests (segments that the service does not have count as nothing)."""
        part = sum(share for name, share in self._service.segments if name in self._matched)
        sent = part + (1 - part) * self._weight / 100
        return sent + (1 - sent) * self._mirror / 100

    def _answer(self, at: float, command: Measure) -> Answer:
        window = command.query.window if isinstance(command.query, Counts) else span(command.query)
        self._looks.append((at, command.metric, window))
        if not isinstance(command.query, Counts):
            return Value(1.0)
        share = self._share()
        rate = (
            self._service.traffic.levels((max(0.0, at - window), at))[0] if at > 0 else self._service.traffic.rate(0.0)
        )
        new, old = (round(rate * window * part) for part in (share, 1 - share))
        return Value(Window(max(0.0, at - window), at, share, Arm(new, 0), Arm(old, 0)))

    # ---- the outcome ----

    def legs(self) -> list[Leg]:
        """Stretches of equal weight up to the decision."""
        end = (
            self.decided
            if self.decided < inf
            else max([at for at, _ in self._marks] + [at for at, _, _ in self._looks] + [0.0])
        )
        marks = self._marks if self._marks and self._marks[0][0] == 0 else [(0.0, (0.0, "", 0.0)), *self._marks]
        stops = [at for at, _ in marks[1:]] + [end]
        halts = {at for at, _ in self.waits}
        stretches = zip(marks, stops, strict=True)
        return [
            self._leg(routing, at, stop)
            for (at, routing), stop in stretches
            if stop > at or at in halts or len(marks) == 1
        ]

    def _leg(self, routing: tuple[float, str, float], start: float, end: float) -> Leg:
        mine = [(metric, window) for at, metric, window in self._looks if start < at <= end or (at == start == 0)]
        names = list(dict.fromkeys(metric for metric, _ in mine))
        looks = tuple((name, sum(metric == name for metric, _ in mine)) for name in names)
        windows = tuple((name, next(window for metric, window in mine if metric == name)) for name in names)
        return Leg(*routing, start, end, looks, windows)
