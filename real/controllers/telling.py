"""The common part of telling a recording: roles, sizes and what pods took, from ReplicaSets; entries as a trace has them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from real.controllers.case import Case, Object
from real.controllers.recording import Recording, revision_of
from sim.policy.events import HumanAction

__all__ = ["Sizes", "Teller"]

Entry = dict[str, Any]


@dataclass(slots=True)
class _Set:
    """One ReplicaSet: wanted and available pods, and since when those wait that are not available."""

    revision: int
    aside: bool = False  # an experiment's: made in turn with the others, and none of the rollout's sizes
    wanted: int = 0
    available: int = 0
    waiting: deque[tuple[float, int]] = field(default_factory=deque)  # (since, number of the pod among its revision's)


@dataclass(slots=True)
class Sizes:
    """All ReplicaSets of a case by name."""

    min_ready: float = 0.0  # seconds that a trace adds itself to what pods take
    sets: dict[str, _Set] = field(default_factory=dict)
    starts: dict[int, list[float | None]] = field(default_factory=dict)  # per revision, in order of creation

    def see(self, at: float, name: str, found: Object, started: bool) -> None:
        """Take the newest state of a ReplicaSet; pods that appear after the start are timed."""
        owners = found["metadata"].get("ownerReferences", ())
        aside = any(one["kind"] == "Experiment" for one in owners)
        one = self.sets.setdefault(name, _Set(revision_of(found), aside))
        wanted, available = found["spec"].get("replicas", 0), found.get("status", {}).get("availableReplicas", 0)
        starts = self.starts.setdefault(one.revision, [])
        for _ in range(wanted - one.wanted):
            if started:
                one.waiting.append((at, len(starts)))
                starts.append(None)
        while len(one.waiting) > max(0, wanted - min(available, one.available)) and wanted < one.wanted:
            one.waiting.pop()  # pods that are not available go first
        for _ in range(min(available - one.available, len(one.waiting))):
            since, number = one.waiting.popleft()
            starts[number] = round(at - since - self.min_ready, 3)
        one.wanted, one.available = wanted, available

    def wanted(self, revision: int) -> int:
        return sum(one.wanted for one in self.sets.values() if one.revision == revision and not one.aside)

    def available(self, revision: int) -> int:
        return sum(one.available for one in self.sets.values() if one.revision == revision and not one.aside)

    def roles(self, stable: int, new: int) -> tuple[int, int, int]:
        """Wanted pods of the stable, the new (none when it is the stable one) and all other revisions."""
        revisions = {one.revision for one in self.sets.values()}
        older = sum(self.wanted(one) for one in revisions - {stable, new})
        return self.wanted(stable), 0 if new == stable else self.wanted(new), older


def _min_ready(case: Case) -> float:
    """minReadySeconds of the object that makes the pods: of a Canary its target."""
    kind = "Deployment" if case.system == "flagger" else case.workload["kind"]
    found = [one["spec"].get("minReadySeconds", 0) for one in case.documents if one["kind"] == kind]
    return float(found[0]) if found else 0.0


class Teller:
    """Keeps what changed, one entry each, with the state after it (as `sim.tracing.tracer` does of a trace)."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.start = recording.start
        self.sizes = Sizes(_min_ready(recording.case))
        self.stable_revision = self.revision = 1
        self.entries: list[Entry] = []
        self.step, self.weight = 0, 0.0
        self.phase = ""
        self.reason: str | None = None
        self.wanted: tuple[int, int, int] = (0, 0, 0)
        self._available: tuple[int, int] = (0, 0)
        self.tick: float | None = None  # the first tick of a controller that has a clock

    def add(self, at: float, kind: str, **more: Any) -> None:
        if at < self.start:
            return
        weight = int(self.weight) if self.weight == int(self.weight) else self.weight
        state: Entry = {"at": round(at - self.start, 3), "kind": kind, "step": self.step, "weight": weight}
        self.entries.append(state | {"stable": self.wanted[0], "canary": self.wanted[1]} | more)

    def look(self, at: float) -> None:
        """Entries for sizes and availability that changed."""
        wanted = self.sizes.roles(self.stable_revision, self.revision)
        if wanted != self.wanted:
            self.wanted = wanted
            self.add(at, "scale", older=wanted[2])
        stable = self.sizes.available(self.stable_revision)
        new = 0 if self.revision == self.stable_revision else self.sizes.available(self.revision)
        if (stable, new) != self._available:
            self._available = (stable, new)
            self.add(at, "available", stable=stable, canary=new)

    def enter(self, at: float, phase: str, reason: str | None = None) -> None:
        """A phase; without a reason where the controller has no words of its own for it."""
        if phase and (phase, reason) != (self.phase, self.reason):
            self.phase, self.reason = phase, reason
            self.add(at, "phase", phase=phase, **({} if reason is None else {"reason": reason}))

    def go(self, at: float, index: int) -> None:
        if index != self.step:
            self.step = index
            self.add(at, "step", index=index)

    def weigh(self, at: float, weight: float) -> None:
        if weight != self.weight:
            self.weight = weight
            self.add(at, "weight")

    def obey(self, at: float, action: HumanAction) -> None:
        self.add(at, "human", action=action)
