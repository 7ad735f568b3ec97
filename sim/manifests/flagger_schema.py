"""What Flagger's CRDs refuse: required fields, words, patterns (fluxcd/flagger: artifacts/flagger/crd.yaml; delivery-systems.md 4.1).

Types are refused where fields are read. A part of a Canary may lack what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.files.words import choose, show
from sim.manifests.fields import Reader

__all__ = ["CANARY", "TEMPLATE", "Shape", "check"]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object (its fields; `every` for those with names of their own), a list of them, or text of few words or of a pattern."""

    required: tuple[str, ...] = ()
    fields: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None
    every: Shape | None = None
    words: tuple[str, ...] = ()
    pattern: str = ""
    one_of: tuple[str, ...] = ()


_REFERENCE = ("apiVersion", "kind", "name")
_TIME = Shape(pattern="^[0-9]+(m|s)")  # of metrics and webhooks; anchored at the beginning only, as there
_HEADER = Shape(one_of=("exact", "prefix", "suffix", "regex"))


def _reference(*kinds: str) -> Shape:
    return Shape(required=_REFERENCE, fields={"kind": Shape(words=kinds)})


_METRIC = Shape(
    required=("name",), fields={"interval": _TIME, "templateRef": Shape(required=("name",))}
)  # fmt: skip
_WEBHOOK = Shape(required=("name", "url"), fields={"timeout": _TIME})
_ALERT = Shape(
    required=("name", "providerRef"),
    fields={"severity": Shape(words=("", "info", "warn", "error")), "providerRef": Shape(required=("name",))},
)
_ANALYSIS = Shape(
    fields={
        "interval": _TIME,
        "match": Shape(items=Shape(fields={"headers": Shape(every=_HEADER)})),
        "metrics": Shape(items=_METRIC),
        "webhooks": Shape(items=_WEBHOOK),
        "alerts": Shape(items=_ALERT),
        "sessionAffinity": Shape(
            required=("cookieName",), fields={"sameSite": Shape(words=("Strict", "Lax", "None"))}
        ),
    }
)  # fmt: skip
_PROVIDERS = (
    "apisix", "appmesh", "appmesh:v1beta2", "contour", "gatewayapi:v1", "gatewayapi:v1beta1", "gloo", "istio", "knative",
    "kubernetes", "kuma", "linkerd", "nginx", "osm", "skipper", "smi:v1alpha1", "smi:v1alpha2", "smi:v1alpha3", "traefik",
)  # fmt: skip
CANARY = Shape(
    fields={  # targetRef is required too: without it a Canary is taken for a part of one, and told
        "provider": Shape(words=_PROVIDERS),
        "targetRef": _reference("DaemonSet", "Deployment", "Service"),
        "autoscalerRef": _reference("HorizontalPodAutoscaler", "ScaledObject"),
        "ingressRef": _reference("Ingress"),
        "routeRef": _reference("ApisixRoute"),
        "upstreamRef": _reference("Upstream"),
        "service": Shape(required=("port",)),
        "analysis": _ANALYSIS,
        "canaryAnalysis": _ANALYSIS,
    },
)
_METRIC_PROVIDERS = (
    "prometheus", "influxdb", "datadog", "externalmetrics", "stackdriver", "cloudwatch", "newrelic", "graphite", "dynatrace",
    "keptn", "splunk",
)  # fmt: skip
TEMPLATE = Shape(
    required=("provider", "query"),
    fields={
        "provider": Shape(
            required=("type",), fields={"type": Shape(words=_METRIC_PROVIDERS), "secretRef": Shape(required=("name",))}
        )
    },
)


def check(reader: Reader, shape: Shape) -> None:
    """Reject what the shape does not allow."""
    for name in shape.required:
        if name not in reader.value and not (reader.document.below and len(reader.path) < 2):
            reader.reject(f"no {name}", f"add {name}")
    if shape.one_of:
        given = [name for name in shape.one_of if reader.has(name)]
        if len(given) != 1:
            reader.reject(f"{len(given)} ways to match", f"give exactly one of {', '.join(shape.one_of)}")
    for name, below in shape.fields.items():
        _below(reader, name, below)
    for name in reader.value if shape.every is not None else ():
        _below(reader, name, shape.every or shape)


def _below(reader: Reader, name: str, shape: Shape) -> None:
    value = reader.raw(name)
    if value is None:
        return
    if shape.words or shape.pattern:
        _text(reader, name, str(value), shape)
    elif shape.items is not None:
        for item in reader.items(name):
            if item.value:
                check(item, shape.items)
    else:
        check(reader.child(name), shape)


def _text(reader: Reader, name: str, text: str, shape: Shape) -> None:
    if shape.words and text not in shape.words:
        reader.reject(f"{show(text)} is no {name}", choose(text, shape.words), name)
    if shape.pattern and text and not re.match(shape.pattern, text):
        reader.reject(f"{show(text)} is not a time", "write e.g. 30s or 1m", name)
