"""Which kind of fault is injected by what, and why another one cannot be: every kind of `sim/faults` is answered for."""

from __future__ import annotations

from collections.abc import Mapping

from real.chaos.calls import KINDS as CALLS
from real.chaos.calls import CallFault
from real.chaos.field import Field
from real.chaos.injector import Injector
from real.chaos.machines import Drain, ImageGone, Pause, Reboot
from real.chaos.packets import Dns, Gap, Loss, Partition
from real.chaos.pods import Block, ContainerKill, Kill, Stuck
from real.chaos.pulls import Outage, PullFail
from real.chaos.qdiscs import Bandwidth, Netem
from real.chaos.sample import Knob, Reset
from real.chaos.streams import Stream
from real.chaos.users import KINDS as USERS
from real.chaos.users import LoadFault
from sim.faults.catalogue import KINDS
from sim.faults.fault import Fault

__all__ = ["ELSEWHERE", "INJECTORS", "NETEM", "REASONS", "injector", "reason", "unable"]

INJECTORS: Mapping[str, Injector] = {
    "pod.kill": Kill(),
    "pod.container_kill": ContainerKill(),
    **{
        kind: Knob(kind)
        for kind in ("pod.unready", "pod.ready_flap", "members.flap", "members.false_positive", "stress.memory")
    },
    "pod.stuck_terminating": Stuck(),
    "node.drain": Drain(),
    "node.pause": Pause(),
    "node.loss": Pause(),
    "node.reboot": Reboot(),
    "node.image_gc": ImageGone(),
    "image.pull_fail": PullFail(),
    "sched.block": Block(),
    "net.delay": Stream("net.delay"),
    "net.loss": Loss(),
    "net.bandwidth": Bandwidth(),
    "net.partition": Partition(),
    "net.reset": Stream("net.reset"),
    "net.blackhole": Stream("net.blackhole"),
    "net.slow_close": Stream("net.slow_close"),
    "net.slice": Stream("net.slice"),
    "net.limit": Stream("net.limit"),
    "dns.error": Dns(),
    "store.outage": Outage(),
    "telemetry.gap": Gap(),
    "telemetry.reset": Reset(),
    **{kind: CallFault(kind) for kind in CALLS},
    **{kind: LoadFault(kind) for kind in USERS},
}

# Where the kernel has netem it is used in place of these: it acts on every packet that leaves the pod.
NETEM: Mapping[str, Injector] = {
    kind: Netem(kind) for kind in ("net.delay", "net.loss", "net.duplicate", "net.corrupt", "net.reorder")
}

# Not injected while the rollout is under way, but there all the same: as part of the new version, not injected.
_BAKED = (
    "build.error_rate", "build.latency", "build.memory_leak", "build.cpu", "build.segment_error", "build.wrong_result",
    "pod.crash_loop", "pod.slow_start",
)  # fmt: skip
ELSEWHERE: Mapping[str, str] = dict.fromkeys(_BAKED, "it is built into the new version of the sample")

_NETEM_ONLY = "it needs the kernel's netem, which the nodes have not"
_INSIDE = "it happens inside a system that is not on this cluster; it can be simulated"
REASONS: Mapping[str, str] = {
    "net.duplicate": _NETEM_ONLY,
    "net.corrupt": _NETEM_ONLY,
    "net.reorder": _NETEM_ONLY,
    "node.pull_slow": "containerd pulls over the node's own network, which other pods share; use image.pull_fail or store.outage",
    "dns.random": "CoreDNS takes new answers on half a minute later and gives them to every namespace; use dns.error",
    "clock.skew": "the clock is the machine's own, and the sample reads no other",
    "stress.cpu": "all nodes share the processors of this machine: it would hit the load generator and the driver too",
    "stress.disk_full": "the sample writes no file, so that it would not notice",
    "dep.outage": "the sample depends on nothing",
    "dep.slow": "the sample depends on nothing",
    "driver.crash": "a driver cannot outlive its own death; kill it, then run `seatrial real recover` or `resume`",
    "driver.pause": "the driver cannot wake itself; stop it with SIGSTOP and continue it with SIGCONT",
    "driver.second": "start a second `seatrial real run`: it is refused",
    "driver.journal": "it would take the undo log away from a run that needs it; the driver's own tests do it",
    "api.watch": "the driver does not trust single events of a watch: it looks again every two seconds; use api.gone",
    "api.stale_list": "the driver lists from etcd, never from a cache; use api.conflict",
    "api.rival_writer": "a rival is another program: let it write, and the driver names it",
    "telemetry.duplicate": "Prometheus drops a second series of the same labels",
    "telemetry.mislabel": "the targets' labels are Prometheus' own configuration, which runs share",
    "rollout.missed_failure": "use build.error_rate with shape: delayed, which is built into the version",
    "rollout.stall": "use image.pull_fail or sched.block",
    "rollout.pause": "the driver itself holds the rollout; nobody else's paused flag is looked at",
    "rollout.supersede": "one run is one release; start the second as a run of its own, and it is refused",
    "rollout.rollback_fail": "use image.pull_fail: the preflight then refuses, as it should",
    "build.poison_shared": "the sample shares nothing between its versions",
    "build.retry_storm": "the load generator sends each request once, so as to count the truth; use load.spike for a storm's load",
    "config.bad_push": "the sample reads no configuration at run time",
    "secret.expire": "create a robot account that expires (real/registry), and run with it",
    "db.irreversible": "the sample has no database",
}


def injector(kind: str, netem: bool = False) -> Injector:
    """What injects the kind. KeyError where nothing does: ask `reason` first."""
    return NETEM[kind] if netem and kind in NETEM else INJECTORS[kind]


def reason(kind: str, netem: bool = False) -> str:
    """Why a kind is not injected; '' if it is."""
    if kind in INJECTORS or (netem and kind in NETEM):
        return ""
    if kind in ELSEWHERE:
        return ELSEWHERE[kind]
    if kind in REASONS:
        return REASONS[kind]
    about = KINDS[kind]
    if about.capability == "sim":
        return "no cluster can do it: it is simulated only"
    return _INSIDE


_NEEDS = {
    "nodes": "it works on the nodes, and only those of a cluster that `seatrial real up` made are touched",
    "whole": "it writes to nodes, and only those of a cluster that `seatrial real up` made are touched",
    "users": "this run has no load generator: --load none",
    "calls": "this run's calls do not go through a transport that can fail",
}


def unable(fault: Fault, field: Field, netem: bool = False) -> str:
    """Why this fault cannot be injected, told before the run begins; '' if it can."""
    why = reason(fault.kind, netem)
    if not why:
        found = injector(fault.kind, netem)
        lacks = [_NEEDS[part] for part in found.needs if getattr(field, part) is None]
        why = lacks[0] if lacks else found.refuses(fault.params, field)
    if not why and fault.ramp_s > 0:
        why = "a real fault sets in at once; leave ramp_s out"
    if not why and fault.blast.namespaces and field.namespace not in fault.blast.namespaces:
        why = f"its blast.namespaces leave out {field.namespace}"
    return f"fault {fault.id} ({fault.kind}) cannot be injected here: {why}" if why else ""
