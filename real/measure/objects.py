"""Prometheus in the cluster: one pod in our own namespace that scrapes every pod which asks for it by annotation.

The labels of a target (`targets.py`) are those that simulated telemetry shows (sim/service/telemetry/dialects.py), so that one query suits
both worlds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree

from real.cluster.names import APP, OWNED, SYSTEM, labels

__all__ = ["objects"]

Object = dict[str, Any]


def configuration(scrape: float) -> str:
    """prometheus.yml: the targets that the program beside it tells."""
    discovered = {"url": "http://127.0.0.1:9091/", "refresh_interval": "1s"}
    every = {"scrape_interval": f"{round(scrape * 1000)}ms", "scrape_timeout": f"{round(min(scrape, 10) * 1000)}ms"}
    document = {"global": every, "scrape_configs": [{"job_name": "pods", "http_sd_configs": [discovered]}]}
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


def objects(scrape: float, image: str, agent: str) -> list[Object]:
    """Everything of it, to be written once; the namespace is there already."""
    name, head = "prometheus", {"namespace": SYSTEM, "labels": labels("prometheus")}
    data = {
        "prometheus.yml": configuration(scrape),
        "targets.py": Path(__file__).with_name("targets.py").read_text(encoding="utf-8"),
    }
    role = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    whole = {"name": "seatrial-prometheus", "labels": dict(OWNED)}
    bound = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "seatrial-prometheus"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, **head}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": whole, "rules": [role]},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": whole, "roleRef": bound,
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **head}, "data": data},
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **head},
            "spec": {"selector": {APP: name}, "ports": [{"name": "http", "port": 9090, "targetPort": "http"}]},
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **head}, "spec": _spec(name, image, agent)},
    ]  # fmt: skip


def _spec(name: str, image: str, agent: str) -> Object:
    arguments = [
        "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus", "--storage.tsdb.retention.time=1d",
        "--query.lookback-delta=30s",
    ]  # fmt: skip
    container = {
        "name": "prometheus", "image": image, "command": ["prometheus"], "args": arguments,
        "ports": [{"name": "http", "containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/prometheus"}, {"name": "data", "mountPath": "/prometheus"}],
    }  # fmt: skip
    targets = {
        "name": "targets", "image": agent, "command": ["python3", "/etc/prometheus/targets.py"],
        "resources": {"requests": {"cpu": "10m", "memory": "24Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/prometheus"}],
    }  # fmt: skip
    volumes = [{"name": "config", "configMap": {"name": name}}, {"name": "data", "emptyDir": {}}]
    template = {
        "metadata": {"labels": labels(name)},
        "spec": {"serviceAccountName": name, "containers": [container, targets], "volumes": volumes},
    }
    return {"replicas": 1, "selector": {"matchLabels": {APP: name}}, "template": template}
