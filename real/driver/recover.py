"""After a crash, or from outside: `recover` converges, `status` tells.

The journal is read for its undo records; the cluster holds them too, so that a lost folder loses nothing but the story. What was intended
and has no outcome is taken for done: undoing what was never done changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from real.driver.hand import Hand
from real.driver.lease import release, take_over
from real.driver.log import Log
from real.driver.plan import Ending, Limits, World
from real.driver.settle import settle
from real.driver.stopwatch import Stopwatch
from real.ports.errors import Fenced, PortError
from real.ports.things import STABLE, Put, Stable, understood
from sim.journal import Journal
from sim.policy.commands import Finish, Promote

__all__ = ["Status", "counted", "opened", "recover", "status", "undone"]


@dataclass(frozen=True, slots=True)
class Status:
    """What a journal says about its run, for a person. `state`: running | promoted | restored | unrestored | fenced."""

    run: str
    state: str
    at: float
    weight_share: float
    outcome: str
    reason: str
    changed: tuple[str, ...]  # things with an undo record

    @property
    def unfinished(self) -> bool:
        """Whether `recover` has something to do."""
        return self.state not in ("promoted", "restored")


def recover(journal: Journal, world: World, log: Log, holder: str = "recover", limits: Limits | None = None) -> Ending:
    """Promoted, or the stable version serving all traffic; safe at any moment, and as often as one likes. Raises Refused."""
    began = opened(journal)
    last = max((entry["at"] for entry in journal.acts), default=0.0)
    watch = Stopwatch(world.clock, float(began["started"]), last) if began else Stopwatch(world.clock)
    hand = Hand(str(journal.about["run"]), world, log, watch, limits or Limits())
    hand.undo, hand.effects = undone(journal.acts), counted(journal.acts)
    before = status(journal)
    try:
        if not take_over(hand, holder):
            return Ending(
                "promoted" if before.state == "promoted" else "restored",
                before.outcome,
                "the run has been over for long",
            )
        settled = settle(hand)
        if settled.state != "unrestored":
            release(hand)
    except Fenced as error:
        return _told(log, watch, Ending("fenced", before.outcome, str(error)))
    except PortError as error:
        return _told(log, watch, Ending("unrestored", before.outcome, str(error), left=tuple(hand.undo.values())))
    outcome = (
        "promoted"
        if settled.state == "promoted"
        else before.outcome
        if before.outcome != "promoted"
        else "inconclusive"
    )
    return _told(log, watch, Ending(settled.state, outcome, "recovered", left=settled.left, remarks=settled.remarks))


def _over(hand: Hand, began: Mapping[str, Any] | None, before: Status) -> Ending:
    """Nobody drives: the run ended in order, or never began. How it ended stands in the cluster, should the journal have missed it."""
    stable = hand.read(STABLE).value
    promoted = before.state == "promoted" or (
        before.unfinished and began is not None and isinstance(stable, Stable) and stable.revision == began["revision"]
    )
    return Ending(
        "promoted" if promoted else "restored", "promoted" if promoted else before.outcome, "the run is over already"
    )


def undone(acts: Iterable[Mapping[str, Any]]) -> dict[str, Put]:
    """The undo of every thing that a journal says was changed, or was about to be: the first record of each."""
    found: dict[str, Put] = {}
    for act in acts:
        if "undo" in act:
            put = understood(act["undo"])
            found.setdefault(put.name, put)
    return found


def counted(acts: Iterable[Mapping[str, Any]]) -> int:
    """How many effects a journal has: their numbers go on."""
    return max((int(act["effect"]) for act in acts if "effect" in act), default=0)


def opened(journal: Journal) -> Mapping[str, Any] | None:
    """What was there when the run began; None if it died before."""
    return next((act["opened"] for act in journal.acts if "opened" in act), None)


def status(journal: Journal) -> Status:
    """What the journal alone says."""
    ended = next((act for act in reversed(journal.acts) if "ended" in act), None)
    commands = [command for entry in journal.entries for command in entry.commands]
    finish = next((command for command in reversed(commands) if isinstance(command, Finish)), None)
    outcome, reason = (str(finish.outcome), finish.reason) if finish else ("inconclusive", "")
    if finish is None and any(isinstance(command, Promote) for command in commands):
        outcome = "promoted"
    last = max([entry.at for entry in journal.entries] + [float(act["at"]) for act in journal.acts], default=0.0)
    share = next((float(act["share"]) for act in reversed(journal.acts) if "share" in act), 0.0)
    if ended is not None:
        outcome, reason = str(ended["outcome"]), str(ended["reason"])
    state = "running" if ended is None else str(ended["ended"])
    return Status(str(journal.about.get("run", "")), state, last, share, outcome, reason, tuple(undone(journal.acts)))


def _told(log: Log, watch: Stopwatch, ending: Ending) -> Ending:
    ending = ending.redacted(log.redact)
    log.act({
        "at": watch.at(), "ended": ending.state, "outcome": ending.outcome, "reason": ending.reason, "interrupted": False,
        "remarks": list(ending.remarks), "recovered": True,
    })  # fmt: skip
    return ending
