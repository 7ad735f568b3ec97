"""The sample service on a cluster: its Deployment when a trial begins, and the Service in front of all its pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from real.cluster.names import APP, REVISION, labels

__all__ = ["ADMIN", "PORT", "Own", "Sample", "deployment", "service"]

PORT, ADMIN = 8080, 8081


@dataclass(frozen=True, slots=True)
class Sample:
    """How the service behaves when nothing is wrong; seconds and ratios. `drain` keeps a pod answering after SIGTERM, until all know."""

    errors: float = 0.0
    median: float = 0.0
    sigma: float = 0.7
    bounds: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
    start: float = 0.0
    drain: float = 5.0

    def environment(self) -> list[dict[str, Any]]:
        told = {
            "ERRORS": f"{self.errors:g}", "MEDIAN_S": f"{self.median:g}", "SIGMA": f"{self.sigma:g}", "START_S": f"{self.start:g}",
            "BOUNDS": ",".join(f"{bound:g}" for bound in self.bounds), "DRAIN_S": f"{self.drain:g}",
        }  # fmt: skip
        fixed = [{"name": name, "value": value} for name, value in told.items()]
        return [
            *fixed,
            {"name": "REVISION", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{REVISION}']"}}},
        ]

    def container(self, image: str) -> dict[str, Any]:
        return {
            "name": "app", "image": image, "env": self.environment(),
            "ports": [{"name": "http", "containerPort": PORT}, {"name": "admin", "containerPort": ADMIN}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "admin"}, "periodSeconds": 1, "failureThreshold": 1},
            "resources": {"requests": {"cpu": "10m", "memory": "24Mi"}, "limits": {"memory": "128Mi"}},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Own:
    """A service of the user's own: the port of its users, and the port of its metrics (0: none, so nothing is scraped)."""

    port: int = PORT
    metrics: int = 0

    def container(self, image: str) -> dict[str, Any]:
        ports = [{"name": "http", "containerPort": self.port}]
        if self.metrics and self.metrics != self.port:
            ports.append({"name": "metrics", "containerPort": self.metrics})
        ready = {"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
        # What the sample does by itself: go on answering until every router knows. `sleep` is in nearly every image.
        drain = {"preStop": {"exec": {"command": ["sleep", "5"]}}}
        return {"name": "app", "image": image, "ports": ports, "readinessProbe": ready, "lifecycle": drain}


def deployment(namespace: str, app: str, image: str, pods: int, kind: Sample | Own, pull: str = "") -> dict[str, Any]:
    """The Deployment of the stable revision, 1. `pull`: the Secret that its image is pulled with; '' for a registry that asks for none."""
    secrets = {"imagePullSecrets": [{"name": pull}]} if pull else {}
    selector = {APP: app, "seatrial.dev/workload": "home"}
    marked = labels(app, version="stable", **selector, **{REVISION: "1"})
    scraped = isinstance(kind, Sample) or kind.metrics
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": app, "namespace": namespace, "labels": labels(app)},
        "spec": {
            "replicas": pods, "selector": {"matchLabels": selector}, "revisionHistoryLimit": 2,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": marked, "annotations": {"prometheus.io/scrape": "true" if scraped else "false"}},
                "spec": {
                    "containers": [kind.container(image)], "terminationGracePeriodSeconds": 40, "automountServiceAccountToken": False,
                    **secrets,
                },
            },
        },
    }  # fmt: skip


def service(namespace: str, app: str) -> dict[str, Any]:
    """The Service in front of all pods of the app."""
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": app, "namespace": namespace, "labels": labels(app)},
        "spec": {"selector": {APP: app}, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]},
    }  # fmt: skip
