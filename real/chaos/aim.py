"""From the target of a fault to names: which pods or nodes it hits, chosen when it begins. Nothing at all is an error, never 'all'."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from real.chaos.field import Field, Object
from real.chaos.injector import Injector
from real.cluster.names import REVISION
from real.ports.errors import Refused
from real.ports.things import Stable, understood
from sim.faults.fault import Fault

__all__ = ["resolve"]


def resolve(fault: Fault, field: Field, injector: Injector, seed: int = 0) -> tuple[str, ...]:
    """Names of pods, nodes, or the registry. Raises Refused: nothing matches, or more than `blast` allows."""
    if injector.aims == "none":
        return ()
    if injector.aims == "registry":
        return _registry(field)
    if injector.aims == "all nodes":
        return field.machines().workers()
    all_, pods = field.pods(), _matching(fault, field)
    if injector.aims == "pods":
        names = _chosen(fault, [pod["metadata"]["name"] for pod in pods], seed, injector)
        _allowed(fault, len(names), len(all_))
        return names
    if injector.aims == "scrapes":  # no pod is harmed by not being scraped
        return _chosen(fault, [pod["metadata"]["name"] for pod in pods], seed, injector)
    nodes = _nodes(fault, field, pods, seed)
    _allowed(fault, sum(pod["spec"].get("nodeName") in nodes for pod in all_), len(all_))
    return nodes


def _registry(field: Field) -> tuple[str, ...]:
    name = field.machines().registry()
    if not name:
        raise Refused("there is no registry of ours beside this cluster")
    return (name,)


def _matching(fault: Fault, field: Field) -> list[Object]:
    """Pods of the version with all the labels."""
    found = [pod for pod in field.pods() if _labelled(pod, fault.target.selector)]
    version, stable = fault.target.version or "all", stable_revision(field)
    if version == "all":
        pods = found
    elif version == "stable":
        pods = [pod for pod in found if _revision(pod) == stable]
    elif version == "canary":
        pods = [pod for pod in found if _revision(pod) > stable]
    else:
        pods = [pod for pod in found if str(_revision(pod)) == version.removeprefix("r")]
    if not pods:
        raise Refused(f"fault {fault.id}: no pod of version {version} is there to be hit")
    return pods


def stable_revision(field: Field) -> int:
    """What the thing `stable` says; 1 where nobody has written it."""
    found = field.api.get("v1/ConfigMap", f"{field.app}-stable", field.namespace)
    value = understood(json.loads(found["data"]["value"])).value if found else None
    return value.revision if isinstance(value, Stable) else 1


def _labelled(pod: Object, wanted: Sequence[tuple[str, str]]) -> bool:
    labels: dict[str, Any] = pod["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in wanted)


def _revision(pod: Object) -> int:
    return int(pod["metadata"]["labels"][REVISION])


def _chosen(fault: Fault, names: list[str], seed: int, injector: Injector) -> tuple[str, ...]:
    """So many of the names, by a hash of seed and fault: the same again for the same names."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{fault.seed_stream}/{name}".encode()).hexdigest())
    return tuple(sorted(ordered[: _count(fault, len(names), injector)]))


def _count(fault: Fault, there: int, injector: Injector) -> int:
    subset, params = fault.target.subset, fault.params
    if subset is not None and subset.count is not None:
        return min(there, subset.count)
    if subset is not None and subset.fraction is not None:
        return math.ceil(subset.fraction * there)
    if isinstance(params.get("pct"), float):
        return math.ceil(fault.number("pct") * there)
    if "count" in params:
        return min(there, int(fault.number("count")))
    if injector.aims == "scrapes":
        return math.ceil((fault.number("fraction") if "fraction" in params else 1.0) * there)
    return there


def _nodes(fault: Fault, field: Field, pods: list[Object], seed: int) -> tuple[str, ...]:
    """Workers with pods of the version, first those that carry nothing but the app."""
    workers, busy = field.machines().workers(), _infrastructure(field)
    on = sorted({pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName") in workers})
    named = (fault.target.system or "").removeprefix("node/")
    if named in workers:
        return (named,)
    if not on:
        raise Refused(f"fault {fault.id}: no worker of our cluster has a pod of it")
    subset = fault.target.subset
    many = subset.count if subset is not None and subset.count is not None else 1
    if subset is not None and subset.fraction is not None:
        many = math.ceil(subset.fraction * len(workers))

    def order(node: str) -> tuple[bool, str]:
        return node in busy, hashlib.sha256(f"{seed}/{fault.seed_stream}/{node}".encode()).hexdigest()

    return tuple(sorted(sorted(on, key=order)[:many]))


def _infrastructure(field: Field) -> set[str]:
    """Nodes with pods of ours that are not the app's: router, Prometheus."""
    everything = field.api.list("v1/Pod", None, {"app.kubernetes.io/managed-by": "seatrial"})
    return {
        pod["spec"].get("nodeName", "") for pod in everything if REVISION not in (pod["metadata"].get("labels") or {})
    }


def _allowed(fault: Fault, hit: int, there: int) -> None:
    blast = fault.blast
    if hit > blast.max_pods or 100.0 * hit > blast.max_pct * there:
        raise Refused(
            f"fault {fault.id} would hit {hit} of {there} pods; blast allows {blast.max_pods} and {blast.max_pct:g}%: "
            "hit fewer (target.subset), or raise blast.max_pods and blast.max_pct"
        )
