"""A rule of the cluster's own kind, obeyed where no controller of the cluster does: HAProxy in a pod that watches the route object.

A stand-in for a gateway, for clusters of ours: it knows weights and an exact x-segment (`obeyed.py`), nothing else of what an ingress
controller or a mesh does. It goes on obeying without us, and what it really has set is read back, not assumed.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import real
from real.cluster.api import Api
from real.cluster.names import OWNED
from real.ports.errors import PortError, Refused, Unavailable
from real.ports.things import Put, Routes, Thing
from real.routers import haproxy, obeying, pod
from real.routers.base import Object, Place, Router
from real.routers.obeyed import KINDS
from real.routers.pods import HAProxy

__all__ = ["RESOURCES", "Carried", "plane", "state"]

# What runs in the pod besides the standard library, in its folders.
_FILES = (
    "real/__init__.py", "real/routers/__init__.py", "real/routers/agent.py", "real/routers/obeyed.py", "real/routers/obeying.py",
    "real/routers/slots.py",
)  # fmt: skip
_PATIENCE = 5.0  # seconds until a change is in effect
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Carried:
    """A router whose rule is `inner`'s, and whose traffic flows through a pod of ours. `haproxy` and `python` are images."""

    inner: Router
    haproxy: str
    python: str
    can: tuple[str, ...] = ("weight", "match")

    @property
    def name(self) -> str:
        return self.inner.name

    def entrance(self, place: Place) -> str:
        return pod.name(place)

    def objects(self, api: Api, place: Place) -> list[Object]:
        kind = self.inner.key(place)[0].rpartition("/")[2]
        return [*self.inner.objects(api, place), *plane(place, f"{kind}/{place.app}", self.haproxy, self.python)]

    def key(self, place: Place) -> tuple[str, str]:
        return self.inner.key(place)

    def rule(self, api: Api, place: Place, put: Put, found: Object | None) -> Object:
        if isinstance(put.value, Routes) and put.value.mirror is not None:
            raise Refused(f"what stands in for {self.name} on a cluster of ours cannot mirror; choose --router nginx")
        return self.inner.rule(api, place, put, found)

    def value(self, found: Object) -> Thing | None:
        return self.inner.value(found)

    def push(self, api: Api, place: Place, routes: Routes | None) -> None:
        self.inner.push(api, place, routes)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                if self._seen(api, place):
                    return
            except Unavailable:
                pass  # whoever reads the rule next is told so
            time.sleep(_LOOK)

    def obeys(self, api: Api, place: Place, found: Object) -> bool:
        return self.inner.obeys(api, place, found) and self._seen(api, place)

    def withdraw(self, api: Api, place: Place) -> None:
        self.inner.withdraw(api, place)

    def shares(self, api: Api, place: Place, routes: Routes) -> tuple[tuple[int, float], ...]:
        weights = state(api, place)["weights"]
        found = {revision: float(weights.get(place.service(revision), 0)) for revision, _ in routes.weights}
        total = sum(found.values())
        return tuple((revision, weight / total) for revision, weight in found.items()) if total else ()

    def _seen(self, api: Api, place: Place) -> bool:
        """Whether what the objects say now is in effect."""
        told = state(api, place)
        found = api.list(self.key(place)[0], place.namespace)
        versions = {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in found}
        return not told["refused"] and told["versions"] == versions


def state(api: Api, place: Place) -> dict[str, Any]:
    """What the pod says: `weights` per Service as HAProxy has them, `versions` of the objects it obeyed, and what it `refused`."""
    try:
        answer = api.through(place.namespace, f"services/{pod.name(place)}-agent:agent", "/state")
        told: dict[str, Any] = json.loads(answer.read())
    except (PortError, ValueError) as error:
        raise Unavailable(f"the router of {place.app} does not answer: {error}") from None
    return told


def plane(place: Place, route: str, image: str, python: str) -> list[Object]:
    """All of the pod: its account, which reads routes and Services of this namespace, files, doors, Deployment. `route`: KIND/NAME."""
    name, root = pod.name(place), Path(real.__file__).parents[1]
    files = {one.replace("/", "."): (root / one).read_text(encoding="utf-8") for one in _FILES}
    # Each request has a connection of its own to a Service, so that a Service that moves on takes its users along at once.
    config = haproxy.CONFIG.replace("http-reuse safe", "option http-server-close")
    files |= {"haproxy.cfg": config.replace("{all}:8080", "127.0.0.1:1"), "segments.map": ""}
    agent: Object = {
        "name": "agent", "image": python, "command": ["python3", "-m", "real.routers.obeying"],
        "env": [{"name": "ROUTE", "value": route}, {"name": "PYTHONPATH", "value": "/code"}],
        "ports": [{"name": "agent", "containerPort": obeying.PORT}],
        "volumeMounts": [*pod.WORK, {"name": "code", "mountPath": "/code"}],
        # Ready once it has begun: users do not go away because it is slow to say how it is.
        "startupProbe": {"httpGet": {"path": "/state", "port": "agent"}, "periodSeconds": 1, "failureThreshold": 120},
    }  # fmt: skip
    code = [{"key": one.replace("/", "."), "path": one} for one in _FILES]
    volumes = [
        {"name": "files", "configMap": {"name": name}},
        {"name": "code", "configMap": {"name": name, "items": code}},
    ]
    return [
        *_account(place, name),
        pod.body(place, "v1", "ConfigMap", name) | {"data": files},
        *pod.doors(place),
        pod.deployment(place, HAProxy(image, python).program(image), agent, volumes, name),
    ]


def _account(place: Place, name: str) -> list[Object]:
    rights = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [root.split("/")[2]], "resources": [plural], "verbs": ["get", "list", "watch"]}
        for root, plural, _ in KINDS.values()
    ]
    services = {"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}
    who = {"kind": "ServiceAccount", "name": name, "namespace": place.namespace}
    return [
        pod.body(place, "v1", "ServiceAccount", name),
        pod.body(place, f"{rights}/v1", "Role", name) | {"rules": [*rules, services]},
        pod.body(place, f"{rights}/v1", "RoleBinding", name)
        | {"roleRef": {"apiGroup": rights, "kind": "Role", "name": name}, "subjects": [who]},
    ]


# ---- the resources of clusters that nobody gave them ----

_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _resource(group: str, kind: str, plural: str, versions: tuple[str, ...]) -> Object:
    """Of the field's own definitions, which are thousands of lines, what keeps objects and gives them back."""
    served = [
        {"name": one, "served": True, "storage": one == versions[0], "schema": {"openAPIV3Schema": _ANY}, "subresources": {"status": {}}}
        for one in versions
    ]  # fmt: skip
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    spec = {"group": group, "scope": "Namespaced", "versions": served, "names": names}
    meta = {"name": f"{plural}.{group}", "labels": dict(OWNED)}
    if group.endswith(".k8s.io"):  # the API server asks for it: a group of Kubernetes' own that somebody else defines
        meta["annotations"] = {"api-approved.kubernetes.io": "unapproved, a stand-in for tests"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


# By router; DestinationRule, since Argo waits for both of Istio's.
RESOURCES = {
    "gateway": (_resource("gateway.networking.k8s.io", "HTTPRoute", "httproutes", ("v1", "v1beta1")),),
    "istio": tuple(
        _resource("networking.istio.io", kind, plural, ("v1", "v1beta1", "v1alpha3"))
        for kind, plural in (("VirtualService", "virtualservices"), ("DestinationRule", "destinationrules"))
    ),
}
