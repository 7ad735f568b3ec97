"""Watching a namespace: every state of every object of some kinds, in the order in which the cluster wrote them.

The resource versions of one etcd are one sequence over all kinds, so they order what several watches see. The moment is that of
arrival; what arrived late is put no later than what was written after it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lightkube import AsyncClient
from lightkube.core.exceptions import ApiError
from lightkube.operators import not_equal
from lightkube.types import OnErrorAction, OnErrorResult

from real.cluster.names import MANAGED
from real.controllers.case import Object

__all__ = ["Seen", "Watch"]

_THEIRS: dict[str, Any] = {MANAGED: not_equal("seatrial")}  # our own router and load are nothing that a controller did


@dataclass(frozen=True, slots=True)
class Seen:
    """One state of one object: `at` is monotonic seconds, `version` its place in the sequence."""

    at: float
    version: int
    kind: str
    name: str
    object: Object
    deleted: bool = False


@dataclass(slots=True)
class Watch:
    """All that was seen in `namespace`; `heard` is told of each state as it arrives."""

    client: AsyncClient
    namespace: str
    kinds: tuple[Any, ...]
    heard: Callable[[Seen], None]
    seen: list[Seen] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Watch:
        self._tasks = [asyncio.create_task(self._watch(kind)) for kind in self.kinds]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def failed(self) -> None:
        """Raise what ended a watch, if one has ended."""
        for task in self._tasks:
            if task.done():
                task.result()

    def ordered(self) -> list[Seen]:
        """By resource version, each state once, moments never decreasing."""
        unique = {(one.version, one.kind, one.name): one for one in reversed(self.seen)}
        latest = float("inf")
        ordered: list[Seen] = []
        for one in sorted(unique.values(), key=lambda one: one.version, reverse=True):
            latest = min(latest, one.at)
            ordered.append(replace(one, at=latest))
        return ordered[::-1]

    async def _watch(self, kind: Any) -> None:
        async for event, found in self.client.watch(kind, namespace=self.namespace, labels=_THEIRS, on_error=_again):
            at = time.monotonic()
            document = found.to_dict()
            metadata = document["metadata"]
            metadata.pop("managedFields", None)
            name = kind._api_info.resource.kind
            one = Seen(at, int(metadata["resourceVersion"]), name, metadata["name"], document, event == "DELETED")
            self.seen.append(one)
            self.heard(one)


def _again(error: Exception, count: int) -> OnErrorResult:
    """A watch that breaks is begun anew, a few times; what is forbidden or unknown is told."""
    lasting = isinstance(error, ApiError) and error.status.code in (401, 403, 404)
    if lasting or count > 5:
        return OnErrorResult(OnErrorAction.RAISE)
    return OnErrorResult(OnErrorAction.RETRY, sleep=0.2)
