"""The cluster port over git: things are read and written as they are desired, pods and traffic looked at as they are."""

from __future__ import annotations

from collections.abc import Callable

from real.ports.ports import Cluster, Tell
from real.ports.things import Live, Put, Seen, Stamp

__all__ = ["GitOps"]


class GitOps:
    """Two adapters of one app: `desired` over a `Desired`, `live` over an `Api`. What lies between them is Argo CD's or Flux's work, and
    a policy waits for it as it waits for pods: weights and pods count when the cluster shows them."""

    def __init__(self, desired: Cluster, live: Cluster) -> None:
        self._desired, self._live = desired, live

    def names(self) -> tuple[str, ...]:
        return self._desired.names()

    def read(self, name: str, deadline: float) -> Live:
        return self._desired.read(name, deadline)

    def write(self, put: Put, stamp: Stamp, deadline: float) -> Live:
        return self._desired.write(put, stamp, deadline)

    def look(self, deadline: float) -> Seen:
        return self._live.look(deadline)

    def listen(self, tell: Tell) -> Callable[[], None]:
        return self._live.listen(tell)
