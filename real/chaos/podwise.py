"""Injectors that work inside the network namespaces of pods: the record says on which node and under which uid each pod was."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from real.chaos.field import Object
from real.chaos.injector import Injector, Job, Record
from real.chaos.netns import Inside, of
from real.ports.errors import Gone

__all__ = ["Podwise", "traffic_ports"]


class Podwise(Injector):
    """Does `begin` in each pod's namespace, `shown` proves it there, `end` and `rest` undo it and look again."""

    needs: ClassVar[tuple[str, ...]] = ("nodes",)

    def record(self, job: Job) -> Record:
        pods = {}
        for name in job.targets:
            pod = job.field.pod(name)
            pods[name] = {
                "uid": pod["metadata"]["uid"], "node": pod["spec"]["nodeName"], "ip": pod["status"].get("podIP", ""),
                "ports": traffic_ports(pod),
            }  # fmt: skip
        return {"pods": pods, **self.more(job)}

    def more(self, job: Job) -> Record:
        """What else the record holds."""
        return {}

    def inject(self, job: Job) -> None:
        for inside, pod in _places(job):
            self.begin(job, inside, pod)

    def proof(self, job: Job) -> str:
        shown = [self.shown(job, inside, pod) for inside, pod in _places(job)]
        return "; ".join(shown) if shown and all(shown) else ""

    def undo(self, job: Job) -> None:
        for inside, pod in _places(job):
            self.end(job, inside, pod)

    def left(self, job: Job) -> str:
        rests = [self.rest(job, inside, pod) for inside, pod in _places(job)]
        return "; ".join(filter(None, rests))

    @abstractmethod
    def begin(self, job: Job, inside: Inside, pod: Record) -> None: ...

    @abstractmethod
    def shown(self, job: Job, inside: Inside, pod: Record) -> str: ...

    @abstractmethod
    def end(self, job: Job, inside: Inside, pod: Record) -> None: ...

    @abstractmethod
    def rest(self, job: Job, inside: Inside, pod: Record) -> str: ...


def _places(job: Job) -> Iterator[tuple[Inside, Record]]:
    """Pods that are still there; a pod that has left took its namespace along."""
    for pod in job.record["pods"].values():
        try:
            yield of(job.field, pod["node"], pod["uid"]), pod
        except Gone:
            continue


def traffic_ports(pod: Object) -> list[int]:
    """Ports that users' requests come in at: all TCP ports but those that probes and scrapes use (named admin, metrics, health)."""
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return [
        port["containerPort"] for port in ports
        if port.get("protocol", "TCP") == "TCP" and port.get("name") not in ("admin", "metrics", "health")
    ]  # fmt: skip
