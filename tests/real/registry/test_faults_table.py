"""Every row of the table of Harbor's errors (faults.md section 5.3): a named error or a bounded retry, and nothing sleeps.

Rows 33 to 35 (certificates) are in `test_tls.py`, since they need a server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from real.registry.connect import over, ready
from real.registry.distribution import Distribution
from real.registry.errors import (
    ArtifactMissing,
    AuthExpired,
    AuthRejected,
    BadResponse,
    Conflict,
    DigestMismatch,
    Forbidden,
    ImmutableTag,
    InsecureRedirect,
    PlatformMissing,
    ProjectMissing,
    QuotaExceeded,
    RateLimited,
    ReadOnly,
    RegistryError,
    ScanBlocked,
    ScanTimeout,
    ServerError,
    Timeout,
    TooLarge,
    Unavailable,
    UpstreamLimited,
)
from real.registry.harbor import artifacts, projects, system
from real.registry.image import chosen, complete, push
from real.registry.port import Finding, Planned, refused
from real.registry.reference import Pinned, digest
from tests.real.registry.conftest import IMAGE, NEXT, Harbor, Still, wire
from tests.real.registry.memory import MemoryRegistry, failure, sha256

ROWS: dict[int, tuple[str, Callable[[Harbor], None]]] = {}
REPOSITORY = "shop/web"


def row(number: int, condition: str) -> Callable[[Callable[[Harbor], None]], Callable[[Harbor], None]]:
    def add(test: Callable[[Harbor], None]) -> Callable[[Harbor], None]:
        assert number not in ROWS
        ROWS[number] = condition, test
        return test

    return add


@pytest.mark.parametrize("number", sorted({*range(1, 43)} - {33, 34, 35}))
def test_row(number: int, harbor: Harbor) -> None:
    projects.create(harbor.api(), "shop")
    harbor.seen.clear()
    harbor.clock.slept.clear()
    condition, test = ROWS[number]
    test(harbor)
    assert sum(harbor.clock.slept) <= 2000, condition


def stored(harbor: Harbor, tag: str = "1.0") -> str:
    name = push(harbor.distribution(), REPOSITORY, IMAGE, tag)
    harbor.seen.clear()
    return name


def preflight(harbor: Harbor, name: str, user: str = "admin", **planned: object) -> dict[str, Finding]:
    registry = harbor.registry() if user == "admin" else harbor.registry(user, harbor.world.robots[0]["secret"])
    found = registry.preflight(Pinned("", REPOSITORY, name), Planned(**planned))  # type: ignore[arg-type]
    return {one.check: one for one in found}


def answering(harbor: Harbor, *responses: httpx.Response, only: str = "") -> None:
    """These answers come first, in turn, to requests whose line holds `only`; after them the stand-in's own."""
    waiting = list(responses)

    def before(request: httpx.Request) -> httpx.Response | None:
        line = f"{request.method} {request.url.path}"
        return waiting.pop(0) if waiting and only in line else None

    harbor.before = before


def always(harbor: Harbor, make: Callable[[], httpx.Response], only: str = "") -> None:
    harbor.before = lambda request: make() if only in f"{request.method} {request.url.path}" else None


def page(status: int, **headers: str) -> httpx.Response:
    """An answer of the proxy in front."""
    return httpx.Response(status, headers={"content-type": "text/html", **headers}, content=b"<h1>no</h1>")


@row(1, "401 with Bearer challenge: one token, one retry")
def _(harbor: Harbor) -> None:
    stored(harbor)
    harbor.distribution().resolve(REPOSITORY, "1.0")
    assert [line.partition("?")[0] for line in harbor.seen] == [
        "HEAD /v2/shop/web/manifests/1.0", "GET /service/token", "HEAD /v2/shop/web/manifests/1.0",
    ]  # fmt: skip


@row(2, "401 after a fresh token: no retry")
def _(harbor: Harbor) -> None:
    stored(harbor)
    with pytest.raises(AuthRejected, match="check user, secret"):
        harbor.distribution("admin", "wrong").resolve(REPOSITORY, "1.0")
    assert len(harbor.seen) == 3 and harbor.clock.slept == []


def hired(harbor: Harbor, days: int = -1) -> str:
    robot = projects.hire(harbor.api(), "shop", "ci", days=days)
    assert robot.secret is not None
    return robot.name


@row(3, "robot expired before the start: preflight refuses")
def _(harbor: Harbor) -> None:
    name, user = stored(harbor), hired(harbor, days=1)
    harbor.world.robots[0]["expires_at"] = int(harbor.world.now.timestamp()) - 1
    found = preflight(harbor, name, user, tag="2.0")
    assert found["rollback image"].says == found["push"].says == "refuse"
    assert "AuthRejected" in found["push"].text


@row(4, "robot expires in mid-run")
def _(harbor: Harbor) -> None:
    user = hired(harbor)
    registry = harbor.distribution(user, harbor.world.robots[0]["secret"])
    push(registry, REPOSITORY, IMAGE, "1.0")
    harbor.world.robots[0]["expires_at"] = int(harbor.world.now.timestamp()) - 1
    harbor.clock.at += 1800  # the tokens it holds have ended too
    with pytest.raises(AuthExpired, match="renew the robot"):
        registry.resolve(REPOSITORY, "1.0")


@row(5, "403 no permission: names the action")
def _(harbor: Harbor) -> None:
    name, user = stored(harbor), hired(harbor)
    with pytest.raises(Forbidden, match=r"DELETE .*/repositories/web/artifacts/sha256:"):
        artifacts.delete(harbor.api(user, harbor.world.robots[0]["secret"]), "shop", "web", name)


@row(6, "403 quota on push")
def _(harbor: Harbor) -> None:
    shop = projects.project(harbor.api(), "shop")
    projects.limit(harbor.api(), projects.quota(harbor.api(), shop), 10)
    with pytest.raises(QuotaExceeded, match="raise the project's quota"):
        push(harbor.distribution(), REPOSITORY, IMAGE, "1.0")
    assert harbor.clock.slept == []


@row(7, "403 read-only mode: bounded retry")
def _(harbor: Harbor) -> None:
    harbor.world.read_only = True
    with pytest.raises(ReadOnly):
        push(harbor.distribution(), REPOSITORY, IMAGE, "1.0")
    assert len(harbor.clock.slept) == 4


@row(8, "404 project: never created on the way")
def _(harbor: Harbor) -> None:
    with pytest.raises(ProjectMissing, match="never creates it by itself"):
        push(harbor.distribution(), "nowhere/web", IMAGE, "1.0")
    with pytest.raises(ProjectMissing):
        projects.project(harbor.api(), "nowhere")
    assert not any(line.startswith("POST /api") for line in harbor.seen)


@row(9, "404 repository or tag")
def _(harbor: Harbor) -> None:
    stored(harbor)
    with pytest.raises(ArtifactMissing):
        harbor.distribution().resolve(REPOSITORY, "none")
    with pytest.raises(ArtifactMissing, match="repository shop/none"):
        artifacts.artifact(harbor.api(), "shop", "none", "1.0")


@row(10, "404 rollback digest: preflight refuses")
def _(harbor: Harbor) -> None:
    stored(harbor)
    found = preflight(harbor, digest(b"another"))
    assert found["rollback image"].says == "refuse" and "ArtifactMissing" in found["rollback image"].text


@row(11, "404 during garbage collection: re-checked once")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    lost = digest(IMAGE.layers[0])
    del harbor.memory.blobs[REPOSITORY, lost]
    with pytest.raises(ArtifactMissing, match=lost):
        complete(harbor.distribution(), REPOSITORY, name, "linux/amd64")
    assert sum(f"HEAD /v2/shop/web/blobs/{lost}" in line for line in harbor.seen) == 2


@row(12, "409 on create: read back, equal is success")
def _(harbor: Harbor) -> None:
    assert projects.create(harbor.api(), "shop").name == "shop"
    with pytest.raises(Conflict):
        projects.create(harbor.api(), "shop", public=True)
    name = stored(harbor)
    artifacts.tag(harbor.api(), "shop", "web", name, "stable")
    artifacts.tag(harbor.api(), "shop", "web", name, "stable")
    other = push(harbor.distribution(), REPOSITORY, NEXT, "2.0")
    with pytest.raises(Conflict):
        artifacts.tag(harbor.api(), "shop", "web", other, "stable")


@row(13, "412 immutable tag on push: same digest is success")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    projects.freeze(harbor.api(), "shop", "1.*")
    projects.freeze(harbor.api(), "shop", "1.*")  # a rule that is there already
    assert push(harbor.distribution(), REPOSITORY, IMAGE, "1.0") == name
    with pytest.raises(ImmutableTag, match="push under a new tag"):
        push(harbor.distribution(), REPOSITORY, NEXT, "1.0")


@row(14, "412 scan gate, no report: scan, wait, go on")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    harbor.world.scanner = True
    projects.gate(harbor.api(), "shop", on=True)
    found = preflight(harbor, name)
    assert found["scan"].says == found["rollback image"].says == found["scan gate"].says == "ok"
    assert any(line.startswith("POST") and line.endswith("/scan") for line in harbor.seen)


@row(15, "412 severity at or above the limit: no retry")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    harbor.world.scanner = True
    harbor.world.artifacts[0]["scan"] = {"after": 0, "severity": "Critical", "total": 3}
    projects.gate(harbor.api(), "shop", on=True, severity="high")
    with pytest.raises(ScanBlocked, match="3 vulnerabilities"):
        harbor.distribution().manifest(REPOSITORY, name)
    found = preflight(harbor, name)
    assert found["scan gate"].says == found["rollback image"].says == "refuse"
    assert harbor.clock.slept == []


@row(16, "scan pending for ever")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    harbor.world.scanner = True
    harbor.world.artifacts[0]["scan"] = {"after": 10_000, "severity": "Low", "total": 0}
    with pytest.raises(ScanTimeout, match="1800 s"):
        artifacts.scanned(harbor.api(), "shop", "web", name)
    assert sum(harbor.clock.slept) == 1800


@row(17, "scanner absent: what cannot be scanned passes, and is told")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    projects.gate(harbor.api(), "shop", on=True)
    found = preflight(harbor, name)
    assert found["rollback image"].says == "ok" and found["scan gate"].says == "note"
    assert refused(tuple(found.values())) == ()


@row(18, "413")
def _(harbor: Harbor) -> None:
    harbor.before = lambda request: page(413) if request.method == "PUT" else None
    with pytest.raises(TooLarge, match="body limit"):
        push(harbor.distribution(), REPOSITORY, IMAGE, "1.0")


@row(19, "429 with Retry-After: waited for, bounded")
def _(harbor: Harbor) -> None:
    answering(harbor, page(429, **{"retry-after": "7"}))
    system.health(harbor.api())
    assert harbor.clock.slept == [7.0]
    always(harbor, lambda: page(429, **{"retry-after": "50"}))
    with pytest.raises(RateLimited):
        system.health(harbor.api())
    assert harbor.clock.slept == [7.0, 50.0]  # a second 50 s would pass the 60 s


@row(20, "429 without: exponential, bounded")
def _(harbor: Harbor) -> None:
    always(harbor, lambda: page(429))
    with pytest.raises(RateLimited) as raised:
        system.health(harbor.api())
    assert harbor.clock.slept == [0.25, 0.5, 1.0, 2.0]
    assert raised.value.__notes__ == ["tried 5 times in 3.8 s"]


@row(21, "proxy project, upstream limited, copy present: served, noted")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    harbor.world.find("shop")["registry_id"] = 1
    found = preflight(harbor, name)
    assert found["proxy cache"].says == "note" and found["rollback image"].says == "ok"


@row(22, "proxy project, upstream limited, no copy")
def _(harbor: Harbor) -> None:
    always(harbor, lambda: failure(429, "TOOMANYREQUEST", "too many requests to the upstream"), only="manifests")
    with pytest.raises(UpstreamLimited, match="push the image into an own project"):
        harbor.distribution().manifest(REPOSITORY, "1.0")


@row(23, "500 once: retried")
def _(harbor: Harbor) -> None:
    answering(harbor, failure(500, "UNKNOWN", "internal server error"))
    assert system.health(harbor.api()).sick == ()


@row(24, "500 always")
def _(harbor: Harbor) -> None:
    always(harbor, lambda: failure(500, "UNKNOWN", "internal server error"))
    with pytest.raises(ServerError):
        system.health(harbor.api())
    assert len(harbor.seen) == 5


@row(25, "502, 503, 504")
def _(harbor: Harbor) -> None:
    for status in (502, 503, 504):
        harbor.seen.clear()
        always(harbor, lambda status=status: page(status))  # type: ignore[misc]
        with pytest.raises(Unavailable):
            system.health(harbor.api())
        assert len(harbor.seen) == 5


@row(26, "connection refused at the start: waited for up to a limit")
def _(harbor: Harbor) -> None:
    tries = iter(range(100))

    def starting(request: httpx.Request) -> httpx.Response:
        if next(tries) < 7:
            raise httpx.ConnectError("connection refused")
        return harbor.answer(request)

    assert ready(wire(starting, harbor.clock))

    def never(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    began = harbor.clock.at
    with pytest.raises(Unavailable, match="connection refused"):
        over(wire(never, harbor.clock))
    assert 55 <= harbor.clock.at - began <= 75


@dataclass
class Broken:
    """A registry whose connection breaks at the given PATCH, after part of it has arrived; `forget`: the upload is lost."""

    memory: MemoryRegistry
    at: int
    forget: bool = False
    patches: int = 0
    starts: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.starts.append(request.url.path)
        if request.method == "PATCH":
            self.patches += 1
            if self.patches == self.at:
                request.read()
                part = httpx.Request("PATCH", request.url, content=request.content[:3])
                self.memory(part)
                if self.forget:
                    self.memory.uploads.clear()
                raise httpx.WriteError("connection reset")
        return self.memory(request)


def broken(harbor: Harbor, at: int, forget: bool = False) -> Broken:
    return Broken(harbor.memory, at, forget)


CONTENT = bytes(range(256))


@row(27, "reset in mid-upload: goes on where the registry stands")
def _(harbor: Harbor) -> None:
    server = broken(harbor, at=3)
    name = Distribution(wire(server, harbor.clock)).upload(REPOSITORY, CONTENT, chunk=50)
    assert harbor.memory.blobs[REPOSITORY, name] == CONTENT
    assert len(server.starts) == 1
    assert server.patches == 3 + 4  # 100 bytes, three of the third chunk, and four more for the rest


@row(28, "half an upload, then 404: the blob begins again")
def _(harbor: Harbor) -> None:
    server = broken(harbor, at=3, forget=True)
    name = Distribution(wire(server, harbor.clock)).upload(REPOSITORY, CONTENT, chunk=50)
    assert harbor.memory.blobs[REPOSITORY, name] == CONTENT
    assert len(server.starts) == 2


def altered(harbor: Harbor, change: Callable[[httpx.Request, httpx.Response], httpx.Response]) -> Distribution:
    return Distribution(wire(lambda request: change(request, harbor.memory(request)), harbor.clock))


@row(29, "digest mismatch after push: nothing is named")
def _(harbor: Harbor) -> None:
    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "PUT" and "/manifests/" in request.url.path:
            response.headers["docker-content-digest"] = sha256(b"something else")
        return response

    with pytest.raises(DigestMismatch, match="do not use this image"):
        push(altered(harbor, change), REPOSITORY, IMAGE, "1.0")

    def refuse(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        wrong = failure(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        return wrong if request.method == "PUT" else response

    with pytest.raises(DigestMismatch):
        push(altered(harbor, refuse), REPOSITORY, NEXT, "1.0")


@row(30, "digest mismatch on pull")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    layer = digest(IMAGE.layers[0])
    harbor.memory.blobs[REPOSITORY, layer] = b"other bytes"
    kind, body = harbor.memory.manifests[REPOSITORY, name]
    harbor.memory.manifests[REPOSITORY, name] = kind, body + b" "
    with pytest.raises(DigestMismatch):
        harbor.distribution().blob(REPOSITORY, layer)
    with pytest.raises(DigestMismatch):
        harbor.distribution().manifest(REPOSITORY, name)


@row(31, "tag moved between resolve and deploy: no effect")
def _(harbor: Harbor) -> None:
    registry = harbor.registry()
    before = registry.push(REPOSITORY, IMAGE, "latest")
    after = registry.push(REPOSITORY, NEXT, "latest")
    assert registry.resolve(REPOSITORY, "latest") == after != before
    assert registry.still(before).says == "ok"
    assert str(before).endswith(before.digest) and "latest" not in str(before)


@row(32, "index without our platform")
def _(harbor: Harbor) -> None:
    below = push(Distribution(wire(harbor.memory, harbor.clock)), REPOSITORY, IMAGE, "1.0")
    entry = {"digest": below, "size": 1, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}
    kind = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}).encode()
    registry = Distribution(wire(harbor.memory, harbor.clock))
    name = registry.store(REPOSITORY, "many", index, kind)
    assert chosen(registry, REPOSITORY, name, "linux/arm64/v8").digest == below
    with pytest.raises(PlatformMissing, match="has linux/arm64/v8, not linux/amd64"):
        chosen(registry, REPOSITORY, name, "linux/amd64")


@row(36, "redirect from https to http")
def _(harbor: Harbor) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"location": "http://registry.test/elsewhere"})

    with pytest.raises(InsecureRedirect):
        Distribution(wire(away, harbor.clock, "https://registry.test")).ping()


@row(37, "redirect to another host: followed without credentials")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    layer, told = digest(IMAGE.layers[0]), []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.test":
            told.append(request.headers.get("authorization"))
            return httpx.Response(200, content=harbor.memory.blobs[REPOSITORY, layer])
        response = harbor.world(request)
        if "/blobs/" in request.url.path and response.status_code == 200:
            return httpx.Response(307, headers={"location": "http://storage.test/layer?signature=1"})
        return response

    registry = harbor.distribution()
    registry.wire = registry.tokens.wire = wire(handler, harbor.clock)
    assert registry.blob(REPOSITORY, layer) == IMAGE.layers[0]
    assert told == [None] and name


@row(38, "slow body: total deadline")
def _(harbor: Harbor) -> None:
    def drops() -> Iterator[bytes]:
        for _ in range(1000):
            harbor.clock.at += 1.0
            yield b" "

    drip = wire(lambda request: httpx.Response(200, content=drops()), harbor.clock)
    began = harbor.clock.at
    with pytest.raises(Timeout, match="within 60 s"):
        drip.ask("GET", "/v2/")
    assert harbor.clock.at - began <= 130  # two tries at most fit the bound


@row(39, "truncated or no JSON: a read is tried once more, a write never")
def _(harbor: Harbor) -> None:
    for bad in (
        lambda: httpx.Response(200, headers={"content-length": "100"}, stream=httpx.ByteStream(b'{"status":')),
        lambda: httpx.Response(200, content=b"<html>welcome</html>"),
    ):
        harbor.seen.clear()
        turns = iter((bad(),))
        twice = wire(lambda request, turns=turns: next(turns, None) or harbor.answer(request), harbor.clock)  # type: ignore[misc]
        assert twice.ask("GET", "/api/v2.0/health", parsed=True).document()["status"] == "healthy"
        server = wire(lambda request, bad=bad: bad(), harbor.clock)  # type: ignore[misc]
        with pytest.raises(BadResponse):
            server.ask("GET", "/api/v2.0/health", parsed=True)
    sent: list[str] = []

    def cut(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(201, headers={"content-length": "100"}, stream=httpx.ByteStream(b"x"))

    with pytest.raises(BadResponse):
        wire(cut, harbor.clock).ask("POST", "/api/v2.0/projects", document={})
    assert sent == ["POST"]


@row(40, "pagination loop")
def _(harbor: Harbor) -> None:
    link = {"link": '</api/v2.0/projects?page=1&page_size=100>; rel="next"'}
    harbor.checked = False  # a thousand pages need not all be held against the document
    always(harbor, lambda: httpx.Response(200, headers=link, json=[]), only="GET /api/v2.0/projects")
    with pytest.raises(BadResponse, match="more than 1000 pages"):
        list(projects.projects(harbor.api()))


@row(41, "retention deletes the rollback image: refused before, an alarm during")
def _(harbor: Harbor) -> None:
    name = stored(harbor)
    api = harbor.api()
    projects.retain(api, projects.project(api, "shop"), [("latestPushedK", 1)])
    assert preflight(harbor, name)["retention"].says == "ok"
    push(harbor.distribution(), REPOSITORY, NEXT, "2.0")
    found = preflight(harbor, name)["retention"]
    assert found.says == "refuse" and name in found.text
    projects.freeze(api, "shop", "1.*")
    assert preflight(harbor, name)["retention"].says == "ok"
    del harbor.world.rules[harbor.world.find("shop")["project_id"]]
    artifacts.delete(api, "shop", "web", name)
    assert harbor.registry().still(Pinned("", REPOSITORY, name)).says == "refuse"


@row(42, "replication lag: waited for, bounded")
def _(harbor: Harbor) -> None:
    name = push(Distribution(wire(harbor.memory, harbor.clock)), REPOSITORY, IMAGE, "1.0")
    began = harbor.clock.at

    def late(request: httpx.Request) -> httpx.Response:
        there = harbor.clock.at - began >= 20
        return harbor.memory(request) if there else failure(404, "MANIFEST_UNKNOWN", "manifest unknown")

    mirror = over(wire(late, harbor.clock))
    mirror.await_(Pinned("", REPOSITORY, name), 60)
    assert 20 <= harbor.clock.at - began <= 24
    with pytest.raises(ArtifactMissing):
        mirror.await_(Pinned("", REPOSITORY, digest(b"never")), 60)


def test_every_row_is_there() -> None:
    assert sorted(ROWS) == sorted({*range(1, 43)} - {33, 34, 35})


def test_every_error_says_what_to_do(clock: Still) -> None:
    leaves, found = [RegistryError], []
    while leaves:
        one = leaves.pop()
        found.append(one)
        leaves += one.__subclasses__()
    assert len(found) > 20
    assert all(str(one("it failed")) == f"it failed; {one.remedy}" and one.remedy for one in found)
