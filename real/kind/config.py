"""The configuration of a kind cluster, as YAML for `kind create cluster --config`.

Three nodes: pods live on two workers, so that one can be paused. Node ports of the control plane are mapped to loopback ports of this
machine, and to nothing else: `hostPort: 0` lets kind choose free ones, which `real.docker.engine.mapped` reads back.
"""

from __future__ import annotations

import yaml  # type: ignore[import-untyped]  # as in sim.files.tree

__all__ = ["NODE_PORTS", "config"]

NODE_PORTS = tuple(range(30080, 30104))  # inside Kubernetes' default range of node ports, 30000-32767

# Every node reads where to pull from out of this folder, without a restart of containerd (its hosts.toml documentation).
_REGISTRIES = """[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
"""


def config(workers: int = 2, ports: tuple[int, ...] = NODE_PORTS) -> str:
    """A cluster of one control plane and `workers`, with `ports` mapped to loopback."""
    mappings = [{"containerPort": port, "hostPort": 0, "listenAddress": "127.0.0.1"} for port in ports]
    nodes = [{"role": "control-plane", "extraPortMappings": mappings}, *({"role": "worker"} for _ in range(workers))]
    document = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": "127.0.0.1"},
        "containerdConfigPatches": [_REGISTRIES],
        "nodes": nodes,
    }
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text
