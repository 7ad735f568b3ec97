"""A pod's network namespace, entered through its node: no image has to carry a tool, and the pod needs no rights.

The namespace is that of the pod's sandbox (its pause container), so that a fault outlives the app's own container and is not locked in
by a liveness probe (chaos-mesh/chaos-mesh#4827). Needs `ctr`, `nsenter` and the tools themselves on the node; kind's images have them.
"""

from __future__ import annotations

from dataclasses import dataclass

from real.chaos.field import Field, NodeFailed, Nodes
from real.ports.errors import Gone

__all__ = ["Inside", "mark", "of", "tools"]

_CTR = ("ctr", "-n", "k8s.io")


@dataclass(frozen=True, slots=True)
class Inside:
    """Commands run inside the namespace of one pod. `key` names the pod on its node: a part of its uid."""

    nodes: Nodes
    node: str
    pid: int
    key: str

    def run(self, *words: str) -> str:
        return self.nodes.run(self.node, *self.words(*words))

    def do(self, *words: str) -> None:
        self.nodes.do(self.node, *self.words(*words))

    def start(self, *words: str) -> None:
        self.nodes.start(self.node, *self.words(*words))

    def words(self, *words: str) -> tuple[str, ...]:
        return "nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *words

    def good(self, *words: str) -> bool:
        """Whether a command ends with 0."""
        try:
            self.do(*words)
        except NodeFailed:
            return False
        return True


def of(field: Field, node: str, uid: str) -> Inside:
    """The namespace of the pod with this uid. Raises Gone when the pod has left the node."""
    nodes = field.machines()
    query = f'labels."io.kubernetes.pod.uid"=={uid},labels."io.cri-containerd.kind"==sandbox'
    found = nodes.run(node, *_CTR, "containers", "ls", "-q", query).split()
    tasks = dict(_tasks(nodes.run(node, *_CTR, "tasks", "ls")))
    for container in found:
        if container in tasks:
            return Inside(nodes, node, tasks[container], uid.partition("-")[0])
    raise Gone(f"pod {uid} has no sandbox on {node} any more")


def _tasks(text: str) -> list[tuple[str, int]]:
    """(container, pid) of every running task."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [(row[0], int(row[1])) for row in rows if len(row) >= 3 and row[2] == "RUNNING"]


def mark(id: str) -> str:
    """The comment on every rule of ours."""
    return f"seatrial:{id}"


def tools(nodes: Nodes, node: str, *wanted: str) -> tuple[str, ...]:
    """Those of the tools that the node lacks."""
    there = nodes.run(
        node, "sh", "-c", 'for tool; do command -v "$tool" > /dev/null && echo "$tool"; done; true', "sh", *wanted
    )
    return tuple(tool for tool in wanted if tool not in there.split())
