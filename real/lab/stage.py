"""An app on the ground: its namespace, its Deployment, what routes its traffic, and the port at which users come in."""

from __future__ import annotations

import socket
from copy import deepcopy
from dataclasses import dataclass

from real.cluster import forms, namespaces
from real.cluster.api import Api, Object
from real.cluster.names import APP, MANAGED, OWNED
from real.cluster.pods import notes
from real.lab.ground import Ground
from real.lab.raising import put, until
from real.ports.errors import Refused
from real.ports.things import Lease
from real.routers.base import Place, Router
from real.sample import objects
from real.sample.objects import Own, Sample
from sim.policy.errors import WorldError

__all__ = ["Stage", "entry", "prepared", "workloads"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an app stands, and the loopback port of its users; 0 where there is none."""

    place: Place
    router: Router
    port: int


def prepared(
    ground: Ground,
    place: Place,
    image: str,
    pods: int,
    router: Router,
    sample: Sample | Own | None = None,
    limit: float = 180.0,
    pull: Object | None = None,
) -> Stage:
    """The app serves, at the end, through its router. What is there stays, but the sample takes on the settings asked for.

    `pull`: the Secret that its image is pulled with, which pods of later revisions take over.
    """
    _owned(ground, place.namespace)
    api, sample = ground.writes(place.namespace), sample or Sample()
    deployment = objects.deployment(
        place.namespace, place.app, image, pods, sample, "" if pull is None else _name(pull)
    )
    bodies = [objects.service(place.namespace, place.app), *forms.neutral(place.app, place.namespace)]
    try:
        there = workloads(api, place)
        _mine(api, *([{**deployment, "metadata": one["metadata"]} for one in there] or [deployment]), *bodies)
        if pull is not None:
            api.apply(pull)
        if not there:
            put(api, deployment)
        elif len(there) == 1 and not _driven(api, place):
            _set(api, there[0], pods, sample)
        put(api, *bodies)
        rules = router.objects(api, place)
        _mine(api, *rules)
        put(api, *rules)
        port = entry(api, ground, place, router.entrance(place))
        until(lambda: _missing(api, place), limit, f"{place.app} is not ready")
    finally:
        api.close()
    if port:
        until(lambda: _silent(port), limit, f"{place.app} does not answer at 127.0.0.1:{port}")
    return Stage(place, router, port)


def _owned(ground: Ground, namespace: str) -> None:
    """The namespace is there and ours; only to make it is more power needed than over itself."""
    api = ground.builds()
    try:
        namespaces.make(api, namespace)
    finally:
        api.close()


def _mine(api: Api, *bodies: Object) -> None:
    """Raises WorldError, before any is made, where an object of this name is somebody else's: it would be neither written nor used."""
    foreign = []
    for body in bodies:
        kind, name, namespace = f"{body['apiVersion']}/{body['kind']}", _name(body), body["metadata"].get("namespace")
        found = api.get(kind, name, namespace)
        if found is not None and (found["metadata"].get("labels") or {}).get(MANAGED) != OWNED[MANAGED]:
            foreign.append(
                f"{body['kind']} {name} of {namespace} is not ours, and is never written; choose another --app"
            )
    if foreign:
        raise WorldError("\n".join(foreign))


def _name(body: Object) -> str:
    return str(body["metadata"]["name"])


def _driven(api: Api, place: Place) -> bool:
    """Whether somebody holds the lease: then nothing of the app is touched here."""
    found = api.get(forms.CONFIGMAP, f"{place.app}-lease", place.namespace)
    lease = None if found is None else forms.stored(found)
    return isinstance(lease, Lease) and bool(lease.holder)


def _set(api: Api, found: Object, pods: int, sample: Sample | Own) -> None:
    """Settings and number of pods as asked for; what is no sample keeps its settings. Whatever is there alone is the stable version.

    A patch, not an apply: what is applied once and not the next time is taken away, and a driver applies no settings.
    """
    if (found["metadata"].get("labels") or {}).get(MANAGED) != OWNED[MANAGED]:
        return
    template = found["spec"]["template"]
    containers = deepcopy(template["spec"]["containers"])
    told = {one["name"]: one.get("value") for one in containers[0].get("env") or ()}
    settings = sample.environment() if isinstance(sample, Sample) and "MEDIAN_S" in told else []
    differs = any(told.get(one["name"]) != one["value"] for one in settings if "value" in one)
    if differs:
        containers[0]["env"] = settings
    label = (template["metadata"].get("labels") or {}).get("version")
    if found["spec"]["replicas"] == pods and not differs and label == "stable":
        return
    body = {
        "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
        "spec": {
            "replicas": pods,
            "template": {"metadata": {"labels": {"version": "stable"}}, "spec": {"containers": containers}},
        },
    }
    api.merge(forms.DEPLOYMENT, found["metadata"]["name"], found["metadata"]["namespace"], body)


def workloads(api: Api, place: Place) -> list[Object]:
    """The Deployments of the app, whatever revision they hold."""
    found = api.list("apps/v1/Deployment", place.namespace, {APP: place.app})
    return [one for one in found if one["metadata"]["name"] != f"{place.app}-router"]


def entry(api: Api, ground: Ground, place: Place, service: str) -> int:
    """Let users in at the Service of this name: a node port that is mapped to this machine. 0: none is mapped (a cluster elsewhere)."""
    found = api.get("v1/Service", service, place.namespace)
    if found is None:
        raise WorldError(f"Service {service} of {place.namespace} is not there")
    there = [port.get("nodePort") for port in found["spec"]["ports"] if port.get("nodePort") in ground.ports]
    if there:
        return ground.ports[there[0]]
    for node_port in _free(api, ground):
        try:
            api.merge("v1/Service", service, place.namespace, _opened(found, node_port))
        except Refused:
            continue  # another app was faster
        return ground.ports[node_port]
    if ground.ports:
        raise WorldError(
            "all node ports that lead to this machine are in use; remove a namespace: seatrial real down --namespace NAME"
        )
    return 0


def _opened(found: Object, node_port: int) -> Object:
    ports = [{**port, "nodePort": node_port} if port["name"] == "http" else port for port in found["spec"]["ports"]]
    return {
        "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
        "spec": {"type": "NodePort", "ports": ports},
    }


def _free(api: Api, ground: Ground) -> list[int]:
    used = {port.get("nodePort") for one in api.list("v1/Service", "*") for port in one["spec"].get("ports", ())}
    return [port for port in sorted(ground.ports) if 30000 <= port < 32768 and port not in used]


def _missing(api: Api, place: Place) -> str:
    waiting = [
        one["metadata"]["name"] for one in api.list("apps/v1/Deployment", place.namespace)
        if not _settled(one)
    ]  # fmt: skip
    if not waiting:
        return ""
    said = notes(api.list("v1/Pod", place.namespace, {APP: place.app}))
    return f"waiting for {', '.join(waiting)}" + (f" ({'; '.join(said)})" if said else "")


def _settled(found: Object) -> bool:
    """Whether a Deployment has as many pods as it wants, all of its present template."""
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    fresh = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    counts = (status.get("availableReplicas", 0), status.get("updatedReplicas", 0), status.get("replicas", 0))
    return fresh and counts == (wanted, wanted, wanted)


def _silent(port: int) -> str:
    """Whether the app answers there; a node port takes a moment to be known to every node."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as link:
            link.sendall(b"GET / HTTP/1.1\r\nHost: seatrial\r\nConnection: close\r\n\r\n")
            first = link.recv(64)
    except OSError as error:
        return type(error).__name__
    return "" if first.startswith(b"HTTP/1.1 ") and b" 50" not in first[:14] else f"it says {first[:30]!r}"
