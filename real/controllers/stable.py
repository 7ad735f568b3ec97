"""Whether revision 1 stands: the moment from which a recording may begin."""

from __future__ import annotations

from real.controllers.case import Object

__all__ = ["stable"]


def stable(workload: Object, objects: list[Object]) -> bool:
    """Whether the workload has all pods of its one revision and its controller is done with it."""
    status, spec = workload.get("status", {}), workload.get("spec", {})
    if not status:
        return False
    match workload["kind"]:
        case "Canary":
            targets = [one for one in objects if one["kind"] == "Deployment"]
            idle = all(_settled(one) for one in targets) and len(targets) == 2
            return status.get("phase") == "Initialized" and idle
        case "Rollout":
            return bool(status.get("phase") == "Healthy" and status.get("stableRS")) and _full(spec, status)
        case _:
            return _settled(workload) and _full(spec, status)


def _settled(deployment: Object) -> bool:
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return bool(seen and status.get("replicas", 0) == status.get("availableReplicas", 0) == wanted)


def _full(spec: Object, status: Object) -> bool:
    return bool(status.get("availableReplicas", 0) == spec.get("replicas", 1))
