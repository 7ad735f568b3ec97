"""The pods of all revisions: created, becoming available, lost and replaced. Used by the simulated service and by `trace` alike.

A pod is the moment from which it is available (infinite: never). Sizes are wanted by the policy (`resize`), or by the own
arithmetic of a Deployment (`apply`) or of Docker Swarm (`update`). The fleet asks its world to be looked at again by `plan(at)`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import NamedTuple

from sim.policy.commands import Apply, SetExperiment, SetScale, Update
from sim.policy.errors import WorldError
from sim.policy.events import BatchesDone, ExperimentReady, PodsEnded, PodsReady
from sim.policy.scale import Pods
from sim.service.deployment import resize, sync
from sim.service.swarm import RESTART, Updater

__all__ = ["Fleet", "Life"]

Told = PodsReady | ExperimentReady | PodsEnded | BatchesDone


class Life(NamedTuple):
    """One pod of a revision, available on [ready, gone). Seconds."""

    revision: int
    number: int
    ready: float
    gone: float = inf

    def at(self, at: float) -> bool:
        return self.ready <= at < self.gone


class Fleet:
    """Pods by revision. `ready_after(revision, n)` says how long, in seconds, the n-th pod made of a revision takes;
    `ends_after(revision, n)` after how long it ends without ever being available, if it does."""

    def __init__(
        self,
        replicas: int,
        ready_after: Callable[[int, int], float],
        plan: Callable[[float], None],
        scaled: Callable[[float, int, int, int], None] | None = None,
        ends_after: Callable[[int, int], float | None] | None = None,
    ) -> None:
        self.replicas = replicas
        self.stable, self.revision = 1, 2
        self.pods: dict[int, list[float]] = {1: [-inf] * replicas}
        self._ready_after, self._plan, self._scaled = ready_after, plan, scaled
        self._made: dict[int, int] = {}
        # Of all pods so far, in the order of their making.
        self.lives = [Life(1, number, -inf) for number in range(replicas)]
        self._deployment: Apply | None = None
        self._min_ready = 0.0  # how long a pod is ready before it counts as available
        self._most = 0  # pods that the Deployment may have, surge included
        self._updater: Updater | None = None
        self._ends_after = ends_after
        self._ends = list[tuple[float, int]]()  # starting pods that will end: when, revision
        self.arms: tuple[list[float], list[float]] = (
            [],
            [],
        )  # pods of an experiment: of the stable and of the new revision
        self._told_arms = ExperimentReady(0, 0)
        self._news = deque[PodsEnded | BatchesDone]()
        self._told: PodsReady | None = PodsReady(replicas, 0)
        self._now = 0.0  # the moment of the look under way

    # ---- what the policy asks ----

    def resize(self, at: float, spec: SetScale) -> None:
        """Want this many pods; among older revisions the newest drains first. A Deployment's own arithmetic ends."""
        self._deployment = self._updater = None
        self._min_ready = spec.min_ready
        self._want(at, self.stable, spec.stable)
        if self.revision != self.stable:
            self._want(at, self.revision, spec.canary)
        surplus = sum(len(self.pods[revision]) for revision in self.older) - spec.older
        for revision in reversed(self.older):
            cut = max(0, min(surplus, len(self.pods[revision])))
            self._want(at, revision, len(self.pods[revision]) - cut)
            surplus -= cut
        self._plan(at)

    def experiment(self, at: float, spec: SetExperiment) -> None:
        """Want this many pods beside the service; those that go are the youngest."""
        self._min_ready = spec.min_ready
        for arm, revision, wanted in zip(
            self.arms, (self.stable, self.revision), (spec.baseline, spec.canary), strict=True
        ):
            del arm[wanted:]
            arm += [self._begin(at, revision) for _ in range(wanted - len(arm))]
        self._plan(at)

    def apply(self, at: float, spec: Apply) -> None:
        """Let the Deployment's own arithmetic move to `spec.revision`; another size than before is shared out first."""
        former = self._deployment
        if spec.renew and -spec.revision not in self.pods:  # a shadow of the revision: its former pods, to be replaced
            pods = sorted(self.pods.get(spec.revision, ()))
            mine = len(pods) - spec.beside
            self.pods[-spec.revision], self.pods[spec.revision] = pods[:mine], pods[mine:]
        drops = former is not None and former.revision == spec.revision and former.beside > spec.beside
        if former is not None and drops:
            self._batch(at, former)
        before, self._most = self._most, self._count(spec) + spec.surge
        self._deployment, self._updater, self._min_ready = spec, None, spec.min_ready
        if former is not None and drops:
            self._drop(at, spec.revision, former.beside - spec.beside)
        elif former is not None and former.count == spec.count and before != self._most and not spec.recreate:
            self._share(at, spec, before)
        self._plan(at)

    def update(self, at: float, spec: Update) -> None:
        """Let Docker Swarm's own batches move to `spec.revision`, or stop them (`halted`)."""
        self._deployment, self._min_ready = None, 0.0
        if spec.halted and self._updater is not None:
            self._updater.halt()
            return
        self._fit(at, spec.revision)
        self._news.clear()
        slots = sum(len(pods) for revision, pods in self.pods.items() if revision != spec.revision)
        self._now = at
        target = spec.revision
        self._updater = Updater(spec, slots, lambda: self._stop(target), lambda: self._start(target), self._plan)
        self._plan(at)

    def promote(self, at: float, revision: int) -> None:
        self.stable = revision
        self._plan(at)

    def supersede(self, at: float, revision: int) -> None:
        """A newer revision appears; the one before becomes an older one, unless it is stable."""
        self.revision = revision
        self._plan(at)

    # ---- what happens to pods ----

    def lose(self, at: float, revision: int, count: int, back_after: float | None = None) -> int:
        """Take `count` available pods away; each is replaced by a new one (or comes back after `back_after`). Returns how many."""
        pods = self.pods.get(revision, [])
        lost = [ready for ready in pods if ready <= at][:count]
        for ready in lost:
            self._end(at, revision, ready)
            self._hear(at, revision, ready)
            later = RESTART if self._updater is not None and back_after is None else 0.0
            self._make(at + later, revision, back_after)
        self._plan(at)
        return len(lost)

    # ---- what is known ----

    @property
    def older(self) -> list[int]:
        """Revisions other than the stable and the new one, the oldest first."""
        return [revision for revision in self.pods if abs(revision) not in (self.stable, self.revision)]

    @property
    def beside(self) -> int:
        """Pods of the new revision that belong to another workload than the one that rolls."""
        return self._deployment.beside if self._deployment is not None else 0

    @property
    def beyond(self) -> int:
        """Pods that an experiment wants."""
        return sum(map(len, self.arms))

    def wanted(self) -> tuple[int, int, int]:
        """Wanted (stable, canary, older) pods."""
        stable = len(self._all(self.stable))
        canary = len(self._all(self.revision)) if self.revision != self.stable else 0
        return stable, canary, sum(map(len, self.pods.values())) - stable - canary

    def available(self, at: float, revision: int) -> int:
        """Pods that take traffic: ready, whether they count yet or not."""
        return sum(ready <= at for ready in self._all(revision))

    def _all(self, revision: int) -> list[float]:
        """Pods of a revision, those that are being renewed included."""
        former = self.pods.get(-revision)
        return [*self.pods.get(revision, ()), *former] if former else self.pods.get(revision, [])

    def look(self, at: float) -> Told | None:
        """Let the Deployment or Swarm act, then tell what is available, if that changed, and what else is new: one at a time."""
        self._now = at
        self._fall(at)
        if self._news:  # who watches a failure sees it before the next slot is taken: in swarmkit the two race
            self._plan(at)
            return self._news.popleft()
        if self._deployment is not None:
            if self._seen(at) == self._told:
                self._batch(at, self._deployment)
            else:  # it acts on what is told first
                self._plan(at)
        if self._updater is not None:
            self._step(at, self._updater)
        seen, arms = self._seen(at), self._seen_arms(at)
        if seen != self._told:
            self._told = seen
            if self._news or arms != self._told_arms:
                self._plan(at)
            return seen
        if arms != self._told_arms:
            self._told_arms = arms
            return arms
        return self._news.popleft() if self._news else None

    # ---- inside ----

    def _seen(self, at: float) -> PodsReady:
        stable = self._settled(self._all(self.stable), at)
        new = self._settled(self._all(self.revision), at) if self.revision != self.stable else 0
        older = sum(self._settled(self.pods[revision], at) for revision in self.older)
        settling = 0
        if self._min_ready:
            settling = sum(ready <= at for pods in self.pods.values() for ready in pods) - stable - new - older
        return PodsReady(stable, new, older, settling)

    def _seen_arms(self, at: float) -> ExperimentReady:
        return ExperimentReady(self._settled(self.arms[0], at), self._settled(self.arms[1], at))

    def _settled(self, pods: list[float], at: float) -> int:
        """Pods that have been ready for long enough (Kubernetes: available)."""
        return sum(ready + self._min_ready <= at for ready in pods)

    def _want(self, at: float, revision: int, wanted: int) -> None:
        pods = self.pods.setdefault(revision, [])
        while len(pods) > wanted:  # pods that are not available yet go first
            self._end(at, revision, max(pods))
        while len(pods) < wanted:
            self._make(at, revision, None)

    def _make(self, at: float, revision: int, after: float | None) -> None:
        made = self._made.get(revision, 0)
        ready = self._begin(at, revision, after)
        self.pods[revision].append(ready)
        self.lives.append(Life(revision, sum(life.revision == revision for life in self.lives), ready))
        ends = None if self._ends_after is None or after is not None else self._ends_after(revision, made)
        if ends is not None:
            self._ends.append((at + ends, revision))
            self._plan(at + ends)

    def _begin(self, at: float, revision: int, after: float | None = None) -> float:
        """A pod starts; returns when it is ready."""
        made = self._made.get(revision, 0)
        self._made[revision] = made + 1
        ready = at + (self._ready_after(revision, made) if after is None else after)
        if ready < inf:
            self._plan(ready)
            if self._min_ready:
                self._plan(ready + self._min_ready)
        return ready

    # ---- Docker Swarm ----

    def stumble(self, at: float, revision: int) -> None:
        """A pod that was starting has ended before it was ever available."""
        if self._updater is not None:
            self._hear(at, revision, self._updater.starting(at))
        self._plan(at)

    def _hear(self, at: float, revision: int, ready: float) -> None:
        """Whether an end is news: of a task that the update under way has made."""
        if self._updater is not None and self._updater.spec.revision == revision:
            ended = self._updater.ended(at, ready)
            if ended is not None:
                self._news.append(ended)

    def _fall(self, at: float) -> None:
        """Starting pods end when their time has come; under Swarm a new one takes the place after a while."""
        for moment, revision in [end for end in self._ends if end[0] <= at]:
            self._ends.remove((moment, revision))
            pods = self.pods.get(revision, [])
            if inf in pods and self._updater is not None:
                self._hear(at, revision, inf)
                self._end(at, revision, inf)
                self._make(at + RESTART, revision, None)

    def _step(self, at: float, updater: Updater) -> None:
        before = self.wanted()
        done = updater.step(at)
        if done is not None:
            self._news.append(done)
        if self._scaled is not None and self.wanted() != before:
            self._scaled(at, *self.wanted())

    def _stop(self, revision: int) -> None:
        """An old task goes: one that is not available, else of the oldest revision."""
        old = [(ready, one) for one, pods in self.pods.items() if one != revision for ready in pods]
        ready, one = max(old, key=lambda pair: (pair[0], -pair[1]))
        self._end(self._now, one, ready)

    def _start(self, revision: int) -> float:
        self.pods.setdefault(revision, [])
        self._make(self._now, revision, None)
        return self.pods[revision][-1]

    def _fit(self, at: float, revision: int) -> None:
        """As many slots as the service wants: the orchestrator adds tasks of the new kind, and takes old ones away."""
        pods = self.pods.setdefault(revision, [])
        missing = self.replicas - sum(map(len, self.pods.values()))
        for _ in range(missing):
            self._make(at, revision, None)
        for _ in range(-missing):
            if any(self.pods[one] for one in self.pods if one != revision):
                self._stop(revision)
            else:
                self._end(at, revision, max(pods))

    def _end(self, at: float, revision: int, ready: float) -> None:
        """The pod of a revision that is the last to become available at `ready` goes."""
        self.pods[revision].remove(ready)
        for index in reversed(range(len(self.lives))):
            life = self.lives[index]
            if (life.revision, life.ready, life.gone) == (abs(revision), ready, inf):
                self.lives[index] = life._replace(gone=at)
                return

    # ---- Deployment ----

    def _count(self, spec: Apply) -> int:
        return self.replicas if spec.count is None else spec.count

    def _batch(self, at: float, spec: Apply) -> None:
        """Sync the Deployment until it waits for pods."""
        for _ in range(10_000):
            old = [revision for revision in self.pods if revision != spec.revision]
            revision, others = spec.apart or (0, 0)
            others = min(others, len(self.pods.get(revision, ())))
            sizes = {one: Pods(len(pods), self._settled(pods, at)) for one, pods in self.pods.items()}
            if others:
                sizes[revision] = Pods(sizes[revision].wanted - others, max(0, sizes[revision].available - others))
            new = sizes.get(spec.revision, Pods(0, 0))
            wanted, rest = sync(spec, self._count(spec), new, tuple(sizes[one] for one in old))
            target = dict(zip(old, rest, strict=True)) | {spec.revision: wanted}
            if others:
                target[revision] += others
            if all(len(self.pods.get(revision, ())) == size for revision, size in target.items()):
                self._renewed(at, spec)
                return
            self._change(at, target)
        raise WorldError(f"the Deployment of revision {spec.revision} does not settle at {at:g} s")

    def _renewed(self, at: float, spec: Apply) -> None:
        """Tell once that no former pod of the revision is left, and that all new ones are there."""
        pods = self.pods.get(spec.revision, [])
        if self.pods.get(-spec.revision) == [] and self._settled(pods, at) == self._count(spec) + spec.beside:
            del self.pods[-spec.revision]
            self._news.append(BatchesDone(spec.revision, self._count(spec)))
            self._plan(at)

    def _share(self, at: float, spec: Apply, before: int) -> None:
        """Another wanted size in the middle of an update."""
        own = {revision: len(pods) for revision, pods in self.pods.items() if pods}
        own[spec.revision] = own.get(spec.revision, 0) - spec.beside
        newest = sorted(own, reverse=True)
        if sum(size > 0 for size in own.values()) > 1:
            sizes = dict(zip(newest, resize(self._most, before, tuple(own[one] for one in newest)), strict=True))
            sizes[spec.revision] += spec.beside
            self._change(at, sizes)

    def _change(self, at: float, sizes: dict[int, int]) -> None:
        """One ReplicaSet after the other."""
        for revision, size in sizes.items():
            if len(self.pods.get(revision, ())) == size:
                continue
            self._want(at, revision, size)
            if self._scaled is not None:
                self._scaled(at, *self.wanted())

    def _drop(self, at: float, revision: int, count: int) -> None:
        """Pods of another workload go; theirs are the oldest of the revision."""
        for ready in sorted(self.pods[revision])[:count]:
            self._end(at, revision, ready)
        if self._scaled is not None:
            self._scaled(at, *self.wanted())
