"""A Kubernetes `Deployment`'s own batch arithmetic: one sync at a time.

Source: delivery-systems.md section 5; pkg/controller/deployment/rolling.go and sync.go.
"""

from __future__ import annotations

from dataclasses import replace

from sim.policy.commands import Apply
from sim.policy.scale import Pods

__all__ = ["resize", "sync"]


def sync(spec: Apply, replicas: int, new: Pods, old: tuple[Pods, ...]) -> tuple[int, tuple[int, ...]]:
    """The wanted sizes after one sync: (new, old ones with the oldest first). Unchanged sizes mean: nothing to do now."""
    if spec.beside:  # another workload's pods of this revision stay and do not count
        own = Pods(new.wanted - spec.beside, max(0, new.available - spec.beside))
        wanted, rest = sync(replace(spec, beside=0), replicas, own, old)
        return wanted + spec.beside, rest
    if spec.recreate:
        if any(pods.wanted or pods.available for pods in old):
            return new.wanted, tuple(0 for _ in old)
        return replicas, tuple(0 for _ in old)
    grown = _grow(spec, replicas, new, old)
    if grown != new.wanted:
        return grown, tuple(pods.wanted for pods in old)
    return grown, _shrink(spec, replicas, new, old)


def resize(most: int, before: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Wanted sizes (the newest first) once the whole may have `most` pods, surge included, and `before` until now.

    Every ReplicaSet grows or shrinks in proportion, rounded; the largest one takes what is left over. Seen: deployment-scaled.
    """
    left = most - sum(sizes)
    newest_first = left > 0
    order = sorted(range(len(sizes)), key=lambda one: (-sizes[one], one if newest_first else -one))
    resized = list(sizes)
    for one in order:
        change = _rounded(sizes[one] * most, before) - sizes[one] if sizes[one] else 0
        change = min(change, left) if newest_first else max(change, left)
        resized[one] += change
        left -= change
    resized[order[0]] = max(0, resized[order[0]] + left)
    return tuple(resized)


def _rounded(above: int, below: int) -> int:
    """The quotient, halves up."""
    return (2 * above + below) // (2 * below)


def _grow(spec: Apply, replicas: int, new: Pods, old: tuple[Pods, ...]) -> int:
    goal = replicas if spec.upto is None else min(spec.upto, replicas)
    if new.wanted >= goal:
        return goal
    total = new.wanted + sum(pods.wanted for pods in old)
    room = replicas + spec.surge - total
    return new.wanted + max(0, min(room, goal - new.wanted))


def _shrink(spec: Apply, replicas: int, new: Pods, old: tuple[Pods, ...]) -> tuple[int, ...]:
    least = replicas - spec.unavailable
    total = new.wanted + sum(pods.wanted for pods in old)
    wanted = [pods.wanted for pods in old]
    room = total - least - (new.wanted - new.available)
    staying = 0 if spec.upto is None else replicas - min(spec.upto, replicas)
    room = min(room, sum(wanted) - staying)
    if room <= 0:
        return tuple(wanted)
    for index, pods in enumerate(old):  # pods that are not available go first
        cut = min(room, max(0, pods.wanted - pods.available))
        wanted[index] -= cut
        room -= cut
    spare = new.available + sum(pods.available for pods in old) - least
    spare = min(spare, sum(wanted) - staying)
    for index, pods in enumerate(old):
        cut = max(0, min(spare, wanted[index], pods.available))
        wanted[index] -= cut
        spare -= cut
    return tuple(wanted)
