"""After a crash: go on with the rollout instead of ending it.

The policy is brought to where it was by its own journal. Every entry but the last was carried out before the next was written; the last one
is carried out again, which changes nothing where it was done already. Questions without an answer are asked again.
"""

from __future__ import annotations

from real.driver.effects import Facts, puts
from real.driver.lease import take_over
from real.driver.log import Log
from real.driver.plan import Ending, Plan, World
from real.driver.recover import counted, opened, undone
from real.driver.run import Drive
from real.driver.stopwatch import Stopwatch
from real.ports.errors import Refused
from real.ports.things import Injection, Lease, Thing, Workload
from sim.journal import Journal, replay
from sim.policy.commands import AskGate, Measure
from sim.policy.errors import HistoryError
from sim.policy.events import Answered, Measured
from sim.policy.rollout import Policy

__all__ = ["able", "resume", "unended"]


def unended(journal: Journal) -> None:
    """Raises Refused where the journal alone shows that there is nothing to go on with."""
    if opened(journal) is None or not journal.entries:
        raise Refused(f"the run died before it began; there is nothing to go on with; {_END}")
    if ended := next((act for act in journal.acts if "ended" in act), None):
        raise Refused(f"the run is over ({ended['ended']}); there is nothing to go on with")


def able(journal: Journal, policy: Policy, held: Thing | None, here: str, now: float) -> None:
    """Whether there is something to go on with, seen before anything is begun. Raises Refused.

    `held` is the lease; `here` the machine that holds the journal's folder: a driver that was on it is dead, one elsewhere may be alive
    until its lease ends.
    """
    unended(journal)
    if not isinstance(held, Lease) or not held.holder:
        raise Refused(f"nobody drives here any more, so the run has been ended from elsewhere; {_END}")
    if held.holder.rpartition(":")[0] != here and held.until > now:
        raise Refused(
            f"{held.holder} may still drive run {held.run}: its lease ends in {held.until - now:.0f} s; wait for that"
        )
    if different := replay(policy, journal):
        raise Refused(
            f"entry {different.entry} of the journal is not what this policy does; name the run's own; or {_END}"
        )


_END = "end it: seatrial real recover"


def resume(journal: Journal, plan: Plan, world: World, log: Log) -> Ending:
    """Drive on to the end. Raises Refused if the run never began or is over; a policy that is not the journal's ends it, restored."""
    return _Resumed(plan, world, log, journal).run()


class _Resumed(Drive):
    def __init__(self, plan: Plan, world: World, log: Log, journal: Journal) -> None:
        super().__init__(plan, world, log)
        self.journal = journal

    def _open(self) -> None:
        began, acts = opened(self.journal), self.journal.acts
        if began is None or not self.journal.entries:
            raise Refused("the run died before it began; there is nothing to go on with: seatrial real recover")
        last = max(float(act["at"]) for act in (*acts, *({"at": entry.at} for entry in self.journal.entries)))
        self.watch = self.hand.watch = Stopwatch(self.clock, float(began["started"]), last)
        self.hand.undo, self.hand.effects = undone(acts), counted(acts)
        if not take_over(self.hand, self.plan.holder):
            raise Refused("the run is over; there is nothing to go on with")
        home = str(began["home"])
        before = self.hand.undo[home].value if home in self.hand.undo else self.hand.read(home).value
        images = {int(revision): str(image) for revision, image in began["images"].items()}
        self.facts = Facts(
            home, int(began["stable"]), int(began["revision"]), int(began["replicas"]), images,
            float(getattr(self.plan.policy, "max_weight", 100)), {home: before if isinstance(before, Workload) else None},
        )  # fmt: skip
        self._sighted()

    def _begin(self) -> None:
        *earlier, last = self.journal.entries
        for number, (at, event, commands) in enumerate(self.journal.entries):
            if self.rollout.handle(at, event) != commands:
                raise HistoryError(
                    f"entry {number} is not what this policy does; it cannot go on with another one's run"
                )
            if self.world.mischief is not None:
                self.world.mischief.heard(at, event, commands)
        for _, _, commands in earlier:
            for command in commands:
                for put in puts(command, self.facts):
                    self.facts.given(put)
        self.sight.resume((float(act["at"]), float(act["share"])) for act in self.journal.acts if "share" in act)
        self._catch_up()
        for command in (*self._unanswered(), *last.commands):
            self._carry(command)

    def _catch_up(self) -> None:
        """Faults are what they would be by now: one that came and went is not injected again."""
        if self.world.mischief is not None:
            found = {name: self.hand.read(name).value for name in self.hand.names() if name.startswith("fault/")}
            there = {name: value for name, value in found.items() if isinstance(value, Injection)}
            for put in self.world.mischief.missed(self.watch.at(), there):
                self.hand.put(put)

    def _unanswered(self) -> list[Measure | AskGate]:
        """Questions of all entries but the last, which is carried out again as a whole."""
        measured = {entry.event.id for entry in self.journal.entries if isinstance(entry.event, Measured)}
        gates = [entry.event.gate for entry in self.journal.entries if isinstance(entry.event, Answered)]
        asked = [command for entry in self.journal.entries[:-1] for command in entry.commands]
        return [
            command for command in asked
            if (isinstance(command, Measure) and command.id not in measured)
            or (isinstance(command, AskGate) and command.gate not in gates)
        ]  # fmt: skip
