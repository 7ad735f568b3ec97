"""The history of a real controller: what it did with a manifest while a script answered, in the form of a trace.

A JSON document: `seatrial: history`, `controller` and `kubernetes` with their versions, `began` (the wall clock when revision 2
was applied), `acts` (when each event of the script was carried out), `pods` (seconds that each pod took from being wanted to
being available, per revision, in order of creation; null: never), `tick` (Flagger: its first tick), and `entries` as in a trace.

In the folder of a run it is a journal (`sim/journal.py`): all but the entries stands in its first line under `history`, with `until`
(when nobody looked any more), and every entry is a line without an event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isnan
from pathlib import Path
from typing import Any

from sim.journal import Journal, head_line
from sim.policy.commands import Outcome
from sim.policy.errors import HistoryError
from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.policy.flagger import Flagger
from sim.policy.rollout import Policy
from sim.tracing.run import Trace, trace
from sim.tracing.script import Script

__all__ = ["History"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class History:
    """See the module; times in seconds since revision 2 was applied."""

    controller: str
    kubernetes: str
    began: str
    entries: tuple[dict[str, Any], ...]
    acts: tuple[float, ...] = ()
    pods: Mapping[int, tuple[float | None, ...]] = field(default_factory=dict)
    tick: float | None = None
    until: float = inf

    @property
    def ended(self) -> tuple[Outcome, str]:
        """What became of the new revision, and the last phase with its reason."""
        last = next((one for one in reversed(self.entries) if one["kind"] == "phase"), {"phase": "nothing seen"})
        back = [one["revision"] for one in self.entries if one["kind"] == "revision"][-1:] == [1]
        undone = any(one["kind"] == "human" and one["action"] == "abort" for one in self.entries)
        said = ": ".join(str(last[field]) for field in ("phase", "reason") if last.get(field))
        if last["phase"] in ("Degraded", "Failed"):
            return "aborted", said
        if last["phase"] not in ("Healthy", "Succeeded"):
            return "inconclusive", said
        return "aborted" if back or (undone and self.controller.startswith("kubernetes")) else "promoted", said

    def lived(self) -> Script:
        """A script of what was measured, for a run that no script answered: per metric, in order."""
        measured: dict[str, tuple[Answer, ...]] = {}
        for one in self.entries:
            if one["kind"] == "measurement":
                measured[one["metric"]] = (*measured.get(one["metric"], ()), _answer(one))
        return Script(measured)

    def script(self, script: Script) -> Script:
        """The script as it was really played: pods as slow as they were, events when they were carried out."""
        pods = {
            revision: tuple(inf if took is None else took for took in every) for revision, every in self.pods.items()
        }
        ready = {revision: every for revision, every in pods.items() if every}
        events = tuple(replace(event, at=at) for event, at in zip(script.events, self.acts, strict=True))
        return replace(script, ready=ready, events=events, until=min(script.until, self.until))

    def trace(self, policy: Policy, script: Script, replicas: int) -> Trace:
        """What `policy` would have done under the same circumstances."""
        return trace(self.timed(policy), self.script(script), replicas=replicas)

    def timed(self, policy: Policy) -> Policy:
        """`policy` on the recorded controller's clock: when Flagger's ticks fall depends on when its Canary was made."""
        return (
            replace(policy, first_tick=self.tick) if isinstance(policy, Flagger) and self.tick is not None else policy
        )

    def write(self, path: Path) -> None:
        """One line per entry, so that a changed history reads well as a difference."""
        head = {"seatrial": "history", "format": FORMAT, **self._circumstances()}
        lines = ",\n".join(_json(entry) for entry in self.entries)
        path.write_text(f'{_json(head)[:-1]},"entries":[\n{lines}\n]}}\n', encoding="ascii")

    def lines(self, about: dict[str, Any]) -> Iterator[str]:
        """The journal of a run, line by line without newlines."""
        until = None if self.until == inf else self.until
        yield head_line(about | {"history": self._circumstances() | {"until": until}})
        yield from map(_json, self.entries)

    @classmethod
    def of(cls, journal: Journal) -> History | None:
        """The history in the journal of a run; None where a policy of ours was driven. Errors: HistoryError."""
        head = journal.about.get("history")
        if head is None:
            return None
        try:
            return cls._built(head, journal.acts)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise HistoryError(f"the journal's history cannot be read: {error!r}") from error

    def _circumstances(self) -> dict[str, Any]:
        """All but the entries."""
        return {
            "controller": self.controller, "kubernetes": self.kubernetes, "began": self.began, "acts": list(self.acts),
            "pods": {str(one): list(took) for one, took in self.pods.items()}, "tick": self.tick,
        }  # fmt: skip

    @classmethod
    def _built(cls, head: dict[str, Any], entries: Iterable[dict[str, Any]]) -> History:
        pods = {int(one): tuple(took) for one, took in head["pods"].items()}
        until = head.get("until")
        return cls(
            head["controller"], head["kubernetes"], head["began"], tuple(entries), tuple(head["acts"]), pods, head["tick"],
            inf if until is None else float(until),
        )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> History:
        """Errors: HistoryError with the file."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document.get("seatrial") != "history" or document.get("format") != FORMAT:
                raise HistoryError(f"{path}: not a history in format {FORMAT}")
            return cls._built(document, document["entries"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise HistoryError(f"{path}: cannot be read as a history: {error!r}") from error


def _answer(entry: dict[str, Any]) -> Answer:
    """What a provider had answered, from what a controller showed of it; an Error shows none."""
    value = entry.get("value")
    values = value if isinstance(value, list) else [] if value is None else [value]
    if "value" not in entry:
        return Failed("it ended as an error")
    numbers = [float(one) for one in values]
    if not numbers:
        return Absent("no series")
    if len(numbers) == 1:
        return NotANumber() if isnan(numbers[0]) else Value(numbers[0])
    return Value(tuple(numbers))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
