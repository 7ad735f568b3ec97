"""Compare cases by hand: `python -m tests.golden.compare [FOLDER...]`; with SEATRIAL_RAW=FOLDER recordings are told again first."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

from sim.manifests import load
from sim.scenario import load_script
from sim.tracing.history import History
from sim.tracing.likeness import differences

HISTORIES = Path(__file__).parent / "histories"


def compare(folder: Path) -> list[str]:
    """What differs between the history of a case and its trace."""
    return against(folder, History.read(folder / "history.json"))


def against(folder: Path, history: History) -> list[str]:
    """What differs between a history and the trace of the case in `folder`."""
    imported = next(policy for policy in load([folder / "manifest.yaml"]).policies if policy.policy is not None)
    assert imported.policy is not None
    script = load_script(folder / "script.yaml")
    return differences(history.entries, history.trace(imported.policy, script, imported.replicas).entries)


def retell(folder: Path, raw: Path) -> None:
    from real.controllers.case import Case
    from real.controllers.tell import tell

    recording = pickle.loads((raw / folder.name).read_bytes())
    tell(replace(recording, case=Case.read(folder))).write(folder / "history.json")


if __name__ == "__main__":
    kept = os.environ.get("SEATRIAL_RAW")
    for case in [Path(folder) for folder in sys.argv[1:]] or sorted(HISTORIES.iterdir()):
        if kept and (Path(kept) / case.name).exists():
            retell(case, Path(kept))
        try:
            found = compare(case)
        except Exception as error:
            found = [f"{type(error).__name__}: {error}"]
        print(f"{case.name}: {'equal' if not found else ''}")
        for line in found[:6]:
            print(f"    {line}")
