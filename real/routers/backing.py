"""A Service for the pods of each revision, which routers send to. Made with the first rule that names the revision, gone with the last."""

from __future__ import annotations

from real.cluster.api import Api
from real.cluster.names import APP, REVISION, labels
from real.ports.errors import Gone, Unavailable
from real.ports.things import Routes
from real.routers.base import Object, Place

__all__ = ["address", "backed", "standing", "unbacked"]


def backed(api: Api, place: Place, routes: Routes) -> dict[int, str]:
    """The name of each revision's Service, which is made where it is not there."""
    wanted = {revision for revision, _ in routes.weights} | {revision for _, revision in routes.matches}
    if routes.mirror is not None:
        wanted.add(routes.mirror[0])
    return {revision: _made(api, place, revision) for revision in sorted(wanted)}


def unbacked(api: Api, place: Place) -> None:
    """Remove them; what is gone already is no error."""
    for name in standing(api, place):
        try:
            api.delete("v1/Service", name, place.namespace)
        except Gone:
            continue


def standing(api: Api, place: Place) -> list[str]:
    """The names of those that are there."""
    found = api.list("v1/Service", place.namespace, {APP: place.app})
    return [one["metadata"]["name"] for one in found if REVISION in (one["metadata"].get("labels") or {})]


def address(api: Api, place: Place, name: str) -> str:
    found = api.get("v1/Service", name, place.namespace)
    if found is None:
        raise Unavailable(f"Service {name} of {place.namespace} is not there")
    return str(found["spec"]["clusterIP"])


def _made(api: Api, place: Place, revision: int) -> str:
    name = place.service(revision)
    if api.get("v1/Service", name, place.namespace) is None:
        api.apply(_service(place, name, revision))
    return name


def _service(place: Place, name: str, revision: int) -> Object:
    return {
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": place.namespace, "labels": labels(place.app, **{REVISION: str(revision)})},
        "spec": {
            "selector": {APP: place.app, REVISION: str(revision)}, "ports": [{"name": "http", "port": 8080, "targetPort": "http"}],
        },
    }  # fmt: skip
