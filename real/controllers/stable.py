"""Whether revision 1 stands, from when on a recording may begin; and how long a controller may still act after it has ended."""

from __future__ import annotations

from real.controllers.case import Object
from sim.files import parse_duration

__all__ = ["lingers", "stable"]

_GRACE = 6.0  # seconds for pods to go
_LEAST = 15.0  # seconds: a controller that is busy may be slow to see a change


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


def lingers(workload: Object) -> float:
    """Seconds without a change after which nothing more is to come: old pods that are kept for a while are gone by then.

    Argo Rollouts keeps them scaleDownDelaySeconds, after an abort abortScaleDownDelaySeconds (30 s each), of canaries only where a router
    sends traffic. Flagger acts at its ticks.
    """
    spec = workload["spec"]
    if workload["kind"] == "Canary":
        return max(10.0, parse_duration(spec.get("analysis", {}).get("interval", "60s"))) + _GRACE
    strategy = spec.get("strategy", {})
    canary, switched = strategy.get("canary") or {}, strategy.get("blueGreen")
    if switched is None and "trafficRouting" not in canary:
        return _LEAST
    told = canary if switched is None else switched
    kept: float = max(told.get(one, 30) for one in ("scaleDownDelaySeconds", "abortScaleDownDelaySeconds"))
    return max(_LEAST, kept + _GRACE)


def _settled(deployment: Object) -> bool:
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return bool(seen and status.get("replicas", 0) == status.get("availableReplicas", 0) == wanted)


def _full(spec: Object, status: Object) -> bool:
    return bool(status.get("availableReplicas", 0) == spec.get("replicas", 1))
