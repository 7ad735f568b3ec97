"""What a policy may ask for: the commands that `Rollout.handle` returns. Frozen values; absolute, never differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Apply", "AskGate", "Command", "Counts", "Finish", "Match", "Measure", "Mirror", "Outcome", "Promote", "Query", "Restore",
    "SetExperiment", "SetScale", "SetWeight", "Switch", "Text", "Update",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Ask monitoring for counts of both versions over the last `window` seconds: a `Window` for a judge."""

    window: float
    points: tuple[
        str, ...
    ] = ()  # metrics whose samples the judge wants besides the counts: a series, or `metric=series`


@dataclass(frozen=True, slots=True)
class Text:
    """Ask a provider in its own language; `args` are filled in already."""

    provider: str
    text: str


Query = Counts | Text


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Send this share of traffic, in parts of the policy's maximum weight, to the new revision."""

    weight: float


@dataclass(frozen=True, slots=True)
class SetScale:
    """Want this many pods of the stable, the new and all older revisions; a pod counts as available `min_ready` seconds
    after it is ready (Kubernetes: minReadySeconds)."""

    stable: int
    canary: int
    older: int = 0
    min_ready: float = 0.0


@dataclass(frozen=True, slots=True)
class SetExperiment:
    """Want this many pods of the stable (`baseline`) and of the new revision beside the service; they get no traffic by weight.

    The world answers with `ExperimentReady`. `min_ready` as in `SetScale`.
    """

    baseline: int
    canary: int
    min_ready: float = 0.0


@dataclass(frozen=True, slots=True)
class Apply:
    """Hand a revision to the world's own arithmetic (a Kubernetes `Deployment`, a Swarm service), until `SetScale`.

    `beside` pods of this revision belong to another workload (Flagger's canary while its primary takes the new spec
    over): they stay, and do not count as the Deployment's own; when another `Apply` says fewer, the oldest of them go.
    `count`: pods of this Deployment, if not those of the whole service; `apart`: (revision, pods): so many pods of
    another revision are none of its own, the oldest ones. `renew`: its pods of this very revision are replaced too, for their template
    has changed in what makes no revision; the end of that is told by `BatchesDone`.
    `upto`: no more pods than that are moved to the revision (OpenKruise's partition); the others stay as they are.
    """

    revision: int
    surge: int
    unavailable: int
    min_ready: float = 0.0
    recreate: bool = False
    beside: int = 0
    upto: int | None = None
    count: int | None = None
    apart: tuple[int, int] | None = None
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """Hand a revision to Docker Swarm's own arithmetic, until `SetScale`: `parallelism` slots at a time (0: all), each held for
    `delay` seconds after its new task runs; a new task takes its slot before or after the old one left it. `halted`: take no
    further slot. The world answers with `PodsEnded` and `BatchesDone`.
    """

    revision: int
    parallelism: int = 1
    delay: float = 0.0
    start_first: bool = False
    halted: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Send the requests of these segments to the new revision, whatever the weight; empty: none."""

    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copy this percentage of requests to the new revision and drop its answers."""

    percent: float


@dataclass(frozen=True, slots=True)
class Measure:
    """Ask for one measurement; the answer comes back as `Measured(id, ...)`."""

    id: int
    run: str  # the kind of analysis run: step, background, pre, post
    metric: str
    query: Query
    template: str = ""  # where the metric was written, if in a template


@dataclass(frozen=True, slots=True)
class AskGate:
    """Ask a gate (a webhook, a person, a pipeline) for a yes or no; for a webhook the `gate` is its type."""

    gate: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Point the active and the preview service at these revisions (blue-green)."""

    active: int
    preview: int


@dataclass(frozen=True, slots=True)
class Promote:
    """The new revision is stable from now on."""

    revision: int


@dataclass(frozen=True, slots=True)
class Restore:
    """The stable revision serves all traffic, at once."""


Outcome = Literal["promoted", "aborted", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Finish:
    """The rollout has an outcome. What tidies up afterwards (old pods, say) may still follow."""

    outcome: Outcome
    reason: str = ""


Command = (
    SetWeight
    | SetScale
    | SetExperiment
    | Apply
    | Update
    | Match
    | Mirror
    | Measure
    | AskGate
    | Switch
    | Promote
    | Restore
    | Finish
)
