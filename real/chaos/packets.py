"""Loss, partition, cut scrapes and failing names: rules of iptables in a pod's own network namespace.

Every rule carries our comment with the fault's id, is looked for before it is added, and is deleted by exactly its own words. All values
come from typed fields.
"""

from __future__ import annotations

import ipaddress
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from real.chaos.field import Field
from real.chaos.injector import Job, Record
from real.chaos.netns import Inside, mark
from real.chaos.podwise import Podwise
from real.chaos.probes import opened
from real.chaos.scripts import installed
from real.cluster.names import APP, SYSTEM
from real.ports.errors import Refused

__all__ = ["Dns", "Gap", "Loss", "Partition", "Rules", "rule", "wire_name", "worded"]

_IPTABLES = ("iptables", "-w", "5")
_NOBODY = 65000  # a port that no program is known to listen at
_NO_MACHINE = "192.0.2.1"  # TEST-NET-1, RFC 5737


def rule(chain: str, id: str, *match: str, jump: tuple[str, ...] = ("DROP",), table: str = "filter") -> tuple[str, ...]:
    """The words of one rule, without the verb: the same for -A, -C and -D."""
    return ("-t", table, chain, *match, "-m", "comment", "--comment", mark(id), "-j", *jump)


def worded(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """-t TABLE VERB CHAIN ..."""
    return (*_IPTABLES, *words[:2], verb, *words[2:])


class Rules(Podwise):
    """A fault that is nothing but rules of iptables; `rules` says which."""

    @abstractmethod
    def rules(self, job: Job, pod: Record) -> list[tuple[str, ...]]: ...

    def begin(self, job: Job, inside: Inside, pod: Record) -> None:
        for words in self.rules(job, pod):
            if not inside.good(*worded("-C", words)):
                inside.do(*worded("-A", words))

    def shown(self, job: Job, inside: Inside, pod: Record) -> str:
        """Every rule stands, and a probe has met one."""
        if not all(inside.good(*worded("-C", words)) for words in self.rules(job, pod)):
            return ""
        return self.probe(job, inside, pod)

    @abstractmethod
    def probe(self, job: Job, inside: Inside, pod: Record) -> str:
        """What a packet of our own meets; '' where it meets nothing."""

    def hits(self, job: Job, inside: Inside) -> int:
        """Packets that met a rule of this fault."""
        saved = inside.run("iptables-save", "-c")
        lines = [line for line in saved.splitlines() if f'"{mark(job.id)}"' in line or f" {mark(job.id)} " in line]
        return sum(int(line[1:].partition(":")[0]) for line in lines if line.startswith("["))

    def end(self, job: Job, inside: Inside, pod: Record) -> None:
        for words in self.rules(job, pod):
            while inside.good(*worded("-C", words)):
                inside.do(*worded("-D", words))

    def rest(self, job: Job, inside: Inside, pod: Record) -> str:
        there = any(inside.good(*worded("-C", words)) for words in self.rules(job, pod))
        return f"a rule of iptables on {inside.node}" if there else ""


def _random(p: float) -> tuple[str, ...]:
    """Nothing for certain; else by chance. Six decimals: what iptables keeps is 31 bits."""
    return () if p >= 1.0 else ("-m", "statistic", "--mode", "random", "--probability", f"{p:.6f}")


class Loss(Rules):
    """`net.loss` where there is no netem: packets to and from the traffic ports are dropped by chance."""

    def refuses(self, params: Mapping[str, Any], field: Field) -> str:
        if params.get("burst") or params.get("correlation"):
            return "burst and correlation need netem, which this kernel has not"
        return ""

    def rules(self, job: Job, pod: Record) -> list[tuple[str, ...]]:
        ports = [("-p", "tcp", "--dport", str(port), *_random(job.number("p"))) for port in pod["ports"]]
        return [rule("INPUT", job.id, *match) for match in ports]

    def probe(self, job: Job, inside: Inside, pod: Record) -> str:
        """Connections until one packet is lost: at p, 7/p of them miss it with a chance below 1 in 1000."""
        tries = min(200, int(7 / max(job.number("p"), 1e-6)) + 1)
        before = self.hits(job, inside)
        for _ in range(tries):
            opened(inside, pod["ip"], pod["ports"][0], 0.2)
            if self.hits(job, inside) > before:
                return f"a packet of ours to port {pod['ports'][0]} was lost"
        return ""


class Partition(Rules):
    """`net.partition`: no packet between the pod and a peer. The peer is an address, a network, or an app of the namespace."""

    def more(self, job: Job) -> Record:
        return {"peers": peers(job, str(job.params["peer"]))}

    def rules(self, job: Job, pod: Record) -> list[tuple[str, ...]]:
        direction, found = job.params.get("direction", "both"), []
        for peer in job.record["peers"]:
            if direction in ("both", "to"):
                found.append(rule("INPUT", job.id, "-s", peer))
            if direction in ("both", "from"):
                found.append(rule("OUTPUT", job.id, "-d", peer))
        return found

    def probe(self, job: Job, inside: Inside, pod: Record) -> str:
        """From inside, a peer cannot be reached (packets from it have to come back, whichever way is cut)."""
        peer = job.record["peers"][0].partition("/")[0]
        path = installed(inside.nodes, inside.node, "probe.pl")
        there = inside.good("timeout", "2", "perl", path, "reach", peer, str(_NOBODY), "1")
        return "" if there else f"{peer} does not answer any more"


def peers(job: Job, text: str) -> list[str]:
    """Addresses of the other side. Raises Refused for one that is not there."""
    try:
        return [str(ipaddress.ip_network(text, strict=False))]
    except ValueError:
        pass
    found = job.field.api.list("v1/Pod", job.field.namespace, {APP: text})
    addresses = sorted(pod["status"]["podIP"] for pod in found if pod.get("status", {}).get("podIP"))
    if not addresses:
        raise Refused(f"peer {text!r} is no address, no network and no app of {job.field.namespace} that has pods")
    return addresses


class Gap(Rules):
    """`telemetry.gap`: scrapes of the pods are refused, so that their series end (stale), as when an exporter is down."""

    aims: ClassVar[str] = "scrapes"

    def more(self, job: Job) -> Record:
        found = job.field.api.list("v1/Pod", SYSTEM, {APP: "prometheus"})
        addresses = [pod["status"]["podIP"] for pod in found if pod.get("status", {}).get("podIP")]
        if not addresses:
            raise Refused(f"no Prometheus of ours in {SYSTEM}: its scrapes cannot be cut")
        ports = {name: scrape_ports(job.field.pod(name)) for name in job.targets}
        return {"monitors": sorted(addresses), "scraped": ports}

    def record(self, job: Job) -> Record:
        made = super().record(job)
        for name, pod in made["pods"].items():
            pod["scraped"] = made["scraped"][name]
        return made

    def rules(self, job: Job, pod: Record) -> list[tuple[str, ...]]:
        reject = ("REJECT", "--reject-with", "tcp-reset")
        return [
            rule("INPUT", job.id, "-p", "tcp", "-s", monitor, "--dport", str(port), jump=reject)
            for monitor in job.record["monitors"] for port in pod["scraped"]
        ]  # fmt: skip

    def probe(self, job: Job, inside: Inside, pod: Record) -> str:
        """Prometheus has run into the rule: it scrapes every few seconds at most."""
        return "a scrape was refused" if self.hits(job, inside) > 0 else ""


def scrape_ports(pod: Any) -> list[int]:
    """Ports named admin or metrics (real/measure/targets.py)."""
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return [port["containerPort"] for port in ports if port.get("name") in ("admin", "metrics")]


class Dns(Rules):
    """`dns.error`: questions for the names are refused on their way out of the pod; all other names resolve."""

    def rules(self, job: Job, pod: Record) -> list[tuple[str, ...]]:
        found = []
        for name in job.params["names"]:
            asked = ("-m", "string", "--algo", "bm", "--icase", "--hex-string", wire_name(name))
            chance = _random(job.number("p"))
            found.append(rule("OUTPUT", job.id, "-p", "udp", "--dport", "53", *asked, *chance, jump=("REJECT",)))
        return found

    def probe(self, job: Job, inside: Inside, pod: Record) -> str:
        """A question of our own, to where nobody answers, meets the rule."""
        before, name = self.hits(job, inside), str(job.params["names"][0])
        path = installed(inside.nodes, inside.node, "probe.pl")
        # So many questions that at p = 0.05 all of them slip through with a chance below 1 in 10,000.
        inside.good("perl", path, "names", _NO_MACHINE, name, "200")
        return f"questions for {name} are refused" if self.hits(job, inside) > before else ""


def wire_name(name: str) -> str:
    """A name as it stands in a DNS question (RFC 1035 section 3.1), as iptables takes it: |03|www|07|example|.

    >>> wire_name("db.test")
    '|02|db|04|test'
    """
    parts = [part for part in name.strip(".").split(".") if part]
    return "".join(f"|{len(part):02x}|{part}" for part in parts)
