"""The nodes of a kind cluster, and its registry, as containers of the local Docker engine; no other container is ever touched."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from real.chaos.field import NodeFailed
from real.docker.engine import engine
from real.ports.errors import Forbidden, Gone, PortError, Unclear

__all__ = ["KindNodes"]

_CLUSTER, _ROLE = "io.x-k8s.kind.cluster", "io.x-k8s.kind.role"  # kind's own labels on its nodes
_OURS = "seatrial.dev/cluster"  # of the registry (real/kind/registry.py)
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
        container = self._container(name)
        if container.status != "running":
            raise Unclear(f"{name} is {container.status}; nothing can be run on it")
        code, output = container.exec_run(list(words), demux=False)
        text = (output or b"").decode("utf-8", "replace")
        if code != 0:
            raise NodeFailed(f"{name}: {' '.join(words)[:120]}: {text.strip()[-_WORDS:]}", code)
        return text

    def start(self, name: str, *words: str) -> None:
        self._container(name).exec_run(list(words), detach=True)

    def file(self, name: str, path: str, text: str) -> None:
        folder, _, last = path.rpartition("/")
        self.run(name, "mkdir", "-p", folder)
        buffer, data = io.BytesIO(), text.encode("utf-8")
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo(last)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
        self._container(name).put_archive(folder, buffer.getvalue())

    def state(self, name: str) -> str:
        return str(self._container(name).status)

    def pause(self, name: str) -> None:
        container = self._container(name)
        if container.status == "running":
            container.pause()

    def unpause(self, name: str) -> None:
        container = self._container(name)
        if container.status == "paused":
            container.unpause()

    def _named(self, label: str, value: str | None) -> tuple[str, ...]:
        found = self._client.containers.list(all=True, filters={"label": f"{_CLUSTER}={self.cluster}"})
        return tuple(sorted(one.name for one in found if value is None or one.labels.get(label) == value))

    def _container(self, name: str) -> Any:
        import docker

        try:
            found = self._client.containers.get(name)
        except docker.errors.NotFound:
            raise Gone(f"there is no container {name}") from None
        except docker.errors.DockerException as error:
            raise PortError(f"{name}: the Docker engine does not answer ({type(error).__name__})") from None
        if self.cluster not in (found.labels.get(_CLUSTER), found.labels.get(_OURS)):
            raise Forbidden(f"container {name} is not of our cluster {self.cluster}; it is never touched")
        return found
