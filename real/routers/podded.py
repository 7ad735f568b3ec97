"""A router in a pod of the app's own namespace: one program, and an agent beside it that is told what to do through the API server.

The rule is kept in the ConfigMap `APP-routes` first, with the text that the agent is told; a pod that starts anew reads it there.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from real.cluster.api import Api
from real.cluster.forms import CONFIGMAP, config, stored
from real.ports.things import Put, Routes, Thing
from real.routers import pod
from real.routers.backing import address, backed, standing, unbacked
from real.routers.base import Object, Place

__all__ = ["Podded"]


class Podded(ABC):
    """What the routers in pods have in common; each says its texts."""

    name: ClassVar[str]
    can: ClassVar[tuple[str, ...]]
    agent: ClassVar[str]  # the file beside this one that runs in the pod

    def __init__(self, image: str, python: str) -> None:
        self._image, self._python = image, python

    @abstractmethod
    def said(self, routes: Routes | None, addresses: dict[int, str], front: str) -> str:
        """What the agent is told; `front` is the address of the Service in front of all pods."""

    @abstractmethod
    def program(self, image: str) -> Object:
        """The container, without its mounts; the folder of `files` is mounted at /etc/router."""

    @abstractmethod
    def files(self, front: str) -> dict[str, str]:
        """The program's files."""

    @abstractmethod
    def shared(self, state: dict[str, Any], routes: Routes) -> dict[int, float]:
        """Weights by revision, out of what the agent tells."""

    # ---- a Router ----

    def entrance(self, place: Place) -> str:
        return pod.name(place)

    def objects(self, api: Api, place: Place) -> list[Object]:
        front = address(api, place, place.app)
        script = Path(__file__).with_name(self.agent).read_text(encoding="utf-8")
        files = pod.body(place, "v1", "ConfigMap", pod.name(place)) | {
            "data": {**self.files(front), "agent.py": script}
        }
        return [files, self.rule(api, place, Put("routes", None), None), *pod.doors(place), self._deployment(place)]

    def key(self, place: Place) -> tuple[str, str]:
        return CONFIGMAP, f"{place.app}-routes"

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        routes = put.value if isinstance(put.value, Routes) else None
        return config(
            place.app, place.namespace, f"{place.app}-routes", put, said=self._said(api, place, routes) + "\n"
        )

    def value(self, found: Object) -> Thing | None:
        return stored(found)

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        text = self._said(api, place, routes).encode()
        api.through(place.namespace, f"services/{place.app}-router-agent:agent", "/say", "POST", content=text)

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        if self.value(found) is None and standing(api, place):
            return False
        said = found["data"]["said"].strip()
        return bool(self._state(api, place)["said"] == hashlib.sha256(said.encode()).hexdigest())

    def withdraw(self, api: Api, place: Place) -> None:
        unbacked(api, place)

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        weights = self.shared(self._state(api, place), routes)
        total = sum(weights.values())
        return tuple((revision, weight / total) for revision, weight in weights.items()) if total else ()

    # ---- inside ----

    def _said(self, api: Api, place: Place, routes: Routes | None) -> str:
        services = {} if routes is None else backed(api, place, routes)
        addresses = {revision: address(api, place, name) for revision, name in services.items()}
        return self.said(routes, addresses, address(api, place, place.app))

    def _state(self, api: Api, place: Place) -> dict[str, Any]:
        answer = api.through(place.namespace, f"services/{place.app}-router-agent:agent", "/state")
        told: dict[str, Any] = json.loads(answer.read())
        return told

    def _deployment(self, place: Place) -> Object:
        agent: Object = {
            "name": "agent", "image": self._python, "command": ["python3", "/etc/router/agent.py"],
            "ports": [{"name": "agent", "containerPort": 9998}],
            "volumeMounts": [*pod.WORK, {"name": "routes", "mountPath": "/routes"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "agent"}, "periodSeconds": 1},
        }  # fmt: skip
        volumes = [
            {"name": "files", "configMap": {"name": pod.name(place)}},
            {"name": "routes", "configMap": {"name": f"{place.app}-routes", "optional": True}},
        ]
        return pod.deployment(place, self.program(self._image), agent, volumes)
