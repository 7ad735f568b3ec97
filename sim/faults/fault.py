"""A fault: what, where, when and how much (faults.md section 1). `reading` makes one from a file's mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.faults.catalogue import KINDS
from sim.faults.kind import Kind, Value


@dataclass(frozen=True, slots=True)
class Subset:
    """Part of what a target matches: `count` of them or a `fraction` in [0, 1]; the other is None."""

    count: int | None = None
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault hits; never empty. `version`: stable, canary, all or a revision; `system`: profile or path of a
    block.

    `selector` (real injection): sorted labels that a pod must all have.
    """

    version: str | None = None
    segment: str | None = None
    system: str | None = None
    subset: Subset | None = None
    selector: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """A moment that the rollout decides: `on` step_entered (n), weight_at_least (>= w), phase or event (a name)."""

    on: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Each start `every_s` + U(0, `jitter_s`) after the one before; `times` starts in all (None: no end)."""

    every_s: float
    jitter_s: float = 0.0
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Blast:
    """What a real injection may hit at most; anything strictly greater is refused. No namespaces: those we own."""

    max_pods: int = 1
    max_pct: float = 25.0
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Seconds since the rollout's start; exactly one of `at_s` and `trigger` is given.

    `params` holds every parameter of the kind, in its order, with defaults filled in; do not change it. `duration_s` is
    None for an instant, an irreversible or a version-bound fault. Active on [start, start + duration_s).
    """

    id: str
    kind: str
    target: Target
    params: Mapping[str, Value] = field(hash=False)
    at_s: float | None = None
    trigger: Trigger | None = None
    duration_s: float | None = None
    ramp_s: float = 0.0
    repeat: Repeat | None = None
    blast: Blast = Blast()

    @property
    def about(self) -> Kind:
        """The catalogue's entry."""
        return KINDS[self.kind]

    @property
    def seed_stream(self) -> str:
        """The name of the random stream that is its own: adding a fault shifts no other draw."""
        return f"fault/{self.id}"

    def number(self, name: str) -> float:
        """A numeric parameter; 0 where it is not given. KeyError for a name that the kind does not have."""
        value = self.params[name]
        return float(value) if isinstance(value, (int, float)) else 0.0
