"""What Flagger asks for its own two metrics: a query for each kind of routing.

Source: fluxcd/flagger 1.41, pkg/metrics/observers: which series, which labels, what is divided by what; the wording is ours. Traefik's
duration is in seconds and read as milliseconds, as Flagger does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sim.service.telemetry.names import Identity

__all__ = ["builtin"]


class _Own(NamedTuple):
    """Metric of requests with its label of the code; metric and unit of latencies; what is common to all series."""

    requests: str
    code: str
    latency: str
    matchers: str
    scale: int = 1  # milliseconds in a unit of the latency
    mean: bool = False  # the mean instead of the 99th percentile


_POD = 'kubernetes_namespace="{namespace}",kubernetes_pod_name=~"{target}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
_ENVOY = ("envoy_cluster_upstream_rq", 'envoy_response_code!~"5.*"', "envoy_cluster_upstream_rq_time")
_OBSERVERS: Mapping[str, _Own] = {
    "istio": _Own(
        "istio_requests_total", 'response_code!~"5.*"', "istio_request_duration_milliseconds",
        'reporter="destination",destination_workload_namespace="{namespace}",destination_workload=~"{target}"',
    ),
    "linkerd": _Own(
        "response_total", 'classification!="failure"', "response_latency_ms",
        'namespace="{namespace}",deployment=~"{target}",direction="inbound"',
    ),
    "nginx": _Own(
        "nginx_ingress_controller_requests", 'status!~"5.*"', "nginx_ingress_controller_ingress_upstream_latency_seconds",
        'namespace="{namespace}",ingress="{ingress}",canary!=""', 1000, True,
    ),
    "kubernetes": _Own(
        "http_request_duration_seconds_count", 'status!~"5.*"', "http_request_duration_seconds", _POD, 1000
    ),
    "contour": _Own(*_ENVOY, 'envoy_cluster_name=~"{namespace}_{target}-canary_[0-9a-zA-Z-]+"'),
    "gloo": _Own(*_ENVOY, 'envoy_cluster_name=~"{namespace}-{target}-canary-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"'),
    "kuma": _Own(*_ENVOY, 'service=~"{target}-canary_{namespace}_svc_[0-9a-zA-Z-]+"'),
    "appmesh": _Own(*_ENVOY, _POD),
    "traefik": _Own(
        "traefik_service_requests_total", 'code!~"5.."', "traefik_service_request_duration_seconds",
        'service=~"{namespace}-{target}-canary-[0-9a-zA-Z-]+@kubernetescrd"',
    ),
    "apisix": _Own("apisix_http_status", 'code!~"5.."', "apisix_http_latency", 'route=~"{namespace}_{route}-{target}-canary_.+"'),
    "skipper": _Own(
        "skipper_response_duration_seconds_count", 'code!~"5.."', "skipper_serve_route_duration_seconds",
        'route=~"kube(ew)?_{namespace}__{ingress}_canary__.*__{service}_canary(_[0-9]+)?"', 1000, True,
    ),
}  # fmt: skip


def builtin(name: str, interval: str, identity: Identity) -> str:
    """The query of `request-success-rate` (percent) or `request-duration` (milliseconds) over an interval."""
    own = _OBSERVERS.get(identity.router, _OBSERVERS["istio"])
    words = identity.words("canary") | {"target": identity.canary.workload, "service": identity.service}
    if identity.router == "skipper":
        words = {word: "".join(c if c.isalnum() or c == "_" else "_" for c in text) for word, text in words.items()}
    matchers = own.matchers
    for word, text in words.items():
        matchers = matchers.replace(f"{{{word}}}", text)
    if name == "request-success-rate":
        kept, whole = f"{own.requests}{{{matchers},{own.code}}}", f"{own.requests}{{{matchers}}}"
        return f"sum(rate({kept}[{interval}])) / sum(rate({whole}[{interval}])) * 100"
    if own.mean:
        total, count = (f"sum(rate({own.latency}_{part}{{{matchers}}}[{interval}]))" for part in ("sum", "count"))
        return f"{total} / {count} * {own.scale}"
    inner = f"histogram_quantile(0.99, sum by (le) (rate({own.latency}_bucket{{{matchers}}}[{interval}])))"
    return inner if own.scale == 1 else f"{inner} * {own.scale}"
