"""The Docker engine through its SDK: is it there, which ports are mapped, which containers run. Loaded when used (248 ms)."""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import Any

from sim.cli.exits import Missing
from sim.policy.errors import WorldError

__all__ = ["bridge", "container", "engine", "mapped", "run"]


def engine() -> Any:
    """The client of the engine that DOCKER_HOST names. Errors: `Missing` with the remedy."""
    return _client(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")


@cache
def _client(host: str) -> Any:
    """One client per engine, since each keeps connections open."""
    try:
        import docker
    except ImportError:
        raise Missing("the Docker SDK is not installed; pip install 'seatrial[real]'") from None
    problem = _unreachable(host)
    if problem:
        raise Missing(f"no Docker engine answers ({problem}); start it, or set DOCKER_HOST")
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except docker.errors.DockerException as error:
        raise Missing(f"no Docker engine answers ({_short(error)}); start it, or set DOCKER_HOST") from None
    return client


def _unreachable(host: str) -> str:
    """Why nobody listens at a local socket; '' if somebody does, or if it is elsewhere. The SDK would leave its socket open."""
    scheme, _, path = host.partition("://")
    if scheme != "unix":
        return ""
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(path)
        except OSError as error:
            return f"{path}: {error.strerror}"
    return ""


def container(name: str, client: Any = None) -> Any:
    """The container of that name, or None."""
    import docker

    try:
        return (client or engine()).containers.get(name)
    except docker.errors.NotFound:
        return None


def mapped(name: str, client: Any = None) -> dict[int, int]:
    """TCP ports of a container -> loopback ports of this machine."""
    found = container(name, client)
    if found is None:
        raise WorldError(f"there is no container {name}; was the cluster deleted?")
    ports: dict[int, int] = {}
    for inside, outside in (found.attrs["NetworkSettings"]["Ports"] or {}).items():
        number, protocol = inside.split("/")
        for binding in outside or ():
            if protocol == "tcp" and binding["HostIp"] == "127.0.0.1":
                ports[int(number)] = int(binding["HostPort"])
    return ports


def bridge(network: str) -> str:
    """The IPv4 address of this machine that containers of a network reach. Errors: `Missing` where there is none (Docker Desktop)."""
    pools = engine().networks.get(network).attrs["IPAM"]["Config"] or ()
    found = next((str(pool["Gateway"]) for pool in pools if "." in pool.get("Gateway", "")), "nowhere.invalid")
    try:
        with socket.create_server((found, 0)):
            return found
    except OSError:
        raise Missing(f"this machine has no address in Docker network {network}; run Docker Engine itself") from None


def run(name: str, image: str, *, network: str, ports: dict[int, int | None] | None = None, **more: Any) -> Any:
    """The container of that name, started if it is not running. `ports`: inside -> loopback port outside (None: any)."""
    client = engine()
    found = container(name, client)
    if found is not None:
        if found.status != "running":
            found.start()
            found.reload()
        return found
    bound = {f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in (ports or {}).items()}
    return client.containers.run(image, name=name, network=network, ports=bound, detach=True, **more)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
