"""What the objects of an imported rollout are called, so that queries which name them find the series of the right version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.files import Document
from sim.manifests.catalog import Catalog
from sim.manifests.report import ImportedPolicy
from sim.service.telemetry.names import Identity, Named

__all__ = ["identity"]

# Argo's routers and Flagger's providers, and what their metrics are called (`sim.service.telemetry.dialects`).
_ROUTERS = {
    "nginx": "nginx", "istio": "istio", "traefik": "traefik", "apisix": "apisix", "appMesh": "appmesh", "smi": "linkerd",
}  # fmt: skip
_PROVIDERS = (
    "istio", "linkerd", "nginx", "contour", "gloo", "kuma", "kubernetes", "traefik", "apisix", "skipper", "appmesh", "knative",
)  # fmt: skip
_PRIMARY = ("app", "name", "app.kubernetes.io/name")  # labels that Flagger renames for the primary's pods


def identity(policy: ImportedPolicy, objects: Sequence[Document]) -> Identity:
    """The identity of a policy of these objects."""
    root, catalog = _map(policy.document), Catalog(objects)
    if policy.kind == "Rollout":
        return _argo(root, catalog)
    if policy.kind == "Canary":
        return _flagger(root, catalog)
    name, namespace = _metadata(root)
    labels = _labels(root)
    service = _service(objects, labels) or name
    return Identity(
        Named(name, service, "stable", labels),
        Named(name, service, "latest", labels),
        namespace,
        service,
        system="argo",
    )


def _argo(root: Mapping[str, Any], catalog: Catalog) -> Identity:
    name, namespace = _metadata(root)
    spec = _map(root.get("spec"))
    reference = _map(spec.get("workloadRef"))
    labels = _labels(_object(catalog, reference) if reference else root)
    canary, blue_green = (_map(_map(spec.get("strategy")).get(kind)) for kind in ("canary", "blueGreen"))
    chosen = blue_green or canary
    stable = _text(chosen, "activeService") or _text(chosen, "stableService")
    new = _text(chosen, "previewService") or _text(chosen, "canaryService")
    routing = _map(canary.get("trafficRouting"))
    nginx = _map(routing.get("nginx"))
    ingresses = nginx.get("stableIngresses")
    ingress = _text(nginx, "stableIngress") or (str(ingresses[0]) if isinstance(ingresses, list) and ingresses else "")
    service = stable or name
    return Identity(
        Named(name, service, "stable", _also(labels, chosen, "stableMetadata", "activeMetadata")),
        Named(name, new or service, "latest", _also(labels, chosen, "canaryMetadata", "previewMetadata")),
        namespace, service, ingress or _text(_map(routing.get("alb")), "ingress"), system="argo",
        router=next((_ROUTERS[key] for key in routing if key in _ROUTERS), ""), active=_text(blue_green, "activeService"),
    )  # fmt: skip


def _flagger(root: Mapping[str, Any], catalog: Catalog) -> Identity:
    name, namespace = _metadata(root)
    spec = _map(root.get("spec"))
    target = _text(_map(spec.get("targetRef")), "name") or name
    service = _text(_map(spec.get("service")), "name") or target
    labels = _labels(_object(catalog, _map(spec.get("targetRef"))))
    primary = tuple((key, f"{value}-primary" if key in _PRIMARY else value) for key, value in labels)
    provider = _text(spec, "provider")
    return Identity(
        Named(f"{target}-primary", f"{service}-primary", "stable", primary),
        Named(target, f"{service}-canary", "latest", labels),
        namespace, service, _text(_map(spec.get("ingressRef")), "name"), _text(_map(spec.get("routeRef")), "name"), "flagger",
        next((known for known in _PROVIDERS if provider.startswith(known)), ""),
    )  # fmt: skip


def _service(objects: Sequence[Document], labels: tuple[tuple[str, str], ...]) -> str:
    """The name of the first Service whose selector chooses pods with these labels."""
    for document in objects:
        value = _map(document.value)
        selector = _map(_map(value.get("spec")).get("selector"))
        if (
            value.get("kind") == "Service"
            and selector
            and all((key, str(one)) in labels for key, one in selector.items())
        ):
            return _metadata(value)[0]
    return ""


def _object(catalog: Catalog, reference: Mapping[str, Any]) -> Mapping[str, Any]:
    found = catalog.find(_text(reference, "kind"), _text(reference, "name"))
    return _map(found.value) if found is not None else {}


def _labels(root: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Labels of the pods that a workload makes."""
    template = _map(_map(root.get("spec")).get("template"))
    labels = _map(_map(template.get("metadata")).get("labels"))
    return tuple((str(key), str(value)) for key, value in labels.items())


def _also(labels: tuple[tuple[str, str], ...], strategy: Mapping[str, Any], *names: str) -> tuple[tuple[str, str], ...]:
    """With the labels that Argo adds to the pods of one version."""
    more = {key: str(value) for name in names for key, value in _map(_map(strategy.get(name)).get("labels")).items()}
    return tuple((dict(labels) | more).items())


def _metadata(root: Mapping[str, Any]) -> tuple[str, str]:
    metadata = _map(root.get("metadata"))
    return _text(metadata, "name") or "service", _text(metadata, "namespace") or "default"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value)
