"""Requests and connections of our own, from a node to a pod of it, which show what users of the pod would see."""

from __future__ import annotations

import math

from real.chaos.netns import Inside
from real.chaos.scripts import installed
from real.ports.errors import Refused

__all__ = ["asked", "opened"]


def asked(inside: Inside, address: str, port: int, limit: float, within: bool = False) -> tuple[str, float]:
    """(what came, seconds) of one request from the node, or from within the pod: bytes, reset, refused or silent."""
    path = installed(inside.nodes, inside.node, "probe.pl")
    # /proc/uptime counts in hundredths of a second, which is enough.
    script = 'begin=$(cut -d" " -f1 /proc/uptime); came=$(perl "$@"); echo "$came $begin $(cut -d" " -f1 /proc/uptime)"'
    words = ("sh", "-c", script, "sh", path, "ask", address, str(port), str(math.ceil(limit)))
    came, begin, end = (inside.run(*words) if within else inside.nodes.run(inside.node, *words)).split()
    return came, float(end) - float(begin)


def opened(inside: Inside, address: str, port: int, seconds: float) -> bool:
    """Whether a connection from the node comes about; as users of the pod would open it."""
    path = installed(inside.nodes, inside.node, "probe.pl")
    try:
        inside.nodes.do(
            inside.node, "timeout", f"{seconds + 0.5:g}", "perl", path, "open", address, str(port), f"{seconds:g}"
        )
    except Refused:
        return False
    return True
