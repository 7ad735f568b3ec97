"""A recording of a controller -> the folder of a run, in the form that `seatrial replay` and `compare --real` read.

run.json       what it was: run, controller, policy, what was changed in the manifests, how it ended
journal.jsonl  the head says under which circumstances (`sim.tracing.history`); each line is one change, as in a trace
manifests/     as the user wrote them; script.yaml likewise, if a script answered
load.jsonl     under real load: what users got (truth.json: the same in detail; testers.json: what testers got of a preview)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from types import MappingProxyType
from typing import Any

from real.load.tallies import tallies
from real.load.truth import Truth
from real.ports.errors import Refused
from sim.results.recorded import FORMAT
from sim.tracing.history import History

__all__ = ["begin", "keep"]

_NOBODY: Mapping[str, Truth] = MappingProxyType({})


def begin(folder: Path, about: Mapping[str, Any], manifests: Sequence[Path], script: Path | None) -> None:
    """Make the folder: what the run is, and what it was given. Refused if there is a run in it already."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "run.json").exists():
        raise Refused(f"{folder} holds a run already; choose another folder")
    (folder / "manifests").mkdir(exist_ok=True)
    for number, path in enumerate(manifests, 1):
        copyfile(path, folder / "manifests" / f"{number:02}-{path.name}")
    if script is not None:
        copyfile(script, folder / "script.yaml")
    _say(folder, dict(about))


def keep(
    folder: Path, about: Mapping[str, Any], history: History, truths: Mapping[str, Truth] = _NOBODY
) -> dict[str, str]:
    """Write the journal, what was counted and how it ended; returns the latter: state, outcome, reason."""
    outcome, reason = history.ended
    state = {"promoted": "promoted", "aborted": "restored"}.get(outcome, "open")
    ended = {"state": state, "outcome": outcome, "reason": reason}
    lines = "".join(line + "\n" for line in history.lines(dict(about)))
    (folder / "journal.jsonl").write_text(lines, encoding="ascii")
    began = datetime.fromisoformat(history.began).timestamp()
    for role, truth in truths.items():
        users = role == "users"
        (folder / ("truth.json" if users else f"{role}.json")).write_text(
            json.dumps(truth.document()), encoding="ascii"
        )
        if users:
            counted = "".join(tally.line() + "\n" for tally in tallies(truth, began))
            (folder / "load.jsonl").write_text(counted, encoding="ascii")
    _say(folder, {**about, "ended": ended})
    return ended


def _say(folder: Path, about: dict[str, Any]) -> None:
    text = json.dumps({"seatrial": "real-run", "format": FORMAT, **about}, indent=1)
    new = folder / "run.json.new"
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(folder / "run.json")
