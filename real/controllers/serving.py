"""Pods that serve: the sample in place of the user's container, and the Services by which users come in.

Users come through the Service that they would come through: of a blue-green Rollout the active one, of a Canary its own, of a canary
Rollout one that takes all its pods (made if none is brought along). A preview that no user sees is called by testers, as load testers
of the people's own do.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from real.controllers.case import Build, Case, Object
from real.sample.objects import ADMIN
from sim.policy.errors import WorldError

__all__ = ["ENTRANCE", "Way", "answering", "entrances", "serves", "serving", "ways"]

ENTRANCE = "seatrial-users"


class Way(NamedTuple):
    """Where requests go: a Service and its port. `role`: users, or testers."""

    role: str
    service: str
    port: int


def serving(workload: Object, build: Build) -> None:
    """The sample in place of the first container, at the port of that container; the others are left out."""
    template: Any = workload["spec"]["template"]
    first = (template["spec"].get("containers") or [{"name": "app"}])[0]
    port = next((one["containerPort"] for one in first.get("ports", ())), 80)
    ports = [*first.get("ports", [{"name": "http", "containerPort": port}]), {"name": "admin", "containerPort": ADMIN}]
    environment = [*build.environment, {"name": "PORT", "value": str(port)}]
    ready = {"httpGet": {"path": "/ready", "port": ADMIN}, "periodSeconds": 1, "failureThreshold": 1}
    container = {"name": first["name"], "env": environment, "ports": ports, "readinessProbe": ready}
    template["spec"] = {"terminationGracePeriodSeconds": 40, "containers": [container]}
    template.setdefault("metadata", {}).setdefault("annotations", {})["prometheus.io/scrape"] = "true"


def serves(template: Object, build: Build, revision: int) -> Object:
    """The build of a revision, which says in each answer who it is."""
    container = template["spec"]["containers"][0]
    container["image"] = build.images[min(revision, 2) - 1]
    others = [one for one in container["env"] if one["name"] != "REVISION"]
    container["env"] = [*others, {"name": "REVISION", "value": str(revision)}]
    return template


# ---- ways in ----


def ways(case: Case, objects: Iterable[Object]) -> tuple[Way, ...]:
    """Where users and testers go. Errors: WorldError for traffic that nobody would carry out."""
    spec: Any = case.workload["spec"]
    if case.workload["kind"] == "Canary":
        return _of_canary(spec)
    ports = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in objects if one["kind"] == "Service"}
    canary, switched = spec["strategy"].get("canary"), spec["strategy"].get("blueGreen", {})
    if (canary or {}).get("trafficRouting"):
        raise WorldError(
            "trafficRouting needs its own data plane, which is not on this cluster; leave it out, or give a --script"
        )
    if canary is not None:
        name = next(iter(_around(case, objects)), ENTRANCE)
        return (Way("users", name, ports.get(name, 80)),)
    users = Way("users", switched["activeService"], ports[switched["activeService"]])
    preview = switched.get("previewService")
    return (users, Way("testers", preview, ports[preview])) if preview else (users,)


def entrances(case: Case, objects: Iterable[Object]) -> Iterator[Object]:
    """The Service that has to be made for users to come in."""
    if any(one.service == ENTRANCE for one in ways(case, objects)):
        ports = [{"name": "http", "port": 80, "targetPort": port_of(case)}]
        spec = {"selector": copy.deepcopy(case.workload["spec"]["selector"]["matchLabels"]), "ports": ports}
        namespace = next(iter(objects))["metadata"]["namespace"]
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": ENTRANCE, "namespace": namespace},
            "spec": spec,
        }


def answering(case: Case, made: Iterable[Object]) -> Iterator[Object]:
    """Services that are made lead to the port at which the pods listen."""
    for one in made:
        if one["kind"] == "Service":
            one["spec"]["ports"][0]["targetPort"] = port_of(case)
        yield one


def port_of(case: Case) -> int:
    """The port of the first container that has pods of its own; 80 where none is said."""
    templates = [one["spec"].get("template", {}) for one in case.documents if one["kind"] in ("Rollout", "Deployment")]
    containers = [container for one in templates for container in one.get("spec", {}).get("containers", ())]
    return next((int(port["containerPort"]) for one in containers for port in one.get("ports", ())), 80)


def _of_canary(spec: Any) -> tuple[Way, ...]:
    if spec.get("provider") != "kubernetes":
        raise WorldError(
            "Flagger's weights need a data plane, which is not on this cluster; say provider: kubernetes, or give a --script"
        )
    service = spec["service"]
    name = service.get("name") or spec["targetRef"]["name"]
    return Way("users", name, service["port"]), Way("testers", f"{name}-canary", service["port"])


def _around(case: Case, objects: Iterable[Object]) -> Iterator[str]:
    """Services that take the pods of both versions."""
    spec: Any = case.workload["spec"]
    labels, taken = spec["template"]["metadata"].get("labels", {}), spec["strategy"]["canary"]
    for one in objects:
        name, chosen = one["metadata"]["name"], one["spec"].get("selector") if one["kind"] == "Service" else None
        if (
            chosen
            and chosen.items() <= labels.items()
            and name not in (taken.get("stableService"), taken.get("canaryService"))
        ):
            yield name
