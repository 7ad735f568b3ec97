"""A cluster in memory, in virtual time, whose calls may fail in every way a port may fail; and the invariants that every write keeps.

`Yard` is the world: clock, objects with versions, Deployments that replace their pods by the arithmetic of `sim.service.deployment`, a
router, monitoring that answers as it was told to. `Trouble` says what goes wrong, call by call. What breaks an invariant is written into
`yard.violations`, with the call.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from real.driver.log import Act
from real.driver.plan import Limits, World
from real.ports.errors import Conflict, Gone, PortError, Unavailable, Unclear
from real.ports.ports import Changed, Look, Stop, Tell
from real.ports.things import (
    ACTIVE,
    LEASE,
    PREVIEW,
    ROUTES,
    STABLE,
    Injection,
    Lease,
    Live,
    Put,
    Routes,
    Seen,
    Selector,
    Stable,
    Stamp,
    Workload,
    told,
)
from sim.journal import Journal
from sim.policy.commands import Apply, AskGate, Command, Counts, Measure
from sim.policy.events import (
    Absent,
    Answer,
    Answered,
    Event,
    Failed,
    Human,
    Measured,
    NotANumber,
    PodsReady,
    Started,
    Value,
)
from sim.policy.judges.base import Arm, Window
from sim.policy.notes import Note, PhaseIs
from sim.policy.rollout import Entry
from sim.policy.scale import Pods
from sim.service.deployment import sync

SECRET = "tok-5f1c0ffee-do-not-tell"
LIMITS = Limits(resync=45.0, measure=30.0, settle=120.0, tidy=60.0, horizon=600.0, patience=30.0)


class Crash(BaseException):
    """The process is gone: not an Exception, so that nobody catches it."""


class Log:
    """A journal in memory. Writing counts as a call that may crash before the line is down."""

    def __init__(self, yard: Yard, run: str = "run-1") -> None:
        self.yard, self.about = yard, {"run": run}
        self.entries: list[Entry] = []
        self.acts: list[Act] = []
        self.order: list[Entry | Act] = []
        self.halt = ""

    def entry(self, entry: Entry) -> None:
        self.yard.step("journal")
        self.yard.witness(entry)
        self.entries.append(entry)
        self.order.append(entry)

    def act(self, act: Act) -> None:
        self.yard.step("journal")
        self.acts.append(act)
        self.order.append(act)

    def redact(self, text: str) -> str:
        return text.replace(SECRET, "***")

    def halted(self) -> str:
        return self.halt

    def journal(self) -> Journal:
        return Journal(tuple(self.entries), dict(self.about), acts=tuple(self.acts))


@dataclass(slots=True)
class Trouble:
    """What goes wrong. `crash_at`: the step (a call, a line of the journal) before which the driver dies; or `at_step` is called there."""

    rate: float = 0.0
    crash_at: int = -1
    at_step: Callable[[], None] | None = None
    drop_watch: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(0))


@dataclass(slots=True)
class Behaviour:
    """How pods and people behave. `ready`: seconds to ready, by revision (infinite: never). `answers`: one a question, the last repeats."""

    ready: dict[int, float] = field(default_factory=dict)
    answers: tuple[str, ...] = ("good",)
    query: float = 0.0
    people: tuple[str, ...] = ("promote",)
    gate: bool = True
    watch: bool = True


class Yard:
    """The world in memory; satisfies Cluster, Monitor, People and Clock."""

    def __init__(self, behaviour: Behaviour | None = None, trouble: Trouble | None = None, replicas: int = 3) -> None:
        self.behaviour, self.trouble, self.replicas = behaviour or Behaviour(), trouble or Trouble(), replicas
        self.now, self.steps, self.writes = 1000.0, 0, 0
        self.jump = 0.0  # of the wall clock
        self.begun = 0.0
        self.process = 0  # which driver's: answers to a dead one reach nobody
        self.halted = False
        self.answered: dict[int, Answer] = {}
        self.violations: list[str] = []
        self.log: Log | None = None
        self._version, self._number, self._asked, self._waits = 0, 0, 0, 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._inbox: list[Event | Changed | Stop] = []
        self._ears: list[Tell] = []
        self.objects: dict[str, Live] = {}
        self.pods: dict[str, dict[int, list[float]]] = {}
        self._set("workload/home", Workload(1, "app@sha256:01", replicas), Stamp("", 0, ""))
        self.pods["workload/home"] = {1: [0.0] * replicas}
        self._set(LEASE, Lease("", "", 0, 0.0), Stamp("", 0, ""))
        for name in (ROUTES, ACTIVE, PREVIEW, STABLE):
            self._set(name, None, Stamp("", 0, ""))
        self.contested = False  # while a rival acts, what the old driver has seen may be past

    def world(self, **more: Any) -> World:
        return World(self, self, self, self, **more)

    # ---- time ----

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now + self.jump

    def mono(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self._until(self.now + seconds)

    def tell(self, item: Event | Changed | Stop) -> None:
        self._inbox.append(item)

    def wait(self, seconds: float | None) -> Event | Changed | Stop | None:
        end = self.now + (1e9 if seconds is None else seconds)
        while not self._inbox and self._agenda and self._agenda[0][0] <= end:
            self._next()
        if self._inbox:
            return self._inbox.pop(0)
        self.now = end
        return None

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._agenda, (self.now + seconds, self._number, act))

    def _next(self) -> None:
        at, _, act = heapq.heappop(self._agenda)
        self.now = max(self.now, at)
        act()

    def _until(self, end: float) -> None:
        while self._agenda and self._agenda[0][0] <= end:
            self._next()
        self.now = max(self.now, end)

    # ---- calls that may go wrong ----

    def step(self, what: str) -> None:
        """Every call and every line of the journal passes here first."""
        self.steps += 1
        if self.steps == self.trouble.crash_at:
            if self.trouble.at_step is None:
                raise Crash(what)
            self.trouble.crash_at = -1
            self.trouble.at_step()

    def _fails(self, deadline: float, applies: Callable[[], object] | None = None) -> None:
        """Perhaps something goes wrong with this call. `applies` does what the call would have done."""
        chance = self.trouble.chance
        if not self.trouble.rate or chance.random() >= self.trouble.rate:
            return
        kind = chance.randrange(6 if applies else 3)
        if kind == 0:
            raise Unavailable(f"503 from https://u:{SECRET}@cluster", retry_after=chance.choice((0.0, 2.0)))
        if kind == 1:
            self.sleep(deadline)
            raise Unclear(f"no answer within {deadline:g} s; Authorization: Bearer {SECRET}")
        if kind == 2:
            self.sleep(chance.random() * deadline)  # slow, but well
        if kind in (3, 4) and applies is not None:  # done, and nobody knows
            applies()
            self.sleep(deadline)
            raise Unclear("no answer")
        if kind == 5:  # somebody else touches the object
            for name in (ROUTES, "workload/home"):
                if name in self.objects:
                    self._version += 1
                    self.objects[name] = replace(self.objects[name], version=str(self._version))

    # ---- things ----

    def names(self) -> tuple[str, ...]:
        self.step("names")
        self._fails(LIMITS.call)
        return tuple(name for name in self.objects if not name.startswith("fault/"))

    def read(self, name: str, deadline: float) -> Live:
        self.step("read")
        self._fails(deadline)
        return self.objects.get(name, Live(name, None))

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        self.step("write")
        self._guard(put, stamp)
        self.halted = self.log is not None and bool(self.log.halt)  # when the call begins; one under way is finished
        self._fails(deadline, lambda: self._write(put, stamp))
        return self._write(put, stamp)

    def _write(self, put: Put, stamp: Stamp) -> Live:
        live = self.objects.get(put.name, Live(put.name, None))
        if live.version != stamp.version:
            raise (Gone if not live.version else Conflict)(
                f"{put.name}: version {stamp.version!r} is not {live.version!r}"
            )
        self._lawful(put, stamp, live)
        self.writes += 1
        self._set(put.name, put.value, stamp)
        if put.name.startswith("workload/"):
            self._abandoned()
        return self.objects.get(put.name, Live(put.name, None))

    def _set(self, name: str, value: Any, stamp: Stamp) -> None:
        self._version += 1
        if value is None and name.startswith(("workload/", "fault/")):
            self.objects.pop(name, None)
            for pods in self.pods.pop(name, {}).values():
                pods.clear()
            self._changed()
            return
        live = self.objects.get(name)
        kept = live.undo if live is not None and live.run == stamp.run else None
        self.objects[name] = Live(name, value, str(self._version), stamp.epoch, stamp.run, kept or stamp.undo)
        if isinstance(value, Workload):
            self._deploy(name)
        else:
            self._changed()

    # ---- pods ----

    def _deploy(self, name: str) -> None:
        """The Deployment's own arithmetic, until it waits for pods."""
        live = self.objects.get(name)
        if live is None or not isinstance(live.value, Workload):
            return
        want, pods = live.value, self.pods.setdefault(name, {})
        spec = Apply(want.revision, want.surge, want.unavailable, want.min_ready, want.recreate)
        for _ in range(50):
            mine = pods.setdefault(want.revision, [])
            old = [revision for revision in pods if revision != want.revision]
            if not any(pods[revision] for revision in old):
                target = {want.revision: want.pods}
            else:
                new, rest = sync(spec, want.pods, self._settled(mine), tuple(self._settled(pods[r]) for r in old))
                target = {want.revision: new, **dict(zip(old, rest, strict=True))}
            if all(len(pods[revision]) == size for revision, size in target.items()):
                break
            for revision, size in target.items():
                self._size(name, revision, pods[revision], size)
        self._changed()

    def _settled(self, pods: list[float]) -> Pods:
        return Pods(len(pods), sum(ready <= self.now for ready in pods))

    def _size(self, name: str, revision: int, pods: list[float], size: int) -> None:
        while len(pods) > size:
            pods.remove(max(pods))
        while len(pods) < size:
            after = self.behaviour.ready.get(revision, 2.0)
            pods.append(self.now + after)
            if after < 1e6:
                self.later(after, lambda: self._deploy(name))

    def ready(self, revision: int) -> int:
        return sum(at <= self.now for pods in self.pods.values() for at in pods.get(revision, ()))

    def anybody(self) -> bool:
        """Whether any pod is ready."""
        return any(at <= self.now for pods in self.pods.values() for ready in pods.values() for at in ready)

    def look(self, deadline: float) -> Seen:
        self.step("look")
        self._fails(deadline)
        return self.seen()

    def seen(self) -> Seen:
        revisions = sorted({revision for pods in self.pods.values() for revision in pods})
        routes = self.objects.get(ROUTES)
        shares: tuple[tuple[int, float], ...] = ()
        if routes is not None and isinstance(routes.value, Routes):
            whole = sum(weight for _, weight in routes.value.weights) or 1.0
            shares = tuple((revision, weight / whole) for revision, weight in routes.value.weights)
        return Seen(tuple((revision, self.ready(revision)) for revision in revisions), shares)

    def listen(self, tell: Tell) -> Callable[[], None]:
        self._ears.append(tell)
        return lambda: self._ears.clear()

    def _changed(self) -> None:
        for tell in self._ears:
            if not self.trouble.drop_watch or self.trouble.chance.random() >= self.trouble.drop_watch:
                tell(Changed())

    # ---- monitoring and people ----

    def ask(self, question: Any, *rest: Any) -> None:
        """Both ports ask; a measurement comes with a look, a gate without."""
        if isinstance(question, AskGate):
            self._reply(1.0, rest[0], Answered(question.gate, self.behaviour.gate))
            return
        look, tell = rest
        word = self.behaviour.answers[min(self._asked, len(self.behaviour.answers) - 1)]
        self._asked += 1
        if word != "hang":
            self.answered[question.id] = answer = self.answer(question, look, word)
            self._reply(self.behaviour.query, tell, Measured(question.id, answer))

    def _reply(self, seconds: float, tell: Tell, event: Event) -> None:
        process = self.process
        self.later(seconds, lambda: tell(event) if process == self.process else None)

    def answer(self, question: Measure, look: Look, word: str) -> Answer:
        if word in ("absent", "nan", "failed"):
            return {"absent": Absent("nothing"), "nan": NotANumber(), "failed": Failed(f"401 for Bearer {SECRET}")}[
                word
            ]
        if not isinstance(question.query, Counts):
            return Value([1.0 if word == "good" else 0.5])
        start = max(0.0, look.at - question.query.window)
        bad = 0 if word == "good" else 300
        return Value(Window(start, look.at, look.share(start, look.at), Arm(1000, bad), Arm(5000, 5)))

    def heard(self, at: float, item: Command | Note, tell: Tell) -> None:
        if isinstance(item, PhaseIs) and item.waits:
            action = self.behaviour.people[min(self._waits, len(self.behaviour.people) - 1)]
            self._waits += 1
            self._reply(5.0, tell, Human(action))  # type: ignore[arg-type]

    # ---- what must hold ----

    def broken(self, what: str) -> None:
        if len(self.violations) < 20:
            self.violations.append(f"step {self.steps} at {self.now - 1000:g} s: {what}")

    def witness(self, entry: Entry) -> None:
        """What a driver tells its policy is what happened, when it happened."""
        at, event, _ = entry
        if isinstance(event, Started):
            self.begun = self.now
        if abs(at - (self.now - self.begun)) > 1.0 and not self.contested:
            self.broken(f"{at:g} s is written {self.now - self.begun:g} s after the start")
        if isinstance(event, PodsReady) and not self.contested:
            ready = sum(at <= self.now for pods in self.pods.values() for ready in pods.values() for at in ready)
            if event.ready != ready:
                self.broken(f"{event} is told, and {ready} pods are ready")
        elif isinstance(event, Measured) and event.answer != self.answered.get(event.id):
            said = event.answer
            if not (isinstance(said, Failed) and ("no answer" in said.reason or "***" in said.reason)):
                self.broken(f"{event} is told, and nobody answered so")

    def _guard(self, put: Put, stamp: Stamp) -> None:
        """What a driver may ask for, whether it is then done or not."""
        if not put.name.startswith(("workload/", "service/", "fault/")) and put.name not in (ROUTES, STABLE, LEASE):
            self.broken(f"{put.name} is not this run's")
        if put.name == LEASE or self.log is None:
            return
        if stamp.undo is None:
            self.broken(f"{put.name} is written without its undo")
        intended = next((act for act in reversed(self.log.acts) if "put" in act or "outcome" in act), {})
        if intended.get("put") != told(put):
            self.broken(f"{put.name} is written before its intention")
        elif stamp.undo is not None and intended.get("undo") != told(stamp.undo):
            self.broken(f"{put.name} carries another undo than the journal")

    def _lawful(self, put: Put, stamp: Stamp, live: Live) -> None:
        """What may be done now."""
        lease = self.objects[LEASE].value
        assert isinstance(lease, Lease)
        empty = isinstance(put.value, Injection) or (isinstance(put.value, Workload) and not put.value.pods)
        late = (
            empty and not live.version
        )  # looked at the lease, then stood still: holds no pod, and the next recovery removes it
        overtaken = put.name != LEASE and stamp.epoch < lease.epoch
        if overtaken and not late:
            self.broken(f"{put.name} is written by an old driver (epoch {stamp.epoch}, now {lease.epoch})")
        if put.name == LEASE and isinstance(put.value, Lease) and put.value.epoch < lease.epoch:
            self.broken("the epoch of the lease fell")
        if isinstance(put.value, Routes):
            self._routes(put.value)
        if put.name == STABLE and isinstance(put.value, Stable):
            self._promotes(put.value, live)
        if self.halted and not (overtaken and late):
            self._halted(put, live)
        if isinstance(put.value, Workload):
            wanted = sum(
                o.value.pods for n, o in self.objects.items() if n != put.name and isinstance(o.value, Workload)
            )
            if wanted + put.value.pods > 2 * self.replicas + 2:
                self.broken(f"{wanted + put.value.pods} pods are wanted, no strategy allows that for {self.replicas}")
            if "@sha256:" not in put.value.image:
                self.broken(f"{put.value.image} is not a digest")

    def _halted(self, put: Put, live: Live) -> None:
        """Nothing new begins once a run is halted."""
        before = dict(live.value.weights).get(2, 0.0) if isinstance(live.value, Routes) else 0.0
        rises = isinstance(put.value, Routes) and dict(put.value.weights).get(2, 0.0) > before
        if put.value == live.value:
            return
        if rises or isinstance(put.value, Injection | Stable) or (put.name == "workload/r2" and not live.version):
            self.broken(f"{put} after the run was halted")

    def _abandoned(self) -> None:
        """Traffic goes where somebody is, as long as there is anybody."""
        routes, active = self.objects.get(ROUTES), self.objects.get(ACTIVE)
        aims: list[int] = []
        if routes is not None and isinstance(routes.value, Routes):
            aims = [revision for revision, weight in routes.value.weights if weight > 0]
        elif active is not None and isinstance(active.value, Selector):
            aims = [active.value.revision]
        nobody = [revision for revision in aims if not self.ready(revision)]
        if nobody and self.anybody():
            self.broken(f"traffic goes to revision {nobody[0]}, which has no ready pod any more")

    def _routes(self, routes: Routes) -> None:
        if abs(sum(weight for _, weight in routes.weights) - 100) > 1e-9 or any(
            weight < 0 for _, weight in routes.weights
        ):
            self.broken(f"weights {routes.weights} do not add up to 100")
        for revision, weight in routes.weights:
            if weight > 0 and not self.ready(revision) and self.anybody():
                self.broken(f"{weight:g}% goes to revision {revision}, which has no ready pod")

    def _promotes(self, stable: Stable, live: Live) -> None:
        asked = self.log is not None and any(
            type(command).__name__ == "Promote" and getattr(command, "revision", 0) == stable.revision
            for entry in self.log.entries for command in entry.commands
        )  # fmt: skip
        before = live.value.revision if isinstance(live.value, Stable) else 1
        if stable.revision != before and not asked:
            self.broken(f"revision {stable.revision} is promoted, and no policy asked for it")
        if stable.revision != before and not self.ready(stable.revision):
            self.broken(f"revision {stable.revision} is promoted without a ready pod")
        if stable.revision != before and stable.before != before:
            self.broken(f"stable follows {stable.before}, but {before} was stable")


class FakeChaos:
    """Faults as things, in the same yard."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard

    def names(self) -> tuple[str, ...]:
        self.yard.step("names")
        return tuple(name for name in self.yard.objects if name.startswith("fault/"))

    def read(self, name: str, deadline: float) -> Live:
        return self.yard.read(name, deadline)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        return self.yard.write(put, stamp, deadline)


class FakeMischief:
    """One fault, from `start` to `end` seconds."""

    def __init__(self, start: float, end: float) -> None:
        on = Put("fault/delay", Injection("net.delay", ("pod-1",), (("delay_s", 0.1),)))
        self._rest = [(start, on), (end, Put("fault/delay", None))]

    @property
    def wakes_at(self) -> float | None:
        return self._rest[0][0] if self._rest else None

    def due(self, at: float) -> tuple[Put, ...]:
        due = tuple(put for moment, put in self._rest if moment <= at)
        self._rest = [(moment, put) for moment, put in self._rest if moment > at]
        return due

    def missed(self, at: float, there: Mapping[str, Injection]) -> tuple[Put, ...]:
        return self.due(at)[-1:]

    def heard(self, at: float, event: Event, commands: tuple[Command, ...]) -> None: ...

    def noted(self, at: float, item: Command | Note) -> None: ...


def ended(yard: Yard) -> list[str]:
    """What is wrong with the end: it is promoted or restored, and nothing is left over."""
    wrong: list[str] = []
    live = {name: thing.value for name, thing in yard.objects.items() if thing.value is not None}
    marked = live.pop(STABLE, None)
    stable = marked.revision if isinstance(marked, Stable) else 1
    lease = live.pop(LEASE)
    assert isinstance(lease, Lease)
    if lease.holder:
        wrong.append(f"{lease.holder} still holds the lease")
    hosts = [value for value in live.values() if isinstance(value, Workload) and value.revision == stable]
    if len(hosts) != 1 or hosts[0].pods != yard.replicas:
        wrong.append(f"revision {stable} should be {yard.replicas} pods in one workload, there is {hosts}")
    rest = [name for name, value in live.items() if not isinstance(value, Workload) or value.revision != stable]
    if rest:
        wrong.append(f"left over: {rest}")
    yard.sleep(60.0)
    if yard.ready(stable) < yard.replicas:
        wrong.append(f"{yard.ready(stable)} of {yard.replicas} pods of revision {stable} are ready")
    return wrong


def leaks(log: Log) -> bool:
    """Whether the secret stands anywhere in the journal."""
    return SECRET in repr(log.order)


__all__ = [
    "LIMITS", "SECRET", "Behaviour", "Crash", "FakeChaos", "FakeMischief", "Log", "PortError", "Trouble", "Yard", "ended", "leaks",
]  # fmt: skip
