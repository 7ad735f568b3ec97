"""Against a real registry (distribution 2.8 in a container): plain, and behind the Harbor stand-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from real.registry.connect import connect, over
from real.registry.distribution import Distribution
from real.registry.errors import ArtifactMissing, DigestMismatch
from real.registry.harbor import artifacts, projects
from real.registry.harbor.registry import HarborRegistry
from real.registry.image import push
from real.registry.patience import Patience
from real.registry.plain import PlainRegistry
from real.registry.port import Planned, Registry, refused
from real.registry.reference import digest
from real.registry.secrets import Credentials, Secret
from real.registry.wire import Wire
from tests.real.registry.conftest import IMAGE, NEXT, Harbor, Still
from tests.real.registry.memory import Handler, MemoryRegistry, sha256
from tests.real.registry.standin import HarborStandIn

pytestmark = pytest.mark.cluster

REGISTRY = "seatrial-kit/registry:2.8"
RANDOM = b"".join(sha256(str(number).encode()).encode() for number in range(30_000))  # 2.1 MB that nobody has stored


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A registry of its own on a loopback port; gone afterwards."""
    import docker

    client = docker.from_env()
    container = client.containers.run(
        REGISTRY, detach=True, auto_remove=True, ports={"5000/tcp": ("127.0.0.1", None)},
        labels={"seatrial.dev/owner": "tests"},
    )  # fmt: skip
    try:
        container.reload()
        yield f"http://127.0.0.1:{container.ports['5000/tcp'][0]['HostPort']}"
    finally:
        container.remove(force=True)
        client.close()


@pytest.fixture
def behind(address: str) -> Handler:
    """The real registry as the upstream of a stand-in."""
    Patience().until(lambda: _up(address), 30, 0.2)

    def forward(request: httpx.Request) -> httpx.Response:
        kept = ("content-type", "content-range", "accept", "range")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        path = address + request.url.raw_path.decode()
        response = httpx.request(request.method, path, headers=headers, content=request.content, trust_env=False)
        response.headers.pop("date", None)
        return response

    return forward


def _up(address: str) -> bool | None:
    try:
        return httpx.get(address + "/v2/", trust_env=False).status_code == 200 or None
    except httpx.TransportError:
        return None


def test_push_resolve_preflight_and_pull_from_a_plain_registry(address: str) -> None:
    with connect(address) as server:
        _through(server)


def _through(server: Registry) -> None:
    assert isinstance(server, PlainRegistry)
    image = server.push("shop/plain", IMAGE, "1.0")
    assert server.resolve("shop/plain", "1.0") == image and image.digest == digest(IMAGE.manifest())
    assert refused(server.preflight(image, Planned(tag="2.0"))) == ()
    assert server.distribution.blob("shop/plain", digest(IMAGE.layers[1])) == IMAGE.layers[1]
    with pytest.raises(ArtifactMissing):
        server.resolve("shop/plain", "none")


def test_a_blob_in_chunks_that_broke_off_goes_on(address: str) -> None:
    """The connection is cut in the middle of the second chunk: the registry keeps the first, and is asked where it stands."""
    patches: list[str] = []

    class Cut(httpx.BaseTransport):
        inner = httpx.HTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PATCH":
                patches.append(request.headers["content-range"])
                if len(patches) == 2:
                    raise httpx.WriteError("cut")
            return self.inner.handle_request(request)

        def close(self) -> None:
            self.inner.close()

    with Wire(address, patience=Patience(clock=Still()), transport=Cut()) as wire:
        registry = Distribution(wire)
        name = registry.upload("shop/chunks", RANDOM, chunk=1 << 20)
        assert registry.blob("shop/chunks", name) == RANDOM
    assert patches[1] == patches[2] == "1048576-2097151"


@dataclass
class Script:
    """Questions whose answers (status and error code) must be the same from memory and from the real thing."""

    server: Handler
    base: str

    def ask(self, method: str, path: str, content: bytes = b"", **headers: str) -> tuple[int, str, str]:
        url = path if path.startswith("http") else self.base + path
        response = self.server(httpx.Request(method, url, content=content, headers=headers))
        response.read()
        code = response.json()["errors"][0]["code"] if response.status_code >= 400 and response.content else ""
        self.location = response.headers.get("location", "")
        return response.status_code, code, response.headers.get("range", "")

    def play(self, name: str) -> list[tuple[int, str, str]]:
        kind = {"content-type": "application/vnd.oci.image.manifest.v1+json"}
        answers = [
            self.ask("GET", "/v2/"),
            self.ask("GET", f"/v2/{name}/tags/list"),
            self.ask("HEAD", f"/v2/{name}/blobs/{sha256(b'none')}"),
            self.ask("GET", f"/v2/{name}/manifests/none"),
            self.ask("GET", f"/v2/{name}/blobs/uploads/00000000-0000-0000-0000-000000000000"),
            self.ask("PUT", f"/v2/{name}/manifests/1.0", IMAGE.manifest(), **kind),
            self.ask("POST", f"/v2/{name}/blobs/uploads/"),
        ]
        answers.append(self.ask("PATCH", self.location, b"12345", **{"content-range": "0-4"}))
        answers.append(self.ask("GET", self.location))
        answers.append(self.ask("PATCH", self.location or "", b"12", **{"content-range": "9-10"}))
        answers.append(self.ask("POST", f"/v2/{name}/blobs/uploads/"))
        wrong = httpx.URL(self.location).copy_merge_params({"digest": sha256(b"other")})
        answers.append(self.ask("PUT", str(wrong), b"bytes"))
        return answers


def test_the_registry_in_memory_answers_as_the_real_one(behind: Handler) -> None:
    base = "http://127.0.0.1:5000"
    for own, its in zip(Script(MemoryRegistry(), base).play("a/web"), Script(behind, base).play("a/web"), strict=True):
        assert own == its


@pytest.mark.parametrize("checked", [False, pytest.param(True, marks=pytest.mark.shared)])
def test_harbor_before_the_real_registry(behind: Handler, checked: bool) -> None:
    harbor = Harbor(HarborStandIn(behind), MemoryRegistry(), Still(), checked)
    projects.create(harbor.api(), "shop")
    credentials = Credentials("admin", Secret(harbor.world.users["admin"]))
    server = over(harbor.wire(), credentials)
    assert isinstance(server, HarborRegistry)
    image = server.push("shop/web", IMAGE, "1.0")
    other = server.push("shop/web", NEXT, "2.0")
    assert refused(server.preflight(image, Planned(tag="3.0", bytes=NEXT.size))) == ()
    assert [one.digest for one in artifacts.artifacts(harbor.api(), "shop", "web")] == [other.digest, image.digest]
    with pytest.raises(DigestMismatch):
        server.distribution.store("shop/web", digest(b"another"), IMAGE.manifest(), _kind())
    assert push(server.distribution, "shop/web", IMAGE, "1.0") == image.digest


def _kind() -> str:
    return "application/vnd.oci.image.manifest.v1+json"


def test_a_registry_that_is_starting_is_waited_for(address: str) -> None:
    began = time.monotonic()
    with connect(address) as server:
        assert isinstance(server, PlainRegistry)
    assert time.monotonic() - began < 10
