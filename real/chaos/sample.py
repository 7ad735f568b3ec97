"""The knobs of the sample service: its fault endpoint on each pod, reached through the API server. Another service has none.

An entry of ours carries the fault's id, so that it is found again and nothing else is taken away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.injector import Injector, Job, Record
from real.ports.errors import Gone, PortError, Refused

__all__ = ["Knob"]

_ADMIN = 8081  # real/sample/objects.py


class Knob(Injector):
    """A kind that the sample carries out by itself while it is set."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    needs: ClassVar[tuple[str, ...]] = ()

    def record(self, job: Job) -> Record:
        return {"before": {pod: faults(job, pod) for pod in job.targets}}

    def inject(self, job: Job) -> None:
        params = {name: value for name, value in job.params.items() if value is not None}
        for pod in job.targets:
            others = [one for one in faults(job, pod) if one.get("id") != job.id]
            told(job, pod, [*others, {"id": job.id, "kind": self.kind, "params": params}])

    def proof(self, job: Job) -> str:
        """Each pod says that it is set; one that takes itself out of service is no longer ready."""
        for pod in job.targets:
            if not any(one.get("id") == job.id for one in faults(job, pod)):
                return ""
            if self.kind == "pod.unready" and ready(job.field.pod(pod)):
                return ""
        word = "is out of service" if self.kind == "pod.unready" else "has set it"
        return f"{', '.join(job.targets)} {word}"

    def undo(self, job: Job) -> None:
        for pod in job.targets:
            try:
                there = faults(job, pod)
                if any(one.get("id") == job.id for one in there):
                    told(job, pod, [one for one in there if one.get("id") != job.id])
            except Gone:
                continue  # a new pod has no fault

    def left(self, job: Job) -> str:
        for pod in job.targets:
            try:
                if any(one.get("id") == job.id for one in faults(job, pod)):
                    return f"{self.kind} on {pod}"
            except Gone:
                continue
        return ""


def ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def faults(job: Job, pod: str) -> list[dict[str, Any]]:
    """What a pod is set to. Raises Gone, and Refused where it has no fault endpoint."""
    job.field.pod(pod)
    return _read(job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/faults").read(), pod)


def told(job: Job, pod: str, wanted: list[dict[str, Any]]) -> None:
    content = json.dumps(wanted).encode()
    job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/faults", "PUT", content=content)


def _read(content: bytes, pod: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise Refused(f"pod {pod} has no fault endpoint; only the sample service can be told to fail")
    return found


def answers(job: Job, pod: str, seconds: float) -> bool:
    """Whether the pod answers on its admin port in time."""
    try:
        job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/healthz", timeout=seconds).read()
    except PortError:
        return False
    return True
