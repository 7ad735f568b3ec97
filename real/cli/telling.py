"""What a person at the terminal hears of a run: as it goes, and at its end."""

from __future__ import annotations

import time
from pathlib import Path

from real.driver.plan import Ending
from real.load.shares import stretches
from real.load.truth import Truth
from sim.cli import console
from sim.policy.commands import Apply, Command, Finish, Promote, Restore, SetScale, SetWeight, Switch
from sim.policy.notes import Measurement, Note, PhaseIs
from sim.results.recorded import Recorded

__all__ = ["Narrator", "told"]

_ENOUGH = 100  # answers; fewer say nothing about a share


class Narrator:
    """Says what the policy asks and sees, with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, at: float, item: Command | Note) -> None:
        text = _said(item)
        if text:
            console.err().print(f"{at:8.1f} s  {text}", style="dim")


def _said(item: Command | Note) -> str:
    match item:
        case SetWeight(weight):
            return f"weight {weight:g}"
        case SetScale(stable, canary, older):
            return f"pods {stable} stable, {canary} new" + (f", {older} older" if older else "")
        case Apply(revision):
            return f"the Deployment moves to revision {revision}"
        case Switch(active, preview):
            return f"active is revision {active}, preview {preview}"
        case Promote(revision):
            return f"revision {revision} is stable"
        case Restore():
            return "the stable version serves all traffic"
        case Finish(outcome, reason):
            return f"{outcome}" + (f": {reason}" if reason else "")
        case PhaseIs(phase=phase, reason=reason):
            return f"{phase}" + (f" ({reason})" if reason else "")
        case Measurement(metric=metric, verdict=verdict):
            return f"{metric}: {verdict}"
    return ""


def _seen(folder: Path) -> list[str]:
    """The effective share of the new version beside the measured one, for every stretch that says something."""
    recorded = Recorded.read(folder)
    return [
        f"{one.start:.1f} to {one.end:.1f} s: {one.effective:.1%} in effect, {one.measured:.1%} of {one.answers:,} answers"
        for one in stretches(recorded.journal.acts, recorded.load)
        if one.answers >= _ENOUGH
    ]


def told(ending: Ending, truth: Truth | None, folder: Path) -> None:
    """How it ended, what users saw, and what to do next."""
    colour = {"promoted": "green", "restored": "yellow"}.get(ending.state, "bold red")
    console.out().print(
        console.styled((ending.state, colour), (f"  {ending.outcome}: {ending.reason}" if ending.reason else "", ""))
    )
    counts = truth.totals() if truth is not None else {}
    if counts.get("sent"):
        console.pairs(("users", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())))
        for one in _seen(folder):
            console.pairs(("traffic", one))
    for remark in ending.remarks:
        console.pairs(("remark", remark))
    if ending.left:
        console.pairs(("left", ", ".join(put.name for put in ending.left)), ("next", f"seatrial real recover {folder}"))
    else:
        console.pairs(("run", str(folder)), ("next", f"seatrial replay {folder}"))
