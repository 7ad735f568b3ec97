"""What real mode needs of this machine, each with what was found and the remedy."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from real.docker.engine import container, engine
from real.lab.images import ROLES, Images
from sim.cli.exits import Missing
from sim.policy.errors import SeatrialError

__all__ = ["Check", "checks"]

GIB = 2**30
DISK, MEMORY = 5 * GIB, 3 * GIB  # measured: three nodes with the sample, Prometheus and a registry take 3 GB and 2 GiB


@dataclass(frozen=True, slots=True)
class Check:
    """One thing. `state`: ok, missing (nothing works without it), or partly (some faults cannot be injected, some images are pulled)."""

    name: str
    state: Literal["ok", "missing", "partly"]
    found: str
    remedy: str = ""


def checks(name: str, images: Images) -> Iterator[Check]:
    """Every check, in the order in which one would repair."""
    alive, answer = _engine()
    yield answer
    yield _kind()
    yield _amount("disk", _disk(), DISK, "free where Docker keeps its images")
    yield _amount("memory", _memory(), MEMORY, "available")
    yield _ports()
    yield _inotify()
    if not alive:
        return
    yield from _images(images)
    yield from _kernel(name)


def _engine() -> tuple[bool, Check]:
    try:
        version = engine().version()["Version"]
    except Missing as missing:
        said, _, remedy = str(missing).partition("; ")
        return False, Check("docker", "missing", said, remedy)
    return True, Check("docker", "ok", f"engine {version}")


def _kind() -> Check:
    found = shutil.which("kind")
    if found is None:
        return Check("kind", "missing", "not on the PATH", "https://kind.sigs.k8s.io/docs/user/quick-start")
    said = subprocess.run([found, "version"], capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    return Check("kind", "ok", said.splitlines()[0] if said else "present")


def _amount(name: str, found: int | None, least: int, what: str) -> Check:
    if found is None:
        return Check(name, "partly", "not known on this system")
    text = f"{found / GIB:.1f} GiB {what}"
    return (
        Check(name, "ok", text) if found >= least else Check(name, "missing", text, f"{least / GIB:.0f} GiB are needed")
    )


def _disk() -> int | None:
    try:
        return shutil.disk_usage(engine().info()["DockerRootDir"]).free
    except (SeatrialError, OSError, KeyError):
        return None


def _memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _ports() -> Check:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return Check("ports", "ok", "loopback ports can be opened")
    except OSError as error:
        return Check("ports", "missing", str(error), "users come in through ports of 127.0.0.1; allow them")


def _inotify() -> Check:
    """Three nodes on one kernel share its watches (kind's own known issues: "too many open files")."""
    try:
        found = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Check("inotify", "partly", "not known on this system")
    enough = found >= 128
    return Check(
        "inotify",
        "ok" if enough else "partly",
        f"{found} instances",
        "" if enough else "sysctl fs.inotify.max_user_instances=512",
    )


def _images(images: Images) -> Iterator[Check]:
    from real.docker.images import present

    wanted = {role: images.of(role) for role in ROLES}
    absent = [f"{role}: {image}" for role, image in wanted.items() if not present(image)]
    if not absent:
        yield Check("images", "ok", "all are here")
    else:
        yield Check("images", "partly", f"to be pulled: {', '.join(absent)}", "without a way out: --images MAP")


def _kernel(name: str) -> Iterator[Check]:
    """What network faults need, tried in a node, in a network namespace of its own that vanishes at once."""
    node = container(f"{name}-worker")
    if node is None or node.status != "running":
        yield Check("netem", "partly", "not known before the cluster is up", "seatrial real up, then ask again")
        return
    tries: dict[str, tuple[str, str]] = {
        "netem": ("tc qdisc add dev lo root netem delay 1ms", "delay goes through a redirecting proxy instead"),
        "tbf": ("tc qdisc add dev lo root tbf rate 1mbit burst 32kbit latency 400ms", "bandwidth cannot be limited"),
        "iptables": (
            "iptables -A INPUT -i lo -m statistic --mode random --probability 0.1 -j DROP",
            "loss and partition cannot be injected",
        ),
    }
    for what, (line, otherwise) in tries.items():
        done = node.exec_run(["unshare", "-n", "sh", "-c", line])
        said = done.output.decode(errors="replace").strip().splitlines()
        yield (
            Check(what, "ok", "the kernel has it")
            if not done.exit_code
            else Check(what, "partly", said[-1][:80] if said else "no", otherwise)
        )
