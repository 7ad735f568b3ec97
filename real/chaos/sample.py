"""The knobs of the sample service: its fault endpoint on each pod, reached through the API server. Another service has none.

An entry of ours carries the fault's id, so that it is found again and nothing else is taken away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from real.chaos.injector import Injector, Job, Record
from real.ports.errors import Gone, PortError, Refused, Unavailable

__all__ = ["Knob", "Reset"]

_ADMIN = 8081  # real/sample/objects.py
_LOOKS = 40  # at a pod's readiness, where chance decides what it says
_MOST = 0.9  # of the memory that is asked for; the rest may have been free in the process before


class Knob(Injector):
    """A kind that the sample carries out by itself while it is set."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    needs: ClassVar[tuple[str, ...]] = ()

    def record(self, job: Job) -> Record:
        found = {pod: faults(job, pod) for pod in job.targets}
        return {
            "before": found,
            **({"bytes": {pod: _resident(job, pod) for pod in found}} if self.kind == _MEMORY else {}),
        }

    def inject(self, job: Job) -> None:
        params = {name: value for name, value in job.params.items() if value is not None}
        for pod in job.targets:
            others = [one for one in faults(job, pod) if one.get("id") != job.id]
            told(job, pod, [*others, {"id": job.id, "kind": self.kind, "params": params}])

    def proof(self, job: Job) -> str:
        """Each pod says that it is set, and shows what its kind does."""
        for pod in job.targets:
            is_set = any(one.get("id") == job.id for one in faults(job, pod))
            if not (is_set and _SHOWS[self.kind](job, pod)):
                return ""
        return f"{', '.join(job.targets)} {_WORDS[self.kind]}"

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


class Reset(Injector):
    """`telemetry.reset`: the sample's counters begin at 0 again; no pod is harmed. Proved by the time since when they count."""

    aims: ClassVar[str] = "scrapes"

    def record(self, job: Job) -> Record:
        return {"since": {pod: _metric(job, pod, "http_requests_created") for pod in job.targets}}

    def inject(self, job: Job) -> None:
        for pod, since in job.record["since"].items():
            try:
                if _metric(job, pod, "http_requests_created") == since:
                    job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/reset", "POST")
            except Gone:
                continue  # with its counters

    def proof(self, job: Job) -> str:
        there = [pod["metadata"]["name"] for pod in job.field.pods()]
        known = [(pod, since) for pod, since in job.record["since"].items() if pod in there]
        reset = all(_metric(job, pod, "http_requests_created") > since for pod, since in known)
        return f"{', '.join(job.targets)} count from 0" if reset else ""


def _out(job: Job, pod: str) -> bool:
    return not ready(job.field.pod(pod))


def _sometimes(job: Job, pod: str) -> bool:
    """Whether it ever says that it is not ready, or never should."""
    if job.number("p") == 0:
        return True
    try:
        for _ in range(_LOOKS):
            job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/ready").read()
    except Unavailable:
        return True
    return False


def _grown(job: Job, pod: str) -> bool:
    wanted = job.number("bytes") * job.number("workers")
    return _resident(job, pod) - float(job.record["bytes"][pod]) >= _MOST * wanted


def _resident(job: Job, pod: str) -> float:
    return _metric(job, pod, "process_resident_memory_bytes")


def _metric(job: Job, pod: str, name: str) -> float:
    """A number without labels that the sample shows to Prometheus. Raises Refused where it shows none."""
    text = job.field.api.through(job.field.namespace, f"pods/{pod}:{_ADMIN}", "/metrics").read().decode()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise Refused(f"pod {pod} shows no {name}; only the sample service can be told to fail")
    return float(found[1])


_MEMORY = "stress.memory"
_SHOWS: Mapping[str, Callable[[Job, str], bool]] = {
    "pod.unready": _out, "pod.ready_flap": _out, "members.flap": _out, "members.false_positive": _sometimes, _MEMORY: _grown,
}  # fmt: skip
_AGAIN = "is out of service, and will be again"
_WORDS: Mapping[str, str] = {
    "pod.unready": "is out of service", "pod.ready_flap": _AGAIN, "members.flap": _AGAIN,
    "members.false_positive": "says now and then that it is not ready", _MEMORY: "holds the memory",
}  # fmt: skip


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
