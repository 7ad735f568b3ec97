"""A recording: everything that was seen while a case was played, before it is told as a history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from real.controllers.answers import Given
from real.controllers.case import Case, Object
from real.controllers.prepare import REVISION
from real.controllers.watching import Seen
from sim.tracing.script import Happening

__all__ = ["Act", "Recording", "revision_of"]


@dataclass(frozen=True, slots=True)
class Act:
    """An event of the script, carried out at `at` (monotonic seconds)."""

    at: float
    what: Happening


@dataclass(frozen=True, slots=True)
class Recording:
    """`began`: the wall clock when revision 2 was applied; `seen` ordered as the cluster wrote it; `acts` in order."""

    case: Case
    began: str
    seen: tuple[Seen, ...]
    acts: tuple[Act, ...]
    given: tuple[Given, ...] = ()  # the script's answers
    ended: float = inf  # when nobody looked any more

    @property
    def start(self) -> float:
        """When revision 2 was written: the workload's first state with it. Monotonic seconds."""
        kind = "Rollout" if self.case.system == "argo-rollouts" else "Deployment"
        return next(one.at for one in self.seen if one.kind == kind and revision_of(one.object) == 2)

    def merged(self) -> Iterator[Seen | Act | Given]:
        """What was seen, done and answered, in order."""
        items: list[Seen | Act | Given] = [*self.acts, *self.seen, *self.given]
        yield from sorted(items, key=lambda one: one.at)


def revision_of(workload: Object) -> int:
    """The script's revision in the pod template of a Rollout, Deployment or ReplicaSet."""
    annotations = workload["spec"]["template"]["metadata"].get("annotations") or {}
    return int(annotations.get(REVISION, 1))
