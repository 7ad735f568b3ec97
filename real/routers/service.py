"""No router at all: the app's Service spreads connections evenly over its pods, so the weight is the ratio of available pods.

Blue-green needs no more: the Service selects one revision. What it cannot do is a weight of its own.
"""

from __future__ import annotations

from real.cluster.api import Api
from real.cluster.forms import CONFIGMAP, config
from real.ports.errors import Refused
from real.ports.things import Put, Routes, Thing
from real.routers.base import Object, Place

__all__ = ["Pods"]


class Pods:
    """The Service in front of the app."""

    name = "service"
    can: tuple[str, ...] = ()

    def entrance(self, place: Place) -> str:
        return place.app

    def objects(self, api: Api, place: Place) -> list[Object]:
        return [self.rule(api, place, Put("routes", None), None)]

    def key(self, place: Place) -> tuple[str, str]:
        return CONFIGMAP, f"{place.app}-routes"  # which stays empty

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        if put.value is None:
            return config(place.app, place.namespace, f"{place.app}-routes", put)
        raise Refused("a Service has no weights; choose --router haproxy, or a policy with router: false")

    def value(self, found: Object) -> Thing | None:
        return None

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        return

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        return True

    def withdraw(self, api: Api, place: Place) -> None:
        return

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        return ()
