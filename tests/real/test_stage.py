"""Namespaces that are ours and those that are not, and an app that is put on a cluster: once, again, and with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from real.cluster import forms, namespaces
from real.cluster.adapter import Kubernetes
from real.cluster.api import Api
from real.cluster.names import ADOPTED, APP, CLUSTER, MANAGED
from real.lab.stage import prepared, workloads
from real.ports.things import HOME, LEASE, Lease, Put, Stamp, Workload
from real.routers.base import Place
from real.routers.pods import HAProxy
from real.routers.service import Pods
from real.sample.objects import Sample
from sim.cli.exits import Usage
from sim.policy.errors import WorldError
from tests.real.apiserver import Object, Server

UID = "uid-of-this-cluster"
IMAGE = "registry:5000/sample@sha256:" + "0" * 64


class Ground:
    """A ground whose cluster is in memory; nothing leads to it from this machine."""

    ports: Mapping[int, int] = {}

    def __init__(self) -> None:
        self.server = Server(changed=self._ready)
        self.server.objects["/api/v1/namespaces/kube-system"] = namespace("kube-system", uid=UID)

    def _ready(self, path: str, before: Object | None, after: Object | None) -> None:
        if after is not None and after["kind"] == "Deployment":
            count = after["spec"]["replicas"]
            after["status"] = {"replicas": count, "updatedReplicas": count, "availableReplicas": count}

    def builds(self) -> Api:
        from real.cluster.transport import Everything

        return self.server.api(guard=Everything)

    def writes(self, *names: str) -> Api:
        return self.server.api(*names)


def namespace(name: str, uid: str = "u", **meta: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "uid": uid, "resourceVersion": "1", **meta},
    }


@pytest.fixture
def ground() -> Ground:
    return Ground()


def stage(ground: Ground, pods: int = 3, sample: Sample | None = None, router: Any = None) -> None:
    prepared(ground, Place("mine", "web"), IMAGE, pods, router or Pods(), sample, limit=2.0)  # type: ignore[arg-type]


# ---- namespaces ----


FOREIGN = {
    "without a mark": namespace("mine"),
    "with our label alone": namespace("mine", labels={MANAGED: "seatrial"}),
    "with the mark of another cluster": namespace("mine", annotations={CLUSTER: "uid-of-another"}),
}


@pytest.mark.parametrize("which", FOREIGN)
def test_a_namespace_that_is_not_ours_is_refused_until_it_is_adopted(ground: Ground, which: str) -> None:
    ground.server.objects["/api/v1/namespaces/mine"] = FOREIGN[which]
    before = dict(ground.server.objects)
    with pytest.raises(
        Usage, match="namespace mine is not ours; if it may be used for trials, say so once with --adopt"
    ):
        stage(ground)
    assert ground.server.objects == before
    namespaces.adopt(ground.builds(), "mine")
    stage(ground)
    assert "/apis/apps/v1/namespaces/mine/deployments/web" in ground.server.objects
    assert namespaces.owned(ground.builds()) == []  # adopted, not made: `down` leaves it
    with pytest.raises(Usage, match="was not made by Seatrial; it stays"):
        namespaces.remove(ground.builds(), "mine")


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
@pytest.mark.parametrize("way", [namespaces.make, namespaces.adopt, namespaces.require])
def test_the_clusters_own_namespaces_are_never_touched(ground: Ground, name: str, way: Any) -> None:
    marked = {CLUSTER: UID, ADOPTED: "yes"}
    ground.server.objects[f"/api/v1/namespaces/{name}"] = namespace(name, uid=UID, annotations=marked)
    with pytest.raises(Usage, match="is never touched"):
        way(ground.builds(), name)


def test_what_was_made_is_known_and_goes(ground: Ground) -> None:
    namespaces.make(ground.builds(), "mine")
    namespaces.make(ground.builds(), "mine")
    assert namespaces.owned(ground.builds()) == ["mine"]
    namespaces.remove(ground.builds(), "mine")
    with pytest.raises(Usage, match="make it with: seatrial real up --namespace mine"):
        namespaces.require(ground.builds(), "mine")


# ---- the app ----


THEIRS = {
    "a Deployment": ("apps/v1", "Deployment", "deployments/web", {}),
    "a Deployment that says it is of this app": ("apps/v1", "Deployment", "deployments/theirs", {APP: "web"}),
    "a Service": ("v1", "Service", "services/web", {}),
    "a preview": ("v1", "Service", "services/web-preview", {}),
    "a router": ("apps/v1", "Deployment", "deployments/web-router", {}),
    "a router's files": ("v1", "ConfigMap", "configmaps/web-router", {APP: "web", MANAGED: "Helm"}),
}


@pytest.mark.parametrize("which", THEIRS)
def test_an_object_of_somebody_else_is_named_at_once_and_stays(ground: Ground, which: str) -> None:
    version, kind, place, labels = THEIRS[which]
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    name = place.partition("/")[2]
    body: Object = {
        "apiVersion": version, "kind": kind,
        "spec": {"replicas": 1, "selector": {}, "template": {}} if kind == "Deployment" else {},
        "metadata": {"name": name, "namespace": "mine", "resourceVersion": "1", "labels": labels},
    }  # fmt: skip
    namespaces.make(ground.builds(), "mine")
    ground.server.objects[f"{root}/namespaces/mine/{place}"] = body
    with pytest.raises(
        WorldError, match=f"{kind} {name} of mine is not ours, and is never written; choose another --app"
    ):
        stage(ground, router=HAProxy("haproxy", "python"))
    assert ground.server.objects[f"{root}/namespaces/mine/{place}"] == body


def test_an_app_is_put_once_and_doing_it_again_changes_nothing(ground: Ground) -> None:
    stage(ground, router=HAProxy("haproxy", "python"))
    before = {path: one["metadata"]["resourceVersion"] for path, one in ground.server.objects.items()}
    stage(ground, router=HAProxy("haproxy", "python"))
    assert {path: one["metadata"]["resourceVersion"] for path, one in ground.server.objects.items()} == before
    assert {path.split("/")[-1] for path in before} == {
        "kube-system", "mine", "web", "web-lease", "web-stable", "web-preview", "web-routes", "web-router", "web-router-agent",
    }  # fmt: skip


def test_other_settings_are_taken_on_while_nobody_drives(ground: Ground) -> None:
    stage(ground)
    stage(ground, pods=5, sample=Sample(median=0.02))
    (home,) = workloads(ground.writes("mine"), Place("mine", "web"))
    assert home["spec"]["replicas"] == 5
    assert {"name": "MEDIAN_S", "value": "0.02"} in home["spec"]["template"]["spec"]["containers"][0]["env"]
    assert home["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]  # the rest stays
    held = forms.config("web", "mine", "web-lease", Put(LEASE, Lease("run-1", "somebody", 1, 0.0)))
    ground.writes("mine").apply(held)
    stage(ground, pods=2)
    (home,) = workloads(ground.writes("mine"), Place("mine", "web"))
    assert home["spec"]["replicas"] == 5


def test_settings_stay_when_a_driver_writes_the_workload(ground: Ground) -> None:
    """What is applied once and not the next time is taken away: settings are not applied."""
    stage(ground)
    stage(ground, pods=4, sample=Sample(median=0.02))
    api, place = ground.writes("mine"), Place("mine", "web")
    kube = Kubernetes(api, place, Pods())
    for pods in (5, 6):
        kube.write(
            Put(HOME, Workload(1, IMAGE, pods)), Stamp("run-1", 1, kube.read(HOME, 5).version, Put(HOME, None)), 5
        )
    (home,) = workloads(api, place)
    assert {"name": "MEDIAN_S", "value": "0.02"} in home["spec"]["template"]["spec"]["containers"][0]["env"]
    assert home["spec"]["replicas"] == 6


def test_what_was_promoted_is_the_stable_version_of_the_next_trial(ground: Ground) -> None:
    stage(ground)
    path = "/apis/apps/v1/namespaces/mine/deployments/web"
    ground.server.objects[path]["spec"]["template"]["metadata"]["labels"]["version"] = "canary"
    stage(ground)
    assert ground.server.objects[path]["spec"]["template"]["metadata"]["labels"]["version"] == "stable"


def test_a_deployment_that_is_not_ours_is_left_as_it_is(ground: Ground) -> None:
    stage(ground)
    del ground.server.objects["/apis/apps/v1/namespaces/mine/deployments/web"]["metadata"]["labels"][MANAGED]
    with pytest.raises(WorldError, match="Deployment web of mine is not ours, and is never written"):
        stage(ground, pods=7)
    assert ground.server.objects["/apis/apps/v1/namespaces/mine/deployments/web"]["spec"]["replicas"] == 3
