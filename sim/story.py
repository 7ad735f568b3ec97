"""One rollout told as a story: its events, commands and notes in order, in sentences.

`play` simulates one replication by itself and keeps its journal; `tell` feeds a journal to the same policy again and puts into words
what the real `Rollout` said about it. Any journal can be told, also that of a real cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sim.engine.paths import Case, draws_for, follow, solo
from sim.engine.rows import OUTCOMES, Rows
from sim.journal import Journal
from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Finish,
    Match,
    Mirror,
    Promote,
    Restore,
    SetWeight,
    Switch,
    Update,
)
from sim.policy.errors import WorldError
from sim.policy.events import Answered, Event, Human, Interrupted, NewRevision, PodsReady, Resized, Started, Terminated
from sim.policy.judges.base import Arm, Window
from sim.policy.notes import AnalysisIs, Measurement, Note, PhaseIs, TickIs
from sim.policy.rollout import Policy, Rollout

__all__ = ["Beat", "Tone", "find", "play", "tell"]

Tone = Literal["", "good", "bad", "doubt", "quiet"]
_SEARCHED = 5_000  # replications looked through for an outcome


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing that happened, `at` seconds after the start. `times` > 1: so often in a row until `until`."""

    at: float
    text: str
    tone: Tone = ""
    times: int = 1
    until: float = 0.0


def play(case: Case, seed: int, replication: int) -> tuple[Journal, Rows]:
    """One replication again, by itself: its journal, and its row as every run has it."""
    row = follow(case, seed, replication, 1)
    stop = _stopped(case, seed, replication)
    _, _, rollout = solo(case, draws_for(case.service, seed, replication, 1), 0, stop)
    return Journal(tuple(rollout.journal)), row


def _stopped(case: Case, seed: int, replication: int) -> float | None:
    """When a person, called by an alert, stops this rollout (None: nobody does)."""
    import numpy as np

    from sim.engine.aftermath import settle_rows
    from sim.engine.rows import empty

    draws = draws_for(case.service, seed, replication, 1)
    _, site, _ = solo(case, draws, 0)
    return settle_rows(case, draws, site, np.array([0]), np.array([0]), empty(1)).get(0)


def find(case: Case, seed: int, outcome: str) -> int | None:
    """The first replication with this outcome; None if there is none among the first 5,000."""
    wanted = OUTCOMES.index(outcome)
    for first in range(0, _SEARCHED, 500):
        rows = follow(case, seed, first, 500)
        found = rows["replication"][rows["outcome"] == wanted]
        if len(found):
            return int(found[0])
    return None


def tell(policy: Policy, journal: Journal) -> tuple[Beat, ...]:
    """The story of a journal. Raises WorldError when the policy does not do what the journal says (see `sim.journal.replay`)."""
    teller = _Teller()
    rollout = Rollout(policy, observe=teller.heard)
    for number, (at, event, commands) in enumerate(journal.entries):
        teller.happened(at, event, any(isinstance(command, Promote) for command in commands))
        if rollout.handle(at, event) != commands:
            raise WorldError(f"entry {number} at {at:g} s is not what this policy does; compare with: seatrial replay")
    return tuple(_folded(teller.beats))


def _folded(beats: list[Beat]) -> Iterator[Beat]:
    """Runs of looks that say the same (`quiet` ones) become one beat."""
    run: list[Beat] = []
    for beat in beats:
        if run and not (beat.tone == "quiet" and beat.text.partition(":")[0] == run[0].text.partition(":")[0]):
            yield from _fold(run)
            run = []
        if beat.tone == "quiet":
            run.append(beat)
        else:
            yield beat
    yield from _fold(run)


def _fold(run: list[Beat]) -> Iterator[Beat]:
    if len(run) > 2:
        last = run[-1]
        yield Beat(run[0].at, last.text, "quiet", len(run), last.at)
    else:
        yield from run


class _Teller:
    """Puts what happens into words; keeps the little that is needed to say only what is new."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []
        self._canary = self._stable = 0
        self._weight = 0.0
        self._active = 1
        self._finished = False
        self._why = ""
        self._promotes = False

    def say(self, at: float, text: str, tone: Tone = "") -> None:
        self.beats.append(Beat(at, text, tone))

    # ---- events ----

    def happened(self, at: float, event: Event, promotes: bool) -> None:
        """An event; `promotes`: the answer to it makes the new version the stable one, which gets all traffic by that."""
        self._promotes = promotes
        match event:
            case Started(replicas, revision, stable):
                self._stable, self._active = replicas, stable
                self.say(at, f"the rollout of revision {revision} begins; {_pods(replicas)} of revision {stable} serve")
            case PodsReady(stable, canary, older):
                self._ready(at, stable, canary, older)
            case Human(action):
                self.say(at, f"a person acts: {action}", "doubt")
            case Interrupted(cause):
                self.say(at, f"{cause}, stops the rollout", "bad")
            case Answered(gate, approved):
                self.say(at, f"gate {gate} says {'yes' if approved else 'no'}", "" if approved else "bad")
            case NewRevision(revision):
                self.say(at, f"revision {revision} replaces the one under way", "doubt")
            case Resized(replicas):
                self.say(at, f"the service is resized to {_pods(replicas)}")
            case Terminated(run):
                self.say(at, f"the {run} analysis is ended from outside", "doubt")

    def _ready(self, at: float, stable: int, canary: int, older: int) -> None:
        if not self._finished and canary != self._canary:
            more = "ready" if canary > self._canary else "left"
            rest = f", {stable} old" if stable != self._stable else ""
            self.say(at, f"{canary} new {'pod' if canary == 1 else 'pods'} {more}{rest}")
        self._canary, self._stable = canary, stable

    # ---- commands and notes ----

    def heard(self, at: float, item: Command | Note) -> None:
        match item:
            case SetWeight(weight):
                self._weigh(at, weight)
            case Apply(revision):
                self.say(at, f"pods are replaced by those of revision {revision}, batch by batch" if not item.recreate else
                         f"all pods are replaced by those of revision {revision} at once")  # fmt: skip
            case Update(revision):
                what = (
                    "no further task is replaced"
                    if item.halted
                    else f"tasks are replaced by those of revision {revision}"
                )
                self.say(at, what)
            case Switch(active, preview):
                if active != self._active:
                    self.say(at, f"users go to revision {active}")
                elif preview != active and not self.beats[-1].tone:
                    self.say(at, f"revision {preview} stands beside it as a preview")
                self._active = active
            case Match(segments):
                self.say(
                    at,
                    f"requests of {', '.join(segments)} go to the new version"
                    if segments
                    else "no segment goes to it any more",
                )
            case Mirror(percent):
                self.say(
                    at, f"{percent:g}% of the requests are copied to the new version" if percent else "copying ends"
                )
            case AskGate(gate, name):
                self.say(at, f"gate {name or gate} is asked")
            case Restore():
                self.say(at, "the old version gets all traffic back", "doubt")
            case Measurement():
                self._measured(at, item)
            case AnalysisIs(phase=("Failed" | "Error" | "Inconclusive") as phase):
                self._why = item.message
                tone: Tone = "doubt" if phase == "Inconclusive" else "bad"
                self.say(at, f"{_kind(item.run)} is {phase}: {item.message or 'no reason given'}", tone)
            case PhaseIs(phase, reason, waits):
                self._phase(at, phase, reason, waits)
            case TickIs(failed) if failed:
                self.say(at, f"checks that failed so far: {failed}", "doubt")
            case Finish(outcome, reason):
                self._finish(at, outcome, reason)

    def _weigh(self, at: float, weight: float) -> None:
        if weight != self._weight and not self._finished and not (weight == 0 and self._promotes):
            self.say(
                at,
                f"{weight:g}% of the traffic goes to the new version"
                if weight
                else "no traffic goes to the new version",
            )
        self._weight = weight

    def _measured(self, at: float, seen: Measurement) -> None:
        tone: Tone = _TONES.get(seen.verdict, "doubt")
        said = _value(seen.value)
        if seen.message and tone != "quiet":
            stable = (
                f"; old {_arm(seen.value.baseline)}"
                if isinstance(seen.value, Window) and seen.value.baseline is not None
                else ""
            )
            said = f"{seen.message}{stable}" if isinstance(seen.value, Window) else f"{said}; {seen.message}"
        self.say(at, f"{seen.metric} {_VERDICTS.get(seen.verdict, seen.verdict)}: {said}", tone)

    def _phase(self, at: float, phase: str, reason: str, waits: bool) -> None:
        if waits:
            self.say(at, f"waits for a person ({reason})" if reason else "waits for a person", "doubt")
        elif phase == "Degraded" and reason and not self._finished and not (self._why and self._why in reason):
            self.say(at, f"degraded: {reason}", "bad")

    def _finish(self, at: float, outcome: str, reason: str) -> None:
        self._finished = True
        tone: Tone = "good" if outcome == "promoted" else "bad"
        told = not reason or (self._why and reason.endswith(self._why))
        self.say(at, outcome.upper() if told else f"{outcome.upper()}: {reason}", tone)


_TONES: dict[str, Tone] = {"Successful": "quiet", "Running": "quiet", "Failed": "bad"}
_VERDICTS = {
    "Successful": "fine",
    "Failed": "FAILED",
    "Inconclusive": "says nothing",
    "Error": "cannot be read",
    "Running": "undecided",
}


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _kind(run: str) -> str:
    return {"step": "the analysis", "background": "the background analysis", "pre": "the analysis before promotion",
            "post": "the analysis after promotion"}.get(run, f"the {run} analysis")  # fmt: skip


def _value(value: object) -> str:
    if isinstance(value, Window):
        arms = [f"new {_arm(value.canary)}"] + ([f"old {_arm(value.baseline)}"] if value.baseline is not None else [])
        return ", ".join(arms)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "no data" if not value else ", ".join(_value(one) for one in value)
    return "no data" if value is None else str(value)


def _arm(arm: Arm) -> str:
    if not arm.requests:
        return "no requests"
    return f"{arm.bad:,} bad of {arm.requests:,} ({100 * arm.bad / arm.requests:.2g}%)"
