"""Faults of connections, by a proxy inside the pod's network namespace that the traffic ports are redirected to (`proxy.pl`).

This is how a delay is made where the kernel has no netem. It acts on connections of users only: probes and scrapes go past it. Those that
are open already are reset, so that they come again through the proxy; a router that keeps connections open has to try again.
"""

from __future__ import annotations

from real.chaos.injector import Job, Record
from real.chaos.netns import Inside, mark
from real.chaos.packets import rule, worded
from real.chaos.podwise import Podwise
from real.chaos.probes import asked
from real.chaos.scripts import installed, running, stopped

__all__ = ["Stream", "options"]

_FIRST = 15900  # ports of the proxies in a pod's namespace: outside of Linux' ephemeral ones (32768 up) and of usual services
_BEGIN = 5.0  # seconds


class Stream(Podwise):
    """One kind of fault on every connection to the pod's traffic ports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def begin(self, job: Job, inside: Inside, pod: Record) -> None:
        path = installed(inside.nodes, inside.node, "proxy.pl")
        for number, port in enumerate(pod["ports"]):
            if not self._runs(job, inside, number):
                inside.start("perl", path, *self._arguments(job, inside, number, port))
            if not job.field.until(lambda number=number: self._listens(inside, number), _BEGIN):  # type: ignore[misc]
                continue  # no proof: it is taken back
            if not inside.good(*worded("-C", holder(job.id))):
                inside.do(*worded("-A", holder(job.id)))
            words = self._redirect(job, number, port)
            if not inside.good(*worded("-C", words)):
                inside.do(*worded("-A", words))
                inside.good("ss", "-K", "state", "established", f"( sport = :{port} )")

    def shown(self, job: Job, inside: Inside, pod: Record) -> str:
        """A connection of our own, from the node to the pod, shows the fault."""
        if not all(self._runs(job, inside, number) for number in range(len(pod["ports"]))):
            return ""
        port, limit = pod["ports"][0], 1.0 + 2.0 * (self._delay(job) + job.number("delay_s"))
        came, took = asked(inside, pod["ip"], port, limit)
        _, usual = asked(inside, "127.0.0.1", port, 1.0, within=True)  # past the proxy
        if not bites(self.kind, job, came, took - usual, self._delay(job)):
            return ""
        return f"a request of ours took {took:.2f} s ({usual:.2f} s past the fault) and brought {came}"

    def end(self, job: Job, inside: Inside, pod: Record) -> None:
        for number, port in enumerate(pod["ports"]):
            words = self._redirect(job, number, port)
            while inside.good(*worded("-C", words)):
                inside.do(*worded("-D", words))
            stopped(inside.nodes, inside.node, self._tag(job, inside, number))
        while inside.good(*worded("-C", holder(job.id))):
            inside.do(*worded("-D", holder(job.id)))

    def rest(self, job: Job, inside: Inside, pod: Record) -> str:
        for number, port in enumerate(pod["ports"]):
            if self._runs(job, inside, number):
                return f"a proxy on {inside.node}"
            if inside.good(*worded("-C", self._redirect(job, number, port))):
                return f"a redirection on {inside.node}"
        return f"a rule on {inside.node}" if inside.good(*worded("-C", holder(job.id))) else ""

    def _delay(self, job: Job) -> float:
        both = 2.0 if job.params.get("direction") == "both" else 1.0
        return both * job.number("delay_s") if self.kind == "net.delay" else 0.0

    def _redirect(self, job: Job, number: int, port: int) -> tuple[str, ...]:
        to = ("REDIRECT", "--to-ports", str(_FIRST + number))
        return rule("PREROUTING", job.id, "-p", "tcp", "--dport", str(port), jump=to, table="nat")

    def _arguments(self, job: Job, inside: Inside, number: int, port: int) -> list[str]:
        own = {"listen": _FIRST + number, "target": port, "tag": self._tag(job, inside, number)}
        return [f"{name}={value}" for name, value in {**own, **options(self.kind, job)}.items()]

    def _tag(self, job: Job, inside: Inside, number: int) -> str:
        return f"{mark(job.id)}/{inside.key}/{number}"

    def _runs(self, job: Job, inside: Inside, number: int) -> bool:
        return bool(running(inside.nodes, inside.node, self._tag(job, inside, number)))

    def _listens(self, inside: Inside, number: int) -> bool:
        return f":{_FIRST + number} " in inside.run("ss", "-Htln") + " "


def holder(id: str) -> tuple[str, ...]:
    """A redirection of nothing (TEST-NET-1, RFC 5737) that outlives the others.

    With the last rule that needs connection tracking the kernel ends it in the namespace: answers on connections that were redirected
    would go out with the proxy's port, and whoever waits for them would wait for ever.
    """
    match = ("-s", "192.0.2.1/32", "-p", "tcp")
    return rule("PREROUTING", id, *match, jump=("REDIRECT", "--to-ports", str(_FIRST)), table="nat")


_OPTIONS = {
    "net.reset": {"reset_after": "after_s"},
    "net.slow_close": {"close_delay": "delay_s"},
    "net.slice": {"slice": "size_bytes", "gap": "delay_s"},
    "net.limit": {"limit": "bytes"},
}


def options(kind: str, job: Job) -> dict[str, float]:
    """The proxy's own names for a fault's parameters."""
    if kind == "net.blackhole":
        return {"hole": 1}
    if kind == "net.delay":
        ways = {"to": ("to",), "from": ("from",), "both": ("to", "from")}[str(job.params.get("direction", "to"))]
        return {**{way: job.number("delay_s") for way in ways}, "jitter": job.number("jitter_s")}
    return {ours: job.number(name) for ours, name in _OPTIONS[kind].items()}


def bites(kind: str, job: Job, came: str, longer: float, delay: float) -> bool:
    """Whether what came, and how much longer it took than past the fault, shows the fault. A fifth is left to chance."""
    size = int(came) if came.isdigit() else -1
    match kind:
        case "net.delay":
            return size > 0 and longer >= 0.8 * delay
        case "net.slow_close":
            return size > 0 and longer >= 0.8 * job.number("delay_s")
        case "net.slice":
            return size > 0 and longer >= 0.8 * job.number("delay_s") * (size / job.number("size_bytes") - 1.0)
        case "net.limit":
            return 0 <= size <= job.number("bytes")
        case "net.blackhole":
            return came == "silent"
    return came in ("reset", "0")
