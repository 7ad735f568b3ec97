"""The clients against registry and stand-in: what goes well, and the quirks that a real Harbor was recorded to have."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import httpx
import pytest

from real.registry.connect import over
from real.registry.distribution import Distribution
from real.registry.errors import AuthRejected, BadResponse, InsecureRedirect, RegistryError, TagRefused
from real.registry.harbor import artifacts, projects, system
from real.registry.harbor.registry import HarborRegistry
from real.registry.image import Image, archive, push
from real.registry.plain import PlainRegistry
from real.registry.port import Planned, refused
from real.registry.reference import Pinned, digest, pinned
from real.registry.secrets import Credentials, Secret
from real.registry.tokens import Challenge, challenge
from tests.real.registry.conftest import IMAGE, NEXT, Harbor, Still, wire
from tests.real.registry.memory import MemoryRegistry


def test_harbor_is_told_from_a_plain_registry(harbor: Harbor, memory: MemoryRegistry, clock: Still) -> None:
    assert isinstance(over(harbor.wire()), HarborRegistry)
    assert isinstance(over(wire(memory, clock)), PlainRegistry)


@pytest.mark.parametrize("which", ["harbor", "plain"])
def test_one_port_for_both(which: str, harbor: Harbor, memory: MemoryRegistry, clock: Still) -> None:
    projects.create(harbor.api(), "shop")
    credentials = Credentials("admin", Secret(harbor.world.users["admin"]))
    server = over(harbor.wire(), credentials, "registry:5000") if which == "harbor" else over(
        wire(memory, clock), None, "registry:5000"
    )  # fmt: skip
    image = server.push("shop/web", IMAGE, "1.0")
    assert str(image) == f"registry:5000/shop/web@{digest(IMAGE.manifest())}"
    assert server.resolve("shop/web", "1.0") == image == pinned(str(image))
    assert refused(server.preflight(image, Planned(tag="2.0", bytes=1000))) == ()
    assert server.still(image).says == "ok"


@pytest.mark.parametrize("chunk", [3, 64, 1 << 20])
def test_a_blob_goes_whole_or_in_chunks_and_only_once(memory: MemoryRegistry, clock: Still, chunk: int) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return memory(request)

    registry, content = Distribution(wire(handler, clock)), b"0123456789" * 10
    name = registry.upload("shop/web", content, chunk)
    assert registry.blob("shop/web", name) == content
    assert asked.count("PATCH") == (0 if chunk >= 100 else -(-100 // chunk))
    asked.clear()
    assert registry.upload("shop/web", content, chunk) == name and asked == ["HEAD"]
    assert memory.uploads == {}


def test_tags_come_page_by_page(memory: MemoryRegistry, clock: Still) -> None:
    registry = Distribution(wire(memory, clock))
    for number in range(7):
        push(registry, "shop/web", IMAGE, f"1.{number}")
    memory.page = 3
    assert registry.tags("shop/web") == tuple(f"1.{number}" for number in range(7))


def test_lists_of_harbor_come_page_by_page(harbor: Harbor) -> None:
    for number in range(120):
        projects.create(harbor.api(), f"p{number:03}")
    harbor.seen.clear()
    assert len(list(projects.projects(harbor.api()))) == 121
    assert len(harbor.seen) == 2


def test_no_session_cookie_is_kept(harbor: Harbor) -> None:
    """With one, Harbor asks every write for a CSRF token (403, recorded)."""
    api = harbor.api()
    system.health(api)
    projects.create(api, "shop")  # by the same connection, after a Set-Cookie
    assert projects.project(api, "shop").gate is False


def test_wrong_credentials_are_found_by_a_request_that_must_fail_without_them(harbor: Harbor) -> None:
    api = harbor.api("admin", "wrong")
    assert [one.name for one in projects.projects(api)] == ["library"]  # 200, with what is public
    with pytest.raises(AuthRejected):
        system.whoami(api)
    assert system.whoami(harbor.api()) == "admin"


def test_a_nested_repository_is_encoded_twice(harbor: Harbor) -> None:
    projects.create(harbor.api(), "shop")
    name = push(harbor.distribution(), "shop/team/web", IMAGE, "1.0")
    found = artifacts.artifact(harbor.api(), "shop", "team/web", name)
    assert (found.digest, [tag.name for tag in found.tags]) == (name, ["1.0"])
    assert any("/repositories/team%252Fweb/" in line for line in harbor.seen)


def test_an_artifact_and_its_tags_from_push_to_deletion(harbor: Harbor) -> None:
    api = harbor.api()
    projects.create(api, "shop")
    name = push(harbor.distribution(), "shop/web", IMAGE, "1.0")
    other = push(harbor.distribution(), "shop/web", NEXT, "2.0")
    assert [one.digest for one in artifacts.artifacts(api, "shop", "web")] == [other, name]
    assert [(one.name, one.artifacts) for one in artifacts.repositories(api, "shop")] == [("shop/web", 2)]
    artifacts.tag(api, "shop", "web", name, "stable")
    assert {tag.name for tag in artifacts.tags(api, "shop", "web", name)} == {"1.0", "stable"}
    artifacts.untag(api, "shop", "web", name, "stable")
    artifacts.untag(api, "shop", "web", name, "stable")  # again: the same state
    artifacts.delete(api, "shop", "web", name)
    artifacts.delete(api, "shop", "web", name)
    assert [one.digest for one in artifacts.artifacts(api, "shop", "web")] == [other]


def test_jobs_are_started_and_waited_for(harbor: Harbor) -> None:
    api = harbor.api()
    job = system.collect(api, delete_untagged=True, dry_run=True)
    assert system.ended(api, system.collection, job, 60).status == "Success"
    assert [one.id for one in system.collections(api)] == [job]
    assert list(system.replications(api)) == []
    copy = system.replicate(api, 1)
    assert system.ended(api, system.replication, copy, 60).status == "Succeed"
    projects.create(api, "shop")
    policy = projects.retain(api, projects.project(api, "shop"), [("latestPushedK", 2)])
    assert projects.retain(api, projects.project(api, "shop"), [("latestPushedK", 2)]) == policy
    execution = projects.rehearse(api, policy)
    assert [one.id for one in projects.rehearsals(api, policy)] == [execution]
    with pytest.raises(RegistryError, match="not done after 7 s"):
        system.ended(api, lambda api, id: next(projects.rehearsals(api, policy)), execution, 7)


def test_a_robot_is_hired_works_in_its_project_and_is_dismissed(harbor: Harbor) -> None:
    api = harbor.api()
    projects.create(api, "shop")
    robot = projects.hire(api, "shop", "ci", days=30)
    assert robot.secret is not None and "***" in repr(robot)
    registry = harbor.distribution(robot.name, robot.secret.reveal())
    push(registry, "shop/web", IMAGE, "1.0")
    with pytest.raises(AuthRejected, match="/v2/library/web/"):
        push(harbor.distribution(robot.name, robot.secret.reveal()), "library/web", IMAGE, "1.0")
    shop = projects.project(api, "shop")
    assert [(one.name, one.secret) for one in projects.robots(api, shop)] == [("robot$shop+ci", None)]
    projects.dismiss(api, robot)
    assert registry.manifest("shop/web", "1.0").digest  # its token goes on until it ends (recorded)
    with pytest.raises(AuthRejected):
        harbor.distribution(robot.name, robot.secret.reveal()).manifest("shop/web", "1.0")


@pytest.mark.parametrize(
    "header, wanted",
    [
        ('Bearer realm="http://h/t",service="s",scope="repository:a:pull,push"',
         Challenge("bearer", "http://h/t", "s", "repository:a:pull,push")),
        ('bearer realm="http://h/t"', Challenge("bearer", "http://h/t")),
        ('Basic realm="registry"', Challenge("basic")),
    ],
)  # fmt: skip
def test_challenges_are_read(header: str, wanted: Challenge) -> None:
    assert challenge(header) == wanted


@pytest.mark.parametrize("header", ["", "Negotiate", 'Bearer service="s"'])
def test_a_challenge_without_a_way_in_is_named(header: str) -> None:
    with pytest.raises(AuthRejected, match="names no way in"):
        challenge(header)


@pytest.mark.parametrize(
    "ours, realm",
    [("https://registry.test", "http://registry.test/token"), ("http://registry.test", "http://thief.test/token")],
)
def test_credentials_go_to_no_other_host_without_tls(ours: str, realm: str, clock: Still) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return httpx.Response(401, headers={"www-authenticate": f'Bearer realm="{realm}",service="s"'})

    with pytest.raises(InsecureRedirect):
        Distribution(wire(server, clock, ours), Credentials("me", Secret("pw"))).ping()


def test_a_registry_with_basic_authentication(memory: MemoryRegistry, clock: Still) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != Credentials("me", Secret("pw")).basic():
            return httpx.Response(401, headers={"www-authenticate": 'Basic realm="registry"'})
        return memory(request)

    assert push(Distribution(wire(server, clock), Credentials("me", Secret("pw"))), "shop/web", IMAGE, "1.0")
    with pytest.raises(AuthRejected, match="no credentials"):
        Distribution(wire(server, clock)).ping()


def test_an_upload_goes_on_at_our_address_whatever_the_registry_calls_itself(
    memory: MemoryRegistry, clock: Still
) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "127.0.0.1"
        response = memory(request)
        if "location" in response.headers:
            response.headers["location"] = (
                "http://inside.test" + httpx.URL(response.headers["location"]).raw_path.decode()
            )
        return response

    assert push(Distribution(wire(elsewhere, clock)), "shop/web", IMAGE, "1.0")


@pytest.mark.parametrize(
    "text, host, repository",
    [
        ("registry:5000/shop/web@" + digest(b""), "registry:5000", "shop/web"),
        ("127.0.0.1:5001/web@" + digest(b""), "127.0.0.1:5001", "web"),
        ("harbor.example.org/shop/team/web:1.0@" + digest(b""), "harbor.example.org", "shop/team/web"),
        ("localhost/web@" + digest(b""), "localhost", "web"),
        ("shop/web@" + digest(b""), "", "shop/web"),
    ],
)
def test_an_image_is_named_by_digest(text: str, host: str, repository: str) -> None:
    assert pinned(text) == Pinned(host, repository, digest(b""))


@pytest.mark.parametrize(
    "text",
    ["web", "shop/web:1.0", "registry:5000/shop/web:latest", "web@sha256:12", "web@md5:" + "0" * 64, "", "WEB@x"],
)
def test_a_tag_is_refused(text: str) -> None:
    with pytest.raises(TagRefused, match="name the image by digest"):
        pinned(text)


def test_an_image_is_read_from_an_archive_of_docker_save(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    parts = {"c.json": IMAGE.config, "a/layer.tar": IMAGE.layers[0], "b/layer.tar": IMAGE.layers[1]}
    listing = [{"Config": "c.json", "RepoTags": ["web:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]
    with tarfile.open(file, "w") as out:
        for name, content in {"manifest.json": json.dumps(listing).encode(), **parts}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    assert archive(file) == IMAGE
    kinds = [layer["mediaType"].rpartition(".")[2] for layer in json.loads(IMAGE.manifest())["layers"]]
    assert kinds == ["tar", "tar+gzip"]
    file.write_bytes(b"no tar")
    with pytest.raises(BadResponse, match=r"image\.tar: no archive of one image"):
        archive(file)


def test_an_image_knows_how_much_it_needs() -> None:
    assert Image(b"{}", (b"12345",)).size == len(Image(b"{}", (b"12345",)).manifest()) + 7
