"""The router of a revision's pods: HAProxy in the app's namespace, told through its agent; the rule is kept in a ConfigMap first."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from real.cluster.api import Api
from real.cluster.forms import CONFIGMAP, config, stored
from real.cluster.names import APP, labels
from real.ports.things import Put, Routes, Thing
from real.routers import haproxy
from real.routers.backing import address, backed, standing, unbacked
from real.routers.base import Object, Place

__all__ = ["HAProxy"]


class HAProxy:
    """One pod with two containers. Weights change in milliseconds and no connection is dropped."""

    name = "haproxy"
    can = ("weight", "match")

    def __init__(self, image: str, agent: str) -> None:
        self._image, self._agent = image, agent

    def entrance(self, place: Place) -> str:
        return f"{place.app}-router"

    def objects(self, api: Api, place: Place) -> list[Object]:
        front = address(api, place, place.app)
        data = {
            "haproxy.cfg": haproxy.CONFIG.replace("{all}", front), "segments.map": "",
            "agent.py": Path(__file__).with_name("agent.py").read_text(encoding="utf-8"),
        }  # fmt: skip
        head = {"name": f"{place.app}-router", "namespace": place.namespace, "labels": labels(place.app)}
        config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": data}
        services = _service(place), _agent(place)
        empty = self.rule(api, place, Put("routes", None), None)
        return [config_map, empty, *services, _deployment(place, self._image, self._agent)]

    def key(self, place: Place) -> tuple[str, str]:
        return CONFIGMAP, f"{place.app}-routes"

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        routes = put.value if isinstance(put.value, Routes) else None
        said = haproxy.commands(routes, _addresses(api, place, routes))
        return config(place.app, place.namespace, f"{place.app}-routes", put, commands=said + "\n")

    def value(self, found: Object) -> Thing | None:
        return stored(found)

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        said = haproxy.commands(routes, _addresses(api, place, routes))
        api.through(
            place.namespace, f"services/{place.app}-router-agent:agent", "/commands", "POST", content=said.encode()
        )

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        if self.value(found) is None and standing(api, place):
            return False
        said = found["data"]["commands"].strip()
        return bool(self._state(api, place)["said"] == hashlib.sha256(said.encode()).hexdigest())

    def withdraw(self, api: Api, place: Place) -> None:
        unbacked(api, place)

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        servers: list[dict[str, Any]] = self._state(api, place)["servers"]
        weights = {one["server"]: one["weight"] for one in servers if not one["status"].startswith("MAINT")}
        total = sum(weights.values())
        known = {revision: weights.get(haproxy.slot(revision), 0) for revision, _ in routes.weights}
        return tuple((revision, weight / total) for revision, weight in known.items()) if total else ()

    def _state(self, api: Api, place: Place) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(
            api.through(place.namespace, f"services/{place.app}-router-agent:agent", "/state").read()
        )
        return told


def _addresses(api: Api, place: Place, routes: Routes | None) -> dict[int, str]:
    return {} if routes is None else backed(api, place, routes)


def _service(place: Place) -> Object:
    traffic: Object = {"name": "http", "port": 8080, "targetPort": "http"}
    name = f"{place.app}-router"
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": place.namespace, "labels": labels(place.app)},
        "spec": {"selector": {APP: name}, "ports": [traffic]},
    }  # fmt: skip


def _agent(place: Place) -> Object:
    """A Service of its own: it has no node port, and is reached through the API server only."""
    name = f"{place.app}-router-agent"
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": place.namespace, "labels": labels(place.app)},
        "spec": {
            "selector": {APP: f"{place.app}-router"}, "ports": [{"name": "agent", "port": 9998, "targetPort": "agent"}],
        },
    }  # fmt: skip


def _deployment(place: Place, image: str, agent: str) -> Object:
    name = f"{place.app}-router"
    own = labels(name)
    small = {"requests": {"cpu": "10m", "memory": "24Mi"}}
    mounts = [{"name": "config", "mountPath": "/etc/haproxy"}]
    containers = [
        {
            "name": "haproxy", "image": image, "command": ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"],
            "resources": small, "volumeMounts": mounts,
            "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 8404}],
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": "metrics"}, "periodSeconds": 1},
        },
        {
            "name": "agent", "image": agent, "command": ["python3", "/etc/haproxy/agent.py"], "resources": small,
            "ports": [{"name": "agent", "containerPort": 9998}],
            "volumeMounts": [*mounts, {"name": "routes", "mountPath": "/routes"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "agent"}, "periodSeconds": 1},
        },
    ]  # fmt: skip
    volumes = [
        {"name": "config", "configMap": {"name": name}},
        {"name": "routes", "configMap": {"name": f"{place.app}-routes", "optional": True}},
    ]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": place.namespace, "labels": labels(place.app)},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {APP: name}},
            "template": {
                "metadata": {"labels": own},
                "spec": {"containers": containers, "volumes": volumes, "automountServiceAccountToken": False},
            },
        },
    }  # fmt: skip
