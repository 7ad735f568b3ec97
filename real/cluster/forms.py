"""How the named things of `real/ports` look as Kubernetes objects, and how they are read back. Pure: mappings in, mappings out.

| thing | object |
|---|---|
| `workload/home` | the Deployment that held the stable revision when the run began |
| `workload/rN` | Deployment `APP-rN`, its pod template that of home with another image |
| `service/active`, `service/preview` | Service `APP`, Service `APP-preview`: the selector has a revision in it |
| `stable`, `lease` | ConfigMap `APP-stable`, `APP-lease` |
| `routes` | what the router says (`real/routers`); for a router of our own the ConfigMap `APP-routes` |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from real.cluster.names import APP, EPOCH, REVISION, RUN, UNDO, labels
from real.ports.things import LEASE, STABLE, Lease, Live, Put, Selector, Stamp, Thing, Workload, told, understood

__all__ = [
    "CONFIGMAP",
    "DEPLOYMENT",
    "SERVICE",
    "config",
    "live",
    "made",
    "marks",
    "moved",
    "neutral",
    "selected",
    "selector",
    "stored",
    "workload",
]

Object = dict[str, Any]

DEPLOYMENT, SERVICE, CONFIGMAP = "apps/v1/Deployment", "v1/Service", "v1/ConfigMap"

_WORKLOAD = "seatrial.dev/workload"  # tells the pods of Deployments of one app apart


def marks(stamp: Stamp, before: Mapping[str, str]) -> dict[str, str]:
    """Who wrote last, and the undo of this run: one of the same run that is there already stays, since it is from before the run."""
    said = {RUN: stamp.run, EPOCH: str(stamp.epoch)}
    if before.get(RUN) == stamp.run and before.get(UNDO):
        said[UNDO] = before[UNDO]
    elif stamp.undo is not None:
        said[UNDO] = json.dumps(told(stamp.undo), separators=(",", ":"))
    return said


def live(name: str, value: Thing | None, found: Object | None) -> Live:
    """What was read, with what a run wrote on it."""
    if found is None:
        return Live(name, None)
    marks = found["metadata"].get("annotations") or {}
    undo = understood(json.loads(marks[UNDO])) if marks.get(UNDO) else None
    return Live(name, value, found["metadata"]["resourceVersion"], int(marks.get(EPOCH, "0")), marks.get(RUN, ""), undo)


# ---- Deployments ----


def workload(found: Object) -> Workload:
    """A Deployment's value, from its own spec."""
    spec, template = found["spec"], found["spec"]["template"]
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    replicas = int(spec.get("replicas", 1))
    return Workload(
        revision=int((template["metadata"].get("labels") or {}).get(REVISION, "1")),
        image=_container(found)["image"],
        pods=replicas,
        surge=_count(rolling.get("maxSurge", 1), replicas, up=True),
        unavailable=_count(rolling.get("maxUnavailable", 0), replicas, up=False),
        min_ready=float(spec.get("minReadySeconds") or 0),
        recreate=strategy.get("type") == "Recreate",
    )


def moved(found: Object, value: Workload) -> Object:
    """What is applied to a Deployment that is there: only what a workload says."""
    container = {"name": _container(found)["name"], "image": value.image}
    template: Object = {"metadata": {"labels": {REVISION: str(value.revision)}}, "spec": {"containers": [container]}}
    return {
        **_head(DEPLOYMENT, found["metadata"]["name"], found["metadata"]["namespace"]),
        "spec": {
            "replicas": value.pods, "minReadySeconds": round(value.min_ready), "strategy": _strategy(value), "template": template,
        },
    }  # fmt: skip


def made(home: Object, name: str, value: Workload) -> Object:
    """A new Deployment beside home, with the same pods but for the image."""
    app = home["metadata"]["labels"][APP]
    spec = deepcopy(home["spec"])
    own = {APP: app, _WORKLOAD: f"r{value.revision}"}
    spec["selector"] = {"matchLabels": own}
    template = spec["template"]
    template["metadata"]["labels"] = {
        **(template["metadata"].get("labels") or {}),
        **own,
        "version": "canary",
        REVISION: str(value.revision),
    }
    next(one for one in template["spec"]["containers"] if one["name"] == _container(home)["name"])["image"] = (
        value.image
    )
    spec |= {"replicas": value.pods, "minReadySeconds": round(value.min_ready), "strategy": _strategy(value)}
    head = _head(DEPLOYMENT, name, home["metadata"]["namespace"])
    head["metadata"]["labels"] = labels(app)
    return {**head, "spec": spec}


def _strategy(value: Workload) -> Object:
    if value.recreate:
        return {"type": "Recreate"}
    # Both 0 is refused by the API server: nothing could ever move. A workload that never rolls may say so.
    surge = value.surge or (0 if value.unavailable else 1)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": value.unavailable}}


def _container(found: Object) -> Object:
    """The container that carries the image: the one named `app`, or the first."""
    containers: list[Object] = found["spec"]["template"]["spec"]["containers"]
    return next((one for one in containers if one["name"] == "app"), containers[0])


def _count(value: int | str, replicas: int, *, up: bool) -> int:
    """A number of pods, which Kubernetes also writes in percent: surge rounded up, unavailable down."""
    if isinstance(value, int):
        return value
    share = int(value.rstrip("%")) * replicas
    return -(-share // 100) if up else share // 100


# ---- Services ----


def selected(found: Object) -> Selector | None:
    """The revision that a Service selects, or None where it selects all pods."""
    revision = (found["spec"].get("selector") or {}).get(REVISION)
    return Selector(int(revision)) if revision else None


def selector(app: str, namespace: str, name: str, value: Selector | None, found: Object | None) -> Object:
    """A Service that selects a revision's pods, or all; its ports are those of the Service in front of the app."""
    chosen = {APP: app} if value is None else {APP: app, REVISION: str(value.revision)}
    head = _head(SERVICE, name, namespace)
    head["metadata"]["labels"] = labels(app)
    ports = [
        {key: port[key] for key in ("name", "port", "targetPort") if key in port}
        for port in (found or {}).get("spec", {}).get("ports", ())
    ]
    return {**head, "spec": {"selector": chosen, "ports": ports}}


# ---- ConfigMaps ----


def stored(found: Object) -> Thing | None:
    return understood(json.loads(found["data"]["value"])).value


def config(app: str, namespace: str, name: str, put: Put, **more: str) -> Object:
    """A value as it is told in journals, and `more` for programs that read it."""
    head = _head(CONFIGMAP, name, namespace)
    head["metadata"]["labels"] = labels(app)
    return {**head, "data": {"value": json.dumps(told(put), separators=(",", ":")), **more}}


def neutral(app: str, namespace: str) -> list[Object]:
    """What stands between two runs, besides the app and its router: nobody drives, nothing is previewed, revision 1 is stable."""
    front = {"spec": {"ports": [{"name": "http", "port": 8080, "targetPort": "http"}]}}
    return [
        config(app, namespace, f"{app}-lease", Put(LEASE, Lease("", "", 0, 0.0))),
        config(app, namespace, f"{app}-stable", Put(STABLE, None)),
        selector(app, namespace, f"{app}-preview", None, front),
    ]


def _head(kind: str, name: str, namespace: str) -> Object:
    group, _, word = kind.rpartition("/")
    return {"apiVersion": group, "kind": word, "metadata": {"name": name, "namespace": namespace}}
