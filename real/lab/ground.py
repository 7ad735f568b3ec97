"""The ground of a trial: one cluster, how it is reached, and where users come in. Made by `up` or named by the user.

A cluster of our own leaves its kubeconfig (mode 0600) under the state folder, and nothing else: what is there is asked of kind and Docker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from httpx2 import BaseTransport
from lightkube.config.kubeconfig import SingleConfig

from real.cluster.access import access
from real.cluster.api import Api
from real.cluster.transport import Everything, Guard, Owned, ReadOnly, wire
from real.docker.engine import mapped
from real.kind import program, registry
from real.kind.registry import Local
from sim.cli.exits import Missing

__all__ = ["Ground", "Say", "found", "named", "state"]

Say = Callable[[str], None]


def state(name: str) -> Path:
    """The folder of what we keep about a cluster of ours."""
    root = os.environ.get("SEATRIAL_STATE") or os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(root) / "seatrial" / name


@dataclass(frozen=True, slots=True)
class Ground:
    """A cluster. `own`: made by us, so that we may make namespaces on it; `ports`: node port -> loopback port of this machine."""

    name: str
    config: SingleConfig
    own: bool
    ports: Mapping[int, int]
    registry: Local | None = None

    def wire(self) -> BaseTransport:
        """The way to the API server."""
        return wire(self.config)

    def reads(self, over: BaseTransport | None = None) -> Api:
        """A client without any power to write; `over` is another way to the server (one that fails on purpose)."""
        return Api(self.config, ReadOnly(over or self.wire()))

    def writes(self, *namespaces: str, over: BaseTransport | None = None) -> Api:
        """A client that writes to these namespaces only."""
        return Api(self.config, Owned(over or self.wire(), namespaces))

    def builds(self) -> Api:
        """A client that makes and removes namespaces and roles: for `up`, `down` and `--adopt`."""
        guard: Guard = Everything(wire(self.config))
        return Api(self.config, guard)


def found(name: str) -> Ground:
    """A cluster of our own that is there. Errors: Missing, with the remedy."""
    if name not in program.clusters():
        raise Missing(
            f"there is no kind cluster {name}; make it: seatrial real up"
            + ("" if name == "seatrial" else f" --name {name}")
        )
    path = program.kubeconfig(name, state(name) / "kubeconfig")
    config = access(path, f"kind-{name}")
    return Ground(name, config, True, mapped(f"{name}-control-plane"), registry.known(name))


def named(kubeconfig: Path, context: str | None, *, allow_exec: bool = False, insecure: bool = False) -> Ground:
    """A cluster that the user named."""
    config = access(kubeconfig, context, allow_exec=allow_exec, insecure=insecure)
    return Ground(context or config.context_name, config, False, {})
