"""The seam to the rollout, which is injected: what the pipeline hands over and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal

import simpy

Reason = Literal["change", "rollback", "fix"]


@dataclass(frozen=True, slots=True)
class Release:
    """One revision on its way into production.

    ``artifact`` is the revision: the identity of its newest change; (``artifact``, ``attempt``) names this release in
    draws, because ``id`` only counts. ``bad`` and ``severity`` are relative to what is live: a regression that stable
    already has is none. Of the requests to what is live, ``mended`` are broken by flaws that this revision is without,
    and ``kept`` by flaws that it has as well. ``reason``: ``fix`` repairs what is live, ``rollback`` returns to an
    older artifact.
    """

    id: int
    changes: tuple[int, ...]
    artifact: int
    bad: bool
    severity: float
    started_at: float
    reason: Reason = "change"
    attempt: int = 0
    mended: float = 0.0
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class RolloutEnd:
    """How a rollout ended: ``detected_at`` and ``bad_since`` are None when nothing was seen or nothing was bad.

    ``harm`` counts the bad requests attributable to the change until the rollout ended (judges.md section 17).
    """

    outcome: Literal["promoted", "aborted", "inconclusive"]
    detected_at: float | None = None
    harm: float = 0.0
    bad_since: float | None = None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Why a rollout was interrupted: the cause of its `simpy.Interrupt`; ``by`` is the revision that comes instead."""

    by: int


Roll = Callable[[simpy.Environment, Release], Generator[simpy.Event, Any, RolloutEnd]]
"""A rollout as a SimPy process. It may catch `simpy.Interrupt`, take traffic back and return what was lost."""
