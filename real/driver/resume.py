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
from real.ports.things import Put, Workload
from sim.journal import Journal
from sim.policy.commands import AskGate, Measure
from sim.policy.errors import HistoryError
from sim.policy.events import Answered, Measured

__all__ = ["resume"]


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
            due: dict[str, Put] = {put.name: put for put in self.world.mischief.due(self.watch.at())}
            for put in due.values():
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
