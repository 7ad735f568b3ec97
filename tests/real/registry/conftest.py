"""A registry in memory, the Harbor stand-in before it, a clock that only tests move, and the client over them.

What uses `harbor` runs twice: as it is, and (marked `shared`) with every request and answer held against the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from real.registry.distribution import Distribution
from real.registry.harbor.api import Api
from real.registry.harbor.registry import HarborRegistry
from real.registry.image import Image
from real.registry.patience import Patience
from real.registry.secrets import Credentials, Secret
from real.registry.wire import Wire
from tests.real.registry import document
from tests.real.registry.memory import Handler, MemoryRegistry
from tests.real.registry.standin import HarborStandIn
from tests.real.registry.standin_state import ADMIN, ADMIN_PASSWORD, URL

IMAGE = Image(b'{"architecture": "amd64", "os": "linux"}', (b"layer one", b"\x1f\x8b layer two"))
NEXT = Image(b'{"architecture": "amd64", "os": "linux", "config": {}}', (b"layer one", b"layer three"))


@dataclass
class Still:
    """A clock that moves only when somebody sleeps; `slept` is every sleep."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Still:
    return Still()


def wire(handler: Handler, clock: Still, url: str = URL) -> Wire:
    return Wire(url, patience=Patience(clock=clock, uniform=lambda: 0.5), transport=httpx.MockTransport(handler))


@pytest.fixture
def memory() -> MemoryRegistry:
    return MemoryRegistry()


@dataclass
class Harbor:
    """The stand-in with everything that speaks to it. `before` may answer in its place, `seen` are the requests."""

    world: HarborStandIn
    memory: MemoryRegistry
    clock: Still
    checked: bool
    before: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
    seen: list[str] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.raw_path.decode()}")
        response = self.before(request) or self.world(request)
        if self.checked:
            request.read()
            response.read()
            document.check(request, response)
        return response

    def wire(self) -> Wire:
        return wire(self.answer, self.clock)

    def api(self, user: str = ADMIN, password: str = ADMIN_PASSWORD) -> Api:
        return Api(self.wire(), Credentials(user, Secret(password)))

    def distribution(self, user: str = ADMIN, password: str = ADMIN_PASSWORD) -> Distribution:
        return Distribution(self.wire(), Credentials(user, Secret(password)))

    def registry(self, user: str = ADMIN, password: str = ADMIN_PASSWORD) -> HarborRegistry:
        api = self.api(user, password)
        distribution = Distribution(api.wire, api.credentials)
        return HarborRegistry(api, distribution, today=lambda: self.world.now.timestamp(), scan_s=60.0)


@pytest.fixture(params=[pytest.param(False, id="alone"), pytest.param(True, id="checked", marks=pytest.mark.shared)])
def harbor(request: pytest.FixtureRequest, memory: MemoryRegistry, clock: Still) -> Harbor:
    return Harbor(HarborStandIn(memory), memory, clock, request.param)
