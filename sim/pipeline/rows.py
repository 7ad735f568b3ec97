"""Rows: one flat, frozen record per change and per deployment, and the book that collects them while time passes.

Times are seconds since the start; None is "not (yet)". Order is that of the beginning: rows never depend on a set or
a hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sim.pipeline.release import Reason

Requests = Callable[[float, float], float]
"""``requests(start, end)``: how many good answers users would get between two moments if nothing were broken."""

Outcome = Literal["promoted", "aborted", "inconclusive", "superseded", "missing", "unfinished"]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change's way: committed, CI (first start, green), artifact ready, first exposed, served to every user.

    ``ready`` is its own artifact's; a later revision holds the change too and may be exposed before that. ``caught``:
    it was bad and CI saw it. ``fixes``: the first bad change it repairs. ``deployment``: the one that served it
    first.
    """

    id: int
    committed: float
    size: int
    bad: bool
    severity: float
    fixes: int | None = None
    source: str = ""
    caught: bool = False
    ci_started: float | None = None
    ci_ended: float | None = None
    ci_runs: int = 0
    ci_failures: int = 0
    ready: float | None = None
    exposed: float | None = None
    served: float | None = None
    deployment: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment: why, what, when, how it ended, and when what it broke was whole again.

    ``changes`` counts those that were not live before; ``noticed_by`` is webhook, poll, restart or person. ``bad`` is
    the truth relative to what was live. ``outcome``: superseded was interrupted, missing had no artifact to pull.
    ``restored_by`` is abort, superseded, rollback, fix or change; ``restored`` is when nothing that it broke and
    people found is live any more. ``harm`` counts its bad requests until each bad change was gone, found or not, or
    until the end of the run.
    """

    id: int
    reason: Reason
    revision: int
    attempt: int
    changes: int
    committed: float | None
    noticed: float
    noticed_by: str
    started: float
    rollout_started: float | None = None
    rollout_ended: float | None = None
    outcome: Outcome = "unfinished"
    served_first: float | None = None
    served: float | None = None
    bad: bool = False
    severity: float = 0.0
    bad_since: float | None = None
    detected: float | None = None
    detected_by: str = ""
    responded: float | None = None
    restored: float | None = None
    restored_by: str = ""
    harm: float = 0.0


@dataclass(frozen=True, slots=True)
class Rows:
    """What a run leaves behind; ``span`` is its length in seconds."""

    changes: tuple[ChangeRow, ...]
    deployments: tuple[DeploymentRow, ...]
    span: float

    def document(self) -> dict[str, Any]:
        """As JSON holds it; numbers survive."""
        return asdict(self)

    @classmethod
    def restored(cls, document: Mapping[str, Any]) -> Rows:
        """Rows from their `document`."""
        changes = tuple(ChangeRow(**row) for row in document["changes"])
        return cls(changes, tuple(DeploymentRow(**row) for row in document["deployments"]), document["span"])


class Book:
    """The rows in the making. ``requests`` turns the severity of a live bad change into harm."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._changes: dict[int, ChangeRow] = {}
        self._deployments: list[DeploymentRow] = []
        self._harming: dict[int, tuple[int, float, float]] = {}  # bad change: deployment, severity, since

    def begin(self, row: ChangeRow) -> None:
        self._changes[row.id] = row

    def change(self, id: int) -> ChangeRow:
        return self._changes[id]

    def note(self, id: int, **columns: Any) -> None:
        """Set columns of a change."""
        self._changes[id] = replace(self._changes[id], **columns)

    def open(self, row: DeploymentRow) -> None:
        assert row.id == len(self._deployments)
        self._deployments.append(row)

    @property
    def count(self) -> int:
        """Deployments so far: the identity of the next one."""
        return len(self._deployments)

    def deployment(self, id: int) -> DeploymentRow:
        return self._deployments[id]

    def write(self, id: int, **columns: Any) -> None:
        """Set columns of a deployment."""
        self._deployments[id] = replace(self._deployments[id], **columns)

    def harms(self, change: int, deployment: int, severity: float) -> None:
        """A bad change has gone live with ``deployment``; from the end of its rollout on it does harm."""
        since = self._deployments[deployment].rollout_ended
        assert since is not None
        self._harming[change] = (deployment, severity, since)

    def heals(self, change: int, at: float) -> None:
        """A bad change does no harm any more from ``at`` on."""
        deployment, severity, since = self._harming.pop(change)
        self.write(deployment, harm=self._deployments[deployment].harm + severity * self._requests(since, at))

    def rows(self, until: float) -> Rows:
        """All rows as they are at ``until``; what is still broken then has done harm up to then."""
        deployments = list(self._deployments)
        for id, severity, since in self._harming.values():
            harm = severity * self._requests(since, until)
            deployments[id] = replace(deployments[id], harm=deployments[id].harm + harm)
        return Rows(tuple(self._changes.values()), tuple(deployments), until)
