"""Nodes of a cluster of our own: paused, rebooted, drained, their images removed. Never the control plane.

A node that restarts may come back under another address, at which its cluster does not find it (kubernetes-sigs/kind#2045, #3941; seen
here). So its address is recorded before, asked for again, and looked at after. A paused node is what it was.
"""

from __future__ import annotations

import json
from typing import ClassVar

from real.chaos.injector import Injector, Job, Record
from real.chaos.pods import evict
from real.chaos.sample import answers, ready
from real.ports.errors import Refused

__all__ = ["Drain", "ImageGone", "Pause", "Reboot"]


class Pause(Injector):
    """`node.pause` and `node.loss`: the node's container is frozen; what differs is for how long."""

    aims: ClassVar[str] = "nodes"
    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def record(self, job: Job) -> Record:
        running(job)
        return {}

    def inject(self, job: Job) -> None:
        for node in job.targets:
            job.field.machines().pause(job.field.worker(node))

    def proof(self, job: Job) -> str:
        """The engine says so, and a pod of ours on the node answers no more."""
        nodes = job.field.machines()
        if not all(nodes.state(node) == "paused" for node in job.targets):
            return ""
        on = [pod["metadata"]["name"] for pod in job.field.pods() if pod["spec"].get("nodeName") in job.targets]
        silent = on and not answers(job, on[0], 1.0)
        if on and not silent:
            return ""
        return f"{', '.join(job.targets)} paused" + (f"; {on[0]} answers no more" if silent else "")

    def undo(self, job: Job) -> None:
        for node in job.targets:
            job.field.machines().unpause(job.field.worker(node))

    def left(self, job: Job) -> str:
        paused = [node for node in job.targets if job.field.machines().state(node) == "paused"]
        return f"{', '.join(paused)} paused" if paused else ""


class Reboot(Injector):
    """`node.reboot`: everything on the node ends, and starts again as the node comes up. Undone once the kubelet says that it is Ready."""

    aims: ClassVar[str] = "nodes"
    needs: ClassVar[tuple[str, ...]] = ("nodes", "whole")

    def record(self, job: Job) -> Record:
        running(job)
        found = {node: job.field.machines().born(node) for node in job.targets}
        return {"nodes": {node: {"started": started, "address": address} for node, (started, address) in found.items()}}

    def inject(self, job: Job) -> None:
        for node, was in job.record["nodes"].items():
            if job.field.machines().born(job.field.worker(node))[0] == was["started"]:
                job.field.machines().reboot(node, was["address"])

    def proof(self, job: Job) -> str:
        for node, was in job.record["nodes"].items():
            started, address = job.field.machines().born(node)
            if job.field.machines().state(node) != "running" or started == was["started"] or address != was["address"]:
                return ""
        return f"{', '.join(job.targets)} started anew at the same address"

    def undo(self, job: Job) -> None:
        """One that does not run is started, one that came up elsewhere is started again."""
        for node, was in job.record["nodes"].items():
            job.field.machines().boot(job.field.worker(node), was["address"])
            if job.field.machines().born(node)[1] != was["address"]:
                job.field.machines().reboot(node, was["address"])

    def left(self, job: Job) -> str:
        for node, was in job.record["nodes"].items():
            started, address = job.field.machines().born(node)
            if address != was["address"]:
                return f"{node} at {address or 'no address'}, before at {was['address']}"
            if not _up(known(job, node), started, address):
                return f"{node} not Ready"
            on = [pod for pod in job.field.pods() if pod["spec"].get("nodeName") == node]
            if old := [pod["metadata"]["name"] for pod in on if ready(pod) and _since(pod) < started[:_SECONDS]]:
                return f"{old[0]} of {node} as it was before"
        return ""


def _up(node: Record, started: str, address: str) -> bool:
    """Whether the kubelet has said so since its start: what it said before stays for 40 s after its end. Both are RFC 3339 in UTC."""
    status = node.get("status") or {}
    ready = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), {"status": "Unknown"})
    at = [one["address"] for one in status.get("addresses") or () if one["type"] == "InternalIP"]
    said = str(ready.get("lastHeartbeatTime", ""))[:_SECONDS] >= started[:_SECONDS]
    return ready["status"] == "True" and said and address in at


def _since(pod: Record) -> str:
    """When its container started, as the kubelet said last; it may not have looked at it since the boot."""
    running = (pod["status"]["containerStatuses"][0].get("state") or {}).get("running") or {}
    return str(running.get("startedAt", _LATE))[:_SECONDS]


_SECONDS, _LATE = len("2026-01-01T00:00:00"), "9"


def running(job: Job) -> None:
    """Raises Refused for a node that somebody else has stopped."""
    for node in job.targets:
        state = job.field.machines().state(job.field.worker(node))
        if state != "running":
            raise Refused(f"node {node} is {state} already, and not by this fault")


def known(job: Job, name: str) -> Record:
    """The node as the cluster knows it."""
    assert job.field.whole is not None
    found = job.field.whole.get("v1/Node", job.field.worker(name))
    if found is None:
        raise Refused(f"the cluster has no node {name}")
    return found


_BY = "seatrial.dev/cordoned-by"


class Drain(Injector):
    """`node.drain`: the node takes no new pods, and ours are evicted; one that a disruption budget keeps is asked again."""

    aims: ClassVar[str] = "nodes"
    needs: ClassVar[tuple[str, ...]] = ("nodes", "whole")

    def record(self, job: Job) -> Record:
        return {"were": {node: known(job, node)["spec"].get("unschedulable", False) for node in job.targets}}

    def inject(self, job: Job) -> None:
        for node in job.targets:
            if not job.record["were"][node]:
                self._set(job, node, True, job.id)
        for pod in self._there(job):
            evict(job, pod)

    def proof(self, job: Job) -> str:
        cordoned = all(known(job, node)["spec"].get("unschedulable") for node in job.targets)
        kept = [pod for pod in self._there(job) if not evict(job, pod)]
        if not cordoned:
            return ""
        return f"{', '.join(job.targets)} takes no pods" + (f"; kept by a budget: {', '.join(kept)}" if kept else "")

    def undo(self, job: Job) -> None:
        """Only a node that this fault cordoned is uncordoned."""
        for node in job.targets:
            if self._ours(job, node):
                self._set(job, node, None, None)

    def left(self, job: Job) -> str:
        cordoned = [node for node in job.targets if self._ours(job, node)]
        return f"{', '.join(cordoned)} cordoned" if cordoned else ""

    def _ours(self, job: Job, node: str) -> bool:
        return (known(job, node)["metadata"].get("annotations") or {}).get(_BY) == job.id

    def _set(self, job: Job, node: str, value: bool | None, by: str | None) -> None:
        assert job.field.whole is not None
        body = {"metadata": {"annotations": {_BY: by}}, "spec": {"unschedulable": value}}
        head = {"content-type": "application/merge-patch+json"}
        job.field.whole.raw(
            "PATCH", f"/api/v1/nodes/{job.field.worker(node)}", content=json.dumps(body).encode(), headers=head
        )

    def _there(self, job: Job) -> list[str]:
        """Our pods on the nodes that are not on their way out."""
        return [pod["metadata"]["name"] for pod in job.field.pods() if pod["spec"].get("nodeName") in job.targets]


_CTR = ("ctr", "-n", "k8s.io", "images")


class ImageGone(Injector):
    """`node.image_gc`: the image is removed from the nodes, so that the next start has to pull it."""

    aims: ClassVar[str] = "nodes"
    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def record(self, job: Job) -> Record:
        found = {node: self._names(job, node) for node in job.targets}
        if not any(found.values()):
            raise Refused(f"no node has the image {job.params['image']}")
        return {"names": found}

    def inject(self, job: Job) -> None:
        for node in job.targets:
            if there := self._names(job, node):
                job.field.machines().do(job.field.worker(node), *_CTR, "rm", *there)

    def proof(self, job: Job) -> str:
        return "" if any(self._names(job, node) for node in job.targets) else f"gone from {', '.join(job.targets)}"

    def undo(self, job: Job) -> None:
        """Pulled again, by the names it had; those are kept by the kubelet, which finds an image by its digest."""
        for node, names in job.record["names"].items():
            missing = sorted(set(names) - set(self._names(job, node)))
            for name in (one for one in missing if not one.startswith("sha256:")):
                pull = ("pull", "--hosts-dir", "/etc/containerd/certs.d", name)
                job.field.machines().do(job.field.worker(node), *_CTR, *pull)

    def left(self, job: Job) -> str:
        for node, names in job.record["names"].items():
            wanted = {name for name in names if not name.startswith("sha256:")}
            if missing := sorted(wanted - set(self._names(job, node))):
                return f"{node} lacks {missing[0]}"
        return ""

    def _names(self, job: Job, node: str) -> list[str]:
        listed = job.field.machines().run(job.field.worker(node), *_CTR, "ls", "-q").split()
        return sorted(name for name in listed if str(job.params["image"]) in name)
