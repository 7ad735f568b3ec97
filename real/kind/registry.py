"""A plain registry beside the cluster: a container on kind's network that this machine pushes to and that the nodes pull from.

From outside it is `127.0.0.1:PORT`, from the nodes `NAME:5000`; every node is told so by a hosts.toml (containerd's documentation,
"Registry Configuration"). Images are named the way nodes see them.
"""

from __future__ import annotations

from dataclasses import dataclass

from real.docker import images
from real.docker.engine import container, engine, mapped, run
from sim.policy.errors import WorldError

__all__ = ["Local", "known", "remove", "start"]

PORT = 5000


@dataclass(frozen=True, slots=True)
class Local:
    """A registry under the name that nodes use, and the loopback address that pushes go to."""

    name: str
    port: int

    @property
    def host(self) -> str:
        """As nodes call it."""
        return f"{self.name}:{PORT}"

    def push(self, tag: str, repository: str) -> str:
        """Push a local image; the reference by digest that pods are given."""
        version = tag.rpartition(":")[2]
        digest = images.push(tag, f"127.0.0.1:{self.port}/{repository}:{version}")
        return f"{self.host}/{repository}@{digest}"


def known(cluster: str) -> Local | None:
    """The registry of a kind cluster, if there is one."""
    name = f"{cluster}-registry"
    return Local(name, mapped(name)[PORT]) if container(name) is not None else None


def start(cluster: str, image: str) -> Local:
    """The registry of a kind cluster, running, and known to every node."""
    name = f"{cluster}-registry"
    run(name, image, network="kind", ports={PORT: None}, labels={"seatrial.dev/cluster": cluster})
    for node in _nodes(cluster):
        _tell(node, name)
    return Local(name, mapped(name)[PORT])


def remove(cluster: str) -> None:
    """The registry and what was pushed to it go; one that is not there is no error."""
    found = container(f"{cluster}-registry")
    if found is not None:
        found.remove(force=True, v=True)


def _nodes(cluster: str) -> list[str]:
    label = f"io.x-k8s.kind.cluster={cluster}"  # kind's own label on its nodes
    return [node.name for node in engine().containers.list(filters={"label": label})]


def _tell(node: str, registry: str) -> None:
    folder = f"/etc/containerd/certs.d/{registry}:{PORT}"
    text = f'[host."http://{registry}:{PORT}"]\n  capabilities = ["pull", "resolve"]\n'
    done = (
        engine()
        .containers.get(node)
        .exec_run(["sh", "-c", f"mkdir -p {folder} && printf '%s' '{text}' > {folder}/hosts.toml"])
    )
    if done.exit_code:
        raise WorldError(f"node {node} was not told of the registry: {done.output.decode(errors='replace')[:200]}")
