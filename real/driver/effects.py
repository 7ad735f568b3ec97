"""What a command means: the values that it gives to things. Pure, and the same meanings as in `sim/service` (site, routing, fleet).

Traffic goes by weight once the policy has spoken of weights, by the active service once it has spoken of services, else evenly over
all available pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from real.ports.things import (
    ACTIVE,
    PREVIEW,
    ROUTES,
    STABLE,
    Put,
    Routes,
    Seen,
    Selector,
    Stable,
    Thing,
    Workload,
    workload,
)  # fmt: skip
from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Finish,
    Match,
    Measure,
    Mirror,
    Promote,
    Restore,
    SetScale,
    SetWeight,
    Switch,
)  # fmt: skip
from sim.policy.errors import PolicyError, WorldError
from sim.policy.events import PodsReady

__all__ = ["Facts", "puts"]


@dataclass(slots=True)
class Facts:
    """What a driver knows besides the policy: which revision is what, and the values that things have been given.

    `home` names the workload that was there when the run began. `maximum` is the weight that stands for all traffic.
    """

    home: str
    stable: int
    revision: int
    replicas: int
    images: Mapping[int, str]
    maximum: float = 100.0
    things: dict[str, Thing | None] = field(default_factory=dict)

    def given(self, put: Put) -> None:
        """A thing has its value now."""
        self.things[put.name] = put.value
        if isinstance(put.value, Stable):
            self.stable = put.value.revision

    @property
    def routes(self) -> Routes | None:
        found = self.things.get(ROUTES)
        return found if isinstance(found, Routes) else None

    def share(self, seen: Seen) -> float:
        """The share of users' requests that goes to the new revision, as far as is known: read back, else by what was asked."""
        if seen.shares:
            return dict(seen.shares).get(self.revision, 0.0)
        if self.routes is not None:
            return dict(self.routes.weights).get(self.revision, 0.0) / self.maximum
        active = self.things.get(ACTIVE)
        if isinstance(active, Selector):
            return float(active.revision == self.revision)
        total = sum(count for _, count in seen.available)
        return seen.pods(self.revision) / total if total else 0.0

    def weight(self, seen: Seen) -> float | None:
        """The weight that traffic really has, in parts of the maximum; None without a router."""
        if not seen.shares:
            return None
        new = 0.0 if self.stable == self.revision else dict(seen.shares).get(self.revision, 0.0)
        return round(new * self.maximum, 9)

    @property
    def min_ready(self) -> float:
        """Seconds that a pod is ready before it counts as available."""
        return max((one.min_ready for _, one in self.workloads()), default=0.0)

    def event(self, counted: Mapping[int, int], ready: int) -> PodsReady:
        """What the policy is told of pods: those that count by revision, and how many are ready."""
        stable = counted.get(self.stable, 0)
        new = counted.get(self.revision, 0) if self.revision != self.stable else 0
        older = sum(counted.values()) - counted.get(self.revision, 0) - (stable if self.revision != self.stable else 0)
        return PodsReady(stable, new, older, ready - sum(counted.values()))

    def workloads(self) -> Iterator[tuple[str, Workload]]:
        for name, value in self.things.items():
            if isinstance(value, Workload):
                yield name, value


def puts(command: Command, facts: Facts) -> tuple[Put, ...]:
    """The puts of a command, in order; none for what is no effect (a measurement, a gate, the end)."""
    match command:
        case SetWeight() | Match() | Mirror():
            return (Put(ROUTES, _routes(command, facts)),)
        case SetScale():
            return tuple(_scale(command, facts))
        case Apply():
            return (Put(facts.home, _applied(command, facts)),)
        case Switch(active, preview):
            return Put(ACTIVE, Selector(active)), Put(PREVIEW, Selector(preview))
        case Promote(revision):
            return tuple(_promoted(revision, facts))
        case Restore():
            return tuple(_restored(facts))
        case Measure() | AskGate() | Finish():
            return ()
    raise WorldError(f"{type(command).__name__} has no meaning on this cluster")


def _routes(command: SetWeight | Match | Mirror, facts: Facts) -> Routes:
    now = facts.routes or Routes(_weights(0.0, facts))
    match command:
        case SetWeight(weight):
            if not 0 <= weight <= facts.maximum:
                raise PolicyError(f"a weight lies between 0 and {facts.maximum:g}, got {weight:g}")
            return replace(now, weights=_weights(weight, facts))
        case Match(segments):
            return replace(now, matches=tuple((segment, facts.revision) for segment in segments))
        case Mirror(percent):
            return replace(now, mirror=(facts.revision, float(percent)) if percent else None)


def _weights(weight: float, facts: Facts) -> tuple[tuple[int, float], ...]:
    """All of it goes to the new revision once that is the stable one."""
    if facts.stable == facts.revision:
        return ((facts.stable, facts.maximum),)
    return (facts.stable, facts.maximum - float(weight)), (facts.revision, float(weight))


def _scale(command: SetScale, facts: Facts) -> Iterator[Put]:
    yield from _sized(facts.stable, command.stable, facts, command.min_ready)
    if facts.revision != facts.stable:
        yield from _sized(facts.revision, command.canary, facts, command.min_ready)
    older = sorted({one.revision for _, one in facts.workloads()} - {facts.stable, facts.revision})
    sizes = {revision: sum(one.pods for _, one in facts.workloads() if one.revision == revision) for revision in older}
    surplus = sum(sizes.values()) - command.older
    for revision in reversed(older):  # the newest drains first
        cut = max(0, min(surplus, sizes[revision]))
        surplus -= cut
        if cut:
            yield from _sized(revision, sizes[revision] - cut, facts, command.min_ready)


def _sized(revision: int, pods: int, facts: Facts, min_ready: float) -> Iterator[Put]:
    """A revision lives in the home workload if that holds it, else in one of its own. A policy that does not say how long pods are
    ready before they count leaves that as it is."""
    home, own = facts.things.get(facts.home), workload(revision)
    other = facts.things.get(own) if own != facts.home else None
    if isinstance(home, Workload) and home.revision == revision:
        yield Put(facts.home, replace(home, pods=pods, min_ready=min_ready or home.min_ready))
        if isinstance(other, Workload):
            yield Put(own, replace(other, pods=0))
    elif isinstance(other, Workload):
        yield Put(own, replace(other, pods=pods, min_ready=min_ready or other.min_ready))
    elif pods:  # made empty, then sized under a version: what an old driver makes too late holds no pod
        empty = Workload(revision, facts.images[revision], 0, min_ready=min_ready)
        yield Put(own, empty)
        yield Put(own, replace(empty, pods=pods))


def _applied(command: Apply, facts: Facts) -> Workload:
    """The Deployment that holds the stable revision replaces its pods by itself."""
    if command.upto is not None:
        raise WorldError("a Deployment cannot stop halfway; a partition needs a workload of OpenKruise")
    return Workload(
        command.revision, facts.images[command.revision], facts.replicas, command.surge, command.unavailable, command.min_ready,
        command.recreate,
    )  # fmt: skip


def _promoted(revision: int, facts: Facts) -> Iterator[Put]:
    """What went to the stable revision by weight goes to this one from now on; the mark comes last, for it decides what a crash means."""
    if facts.routes is not None:
        yield Put(ROUTES, replace(facts.routes, weights=((revision, facts.maximum),)))
    if revision != facts.stable:
        yield Put(STABLE, Stable(revision, facts.stable))


def _restored(facts: Facts) -> Iterator[Put]:
    if facts.routes is not None:
        yield Put(ROUTES, Routes(((facts.stable, facts.maximum),)))
    if facts.things.get(ACTIVE) is not None:
        yield Put(ACTIVE, Selector(facts.stable))
