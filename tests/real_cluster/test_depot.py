"""Images of the local engine in a registry that was named, and the preflight of the one beside the cluster."""

from __future__ import annotations

import pytest

from real.lab.depot import checked, looked, pushed
from real.lab.stage import prepared
from real.registry.port import refused
from real.registry.reference import Pinned, digest, pinned
from real.routers.base import Place
from real.routers.choice import chosen
from real.sample import image
from sim.policy.canary import Canary
from sim.policy.steps import Pause
from tests.real_cluster.rig import Cluster

pytestmark = pytest.mark.cluster


def test_an_image_is_pushed_by_our_own_client_and_named_by_digest(kind_cluster: Cluster) -> None:
    registry = kind_cluster.ground.registry
    assert registry is not None
    tag = image.build("depot", kind_cluster.images.of("python"), [])
    named = pinned(pushed(f"127.0.0.1:{registry.port}/shop", tag, "sample"))
    assert (named.host, named.repository) == (f"127.0.0.1:{registry.port}", "shop/sample")
    assert refused(looked(kind_cluster.ground, Pinned(registry.host, named.repository, named.digest), "", 60.0)) == ()


def test_the_image_that_serves_can_be_pulled_again(kind_cluster: Cluster) -> None:
    where = Place("depot", "web")
    router = chosen("service", Canary(steps=(Pause(1.0),)), kind_cluster.images.of)
    prepared(kind_cluster.ground, where, kind_cluster.good, 1, router)
    found = checked(kind_cluster.ground, where, "", 60.0)
    assert [one.says for one in found] == ["ok"]


def test_one_that_is_gone_refuses_the_rollout(kind_cluster: Cluster) -> None:
    registry = kind_cluster.ground.registry
    assert registry is not None
    gone = Pinned(registry.host, "seatrial/sample", digest(b"collected"))
    (finding,) = looked(kind_cluster.ground, gone, "", 60.0)
    assert finding.says == "refuse" and "ArtifactMissing" in finding.text and "push the image again" in finding.remedy


def test_an_image_of_an_unnamed_registry_is_noted(kind_cluster: Cluster) -> None:
    (finding,) = looked(kind_cluster.ground, Pinned("elsewhere.example.org", "web", digest(b"")), "", 60.0)
    assert finding.says == "note" and "--registry" in finding.remedy
