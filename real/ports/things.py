"""The things that a rollout changes, each with an absolute value: never a difference, so that repeating a write changes nothing.

A thing has a name; a `Put` gives it a value; None means none. The undo of a put is a put as well: the value that was there before. One
thing is one object of the cluster (or one fault), with one version.

Workloads and faults come and go: None removes them. `routes`, `service/*`, `stable` and `lease` are objects that are there from `real up`
on and stay: None empties them. So every write of theirs is under a version, which is what keeps an old driver out.

| name | value | what it is on a cluster |
|---|---|---|
| `workload/home` | `Workload` | the Deployment that serves the stable revision when the run begins |
| `workload/r3` | `Workload` | a Deployment that the run makes for revision 3 |
| `routes` | `Routes` | the router's rule: HTTPRoute, VirtualService, annotations, HAProxy... Not there: even over all pods |
| `service/active`, `service/preview` | `Selector` | which revision a Service selects (blue-green) |
| `stable` | `Stable` | which revision is the stable one; writing it is the moment of promotion |
| `lease` | `Lease` | who drives, and the epoch |
| `fault/ID` | `Injection` | a fault that is active now |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from sim.policy.errors import HistoryError

__all__ = [
    "ACTIVE", "HOME", "LEASE", "PREVIEW", "ROUTES", "RULES", "STABLE", "Injection", "Lease", "Live", "Put", "Routes", "Seen", "Selector",
    "Stable", "Stamp", "Thing", "Workload", "fault", "told", "understood", "workload",
]  # fmt: skip

HOME, ROUTES, ACTIVE, PREVIEW, STABLE, LEASE = (
    "workload/home", "routes", "service/active", "service/preview", "stable", "lease",
)  # fmt: skip
RULES = ("routes", "service/", "fault/")
"""How the names of things begin of which nothing stands between two runs."""


def workload(revision: int) -> str:
    """The name of the workload that a run makes for a revision."""
    return f"workload/r{revision}"


def fault(id: str) -> str:
    """The name of a fault with this id in the scenario."""
    return f"fault/{id}"


@dataclass(frozen=True, slots=True)
class Workload:
    """So many pods of a revision, made from an image by digest. The rest is how a Deployment replaces its pods by itself.

    Pods carry their revision as a label, because a Deployment that is replacing them has pods of two.
    """

    revision: int
    image: str
    pods: int
    surge: int = 1
    unavailable: int = 0
    min_ready: float = 0.0
    recreate: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """Weights of revisions, which add up to the policy's maximum; segments that go elsewhere first; (revision, percent) of copies."""

    weights: tuple[tuple[int, float], ...] = ()
    matches: tuple[tuple[str, int], ...] = ()
    mirror: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """A Service selects the pods of this revision."""

    revision: int


@dataclass(frozen=True, slots=True)
class Stable:
    """The stable revision, and the one before it."""

    revision: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who drives: `holder` of `run`, until the wall clock says `until` (seconds since 1970). '' holds nothing. The epoch only rises."""

    run: str
    holder: str
    epoch: int
    until: float


@dataclass(frozen=True, slots=True)
class Injection:
    """An active fault: its kind, what it was resolved to (names of pods or nodes, never a selector), its parameters."""

    kind: str
    targets: tuple[str, ...] = ()
    params: tuple[tuple[str, Any], ...] = ()


Thing = Workload | Routes | Selector | Stable | Lease | Injection


@dataclass(frozen=True, slots=True)
class Put:
    """Give a thing this value; None: none (a workload or a fault is removed, anything else emptied)."""

    name: str
    value: Thing | None


@dataclass(frozen=True, slots=True)
class Live:
    """A thing as it was read. `version` '' means: no such object. `undo` is what a run wrote on it: the value from before that run."""

    name: str
    value: Thing | None
    version: str = ""
    epoch: int = 0
    run: str = ""
    undo: Put | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every write carries: whose it is, the version that was read ('' : it must not be there yet), and its undo for the annotation."""

    run: str
    epoch: int
    version: str
    undo: Put | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Ready pods, none terminating, by revision, and the share of traffic that the router really sends to each (empty: no router)."""

    available: tuple[tuple[int, int], ...] = ()
    shares: tuple[tuple[int, float], ...] = ()
    notes: tuple[str, ...] = ()  # why pods are not ready, in the cluster's words: ImagePullBackOff, Unschedulable

    def pods(self, revision: int) -> int:
        return dict(self.available).get(revision, 0)


# ---- as JSON: in journals and annotations ----

_KINDS: Mapping[str, type] = MappingProxyType(
    {kind.__name__.lower(): kind for kind in (Workload, Routes, Selector, Stable, Lease, Injection)}
)


_NAMES: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS.values()}
)


def told(put: Put) -> dict[str, Any]:
    """The JSON form of a put.

    >>> told(Put("stable", Stable(2, 1)))
    {'name': 'stable', 'stable': {'revision': 2, 'before': 1}}
    """
    if put.value is None:
        return {"name": put.name, "absent": True}
    kind = type(put.value)
    return {"name": put.name, kind.__name__.lower(): {name: getattr(put.value, name) for name in _NAMES[kind]}}


def understood(document: Mapping[str, Any]) -> Put:
    """The put of a JSON form. Raises HistoryError where there is none."""
    try:
        name = document["name"]
        if document.get("absent"):
            return Put(name, None)
        (word,) = (key for key in document if key != "name")
        kind = _KINDS[word]
        body = {
            field.name: _frozen(document[word][field.name]) for field in fields(kind) if field.name in document[word]
        }
        return Put(name, kind(**body))
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"not the record of a change ({error!r}); it is damaged or from another version") from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
