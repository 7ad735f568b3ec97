"""A small world for policies: pods that start, answers as drawn, people as drawn. It checks what contracts section 11 promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from hypothesis import strategies as st

from sim.agenda import Agenda
from sim.policy.codec import decode, encode
from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Finish,
    Measure,
    Promote,
    Restore,
    SetExperiment,
    SetScale,
    SetWeight,
    Update,
)
from sim.policy.events import (
    Absent,
    Answer,
    Answered,
    Event,
    Failed,
    Human,
    HumanAction,
    Interrupted,
    Measured,
    NewRevision,
    NotANumber,
    PodsReady,
    Resized,
    Started,
    Terminated,
    Value,
    WeightIs,
    Woke,
)
from sim.policy.rollout import Policy, Rollout
from sim.service.fleet import Fleet

UNKNOWN: tuple[Answer, ...] = (Absent("no series"), NotANumber(), Failed("503"), Value(None), Value([]))
KNOWN: tuple[Answer, ...] = (Value(0.5), Value(0.5), Value(0.5), Value(3.0), Value([0.2]))
_ACTIONS: tuple[HumanAction, ...] = ("promote", "promote-full", "abort", "retry", "pause", "resume")


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens: pods' start times in turn, answers in turn, whether gates open, and events with the pause before each."""

    replicas: int = 4
    starts: tuple[float, ...] = (3.0,)
    answers: tuple[Answer, ...] = (Value(0.5),)
    query: float = 0.0
    gate: bool = True
    happenings: tuple[tuple[float, Event | str], ...] = ()

    @property
    def calm(self) -> bool:
        """Nobody changes the size of the service, and no pod is lost or slow for ever."""
        events = [event for _, event in self.happenings]
        return not any(event == "lose" or isinstance(event, Resized) for event in events)


def plans(answers: tuple[Answer, ...], happenings: st.SearchStrategy[Event | str]) -> st.SearchStrategy[Plan]:
    gaps = st.sampled_from((0.0, 0.5, 2.0, 7.0, 15.0, 31.0, 70.0, 700.0))
    return st.builds(
        Plan,
        st.sampled_from((0, 1, 1, 2, 3, 4, 5, 10)),
        st.lists(st.sampled_from((0.0, 1.0, 3.0, 3.0, 20.0, inf)), min_size=1, max_size=6).map(tuple),
        st.lists(st.sampled_from(answers), min_size=1, max_size=6).map(tuple),
        st.sampled_from((0.0, 0.0, 2.0)),
        st.booleans(),
        st.lists(st.tuples(gaps, happenings), max_size=10).map(tuple),
    )


anything: st.SearchStrategy[Event | str] = st.one_of(
    st.sampled_from(_ACTIONS).map(Human),
    st.sampled_from(_ACTIONS).map(Human),
    st.builds(NewRevision, st.sampled_from((1, 2, 3, 4))),
    st.builds(Resized, st.integers(0, 8)),
    st.builds(Interrupted, st.just("the pager rang")),
    st.builds(Terminated, st.sampled_from(("step", "background", "pre", "post"))),
    st.builds(Answered, st.just("smoke"), st.booleans()),
    st.builds(WeightIs, st.integers(0, 100)),
    st.builds(Measured, st.integers(0, 9), st.sampled_from(KNOWN)),
    st.sampled_from((Woke(), "lose")),
)
nobody_promotes: st.SearchStrategy[Event | str] = st.one_of(
    st.sampled_from(("abort", "retry", "pause", "resume")).map(Human),
    st.builds(Resized, st.integers(1, 8)),
    st.sampled_from((Woke(), WeightIs(20), "lose")),
)


@dataclass(slots=True)
class Limits:
    """What a strategy allows: wanted pods in all (None: no bound here), available pods at least, and the maximum weight."""

    most: Callable[[int], int] | None = None
    least: Callable[[int], int] | None = None
    weight: float = 100


@dataclass(slots=True)
class Yard:
    """Runs one policy through one plan."""

    policy: Policy
    plan: Plan
    limits: Limits = field(default_factory=Limits)
    rollout: Rollout = field(init=False)
    promoted: list[int] = field(default_factory=list)
    weight: float = 0.0

    def __post_init__(self) -> None:
        self.rollout = Rollout(self.policy)
        self._agenda: Agenda[Event | str] = Agenda()
        starts = self.plan.starts
        self._fleet = Fleet(
            self.plan.replicas, lambda _, n: starts[n % len(starts)], lambda at: self._agenda.plan(at, "look")
        )
        self._turn, self._at, self._here = 0, 0.0, 0

    _agenda: Agenda[Event | str] = field(init=False)
    _fleet: Fleet = field(init=False)
    _turn: int = field(init=False)
    _at: float = field(init=False)
    _here: int = field(init=False)

    def run(self, until: float = 3000.0) -> Yard:
        at = 0.0
        for gap, happening in self.plan.happenings:
            at += gap
            self._agenda.plan(at, happening)
        self._feed(0.0, Started(self.plan.replicas))
        while (following := self._next()) is not None and following[0] <= until:
            self._feed(*following)
        return self

    @property
    def available(self) -> tuple[int, int]:
        """Available pods of the stable revision and of the new one, if they differ."""
        fleet = self._fleet
        new = fleet.available(self._at, fleet.revision) if fleet.revision != fleet.stable else 0
        return fleet.available(self._at, fleet.stable), new

    @property
    def wanted(self) -> tuple[int, int, int]:
        return self._fleet.wanted()

    def _next(self) -> tuple[float, Event] | None:
        while True:
            planned, wakes_at = self._agenda.next_at, self.rollout.wakes_at
            at = min((moment for moment in (planned, wakes_at) if moment is not None), default=inf)
            if at == inf:
                return None
            if planned is None or planned > at:
                return at, Woke()
            self._at, item = self._agenda.pop()
            event = self._happen(item)
            if event is not None:
                return self._at, event

    def _happen(self, item: Event | str) -> Event | None:
        if item == "look":
            return self._fleet.look(self._at)
        if item == "lose":
            self._fleet.lose(self._at, self._fleet.revision, 1)
            return None
        assert not isinstance(item, str)
        if isinstance(item, NewRevision):
            self._fleet.supersede(self._at, item.revision)
        elif isinstance(item, Resized):
            self._fleet.replicas = item.replicas
        return item

    def _feed(self, at: float, event: Event) -> None:
        assert at >= self._at, f"woken at {at}, it is {self._at} already"
        self._here = self._here + 1 if at == self._at else 0
        assert self._here < 2000, f"it does not get on at {at}: {self.rollout.journal[-3:]}"
        self._at = at
        commands = self.rollout.handle(at, event)
        wakes_at = self.rollout.wakes_at
        assert wakes_at is None or wakes_at >= at, f"{event} at {at}: wakes_at {wakes_at} is in the past"
        for command in commands:
            assert decode(json.loads(json.dumps(encode(command), allow_nan=False))) == command
            self._carry(at, command)
        ends = [index for index, command in enumerate(commands) if isinstance(command, Finish)]
        assert ends in ([], [len(commands) - 1]), "the outcome is told once, and last"
        self._check_pods(event)

    def _carry(self, at: float, command: Command) -> None:
        match command:
            case Measure(id):
                answer = self.plan.answers[self._turn % len(self.plan.answers)]
                self._turn += 1
                self._agenda.plan(at + self.plan.query, Measured(id, answer))
            case SetScale(stable, canary, older):
                assert min(stable, canary, older) >= 0
                if self.limits.most is not None and self.plan.calm:
                    assert stable + canary + older <= self.limits.most(self.plan.replicas), command
                self._fleet.resize(at, command)
                assert self._fleet.wanted() == (stable, canary, older), "the policy knows its pods"
            case SetExperiment(baseline, canary):
                assert min(baseline, canary) >= 0
                self._fleet.experiment(at, command)
                assert self._fleet.beyond == baseline + canary
            case SetWeight(weight):
                assert 0 <= weight <= self.limits.weight
                self.weight = weight
            case Restore():
                self.weight = 0.0
            case Apply():
                self._fleet.apply(at, command)
            case Update():
                self._fleet.update(at, command)
            case AskGate(gate):
                self._agenda.plan(at, Answered(gate, self.plan.gate))
            case Promote(revision):
                self.promoted.append(revision)
                self._fleet.promote(at, revision)

    def _check_pods(self, event: Event) -> None:
        """Available pods of all revisions, as soon as the policy knows of them."""
        if self.limits.least is None or not self.plan.calm or not isinstance(event, PodsReady):
            return
        here = sum(self._fleet.available(self._at, revision) for revision in self._fleet.pods)
        assert here >= self.limits.least(self.plan.replicas), f"{here} pods at {self._at}"
