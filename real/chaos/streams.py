"""Faults of connections, by a proxy inside the pod's network namespace that the traffic ports are redirected to (`proxy.pl`).

This is how a delay is made where the kernel has no netem. It acts on connections of users only: probes and scrapes go past it. Those that
are open already are reset, so that they come again through the proxy; a router that keeps connections open has to try again.
"""

from __future__ import annotations

from pathlib import Path

from real.chaos.injector import Job, Record
from real.chaos.netns import Inside, mark
from real.chaos.packets import _with, rule
from real.chaos.podwise import Podwise

__all__ = ["Stream", "options"]

FOLDER = "/run/seatrial"
PROGRAM = f"{FOLDER}/proxy.pl"
_FIRST = 15900  # ports of the proxies in a pod's namespace: outside of Linux' ephemeral ones (32768 up) and of usual services
_BEGIN = 5.0  # seconds


class Stream(Podwise):
    """One kind of fault on every connection to the pod's traffic ports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def begin(self, job: Job, inside: Inside, pod: Record) -> None:
        inside.nodes.file(inside.node, PROGRAM, Path(__file__).with_name("proxy.pl").read_text(encoding="utf-8"))
        for number, port in enumerate(pod["ports"]):
            words = self._redirect(job, number, port)
            if not self._runs(job, inside, number):
                inside.start("perl", PROGRAM, *self._arguments(job, inside, number, port))
            if not job.field.until(lambda number=number: self._listens(inside, number), _BEGIN):  # type: ignore[misc]
                continue  # no proof: it is taken back
            if not inside.good(*_with("-C", words)):
                inside.run(*_with("-A", words))
                self._cut(inside, f"( sport = :{port} )")

    def shown(self, job: Job, inside: Inside, pod: Record) -> str:
        """A connection of our own, from the node to the pod, shows the fault."""
        if not all(self._runs(job, inside, number) for number in range(len(pod["ports"]))):
            return ""
        took = seconds(inside, pod["ip"], pod["ports"][0], 1.0 + 2.0 * self._delay(job))
        return _seen(self.kind, took, self._delay(job))

    def end(self, job: Job, inside: Inside, pod: Record) -> None:
        for number, port in enumerate(pod["ports"]):
            words = self._redirect(job, number, port)
            while inside.good(*_with("-C", words)):
                inside.run(*_with("-D", words))
            inside.run("sh", "-c", _KILL, "sh", self._file(job, inside, number), mark(job.id))

    def rest(self, job: Job, inside: Inside, pod: Record) -> str:
        for number, port in enumerate(pod["ports"]):
            if self._runs(job, inside, number):
                return f"a proxy on {inside.node}"
            if inside.good(*_with("-C", self._redirect(job, number, port))):
                return f"a redirection on {inside.node}"
        return ""

    def _delay(self, job: Job) -> float:
        both = 2.0 if job.params.get("direction") == "both" else 1.0
        return both * job.number("delay_s") if self.kind == "net.delay" else 0.0

    def _redirect(self, job: Job, number: int, port: int) -> tuple[str, ...]:
        to = ("REDIRECT", "--to-ports", str(_FIRST + number))
        return rule("PREROUTING", job.id, "-p", "tcp", "--dport", str(port), jump=to, table="nat")

    def _arguments(self, job: Job, inside: Inside, number: int, port: int) -> list[str]:
        own = {"listen": _FIRST + number, "target": port, "pid": self._file(job, inside, number), "tag": mark(job.id)}
        return [f"{name}={value}" for name, value in {**own, **options(self.kind, job)}.items()]

    def _file(self, job: Job, inside: Inside, number: int) -> str:
        return f"{FOLDER}/{job.id}-{inside.key}-{number}.pid"

    def _runs(self, job: Job, inside: Inside, number: int) -> bool:
        return inside.good("sh", "-c", _RUNS, "sh", self._file(job, inside, number), mark(job.id))

    def _listens(self, inside: Inside, number: int) -> bool:
        return f":{_FIRST + number} " in inside.run("ss", "-Htln") + " "

    def _cut(self, inside: Inside, which: str) -> None:
        inside.good("ss", "-K", "state", "established", which)


# $1 the file with the process id, $2 the mark that its command line carries: a number alone may be somebody else's by now.
_RUNS = 'test -f "$1" && pid=$(cat "$1") && tr "\\0" " " < "/proc/$pid/cmdline" | grep -qF "tag=$2 "'
_KILL = f"""
if sh -c '{_RUNS}' sh "$1" "$2"; then kill -TERM "$(cat "$1")"; fi
for _ in $(seq 60); do if ! sh -c '{_RUNS}' sh "$1" "$2"; then break; fi; sleep 0.1; done
if sh -c '{_RUNS}' sh "$1" "$2"; then kill -KILL "$(cat "$1")"; sleep 0.1; fi
rm -f "$1"
"""

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


# One request, from the node to the pod: seconds and bytes of the answer, "reset" or "silent".
_ASK = (
    "use IO::Socket::INET; my ($host, $port, $limit) = @ARGV; $SIG{ALRM} = sub { print 'silent'; exit 0 }; alarm $limit;"
    " my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => $limit) or do { print 'refused'; exit 0 };"
    " $s->print(\"GET / HTTP/1.1\\r\\nHost: probe\\r\\nConnection: close\\r\\n\\r\\n\"); my $bytes = '';"
    " while (1) { my $n = sysread $s, my $b, 4096; if (!defined $n) { print 'reset'; exit 0 } last if !$n; $bytes .= $b }"
    " print length $bytes;"
)


def seconds(inside: Inside, address: str, port: int, limit: float) -> tuple[str, float]:
    """(what came, seconds) of one request."""
    script = 'begin=$(cut -d" " -f1 /proc/uptime); perl -e "$1" "$2" "$3" "$4"; echo " $begin $(cut -d" " -f1 /proc/uptime)"'
    told = inside.nodes.run(inside.node, "sh", "-c", script, "sh", _ASK, address, str(port), str(max(1, round(limit))))
    came, begin, end = told.split()
    return came, float(end) - float(begin)


def _seen(kind: str, took: tuple[str, float], delay: float) -> str:
    came, seconds = took
    answered = came.isdigit()
    shown = {
        "net.delay": answered and seconds >= 0.8 * delay,
        "net.reset": came in ("reset", "0"),
        "net.blackhole": came == "silent",
        "net.limit": answered,
        "net.slice": answered,
        "net.slow_close": answered,
    }[kind]
    return f"a request of ours took {seconds:.2f} s and brought {came}" if shown else ""
