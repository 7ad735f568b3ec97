"""Pods that serve: the sample in place of the user's container, and the Services by which users come in.

Users come by the way that they would come: by the route object that the controller writes (`routed.py`), else through a Service: of a
blue-green Rollout the active one, of a Canary its own, of a canary Rollout one that takes all its pods (made if none is brought along).
A preview that no user sees is called by testers, as load testers of the people's own do.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from real.controllers.case import Build, Case, Object
from real.controllers.routed import DOOR, apex, route
from real.sample.objects import ADMIN

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
    # A pod is asked often, and may take its time to answer: it is no worse a pod on a machine that is busy.
    ready = {
        "httpGet": {"path": "/ready", "port": ADMIN},
        "periodSeconds": 1,
        "timeoutSeconds": 5,
        "failureThreshold": 1,
    }
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
    """Where users and testers go. Errors: WorldError for routes that nobody would obey."""
    spec: Any = case.workload["spec"]
    if case.workload["kind"] == "Canary":
        return _of_canary(case)
    ports = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in objects if one["kind"] == "Service"}
    canary, switched = spec["strategy"].get("canary"), spec["strategy"].get("blueGreen", {})
    if route(case):
        return (Way("users", DOOR, 8080),)
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


def _of_canary(case: Case) -> tuple[Way, ...]:
    """Users come by the route, or by the Service; what they never see while it is measured is called by testers."""
    spec: Any = case.workload["spec"]
    service, name = spec["service"], apex(spec)
    users = Way("users", DOOR, 8080) if route(case) else Way("users", name, service["port"])
    testers = Way("testers", f"{name}-canary", service["port"])
    return (users,) if spec["analysis"].get("stepWeight") or spec["analysis"].get("stepWeights") else (users, testers)


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
