"""One rollout in wall-clock time: the loop around `Rollout`.

It never decides. What happens becomes an event; what the policy answers is on disk before it is carried out; how the run ends is
what `settle` finds. Whatever breaks on the way is told to the policy once, as an interruption; then everything is restored.
"""

from __future__ import annotations

from math import inf

from real.driver.effects import Facts, puts
from real.driver.hand import Hand
from real.driver.lease import claim, release, renew
from real.driver.log import Log
from real.driver.plan import Ending, Plan, World
from real.driver.settle import settle
from real.driver.stopwatch import Stopwatch
from real.driver.watch import Sight
from real.ports.errors import Fenced, PortError, Refused
from real.ports.ports import Changed, Stop
from real.ports.things import RULES, STABLE, Stable, Workload
from sim.policy.commands import AskGate, Command, Measure
from sim.policy.errors import SeatrialError
from sim.policy.events import Event, Failed, Interrupted, Measured, Started, Woke
from sim.policy.notes import Note
from sim.policy.rollout import Rollout

__all__ = ["Drive", "run"]

_LATE = (
    0.05  # seconds after which a driver that had no time is worth a line: `real calibrate` counts it to the measurement
)


def run(plan: Plan, world: World, log: Log) -> Ending:
    """Drive a rollout to its end. Raises Refused, before anything was changed, if it cannot begin."""
    return Drive(plan, world, log).run()


class Drive:
    """A rollout under way."""

    def __init__(self, plan: Plan, world: World, log: Log) -> None:
        self.plan, self.world, self.log, self.limits = plan, world, log, plan.limits
        self.clock = world.clock
        self.rollout = Rollout(plan.policy, observe=self._heard)
        self.watch = Stopwatch(world.clock)
        self.hand = Hand(plan.run, world, log, self.watch, plan.limits)
        self.stopped = ""  # why a person ended it
        self.broken = ""  # what could not be carried out
        self._asked: dict[int, float] = {}  # open questions, and when they have failed
        self._finished_at = inf
        self._renewed = 0.0

    # ---- from beginning to end ----

    def run(self) -> Ending:
        """To the end. What is raised is raised before anything of the service was changed."""
        self._open()
        silence = self.world.cluster.listen(self.clock.tell)
        try:
            self._follow()
        except Fenced as error:
            return self._fenced(error)
        except (PortError, SeatrialError) as error:
            self.broken = self.broken or str(error)
        except Exception as error:  # a policy of a workshop may raise anything: first of all restore
            self.broken = f"{type(error).__name__}: {error}"
        finally:
            silence()
        return self.close()

    def _open(self) -> None:
        """Hold the lease; find out what is there. Nothing of the service is changed."""
        claim(self.hand, self.plan.holder)
        try:
            self.facts = self._found()
        except PortError:
            release(self.hand)
            raise
        self._sighted()

    def _sighted(self) -> None:
        self.sight = Sight(self.hand, self.facts)

    def _tell_opened(self, facts: Facts) -> None:
        self.log.act({
            "at": 0.0, "opened": {
                "started": self.watch.started, "epoch": self.hand.epoch, "home": facts.home, "stable": facts.stable,
                "revision": facts.revision, "replicas": facts.replicas, "images": {str(r): i for r, i in facts.images.items()},
            },
        })  # fmt: skip

    def _found(self) -> Facts:
        names = self.hand.names()
        lives = {name: self.hand.read(name).value for name in names}
        marked = lives.get(STABLE)
        stable = marked.revision if isinstance(marked, Stable) else 1
        homes = [(name, value) for name, value in lives.items() if isinstance(value, Workload)]
        if len(homes) != 1 or homes[0][1].revision != stable or homes[0][1].pods < 1:
            found = (
                ", ".join(f"{name} (revision {value.revision}, {value.pods} pods)" for name, value in homes) or "none"
            )
            raise Refused(
                f"a run begins with one workload, of the stable revision {stable}; there is {found}: seatrial real recover"
            )
        rules = [name for name in names if name.startswith(RULES) and lives[name] is not None]
        if rules:
            raise Refused(f"an earlier run left {', '.join(rules)} behind; clear it first: seatrial real recover")
        home, value = homes[0]
        images = {stable: value.image, stable + 1: self.plan.image}
        maximum = float(getattr(self.plan.policy, "max_weight", 100))
        return Facts(home, stable, stable + 1, value.pods, images, maximum, {home: value})

    def close(self) -> Ending:
        """Promoted or restored, and nothing left over; then nobody drives any more."""
        try:
            settled = settle(self.hand)
            if settled.state != "unrestored":
                release(self.hand)
        except Fenced as error:
            return self._fenced(error)
        except Exception as error:
            return self._ended(Ending("unrestored", reason=f"the end could not be brought about: {error!r}"))
        outcome = "promoted" if settled.state == "promoted" else self.rollout.outcome or "inconclusive"
        if outcome == "promoted" and settled.state != "promoted":
            outcome = "inconclusive"  # it was asked for, and did not come to be
        reason = self.stopped or self.rollout.reason or self.broken
        remarks = settled.remarks if self.broken in ("", reason) else (self.broken, *settled.remarks)
        return self._ended(Ending(settled.state, outcome, reason, bool(self.stopped), settled.left, remarks))

    def _fenced(self, error: Fenced) -> Ending:
        return self._ended(Ending("fenced", reason=str(error)))

    def _ended(self, ending: Ending) -> Ending:
        ending = ending.redacted(self.log.redact)
        self.log.act({
            "at": self.watch.at(), "ended": ending.state, "outcome": ending.outcome, "reason": ending.reason,
            "interrupted": ending.interrupted, "remarks": list(ending.remarks),
        })  # fmt: skip
        return ending

    # ---- the loop ----

    def _begin(self) -> None:
        """The first event."""
        self.watch = self.hand.watch = Stopwatch(self.clock)
        facts = self.facts
        self._tell_opened(facts)
        self._take(Started(facts.replicas, facts.revision, facts.stable, self.plan.seed))

    def _follow(self) -> None:
        self._begin()
        self._look()
        while not self._over():
            item = self.clock.wait(self._pause())
            self._renew()
            if isinstance(item, Stop):
                self.stopped = item.cause
            elif item is not None and not isinstance(item, Changed):
                self._take(item)
            if not self.stopped:
                self.stopped = self.log.halted()
            if self.stopped:
                self._interrupt(self.stopped)
                return
            self._turn(isinstance(item, Changed))
        self.sight.last(self.watch.at())

    def _turn(self, changed: bool) -> None:
        """What is due by now."""
        now = self.watch.at()
        if changed or now >= self.sight.due:
            self._look()
        self._mischief(now)
        for id in [id for id, until in self._asked.items() if now >= until]:
            self._take(Measured(id, Failed(f"no answer within {self.limits.measure:g} s")))
        wakes, now = self.rollout.wakes_at, self.watch.at()
        if wakes is not None and now >= wakes:
            if now - wakes > _LATE:
                self.log.act({"at": now, "late": now - wakes})
            self._take(Woke())
        if now >= self.limits.horizon and not self.broken:
            self.broken = "the time of this run is over"
            self._interrupt(self.broken)

    def _pause(self) -> float:
        """How long to wait: a millisecond more than is left, because a wait that ends a hair early would only wait again."""
        left = self._due() - self.watch.at()
        return left + 0.001 if left > 0 else 0.0

    def _due(self) -> float:
        """When something is due if nothing happens, in seconds since the start."""
        mischief = self.world.mischief.wakes_at if self.world.mischief is not None else None
        moments = (
            self.rollout.wakes_at,
            mischief,
            self.sight.due,
            self._renewed + self.limits.lease / 2,
            *self._asked.values(),
        )
        return min(moment for moment in moments if moment is not None)

    def _over(self) -> bool:
        """Whether the policy has nothing more to do."""
        if self.rollout.outcome is None:
            self._finished_at = inf
            return self.watch.at() >= self.limits.horizon + self.limits.tidy
        self._finished_at = min(self._finished_at, self.watch.at())
        wakes = self.rollout.wakes_at
        return wakes is None or wakes > self._finished_at + self.limits.tidy

    def _renew(self) -> None:
        if self.watch.at() >= self._renewed + self.limits.lease / 2:
            renew(self.hand, self.plan.holder)
            self._renewed = self.watch.at()

    # ---- events in, commands out ----

    def _take(self, event: Event) -> None:
        """The entry is on disk before its commands are carried out."""
        if isinstance(event, Measured):
            self._asked.pop(event.id, None)
            if isinstance(event.answer, Failed):
                event = Measured(event.id, Failed(self.log.redact(event.answer.reason)))
        at = self.watch.at()
        commands = self.rollout.handle(at, event)
        self.log.entry(self.rollout.journal[-1])
        if self.world.mischief is not None:
            self.world.mischief.heard(at, event, commands)
        try:
            for command in commands:
                self._carry(command)
        except Fenced:
            raise
        except PortError as error:
            if self.broken:
                raise
            self.broken = self.log.redact(f"could not be carried out: {error}")
            self._interrupt(self.broken)

    def _interrupt(self, cause: str) -> None:
        if self.rollout.outcome is None:
            self._take(Interrupted(cause))

    def _carry(self, command: Command) -> None:
        match command:
            case Measure(id=id):
                self._asked[id] = self.watch.at() + self.limits.measure
                self.world.monitor.ask(command, self.sight.at(self.watch), self.clock.tell)
            case AskGate():
                self.world.people.ask(command, self.clock.tell)
            case _:
                for put in puts(command, self.facts):
                    self.hand.put(put)
                    self.facts.given(put)
                    self.sight.due = 0.0

    def _mischief(self, now: float) -> None:
        if self.world.mischief is not None:
            for put in self.world.mischief.due(now):
                self.hand.put(put)

    def _look(self) -> None:
        for event in self.sight.look(self.watch.at()):
            self._take(event)

    def _heard(self, at: float, item: Command | Note) -> None:
        self.world.people.heard(at, item, self.clock.tell)
        if self.world.mischief is not None:
            self.world.mischief.noted(at, item)
