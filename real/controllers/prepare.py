"""Manifests -> what is applied: the user's own objects in a namespace of their own, with measurements answered by the script.

Changed are only the places that reach outside: addresses of metric providers and webhooks (the script answers), containers (a
sleeper stands for each), and the namespace. What a manifest names and does not bring along (Services, an Ingress, Flagger's
target) is made. Everything that decides stays as it is written.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from real.controllers.case import Case, Object
from real.controllers.serving import answering, entrances, serves, serving
from sim.policy.errors import WorldError
from sim.tracing.script import Script

__all__ = ["GATE", "REVISION", "prepared", "revised", "template_of"]

REVISION = "seatrial.dev/revision"  # annotation of a pod template: which revision of the script it is
GATE = "seatrial.dev/ready"  # readiness gate of a pod that the script keeps waiting
SLEEPER = "registry.k8s.io/pause:3.10"
MISSING = "seatrial.invalid/missing:1"


def prepared(case: Case, namespace: str, answers: str) -> list[Object]:
    """The objects to apply, companions first. `answers` is where the script's answers are served. Errors: WorldError."""
    objects = [copy.deepcopy(document) for document in case.documents]
    for one in objects:
        one.setdefault("metadata", {})["namespace"] = namespace
        _ask(one, f"{answers}/{namespace}")
    made = [_object(*missing, namespace) for missing in _missing(case)]
    objects += made if case.build is None else [*answering(case, made), *entrances(case, [*objects, *made])]
    for one in objects:
        if template_of(one) is not None:
            _sleep(one, case.script) if case.build is None else serving(one, case.build)
            revised(one, case, 1)
    last = case.workload["kind"]
    return sorted(objects, key=lambda one: one["kind"] == last)


def template_of(workload: Object) -> Object | None:
    """The pod template of a workload, None for other objects."""
    found = workload.get("spec", {}).get("template") if workload["kind"] in ("Rollout", "Deployment") else None
    return found if isinstance(found, dict) else None


def revised(workload: Object, case: Case, revision: int) -> Object:
    """Make the pod template that of a revision, in place; returns the template."""
    template = template_of(workload)
    if template is None:
        raise WorldError(f"{workload['kind']} {workload['metadata']['name']} has no pod template of its own")
    template.setdefault("metadata", {}).setdefault("annotations", {})[REVISION] = str(revision)
    if case.build is not None:
        return serves(template, case.build, revision)
    image = MISSING if case.script.ready_after(revision, 0) == inf else SLEEPER
    for container in template["spec"]["containers"]:
        container["image"], container["imagePullPolicy"] = image, "IfNotPresent" if image == SLEEPER else "Never"
    return template


def _sleep(workload: Object, script: Script) -> None:
    """A sleeper in place of each container; a readiness gate if the script says how long pods take."""
    template = template_of(workload) or {}
    spec = template.setdefault("spec", {})
    names = [one["name"] for one in spec.get("containers") or [{"name": "app"}]]
    spec.clear()
    spec["terminationGracePeriodSeconds"] = 0
    spec["containers"] = [{"name": name} for name in names]
    if script.ready != 0:
        spec["readinessGates"] = [{"conditionType": GATE}]


# ---- measurements and gates ----


def _ask(one: Object, answers: str) -> None:
    """Point the providers and webhooks of an object at the answers."""
    name = one["metadata"]["name"]
    match one["kind"]:
        case "AnalysisTemplate" | "ClusterAnalysisTemplate":
            for metric in one["spec"].get("metrics", ()):
                _provider(metric, f"{answers}/{name}")
        case "MetricTemplate":
            one["spec"]["provider"] = {"type": "prometheus", "address": f"{answers}/{name}"}
        case "Canary":
            one["spec"]["metricsServer"] = f"{answers}/-"
            for hook in one["spec"].get("analysis", {}).get("webhooks", ()):
                hook["url"] = f"{answers}/gate/{hook.get('type') or 'rollout'}/{hook['name']}"


def _provider(metric: Object, answers: str) -> None:
    prometheus = metric["provider"].get("prometheus")
    if prometheus is None:
        kind = next(iter(metric["provider"]), "none")
        raise WorldError(
            f"metric {metric['name']}: a script can answer for Prometheus, not for provider {kind}; give it a prometheus query"
        )
    prometheus["address"] = f"{answers}/{metric['name']}"


# ---- companions ----


def _missing(case: Case) -> Iterator[tuple[str, str, str]]:
    """(kind, name, name of the workload) of what is named and not brought along."""
    brought = {(document["kind"], document["metadata"]["name"]): document for document in case.documents}
    name = case.workload["metadata"]["name"]
    for kind, wanted in _named(case.workload):
        if (kind.partition(" to ")[0], wanted) not in brought:
            yield _at_port(kind, brought), wanted, name


def _at_port(kind: str, brought: Mapping[tuple[str, str], Object]) -> str:
    """An Ingress is to a Service at its port: that of the Service that was brought along, else of the one that is made."""
    if not kind.startswith("Ingress to "):
        return kind
    service = brought.get(("Service", kind.removeprefix("Ingress to ")))
    return f"{kind} {80 if service is None else service['spec']['ports'][0]['port']}"


def _named(workload: Object) -> Iterator[tuple[str, str]]:
    spec: Any = workload["spec"]
    if workload["kind"] == "Canary":
        yield "Deployment", spec["targetRef"]["name"]
    for strategy in spec.get("strategy", {}).values() if workload["kind"] == "Rollout" else ():
        for key in ("stableService", "canaryService", "activeService", "previewService"):
            if key in strategy:
                yield "Service", strategy[key]
        routing = strategy.get("trafficRouting", {})
        nginx, virtual = routing.get("nginx", {}), routing.get("istio", {}).get("virtualService")
        for ingress in filter(None, [nginx.get("stableIngress"), *nginx.get("stableIngresses", ())]):
            yield f"Ingress to {strategy['stableService']}", ingress
        if virtual is not None:
            yield f"VirtualService to {strategy['stableService']} {strategy['canaryService']}", virtual["name"]


def _object(kind: str, name: str, workload: str, namespace: str) -> Object:
    kind, _, services = kind.partition(" to ")
    labels = {"app": workload}
    match kind:
        case "Service":
            version, spec = "v1", {"selector": labels, "ports": [{"name": "http", "port": 80}]}
        case "Ingress":
            to, port = services.split()
            backend = {"service": {"name": to, "port": {"number": int(port)}}}
            path = {"path": "/", "pathType": "Prefix", "backend": backend}
            version = "networking.k8s.io/v1"
            spec = {"ingressClassName": "nginx", "rules": [{"host": "example.test", "http": {"paths": [path]}}]}
        case "VirtualService":
            stable, canary = services.split()
            route = [{"destination": {"host": host}, "weight": weight} for host, weight in ((stable, 100), (canary, 0))]
            version, spec = "networking.istio.io/v1", {"hosts": [name], "http": [{"name": "primary", "route": route}]}
        case _:
            labels = {"app": name}
            version, spec = (
                "apps/v1",
                {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
            )
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
