"""What pods say of themselves: which are available, and why others are not. Pure: lists of mappings in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from real.cluster.names import REVISION

__all__ = ["Settling", "available", "notes", "revision"]

Object = dict[str, Any]


def revision(pod: Object) -> int:
    return int((pod["metadata"].get("labels") or {}).get(REVISION, "1"))


def ready(pod: Object) -> bool:
    """Ready, and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


class Settling:
    """Leaves out pods that became ready less than `seconds` ago. Those that were ready at the first look are known to everybody."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._since: dict[str, float] | None = None  # uid -> when it was first seen ready

    def __call__(self, pods: Sequence[Object]) -> list[Object]:
        now, before = self._clock(), self._since
        first = now if before is not None else now - self._seconds
        names = [_identity(pod) for pod in pods if ready(pod)]
        self._since = {name: (before or {}).get(name, first) for name in names}
        return [pod for pod in pods if not ready(pod) or now >= self._since[_identity(pod)] + self._seconds]


def _identity(pod: Object) -> str:
    return str(pod["metadata"].get("uid") or pod["metadata"]["name"])


def available(pods: Sequence[Object]) -> tuple[tuple[int, int], ...]:
    """Ready pods by revision, revisions without any left out."""
    return tuple(sorted(Counter(revision(pod) for pod in pods if ready(pod)).items()))


def notes(pods: Sequence[Object]) -> tuple[str, ...]:
    """Why pods are not ready, in the cluster's words, each once."""
    return tuple(sorted({note for pod in pods if not ready(pod) for note in _reasons(pod)}))


def _reasons(pod: Object) -> Iterator[str]:
    status = pod.get("status", {})
    for one in status.get("conditions") or ():
        if one["type"] == "PodScheduled" and one["status"] == "False":
            yield f"r{revision(pod)}: {one.get('reason', 'Unschedulable')}"
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            yield f"r{revision(pod)}: {waiting['reason']}"
