"""Where faults are injected: one app in one owned namespace, the nodes of a cluster of our own, the calls and the load of this run.

What is not there (None) cannot be harmed: kinds that need it are refused beforehand (`catalogue.unable`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from real.cluster.names import APP, MANAGED, REVISION
from real.ports.errors import Forbidden, Gone, Refused

__all__ = ["Calls", "Field", "NodeFailed", "Nodes", "Object", "Objects", "Users"]

Object = dict[str, Any]


class NodeFailed(Refused):
    """A command on a node ended with an error; `code` is how, the text its last words."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Objects(Protocol):
    """The part of `real.cluster.api.Api` that is used here."""

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None: ...

    def list(
        self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> list[Object]: ...

    def create(self, body: Object) -> Object: ...

    def merge(self, kind: str, name: str, namespace: str, body: Object) -> Object: ...

    def delete(
        self, kind: str, name: str, namespace: str | None = None, version: str = "", grace: int | None = None
    ) -> None: ...

    def raw(self, method: str, path: str, **more: Any) -> Any: ...

    def through(self, namespace: str, target: str, path: str, method: str = "GET", **more: Any) -> Any: ...


class Nodes(Protocol):
    """The machines of a kind cluster of our own, and the registry beside it: containers, by name."""

    def workers(self) -> tuple[str, ...]:
        """Names of the nodes that pods run on; never the control plane."""
        ...

    def all(self) -> tuple[str, ...]:
        """Workers and control plane."""
        ...

    def registry(self) -> str:
        """The container of the cluster's registry; '' if there is none."""
        ...

    def run(self, name: str, *words: str) -> str:
        """What a command says that changes nothing: it is asked again when its answer gets lost. `NodeFailed` unless it ends with 0."""
        ...

    def do(self, name: str, *words: str) -> None:
        """Run a command once; `NodeFailed` unless it ends with 0."""
        ...

    def start(self, name: str, *words: str) -> None:
        """Begin a command and leave it."""
        ...

    def file(self, name: str, path: str, text: str) -> None:
        """Write a file."""
        ...

    def state(self, name: str) -> str:
        """running, paused, ..."""
        ...

    def pause(self, name: str) -> None: ...

    def unpause(self, name: str) -> None: ...

    def reboot(self, name: str, address: str) -> None:
        """Everything on it ends, and it starts again at this address."""
        ...

    def boot(self, name: str, address: str) -> None:
        """It runs: one that does not is started at this address."""
        ...

    def born(self, name: str) -> tuple[str, str]:
        """(when it started, as RFC 3339 in UTC; its address)"""
        ...


class Calls(Protocol):
    """A transport of our own calls that can be told to fail (`calls.Troubled`)."""

    def trouble(self, id: str, kind: str, params: Mapping[str, Any]) -> None: ...

    def calm(self, id: str) -> None: ...

    def troubled(self) -> Mapping[str, int]:
        """Rules by id, with how many calls each has hit."""
        ...


class Users(Protocol):
    """The load generator of this run (`real.load.channel.Channel`), which can be told to send otherwise than planned."""

    segments: tuple[str, ...]

    def trouble(self, id: str, kind: str, params: Mapping[str, Any]) -> None: ...

    def calm(self, id: str) -> None: ...

    def troubled(self) -> tuple[str, ...]:
        """Ids of the rules that it was told."""
        ...

    def shown(self, id: str) -> str:
        """What its own counts say of a rule; '' while they show nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Field:
    """`api` writes to the namespace only; `whole` (of a cluster of our own) may also write nodes."""

    api: Objects
    namespace: str
    app: str
    nodes: Nodes | None = None
    whole: Objects | None = None
    calls: Calls | None = None
    users: Users | None = None
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def pods(self) -> list[Object]:
        """The app's pods that are not on their way out."""
        found = self.api.list("v1/Pod", self.namespace, {APP: self.app, MANAGED: "seatrial"})
        return [pod for pod in found if REVISION in pod["metadata"]["labels"] and not _leaving(pod)]

    def pod(self, name: str) -> Object:
        """A pod of the app. Raises Gone, and Forbidden for a pod that is not ours."""
        found = self.api.get("v1/Pod", name, self.namespace)
        if found is None:
            raise Gone(f"pod {name} is not there any more")
        labels = found["metadata"].get("labels") or {}
        if labels.get(MANAGED) != "seatrial" or labels.get(APP) != self.app:
            raise Forbidden(f"pod {name} of {self.namespace} is not of our app {self.app}; it is never touched")
        return found

    def machines(self) -> Nodes:
        """The nodes. Raises Forbidden where they are not ours."""
        if self.nodes is None:
            raise Forbidden(
                "the nodes of this cluster are not ours; only those that `seatrial real up` made are touched"
            )
        return self.nodes

    def worker(self, name: str) -> str:
        """A node that may be harmed. Raises Forbidden for any other."""
        if name not in self.machines().workers():
            raise Forbidden(f"node {name} is no worker of our cluster; it is never touched")
        return name

    def until(self, good: Callable[[], bool], seconds: float, every: float = 0.2) -> bool:
        """Whether it becomes true in time."""
        ends = self.now() + seconds
        while not good():
            if self.now() >= ends:
                return False
            self.sleep(every)
        return True


def _leaving(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))
