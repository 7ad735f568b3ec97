"""Bandwidth, and what netem does where the kernel has it: a root qdisc on the pod's interface, for what leaves the pod.

It has a handle of our own; a foreign root qdisc is left alone, and the fault refused (faults.md section 2.5, note 3).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.injector import Job, Record
from real.chaos.netns import Inside
from real.chaos.podwise import Podwise
from real.chaos.probes import asked
from real.ports.errors import Refused

__all__ = ["HANDLE", "Bandwidth", "Netem", "netem", "root"]

HANDLE = "5ea7:"  # of our root qdisc; hexadecimal, "sea t"


class Qdisc(Podwise):
    """A root qdisc with our handle on the pod's interface: what leaves the pod."""

    needs: ClassVar[tuple[str, ...]] = ("nodes",)
    device: ClassVar[str] = "eth0"  # Kubernetes: the pod's interface, by the CNI specification's CNI_IFNAME

    @abstractmethod
    def words(self, job: Job) -> tuple[str, ...]: ...

    def begin(self, job: Job, inside: Inside, pod: Record) -> None:
        there = root(inside.run("tc", "qdisc", "show", "dev", self.device))
        if there == HANDLE:
            return
        if there:
            raise Refused(f"the pod's interface has a qdisc {there} that is not ours; it is left alone")
        inside.do("tc", "qdisc", "add", "dev", self.device, "root", "handle", HANDLE, *self.words(job))

    def shown(self, job: Job, inside: Inside, pod: Record) -> str:
        told = inside.run("tc", "-s", "qdisc", "show", "dev", self.device)
        return " ".join(told.split())[:160] if root(told) == HANDLE else ""

    def end(self, job: Job, inside: Inside, pod: Record) -> None:
        if root(inside.run("tc", "qdisc", "show", "dev", self.device)) == HANDLE:
            inside.do("tc", "qdisc", "del", "dev", self.device, "root", "handle", HANDLE)

    def rest(self, job: Job, inside: Inside, pod: Record) -> str:
        there = root(inside.run("tc", "qdisc", "show", "dev", self.device)) == HANDLE
        return f"our qdisc on {inside.node}" if there else ""


def root(told: str) -> str:
    """The handle of a root qdisc that somebody has set; '' for the kernel's own default (handle 0:).

    >>> root("qdisc tbf 5ea7: root refcnt 2 rate 1Mbit"), root("qdisc noqueue 0: root refcnt 2")
    ('5ea7:', '')
    """
    for line in told.splitlines():
        words = line.split()
        if len(words) > 3 and words[0] == "qdisc" and words[3] == "root":
            return "" if words[2] == "0:" else words[2]
    return ""


class Bandwidth(Qdisc):
    """`net.bandwidth`: a token bucket; packets wait for at most 50 ms more than the bucket holds (tc-tbf's latency)."""

    def words(self, job: Job) -> tuple[str, ...]:
        burst = max(1600, int(job.number("burst_bytes")))  # less than a packet lets none through
        return "tbf", "rate", f"{int(job.number('rate_bps'))}bit", "burst", str(burst), "latency", "50ms"


class Netem(Qdisc):
    """Delay, loss, duplicates, corruption and order by the kernel, where it has netem: of what leaves the pod."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def words(self, job: Job) -> tuple[str, ...]:
        return netem(self.kind, job.params)

    def shown(self, job: Job, inside: Inside, pod: Record) -> str:
        """The qdisc stands; a delay is measured, by a request from the node against one within the pod."""
        stands = super().shown(job, inside, pod)
        if self.kind != "net.delay" or not stands:
            return stands
        delay = job.number("delay_s")
        took = asked(inside, pod["ip"], pod["ports"][0], 1.0 + 4.0 * delay)[1]
        usual = asked(inside, "127.0.0.1", pod["ports"][0], 1.0, within=True)[1]
        return f"a request of ours took {took:.2f} s ({usual:.2f} s within)" if took - usual >= 0.8 * delay else ""


def netem(kind: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of tc-netem for a kind of fault.

    >>> netem("net.delay", {"delay_s": 0.1, "jitter_s": 0.01, "correlation": 0.25})
    ('netem', 'delay', '100.000ms', '10.000ms', '25.0000%')
    """
    what = kind.partition(".")[2]
    shared = (_percent(params["correlation"]),) if params.get("correlation") else ()
    if what == "delay":
        # Only what leaves the pod passes its qdisc: a delay both ways is twice as much one way, to whoever waits for an answer.
        delay = params["delay_s"] * (2 if params.get("direction") == "both" else 1)
        jitter = float(params.get("jitter_s") or 0.0)
        spread = (f"{1000 * jitter:.3f}ms", *shared) if jitter or shared else ()
        return "netem", "delay", f"{1000 * delay:.3f}ms", *spread
    if what == "loss" and params.get("burst"):
        enter, leave = params["burst"]
        return "netem", "loss", "gemodel", _percent(enter), _percent(leave), _percent(params["p"]), "0%"
    if what == "reorder":  # netem reorders only what is delayed; the rest waits 10 ms
        return "netem", "delay", "10ms", "reorder", _percent(params["p"]), *shared
    return "netem", what, _percent(params["p"]), *shared


def _percent(ratio: float) -> str:
    return f"{100 * float(ratio):.4f}%"
