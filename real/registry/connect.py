"""From an address to a registry: Harbor where one answers, else a plain registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real.registry.distribution import Distribution
from real.registry.errors import Unavailable
from real.registry.harbor.api import Api
from real.registry.harbor.registry import HarborRegistry
from real.registry.harbor.system import is_harbor
from real.registry.plain import PlainRegistry
from real.registry.port import Registry
from real.registry.secrets import Credentials
from real.registry.wire import Wire

READY_S = 60.0  # how long a registry that is starting is waited for
EVERY_S = 1.0


@contextmanager
def connect(
    url: str, credentials: Credentials | None = None, *, ca: Path | None = None, host: str = ""
) -> Iterator[Registry]:
    """The registry at this address; `host` is its name among the nodes. Waits for one that is starting, then Unavailable."""
    with Wire(url, ca) as wire:
        yield over(wire, credentials, host)


def over(wire: Wire, credentials: Credentials | None = None, host: str = "") -> Registry:
    """The same over a given wire."""
    wire.know(credentials)
    distribution = Distribution(wire, credentials)
    if ready(wire):
        return HarborRegistry(Api(wire, credentials), distribution, host)
    return PlainRegistry(distribution, host)


def ready(wire: Wire, limit_s: float = READY_S) -> bool:
    """Wait for the registry; whether it is Harbor. Raises Unavailable when it does not come."""
    last: list[Unavailable] = []

    def look() -> bool | None:
        try:
            return is_harbor(wire)
        except Unavailable as error:
            last[:] = [error]
            return None

    found = wire.patience.until(look, limit_s, EVERY_S)
    if found is None:
        raise last[0]
    return found
