"""The pod of a router: one program, and an agent beside it; the Services by which users and we reach them. Forms only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from real.cluster.names import APP, labels
from real.routers.base import Object, Place

__all__ = ["SMALL", "WORK", "body", "deployment", "doors", "name"]

SMALL = {"requests": {"cpu": "10m", "memory": "24Mi"}}
WORK: Sequence[Object] = (
    {"name": "files", "mountPath": "/etc/router"},
    {"name": "work", "mountPath": "/run/router"},
)  # what both containers see


def name(place: Place) -> str:
    """The Service at which users come in; Deployment and files are called the same."""
    return f"{place.app}-router"


def body(place: Place, version: str, kind: str, name: str) -> Object:
    """An object of the app's, without what it says."""
    meta = {"name": name, "namespace": place.namespace, "labels": labels(place.app)}
    return {"apiVersion": version, "kind": kind, "metadata": meta}


def doors(place: Place) -> list[Object]:
    """The Service of users, and one for the agent: it has no node port, and is reached through the API server only."""
    users = {"name": "http", "port": 8080, "targetPort": "http"}
    ours = {"name": "agent", "port": 9998, "targetPort": "agent"}
    return [_service(place, name(place), users), _service(place, f"{name(place)}-agent", ours)]


def deployment(place: Place, program: Object, agent: Object, volumes: Sequence[Object], account: str = "") -> Object:
    """`volumes` besides the shared folder `work`; `account`: whose token the pod gets, '' for none."""
    pod: dict[str, Any] = {
        "containers": [{"resources": SMALL, "volumeMounts": list(WORK), **one} for one in (program, agent)],
        "volumes": [*volumes, {"name": "work", "emptyDir": {}}], "shareProcessNamespace": True,
        **({"serviceAccountName": account} if account else {"automountServiceAccountToken": False}),
    }  # fmt: skip
    template = {"metadata": {"labels": labels(name(place))}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": {APP: name(place)}}, "template": template}
    return body(place, "apps/v1", "Deployment", name(place)) | {"spec": spec}


def _service(place: Place, called: str, port: Object) -> Object:
    return body(place, "v1", "Service", called) | {"spec": {"selector": {APP: name(place)}, "ports": [port]}}
