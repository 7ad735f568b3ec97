"""Which series a running service shows, as data: the names and labels of the exporters that people have.

A dialect is what one exporter shows. `by` says who counts: the pod itself or a sidecar (`pod`), which never sees a request that no pod
took, or something in front of the pods (`proxy`), which answers such a request itself. Words in braces are those of
`Identity.words`, `{pod}` and `{instance}` of a pod, and the outcome's: `{code}`, `{class}`, `{result}`, `{outcome}`.

Sources: fluxcd/flagger 1.41, pkg/metrics/observers (istio, nginx, linkerd, contour, gloo, kuma, traefik, skipper, apisix, appmesh, http);
the standard metrics of Istio ("Istio Standard Metrics"), ingress-nginx (internal/ingress/metric/collectors/socket.go; requests to
a canary carry the main Ingress, and the label `canary`), linkerd2-proxy and Traefik; client defaults of Prometheus, Spring Boot and
OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["CLASHING", "DEFAULT", "DIALECTS", "OUTCOMES", "POD_WORDS", "WORDS", "Family", "Kind", "Outcome"]

Kind = Literal["counter", "histogram", "summary", "up"]
Outcome = Literal["good", "bad", "lost"]

OUTCOMES: Mapping[Outcome, Mapping[str, str]] = {
    "good": {"code": "200", "class": "2xx", "result": "success", "outcome": "SUCCESS"},
    "bad": {"code": "500", "class": "5xx", "result": "failure", "outcome": "SERVER_ERROR"},
    "lost": {"code": "503", "class": "5xx", "result": "failure", "outcome": "SERVER_ERROR"},
}
POD_WORDS = ("{pod}", "{instance}")
WORDS = (
    "app",
    "apex",
    "class",
    "code",
    "hash",
    "ingress",
    "instance",
    "namespace",
    "outcome",
    "pod",
    "result",
    "route",
    "service",
    "version",
    "workload",
)  # that may stand in braces in the labels of a service's own; see `Identity.words` and `OUTCOMES`


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. A histogram has the series NAME_bucket, NAME_sum and NAME_count, a summary without quantiles the last two.

    `unit`: how many of its units are one second. Series without an outcome's word in their labels count all outcomes together.
    """

    name: str
    kind: Kind
    by: Literal["pod", "proxy"]
    labels: Mapping[str, str]
    unit: float = 1.0


# What a scrape of pods adds: Prometheus Operator's names, the annotations of the classic `kubernetes-pods` job (which Flagger's
# queries use), and the labels of the pods themselves. `rollouts-pod-template-hash` is Argo's, with the dashes that Prometheus replaces.
_TARGET = {
    "namespace": "{namespace}", "pod": "{pod}", "service": "{service}", "job": "{service}", "instance": "{instance}",
    "container": "{workload}", "endpoint": "http", "app": "{app}", "version": "{version}", "deployment": "{workload}",
    "rollouts_pod_template_hash": "{hash}", "pod_template_hash": "{hash}",
    "kubernetes_namespace": "{namespace}", "kubernetes_pod_name": "{pod}",
}  # fmt: skip
_CODES = {"code": "{code}", "status": "{code}"}

_ISTIO_TO = {
    "destination_workload": "{workload}", "destination_workload_namespace": "{namespace}", "destination_app": "{app}",
    "destination_version": "{version}", "destination_service": "{service}.{namespace}.svc.cluster.local",
    "destination_service_name": "{service}", "destination_service_namespace": "{namespace}",
    "destination_canonical_service": "{app}", "destination_canonical_revision": "{version}", "request_protocol": "http",
    "response_code": "{code}", "response_flags": "-", "source_workload": "istio-ingressgateway",
    "source_workload_namespace": "istio-system", "source_app": "istio-ingressgateway",
    "rollouts_pod_template_hash": "{hash}",
}  # fmt: skip
_ISTIO_IN = {
    **_ISTIO_TO, "reporter": "destination", "namespace": "{namespace}", "pod": "{pod}", "app": "{app}", "instance": "{instance}",
}  # fmt: skip
_ISTIO_OUT = {**_ISTIO_TO, "reporter": "source", "namespace": "istio-system", "app": "istio-ingressgateway"}

_NGINX = {
    "namespace": "{namespace}", "exported_namespace": "{namespace}", "ingress": "{ingress}", "service": "{main}",
    "exported_service": "{main}", "canary": "{alternative}", "status": "{code}", "host": "{apex}", "method": "GET", "path": "/",
    "controller_class": "k8s.io/ingress-nginx",
}  # fmt: skip

_LINKERD = {
    "namespace": "{namespace}", "pod": "{pod}", "deployment": "{workload}", "app": "{app}", "service": "{service}",
    "direction": "inbound", "rollouts_pod_template_hash": "{hash}", "pod_template_hash": "{hash}", "instance": "{instance}",
}  # fmt: skip
_LINKERD_CODES = {**_LINKERD, "classification": "{result}", "status_code": "{code}"}


def _envoy(**labels: str) -> tuple[Family, ...]:
    """The statistics of an upstream cluster; times are in milliseconds."""
    cluster = {**labels, "namespace": "{namespace}"}
    return (
        Family("envoy_cluster_upstream_rq", "counter", "proxy", {**cluster, "envoy_response_code": "{code}"}),
        Family("envoy_cluster_upstream_rq_xx", "counter", "proxy", {**cluster, "envoy_response_code_class": "{digit}"}),
        Family("envoy_cluster_upstream_rq_total", "counter", "proxy", cluster),
        Family("envoy_cluster_upstream_rq_time", "histogram", "proxy", cluster, 1000.0),
    )


_APPMESH = {
    "kubernetes_namespace": "{namespace}",
    "kubernetes_pod_name": "{pod}",
    "namespace": "{namespace}",
    "pod": "{pod}",
}
_TRAEFIK = {"service": "{namespace}-{service}-80@kubernetescrd", "code": "{code}", "method": "GET", "protocol": "http"}
_SKIPPER = {"route": "kube_{_namespace}__{_ingress}_{version}__all____{_service}"}
_APISIX = {"route": "{namespace}_{route}-{service}_http"}

DIALECTS: Mapping[str, tuple[Family, ...]] = {
    "app": (
        Family("http_requests_total", "counter", "pod", {**_TARGET, **_CODES}),
        Family("http_request_duration_seconds", "histogram", "pod", {**_TARGET, **_CODES}),
        Family("http_server_requests_seconds", "histogram", "pod", {**_TARGET, "status": "{code}", "outcome": "{outcome}"}),
        Family(
            "http_server_request_duration_seconds", "histogram", "pod", {**_TARGET, "http_response_status_code": "{code}"}
        ),
        Family("up", "up", "pod", _TARGET),
    ),
    "istio": (
        Family("istio_requests_total", "counter", "pod", _ISTIO_IN),
        Family("istio_requests_total", "counter", "proxy", _ISTIO_OUT),
        Family("istio_request_duration_milliseconds", "histogram", "pod", _ISTIO_IN, 1000.0),
        Family("istio_request_duration_milliseconds", "histogram", "proxy", _ISTIO_OUT, 1000.0),
    ),
    "nginx": (
        Family("nginx_ingress_controller_requests", "counter", "proxy", _NGINX),
        Family("nginx_ingress_controller_request_duration_seconds", "histogram", "proxy", _NGINX),
        Family("nginx_ingress_controller_response_duration_seconds", "histogram", "proxy", _NGINX),
        Family("nginx_ingress_controller_ingress_upstream_latency_seconds", "summary", "proxy", _NGINX),
    ),
    "linkerd": (
        Family("request_total", "counter", "pod", _LINKERD),
        Family("response_total", "counter", "pod", _LINKERD_CODES),
        Family("response_latency_ms", "histogram", "pod", _LINKERD_CODES, 1000.0),
    ),
    "traefik": (
        Family("traefik_service_requests_total", "counter", "proxy", _TRAEFIK),
        Family("traefik_service_request_duration_seconds", "histogram", "proxy", _TRAEFIK),
    ),
    "skipper": (
        Family("skipper_response_duration_seconds", "histogram", "proxy", {**_SKIPPER, "code": "{code}", "method": "GET"}),
        Family("skipper_serve_route_duration_seconds", "histogram", "proxy", _SKIPPER),
    ),
    "apisix": (
        Family("apisix_http_status", "counter", "proxy", {**_APISIX, "code": "{code}"}),
        Family("apisix_http_latency", "histogram", "proxy", {**_APISIX, "type": "request"}, 1000.0),
    ),
    "contour": _envoy(envoy_cluster_name="{namespace}_{service}_80"),
    "gloo": _envoy(envoy_cluster_name="{namespace}-{service}-80_gloo-system"),
    "kuma": _envoy(service="{service}_{namespace}_svc_80"),
    "knative": _envoy(envoy_cluster_name="{namespace}/{service}"),
    "appmesh": (
        Family("envoy_cluster_upstream_rq", "counter", "pod", {**_APPMESH, "envoy_response_code": "{code}"}),
        Family("envoy_cluster_upstream_rq_time", "histogram", "pod", _APPMESH, 1000.0),
    ),
}  # fmt: skip

# Envoy's names are the same whoever runs it; without a word from the service or its router only one of these is shown.
CLASHING = ("contour", "gloo", "kuma", "knative", "appmesh")
DEFAULT = tuple(name for name in DIALECTS if name not in CLASHING[1:])
