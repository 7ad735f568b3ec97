"""Rules that are objects of the cluster, on a real API server: it keeps what was said, and gives up what is said no more."""

from __future__ import annotations

import pytest

from real.cluster.adapter import Kubernetes
from real.lab.raising import put, until
from real.lab.stage import prepared
from real.ports.errors import Conflict, Gone
from real.ports.things import ROUTES, Put, Routes, Stamp
from real.routers.base import Place
from real.routers.choice import chosen
from real.sample.objects import Sample
from sim.policy.canary import Canary
from tests.real_cluster.rig import Cluster

pytestmark = pytest.mark.cluster

# Istio's own is 10,000 lines; for keeping and giving back objects this much of it will do.
_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_VERSION = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _ANY}}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "virtualservices.networking.istio.io"},
    "spec": {
        "group": "networking.istio.io", "scope": "Namespaced", "versions": [_VERSION],
        "names": {"plural": "virtualservices", "singular": "virtualservice", "kind": "VirtualService", "listKind": "VirtualServiceList"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ["ingress-nginx", "istio"])
def test_a_rule_is_kept_and_given_up(kind_cluster: Cluster, name: str) -> None:
    place, router = Place(f"rules-{name}", "web"), chosen(name, Canary(), kind_cluster.images.of)
    if name == "istio":
        everything = kind_cluster.ground.builds()
        put(everything, CRD)
        until(lambda: _unknown(kind_cluster), 30.0, "VirtualService is not known")
        everything.close()
    prepared(kind_cluster.ground, place, kind_cluster.good, 1, router, Sample())
    api = kind_cluster.ground.writes(place.namespace)
    kube = Kubernetes(api, place, router)
    neutral = api.get(*router.key(place), place.namespace)
    assert neutral is not None

    for routes in (
        Routes(((1, 80.0), (2, 20.0))),
        Routes(((1, 100.0), (2, 0.0)), (("beta", 2),)),
        Routes(((1, 50.0), (2, 50.0))),
    ):
        live = kube.read(ROUTES, 10)
        kube.write(Put(ROUTES, routes), Stamp("by-hand", 1, live.version, Put(ROUTES, None)), 10)
        assert kube.read(ROUTES, 10).value == routes
        assert dict(kube.look(10).shares) == pytest.approx(
            {revision: weight / 100 for revision, weight in routes.weights}
        )
        with pytest.raises(Conflict):
            kube.write(Put(ROUTES, None), Stamp("by-hand", 1, live.version), 10)

    kube.write(Put(ROUTES, None), Stamp("by-hand", 1, kube.read(ROUTES, 10).version), 10)
    assert kube.read(ROUTES, 10).value is None
    left = api.get(*router.key(place), place.namespace)
    assert left is not None
    assert left["spec"] == neutral["spec"]
    assert [one["metadata"]["name"] for one in api.list("v1/Service", place.namespace)] == ["web", "web-preview"]
    api.close()
    kind_cluster.drop(place.namespace)


def _unknown(cluster: Cluster) -> str:
    reads = cluster.ground.reads()
    try:
        reads.list("networking.istio.io/v1/VirtualService", "default")
    except Gone:
        return "not yet"
    finally:
        reads.close()
    return ""
