"""Faults of a trial: where they may be injected, whether the kernel has netem, and what cannot be done, told beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from real.chaos.calls import Troubled
from real.chaos.catalogue import unable
from real.chaos.field import Field, NodeFailed, Users
from real.chaos.netns import tools
from real.chaos.nodes import KindNodes
from real.lab.ground import Ground
from real.ports.errors import PortError
from real.routers.base import Place
from sim.faults.fault import Fault

__all__ = ["field", "netem", "problems", "told"]

_TOOLS = ("ctr", "nsenter", "iptables", "iptables-save", "tc", "ss", "perl", "timeout", "base64")


@contextmanager
def field(ground: Ground, place: Place, calls: Troubled | None = None, users: Users | None = None) -> Iterator[Field]:
    """Where this trial's faults are injected; the nodes only of a cluster of our own. `users`: who can be told to come otherwise."""
    api = ground.writes(place.namespace)
    nodes = KindNodes(ground.name) if ground.own else None
    whole = ground.builds() if ground.own else None
    try:
        yield Field(api, place.namespace, place.app, nodes, whole, calls, users)
    finally:
        for one in (api, nodes, whole):
            if one is not None:
                one.close()


def netem(field: Field) -> bool:
    """Whether every worker's kernel has netem, tried in a network namespace that vanishes at once."""
    if field.nodes is None:
        return False
    words = ("unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    try:
        for node in field.nodes.workers():
            field.nodes.run(node, *words)
    except NodeFailed:
        return False
    return True


def problems(faults: Iterable[Fault], ground: Ground, place: Place, users: Users | None) -> list[str]:
    """Why faults cannot be injected here, all at once. `users` are those that will come; None: nobody does."""
    asked = tuple(faults)
    if not asked:
        return []
    with field(ground, place, Troubled(ground.wire()), users) as where:
        has = netem(where)
        found = [why for fault in asked if (why := unable(fault, where, has))]
        return found + _lacking(where)


def told(faults: Iterable[Fault], ground: Ground, place: Place, users: Users | None) -> list[str]:
    """Each fault for a reader of the plan: its kind, or why it cannot be."""
    asked = tuple(faults)
    if not asked:
        return []
    with field(ground, place, Troubled(ground.wire()), users) as where:
        has = netem(where)
        return [unable(fault, where, has) or f"{fault.id}: {fault.kind}" for fault in asked]


def _lacking(field: Field) -> list[str]:
    """Tools that a node image lacks (checked on the image at hand: faults.md section 2.5, note 1)."""
    if field.nodes is None:
        return []
    found = []
    for node in field.nodes.workers():
        try:
            missing = tools(field.nodes, node, *_TOOLS)
        except PortError as error:
            missing = (str(error),)
        if missing:
            found.append(f"node {node} lacks {', '.join(missing)}; choose a node image with them (SEATRIAL_NODE_IMAGE)")
    return found
