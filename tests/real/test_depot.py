"""Which registry is meant by what was written, and by which address it is reached."""

from __future__ import annotations

import base64
import json

import pytest

from real.lab.depot import place, secret
from real.registry.secrets import Credentials, Secret
from real.routers.base import Place
from real.sample.objects import Sample, deployment


@pytest.mark.parametrize(
    "written, address, host, project",
    [
        ("harbor.example.org/shop", "https://harbor.example.org", "harbor.example.org", "shop"),
        ("harbor.example.org:8443/shop", "https://harbor.example.org:8443", "harbor.example.org:8443", "shop"),
        ("https://harbor.example.org/shop/team", "https://harbor.example.org", "harbor.example.org", "shop/team"),
        ("http://registry:5000/shop", "http://registry:5000", "registry:5000", "shop"),
        ("127.0.0.1:5001/shop", "http://127.0.0.1:5001", "127.0.0.1:5001", "shop"),
        ("localhost:5001", "http://localhost:5001", "localhost:5001", ""),
    ],
)
def test_a_registry_as_it_is_written(written: str, address: str, host: str, project: str) -> None:
    assert place(written) == (address, host, project)


KNOWN = Credentials("robot$shop+ci", Secret("open-sesame"))


def test_nodes_pull_with_the_account_of_the_registry_that_was_named() -> None:
    body = secret("harbor.example.org/shop", Place("trial", "web"), KNOWN)
    assert body is not None
    told = json.loads(base64.b64decode(body["data"][".dockerconfigjson"]))
    assert told == {"auths": {"harbor.example.org": {"auth": base64.b64encode(b"robot$shop+ci:open-sesame").decode()}}}
    spec = deployment("trial", "web", "i", 1, Sample(), body["metadata"]["name"])["spec"]["template"]["spec"]
    assert spec["imagePullSecrets"] == [{"name": "web-registry"}]


@pytest.mark.parametrize("registry, known", [("", KNOWN), ("harbor.example.org/shop", None)])
def test_where_nothing_is_asked_nothing_is_told(registry: str, known: Credentials | None) -> None:
    assert secret(registry, Place("trial", "web"), known) is None
    assert "imagePullSecrets" not in deployment("trial", "web", "i", 1, Sample())["spec"]["template"]["spec"]
