"""A trace script: what monitoring, pods and people answer, in place of a world (contracts section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from sim.policy.events import Answer, HumanAction

__all__ = ["HANG", "Ends", "Hang", "Happening", "Script"]


class Hang:
    """The answer that never comes."""

    def __repr__(self) -> str:
        return "HANG"


HANG = Hang()

_ACTIONS: dict[tuple[str, object], HumanAction] = {
    ("promote", False): "promote", ("promote", True): "promote-full", ("abort", False): "abort", ("retry", False): "retry",
    ("pause", True): "pause", ("pause", False): "resume",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """One scripted event at `at` seconds: promote, abort, retry, pause, approve, deny, revision, replicas, fail or terminate."""

    at: float
    kind: str
    value: object = True
    full: bool = False

    @property
    def action(self) -> HumanAction:
        which = self.value if self.kind == "pause" else self.full
        return _ACTIONS[(self.kind, which)]


@dataclass(frozen=True, slots=True)
class Ends:
    """In place of a time to readiness: the pod ends `after` seconds, and is never available."""

    after: float = 0.0


One = float | Ends
Ready = One | Mapping[int, One | tuple[One, ...]]


@dataclass(frozen=True, slots=True)
class Script:
    """Answers per metric (or template/metric; the last one repeats), pods' time to readiness, query time, events; seconds."""

    measurements: Mapping[str, tuple[Answer | Hang, ...]] = field(default_factory=dict)
    ready: Ready = 0.0
    query: float = 0.0
    events: tuple[Happening, ...] = ()
    until: float = 7200.0

    def ready_after(self, revision: int, pod: int) -> float:
        """Seconds from creation to available of the `pod`-th pod that this revision makes; infinite: never."""
        ready = self._ready(revision, pod)
        return inf if isinstance(ready, Ends) else ready

    def ends_after(self, revision: int, pod: int) -> float | None:
        """Seconds from creation to the end of a pod that is never available; None for every other."""
        ready = self._ready(revision, pod)
        return ready.after if isinstance(ready, Ends) else None

    def _ready(self, revision: int, pod: int) -> One:
        ready = self.ready.get(revision, 0.0) if isinstance(self.ready, Mapping) else self.ready
        if isinstance(ready, tuple):
            return ready[min(pod, len(ready) - 1)] if ready else inf
        return ready
