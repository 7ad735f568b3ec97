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
from real.cluster.names import APP, labels
from real.ports.things import Put, Routes, Thing
from real.routers.backing import address, backed, standing, unbacked
from real.routers.base import Object, Place

__all__ = ["Podded"]

_SMALL = {"requests": {"cpu": "10m", "memory": "24Mi"}}


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
        return f"{place.app}-router"

    def objects(self, api: Api, place: Place) -> list[Object]:
        front, name = address(api, place, place.app), f"{place.app}-router"
        script = Path(__file__).with_name(self.agent).read_text(encoding="utf-8")
        files = _object(place, "v1", "ConfigMap", name) | {"data": {**self.files(front), "agent.py": script}}
        users = _service(place, name, {"name": "http", "port": 8080, "targetPort": "http"})
        # A Service of its own: it has no node port, and is reached through the API server only.
        ours = _service(place, f"{name}-agent", {"name": "agent", "port": 9998, "targetPort": "agent"})
        return [files, self.rule(api, place, Put("routes", None), None), users, ours, self._deployment(place, name)]

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

    def _deployment(self, place: Place, name: str) -> Object:
        own = [{"name": "files", "mountPath": "/etc/router"}, {"name": "work", "mountPath": "/run/router"}]
        agent: Object = {
            "name": "agent", "image": self._python, "command": ["python3", "/etc/router/agent.py"], "resources": _SMALL,
            "ports": [{"name": "agent", "containerPort": 9998}],
            "volumeMounts": [*own, {"name": "routes", "mountPath": "/routes"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "agent"}, "periodSeconds": 1},
        }  # fmt: skip
        volumes = [
            {"name": "files", "configMap": {"name": name}},
            {"name": "work", "emptyDir": {}},
            {"name": "routes", "configMap": {"name": f"{place.app}-routes", "optional": True}},
        ]
        pod = {
            "containers": [{**self.program(self._image), "resources": _SMALL, "volumeMounts": own}, agent],
            "volumes": volumes, "automountServiceAccountToken": False, "shareProcessNamespace": True,
        }  # fmt: skip
        template = {"metadata": {"labels": labels(name)}, "spec": pod}
        spec = {"replicas": 1, "selector": {"matchLabels": {APP: name}}, "template": template}
        return _object(place, "apps/v1", "Deployment", name) | {"spec": spec}


def _service(place: Place, name: str, port: Object) -> Object:
    return _object(place, "v1", "Service", name) | {"spec": {"selector": {APP: f"{place.app}-router"}, "ports": [port]}}


def _object(place: Place, version: str, kind: str, name: str) -> Object:
    meta = {"name": name, "namespace": place.namespace, "labels": labels(place.app)}
    return {"apiVersion": version, "kind": kind, "metadata": meta}
