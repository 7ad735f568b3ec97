"""What a router is to the cluster adapter: where its rule is kept, how it takes effect, and how traffic really flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from real.cluster.api import Api
from real.ports.things import Put, Routes, Thing

__all__ = ["Place", "Router"]

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """An app in a namespace."""

    namespace: str
    app: str

    def service(self, revision: int) -> str:
        """The name of the Service of one revision's pods, which routers send to."""
        return f"{self.app}-r{revision}"


class Router(Protocol):
    """`name` as given to --router; `can` of weight, match, mirror."""

    @property
    def name(self) -> str: ...

    @property
    def can(self) -> tuple[str, ...]: ...

    def entrance(self, place: Place) -> str:
        """The Service at which users come in."""
        ...

    def objects(self, api: Api, place: Place) -> list[Object]:
        """What stands before a trial begins; written once by `up`."""
        ...

    def key(self, place: Place) -> tuple[str, str]:
        """(kind, name) of the object that holds the rule."""
        ...

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        """The object that says this rule; with the value None: the rule that sends everywhere evenly."""
        ...

    def value(self, found: Object) -> Thing | None:
        """The rule that an object says; None where it sends everywhere evenly."""
        ...

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        """Make the rule take effect now; repeating it is harmless."""
        ...

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        """Whether the rule that the object says is in effect."""
        ...

    def withdraw(self, api: Api, place: Place) -> None:
        """Remove what was made beside the rule."""
        ...

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        """What it is really set to, read back: (revision, share), adding up to 1."""
        ...
