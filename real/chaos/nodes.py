"""The nodes of a kind cluster, and its registry, as containers of the local Docker engine; no other container is ever touched."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from real.chaos.field import NodeFailed
from real.docker.engine import engine
from real.ports.errors import Forbidden, Gone, Unclear

__all__ = ["KindNodes"]

_CLUSTER, _ROLE = "io.x-k8s.kind.cluster", "io.x-k8s.kind.role"  # kind's own labels on its nodes
_OURS = "seatrial.dev/cluster"  # of the registry (real/kind/registry.py)
# The engine may lose the output of a short command on a busy machine (seen: `tc qdisc show` without a word). Then nothing would look
# like "nothing there", so that every output is ended by a word of ours.
_END = "<seatrial: end>"
_WHOLE = f'"$@"; code=$?; printf %s "{_END}"; exit $code'
_ASKED = 3  # times
_ENDED = 200  # looks, a twentieth of a second apart
_WRITE = 'mkdir -p "$(dirname "$2")" && printf %s "$1" | base64 -d > "$2.new" && mv "$2.new" "$2"'
_STOPS = 3  # seconds that what runs on a node is given to end by itself before it is cut off
_WORDS = 400  # characters of a command's output that an error repeats


class KindNodes:
    """The containers of one kind cluster. Raises PortError; a paused node answers nothing and is never asked."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self._client = engine()

    def close(self) -> None:
        self._client.close()

    def workers(self) -> tuple[str, ...]:
        return self._named(_ROLE, "worker")

    def all(self) -> tuple[str, ...]:
        return self._named(_ROLE, None)

    def registry(self) -> str:
        found = self._client.containers.list(all=True, filters={"label": f"{_OURS}={self.cluster}"})
        return sorted(one.name for one in found)[0] if found else ""

    def run(self, name: str, *words: str) -> str:
        for _ in range(_ASKED):
            code, output = self._exec(name, "sh", "-c", _WHOLE, "sh", *words)
            text, whole, _ = output.rpartition(_END)
            if whole and code != 0:
                raise NodeFailed(_failed(name, words, text), code)
            if whole:
                return text
        raise Unclear(f"{name}: {' '.join(words)[:120]}: its output did not arrive whole")

    def do(self, name: str, *words: str) -> None:
        code, output = self._exec(name, *words)
        if code != 0:
            raise NodeFailed(_failed(name, words, output), code)

    def _exec(self, name: str, *words: str) -> tuple[int, str]:
        """(exit code, output) of a command, when it has ended."""
        container, api = self._container(name), self._client.api
        if container.status != "running":
            raise Unclear(f"{name} is {container.status}; nothing can be run on it")
        with _told(name):
            made = api.exec_create(container.id, list(words))["Id"]
            output = api.exec_start(made) or b""
            for _ in range(_ENDED):  # the output may end, or get lost, before the command does
                found = api.exec_inspect(made)
                if not found["Running"]:
                    return int(found["ExitCode"]), output.decode("utf-8", "replace")
                time.sleep(0.05)
        raise Unclear(f"{name}: {' '.join(words)[:120]}: it goes on without a word")

    def start(self, name: str, *words: str) -> None:
        with _told(name):
            self._container(name).exec_run(list(words), detach=True)

    def file(self, name: str, path: str, text: str) -> None:
        """As a whole or not at all. (Docker's own copying does not see /run, which is a file system of the node's.)"""
        self.do(name, "sh", "-c", _WRITE, "sh", base64.b64encode(text.encode()).decode("ascii"), path)

    def state(self, name: str) -> str:
        return str(self._container(name).status)

    def pause(self, name: str) -> None:
        container = self._container(name)
        if container.status == "running":
            with _told(name):
                container.pause()

    def unpause(self, name: str) -> None:
        container = self._container(name)
        if container.status == "paused":
            with _told(name):
                container.unpause()

    def reboot(self, name: str, address: str) -> None:
        container = self._container(name)
        with _told(name):
            container.stop(timeout=_STOPS)
        self.boot(name, address)

    def boot(self, name: str, address: str) -> None:
        container = self._container(name)
        if container.status in ("running", "paused"):
            return
        with _told(name):
            for network in container.attrs["NetworkSettings"]["Networks"]:
                # The engine gives an address away as its container stops: asked for by name, it comes back.
                found = self._client.networks.get(network)
                found.disconnect(container, force=True)
                found.connect(container, ipv4_address=address)
            container.start()

    def born(self, name: str) -> tuple[str, str]:
        found = self._container(name).attrs
        networks = found["NetworkSettings"]["Networks"].values()
        return str(found["State"]["StartedAt"]), next((one["IPAddress"] for one in networks if one["IPAddress"]), "")

    def _named(self, label: str, value: str | None) -> tuple[str, ...]:
        found = self._client.containers.list(all=True, filters={"label": f"{_CLUSTER}={self.cluster}"})
        return tuple(sorted(one.name for one in found if value is None or one.labels.get(label) == value))

    def _container(self, name: str) -> Any:
        with _told(name):
            found = self._client.containers.get(name)
        if self.cluster not in (found.labels.get(_CLUSTER), found.labels.get(_OURS)):
            raise Forbidden(f"container {name} is not of our cluster {self.cluster}; it is never touched")
        return found


def _failed(name: str, words: tuple[str, ...], text: str) -> str:
    return f"{name}: {' '.join(words)[:120]}: {text.strip()[-_WORDS:]}"


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of the engine as port errors."""
    import docker
    import requests

    try:
        yield
    except docker.errors.NotFound:
        raise Gone(f"there is no container {name}") from None
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise Unclear(f"{name}: the Docker engine says {type(error).__name__}: {str(error)[:_WORDS]}") from None
