"""`up` and `down`: a kind cluster of our own with a registry and Prometheus. Safe to repeat: what is there is left as it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from real.cluster import namespaces
from real.cluster.api import Api, Object
from real.cluster.names import SYSTEM
from real.kind import program, registry
from real.lab.ground import Ground, Say, found, state
from real.lab.images import Images
from real.measure import objects as prometheus
from real.ports.errors import Conflict, Gone, Unavailable, Unclear
from real.routers.carried import RESOURCES
from sim.policy.errors import WorldError

__all__ = ["known", "lower", "put", "raised", "rolled", "until"]


def raised(name: str, images: Images, say: Say, *, scrape: float = 2.0, workers: int = 2) -> Ground:
    """The cluster, ready: nodes, registry, Prometheus."""
    if name not in program.clusters():
        say(f"making kind cluster {name} (a minute)")
        _made(name, images.given.get("node") or _node(images), workers, say)
    say("registry")
    registry.start(name, images.of("registry"))
    ground = found(name)
    api = ground.builds()
    say("Prometheus")
    namespaces.make(api, SYSTEM)
    put(api, *prometheus.objects(scrape, images.of("prometheus"), images.of("python")))
    rolled(api, SYSTEM, "prometheus", 180.0)
    api.close()
    return ground


def lower(name: str, say: Say) -> None:
    """Nothing of the cluster is left, nor of its registry, nor of what we kept about it."""
    if name in program.clusters():
        say(f"deleting kind cluster {name}")
        program.delete(name)
    registry.remove(name)
    for file in ("kubeconfig",):
        (state(name) / file).unlink(missing_ok=True)


def _made(name: str, image: str | None, workers: int, say: Say) -> None:
    """Once more if it fails: on a busy machine a node may come later than kubeadm waits for it."""
    try:
        program.create(name, image=image, workers=workers)
    except WorldError as error:
        say(f"{str(error)[:200]}; once more")
        program.create(name, image=image, workers=workers)


def _node(images: Images) -> str | None:
    """kind's own default, unless one is told: it fits the version of kind."""
    told = images.of("node", local=False)
    return None if told.startswith("kindest/") else told


def put(api: Api, *bodies: Object) -> None:
    """Make what is not there; what is there stays as it is."""
    for body in bodies:
        kind, meta = f"{body['apiVersion']}/{body['kind']}", body["metadata"]
        if api.get(kind, meta["name"], meta.get("namespace")) is None:
            try:
                api.create(body)
            except Conflict:
                continue  # somebody was faster


def known(ground: Ground, router: str) -> None:
    """The resources that a router's rules are written in, made where nobody has brought them; the API server serves them."""
    api = ground.builds()
    try:
        put(api, *RESOURCES.get(router, ()))
        for one in RESOURCES.get(router, ()):
            spec = one["spec"]
            path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/namespaces/default/{spec['names']['plural']}"
            until(lambda path=path: _unserved(api, path), 30.0, f"{spec['names']['kind']} is not served")  # type: ignore[misc]
    finally:
        api.close()


def _unserved(api: Api, path: str) -> str:
    try:
        api.raw("GET", path)
    except Gone:
        return "not yet"
    return ""


def rolled(api: Api, namespace: str, name: str, limit: float) -> None:
    """Wait until all pods of a Deployment are available. Errors: WorldError with what the pods say."""

    def ready() -> str:
        found = api.get("apps/v1/Deployment", name, namespace) or {}
        status, wanted = found.get("status", {}), found.get("spec", {}).get("replicas", 1)
        fresh = status.get("observedGeneration", 0) >= found.get("metadata", {}).get("generation", 1)
        return (
            ""
            if fresh and status.get("availableReplicas", 0) >= wanted
            else f"{status.get('availableReplicas', 0)} of {wanted} pods"
        )

    until(ready, limit, f"Deployment {name} of {namespace} is not available")


def until(missing: Callable[[], str], limit: float, what: str) -> None:
    """Wait until `missing` says ''; after `limit` seconds WorldError with what it says."""
    end = time.monotonic() + limit
    why = "nothing was seen"
    while time.monotonic() < end:
        try:
            why = missing()
        except (Unavailable, Unclear) as error:
            why = str(error)
        if not why:
            return
        time.sleep(0.3)
    raise WorldError(f"{what} after {limit:g} s: {why}")
