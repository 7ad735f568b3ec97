"""A run of a real controller (`seatrial real run --controller`) beside what we say that it would do: the same manifests, played under the
circumstances that were recorded (`sim/tracing/history.py`), compared in the sense of `sim/tracing/likeness.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.journal import Journal
from sim.policy.errors import HistoryError
from sim.scenario import NamedPolicy, load_policy, load_script
from sim.single import found
from sim.tracing.history import History
from sim.tracing.likeness import Row, differences, rows
from sim.tracing.run import Trace

__all__ = ["Controlled", "controlled", "has_users", "is_controlled"]


@dataclass(frozen=True, slots=True)
class Controlled:
    """Both sides; `differences` in words, the first one first; empty: the simulation did the same."""

    about: dict[str, Any]
    policy: NamedPolicy
    history: History
    trace: Trace
    differences: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def same(self) -> bool:
        return not self.differences

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        outcome, reason = self.history.ended
        return {
            "run": self.about.get("run"), "controller": self.history.controller, "kubernetes": self.history.kubernetes,
            "policy": self.policy.name, "outcome": outcome, "reason": reason, "same": self.same, "differences": list(self.differences),
            "rows": [row._asdict() for row in self.rows], "history": list(self.history.entries), "trace": list(self.trace.entries),
        }  # fmt: skip


def is_controlled(path: Path) -> bool:
    """Whether this is the folder of a controller's run. Errors: HistoryError where it is no journal at all."""
    return path.is_dir() and (path / "journal.jsonl").is_file() and "history" in Journal.read(path).about


def has_users(run: Path) -> bool:
    """Whether users of a scenario came, so that there is a prediction."""
    return bool(Journal.read(run).about.get("scenario"))


def controlled(run: Path, policy: str | None = None) -> Controlled:
    """Lay the run beside its simulation; `policy` is another one under the same circumstances. Errors: HistoryError, FileErrors."""
    journal = Journal.read(run)
    history = History.of(journal)
    if history is None:
        raise HistoryError(f"{run} was driven by a policy of ours, not by a controller: seatrial replay {run}")
    manifests = run / "manifests"
    if policy is None and not manifests.is_dir():
        raise HistoryError(f"{manifests} is not there; name the policy: --policy FILE")
    chosen = found([manifests]) if policy is None else load_policy(policy)
    written = run / "script.yaml"
    script = load_script(written) if written.is_file() else history.lived()
    trace = history.trace(chosen.policy, script, chosen.replicas or found([manifests]).replicas or 1)
    return Controlled(
        journal.about, chosen, history, trace,
        tuple(differences(history.entries, trace.entries)), tuple(rows(history.entries, trace.entries)),
    )  # fmt: skip
