"""What a run is to do, and the limits it keeps: everything that is decided before the first effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from real.ports.ports import Clock, Cluster, Mischief, Monitor, People, Things
from real.ports.things import Put
from sim.policy.rollout import Policy

__all__ = ["Ending", "Limits", "Plan", "World"]

State = Literal["promoted", "restored", "unrestored", "fenced"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and numbers. One call takes at most `call`; a change is tried `tries` times within `patience` (faults.md section 5.3)."""

    call: float = 10.0
    tries: int = 6
    patience: float = 60.0
    pause: float = 0.5  # before the second try; doubles
    lease: float = 60.0  # a driver that has not renewed for so long is believed dead
    resync: float = 2.0  # pods and traffic are looked at this often, told or not
    measure: float = 30.0  # then a question that has no answer has failed
    tidy: float = 120.0  # for what a policy still does after its outcome
    settle: float = 180.0  # for pods to come or go at the end
    stall: float = 30.0  # without one more pod: the others are not waited for
    horizon: float = 1800.0  # of a run (faults.md section 4, budget)


@dataclass(frozen=True, slots=True)
class Plan:
    """One rollout. `image` is the new version, by digest; the stable one is there already. `about` is what its journal says first."""

    run: str
    policy: Policy
    image: str
    seed: int = 0
    holder: str = ""
    limits: Limits = Limits()
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """The ports of a run."""

    cluster: Cluster
    monitor: Monitor
    people: People
    clock: Clock
    chaos: Things | None = None
    mischief: Mischief | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: what the policy said, and what the cluster is like now.

    `unrestored`: something could not be undone; `left` says what, to be done by hand or by `recover`. `fenced`: another driver took over.
    """

    state: State
    outcome: str = "inconclusive"
    reason: str = ""
    interrupted: bool = False
    left: tuple[Put, ...] = ()
    remarks: tuple[str, ...] = ()

    def redacted(self, redact: Callable[[str], str]) -> Ending:
        """The same without secrets."""
        return replace(self, reason=redact(self.reason), remarks=tuple(map(redact, self.remarks)))

    @property
    def code(self) -> int:
        """The exit code (contracts section 2): 4 is an environment in which this could not be finished."""
        if self.state in ("unrestored", "fenced"):
            return 4
        if self.interrupted:
            return 130
        return 0 if self.state == "promoted" else 1 if self.outcome == "aborted" else 3
