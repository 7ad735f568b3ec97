"""A replication that was played, in words and as a document."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.cli import console

if TYPE_CHECKING:
    from sim.engine.rows import Rows
    from sim.journal import Journal
    from sim.scenario import NamedPolicy, Release
    from sim.session import Session
    from sim.story import Beat

__all__ = ["Told", "beat_document", "timeline"]


@dataclass(frozen=True, slots=True)
class Told:
    """A replication that was played, and all that is said about it."""

    session: Session
    policy: NamedPolicy
    release: Release
    replication: int
    journal: Journal
    row: Rows
    beats: tuple[Beat, ...]
    note: str

    # ---- words ----

    def document(self) -> dict[str, Any]:
        from sim.naming import shown

        row = self.row[0]
        numbers = {name: row[name].item() for name in row.dtype.names}
        return {
            **self.journal.about, "bad": self.release.truth.bad, "outcome": self.outcome,
            "row": {name: value if isfinite(value) else str(value) for name, value in numbers.items()},
            "story": [beat_document(beat) for beat in self.beats], "command": self._command(place=shown),
        }  # fmt: skip

    @property
    def outcome(self) -> str:
        from sim.engine.rows import OUTCOMES

        return OUTCOMES[int(self.row["outcome"][0])]

    def show(self, *, quiet: bool, wrote: Path | None) -> None:
        kind = "bad" if self.release.truth.bad else "good"
        console.title(
            f"{self.policy.name} under {self.release.name}",
            f"replication {self.replication}{f', {self.note}' if self.note else ''}",
        )
        console.line(f"a {kind} release: {self.release.description}", "dim")
        console.line()
        timeline(self.beats)
        console.line()
        for text in self._harm():
            console.line(text)
        if not quiet:
            self._small(wrote)

    def _harm(self) -> list[str]:
        row = self.row[0]
        said = []
        if row["harm"]:
            users = (
                f", {round(float(row['users'])):,} of {self.session.scenario.service.users:,} users"
                if row["users"] >= 0.5
                else ""
            )
            share = f"{row['harm'] / max(1, row['canary_requests']):.2%} of those that the new version got"
            said.append(f"It broke {row['harm']:,} requests ({share}{users}).")
        else:
            said.append(
                f"It broke nothing: {row['canary_requests']:,} of {row['requests']:,} requests went to the new version."
            )
        if row["lost"]:
            said.append(f"{row['lost']:,} requests found no pod.")
        said.append(self._when(row))
        return [text for text in said if text]

    def _when(self, row: Any) -> str:
        alerted = (
            f"An alert of the service fired at {_clock(float(row['alerted_at']))}."
            if isfinite(row["alerted_at"])
            else ""
        )
        back = ""
        if self.release.truth.bad and isfinite(row["restored_at"]):
            back = f"The old version served everything again at {_clock(float(row['restored_at']))}."
        elif self.release.truth.bad and self.outcome == "promoted":
            back = f"Nobody noticed until watching ended at {_clock(float(row['ended_at']))}."
        return " ".join(filter(None, (alerted, back)))

    def _small(self, wrote: Path | None) -> None:
        from sim import naming
        from sim.session import RUNG

        scenario = self.session.scenario
        rows = [
            ("scenario", f"{scenario.name}  digest {scenario.digest[:16]}  seed {scenario.seed}  rung {RUNG}"),
            ("people", naming.people(scenario)),
            ("again", self._command()),
        ]
        console.line()
        if wrote is not None:
            rows.append(("wrote", str(wrote)))
            rows.append(("next", f"seatrial replay {shlex.quote(str(wrote))}"))
        else:
            rows.append(("next", self._command(why="aborted" if self.outcome == "promoted" else "promoted")))
        console.pairs(*rows)

    def _command(self, why: str = "", place: Callable[[str | Path], str] = str) -> str:
        """Tells this story again, or the first that ended otherwise; `place` writes paths."""
        scenario = self.session.scenario
        which = ["--why", why] if why else ["--replication", str(self.replication)]
        policy = self.session.asked["policies"][0]
        words = ["seatrial", "explain", place(scenario.file or ""), "--policy", policy, "--release", self.release.name]
        return shlex.join([*words, *which, "--seed", str(scenario.seed)])


def beat_document(beat: Beat) -> dict[str, Any]:
    return {"at": round(beat.at, 3), "text": beat.text, "tone": beat.tone, "times": beat.times}


_STYLES = {"good": "bold green", "bad": "red", "doubt": "yellow", "quiet": "dim", "": ""}


def timeline(beats: tuple[Beat, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for beat in beats:
        clock = _clock(beat.at) if beat.times == 1 else f"{_clock(beat.at)} to {_clock(beat.until)}"
        text = beat.text if beat.times == 1 else f"{beat.times} looks like this: {beat.text}"
        style = "bold red" if beat.tone == "bad" and beat.text[:1].isupper() else _STYLES[beat.tone]
        table.add_row(clock if clock != before else "", Text(text, style))
        before = clock
    console.show(table)


def _clock(seconds: float) -> str:
    """0:00, 12:34, 1:02:03."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
