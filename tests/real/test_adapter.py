"""The cluster port on an API server in memory: versions, epochs, labels, undo; what each thing looks like as an object."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from real.cluster import forms
from real.cluster.adapter import Kubernetes
from real.cluster.names import REVISION, UNDO, VALUE
from real.cluster.pods import Settling, available
from real.ports.errors import Conflict, Fenced, Forbidden, Gone, PortError, Refused, Unavailable, Unclear
from real.ports.things import (
    ACTIVE,
    HOME,
    LEASE,
    PREVIEW,
    ROUTES,
    STABLE,
    Lease,
    Live,
    Put,
    Routes,
    Selector,
    Stable,
    Stamp,
    Workload,
    told,
    workload,
)  # fmt: skip
from real.routers.base import Place, Router
from real.routers.pods import HAProxy, Nginx
from real.routers.rules import Gateway, Ingress, Istio
from real.routers.service import Pods
from real.sample import objects
from real.sample.objects import Sample
from tests.real.apiserver import Server, pods

PLACE = Place("trial", "web")
IMAGE = {number: f"registry:5000/seatrial/sample@sha256:{number:064d}" for number in (1, 2)}
ROUTERS: dict[str, Callable[[], Router]] = {
    "haproxy": lambda: HAProxy("haproxy", "python"),
    "nginx": lambda: Nginx("nginx", "python"),
    "gateway": lambda: Gateway("infra/door"),
    "istio": Istio,
    "ingress-nginx": Ingress,
}
PATH = "/api/v1/namespaces/trial"


def stood(router: Router, **more: Any) -> tuple[Server, Kubernetes]:
    """A server with everything that `up` makes."""
    server = Server(**more)
    api = server.api("trial")
    api.create(objects.deployment("trial", "web", IMAGE[1], 3, Sample()))
    api.create(objects.service("trial", "web"))
    for body in (*forms.neutral("web", "trial"), *router.objects(api, PLACE)):
        api.apply(body)
    if "said" in (routes := server.objects.get(f"{PATH}/configmaps/web-routes", {"data": {}}))["data"]:
        server.agent.hear(routes["data"]["said"])
    return server, Kubernetes(api, PLACE, router)


def put(kube: Kubernetes, name: str, value: Any, epoch: int = 1, undo: Put | None = None) -> Live:
    return kube.write(Put(name, value), Stamp("run-1", epoch, kube.read(name, 5).version, undo), 5)


VALUES: list[tuple[str, Any]] = [
    (HOME, Workload(1, IMAGE[1], 5)), (HOME, Workload(2, IMAGE[2], 3, 2, 1, 4.0)), (HOME, Workload(2, IMAGE[2], 3, recreate=True)),
    (workload(2), Workload(2, IMAGE[2], 1)), (ROUTES, Routes(((1, 80.0), (2, 20.0)))), (ROUTES, Routes(((1, 100.0),), (("beta", 2),))),
    (ACTIVE, Selector(2)), (PREVIEW, Selector(2)), (STABLE, Stable(2, 1)), (LEASE, Lease("run-1", "me", 3, 12.5)),
]  # fmt: skip


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize(("name", "value"), VALUES)
def test_what_is_written_is_read_back_and_writing_it_again_changes_nothing(router: str, name: str, value: Any) -> None:
    server, kube = stood(ROUTERS[router]())
    before = kube.read(name, 5)
    undo = Put(name, before.value)
    put(kube, name, value, undo=undo)
    live = kube.read(name, 5)
    assert (live.value, live.run, live.epoch, live.undo) == (value, "run-1", 1, undo)
    kept = json.dumps({path: _bare(one) for path, one in server.objects.items()}, sort_keys=True)
    put(kube, name, value, undo=Put(name, Stable(9)))
    assert json.dumps({path: _bare(one) for path, one in server.objects.items()}, sort_keys=True) == kept
    assert kube.read(name, 5).undo == undo  # the first one of a run stays


def _bare(found: Any) -> Any:
    return {**found, "metadata": {key: value for key, value in found["metadata"].items() if key != "resourceVersion"}}


@pytest.mark.parametrize("router", ROUTERS)
def test_routes_come_and_go_and_leave_nothing_behind(router: str) -> None:
    server, kube = stood(ROUTERS[router]())
    untouched = {path: one.get("spec") for path, one in server.objects.items()}
    for share in (0.0, 20.0, 50.0, 100.0):
        put(kube, ROUTES, Routes(((1, 100.0 - share), (2, share))))
        assert dict(kube.look(5).shares) == pytest.approx({1: 1 - share / 100, 2: share / 100})
    assert f"{PATH}/services/web-r2" in server.objects
    put(kube, ROUTES, None)
    assert kube.look(5).shares == ()
    assert kube.read(ROUTES, 5).value is None
    assert {path: one.get("spec") for path, one in server.objects.items()} == untouched


@pytest.mark.parametrize("router", ["gateway", "istio", "ingress-nginx"])
def test_a_rule_that_somebody_else_changed_is_not_taken_for_ours(router: str) -> None:
    server, kube = stood(ROUTERS[router]())
    put(kube, ROUTES, Routes(((1, 80.0), (2, 20.0))))
    kind, name = kube._router.key(PLACE)
    found = next(
        one
        for path, one in server.objects.items()
        if path.endswith(f"/{name}") and one["kind"] == kind.rpartition("/")[2]
    )
    text = json.dumps(found).replace("2000", "2500")
    found.clear()
    found.update(json.loads(text))
    assert kube.read(ROUTES, 5).value == Routes()
    put(kube, ROUTES, Routes(((1, 80.0), (2, 20.0))))
    assert kube.read(ROUTES, 5).value == Routes(((1, 80.0), (2, 20.0)))


def test_a_router_that_forgot_is_told_again() -> None:
    server, kube = stood(HAProxy("haproxy", "python"))
    put(kube, ROUTES, Routes(((1, 80.0), (2, 20.0))))
    server.agent.hear("set weight revisions/all 1")
    assert kube.read(ROUTES, 5).value == Routes()
    put(kube, ROUTES, Routes())  # as it says already, and now really
    assert kube.read(ROUTES, 5).value == Routes(((1, 80.0), (2, 20.0)))


def test_a_stale_version_is_a_conflict_and_a_later_epoch_a_fence() -> None:
    _, kube = stood(Pods())
    version = kube.read(HOME, 5).version
    put(kube, HOME, Workload(1, IMAGE[1], 4), epoch=5)
    with pytest.raises(Fenced):
        kube.write(Put(HOME, Workload(1, IMAGE[1], 9)), Stamp("run-0", 4, kube.read(HOME, 5).version), 5)
    with pytest.raises(Conflict):
        kube.write(Put(HOME, Workload(1, IMAGE[1], 9)), Stamp("run-1", 5, version), 5)
    with pytest.raises(Conflict):
        kube.write(Put(STABLE, Stable(2)), Stamp("run-1", 5, ""), 5)
    assert kube.read(HOME, 5).value == Workload(1, IMAGE[1], 4)


def test_an_object_without_our_label_is_read_never_written() -> None:
    server, kube = stood(Pods())
    del server.objects["/apis/apps/v1/namespaces/trial/deployments/web"]["metadata"]["labels"][
        "app.kubernetes.io/managed-by"
    ]
    assert kube.read(HOME, 5).value == Workload(1, IMAGE[1], 3)
    with pytest.raises(Forbidden, match="does not carry our label"):
        put(kube, HOME, Workload(1, IMAGE[1], 9))


def test_a_workload_is_made_like_home_and_goes() -> None:
    server, kube = stood(Pods())
    put(kube, workload(2), Workload(2, IMAGE[2], 2))
    made = server.objects["/apis/apps/v1/namespaces/trial/deployments/web-r2"]
    home = server.objects["/apis/apps/v1/namespaces/trial/deployments/web"]
    assert (
        made["spec"]["template"]["spec"]["containers"][0]["env"]
        == home["spec"]["template"]["spec"]["containers"][0]["env"]
    )
    assert made["spec"]["selector"] != home["spec"]["selector"]
    assert made["spec"]["template"]["metadata"]["labels"][REVISION] == "2"
    assert workload(2) in kube.names()
    put(kube, workload(2), None)
    assert workload(2) not in kube.names()
    with pytest.raises(Gone):
        put(kube, workload(2), None)
    with pytest.raises(Refused, match="there is no thing"):
        kube.read("workload/../../secrets", 5)


def test_recreate_takes_away_what_another_manager_set() -> None:
    server, kube = stood(Pods())
    put(kube, HOME, Workload(2, IMAGE[2], 3, recreate=True))
    strategy = server.objects["/apis/apps/v1/namespaces/trial/deployments/web"]["spec"]["strategy"]
    assert strategy == {"type": "Recreate"}


def test_pods_are_counted_by_revision_with_the_reasons_of_those_that_are_not_ready() -> None:
    _, kube = stood(Pods(), pods=lambda: [*pods(1, 3), *pods(2, 1, 2)])
    seen = kube.look(5)
    assert seen.available == ((1, 3), (2, 1))
    assert seen.notes == ("r2: ImagePullBackOff",)


def test_a_pod_counts_once_routers_know_it() -> None:
    now = [100.0]
    settling = Settling(1.5, lambda: now[0])
    old, young = list(pods(1, 2)), list(pods(2, 1))
    assert available(settling(old)) == ((1, 2),)  # ready at the first look: everybody knows them
    assert available(settling([*old, *young])) == ((1, 2),)
    now[0] += 1.5
    assert available(settling([*old, *young])) == ((1, 2), (2, 1))
    settling(old)  # gone, and back
    assert available(settling([*old, *young])) == ((1, 2),)


def test_a_watch_survives_410_drops_and_nonsense_and_ends_when_told() -> None:
    """Each time it begins again, and says so, since something may have been missed."""
    pod = next(pods(1, 1)) | {"metadata": {"name": "p", "namespace": "trial", "resourceVersion": "7"}}
    event = json.dumps({"type": "MODIFIED", "object": pod}) + "\n"
    gone = (
        json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}})
        + "\n"
    )
    answers: list[Callable[[], httpx2.Response]] = [
        lambda: httpx2.Response(200, text=event + gone), _dropped, lambda: httpx2.Response(200, text="not json\n"),
        lambda: httpx2.Response(410, json={"kind": "Status", "code": 410, "message": "gone"}), lambda: httpx2.Response(503, text="busy"),
        lambda: httpx2.Response(200, text=event * 3),
    ]  # fmt: skip
    told: queue.SimpleQueue[object] = queue.SimpleQueue()
    asked: list[str] = []
    all_asked = threading.Event()

    def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if len(asked) > len(answers):
            all_asked.set()
            return httpx2.Response(200, text="")
        return answers[len(asked) - 1]()

    kube = Kubernetes(Server().api("trial", through=serve), PLACE, Pods())
    stop = kube.listen(told.put, pause=0.001)
    assert all_asked.wait(20)
    stop()
    for thread in [one for one in threading.enumerate() if one.name == "watch web"]:
        thread.join(10)
        assert not thread.is_alive()
    assert all("watch=true" in url for url in asked)
    assert told.qsize() >= len(answers) + 4  # one for each beginning anew, and one for each event


def _dropped() -> httpx2.Response:
    raise httpx2.RemoteProtocolError("peer closed connection")


ANSWERS: dict[int, type[PortError]] = {
    400: Refused, 401: Forbidden, 403: Forbidden, 404: Gone, 409: Conflict, 410: Gone, 413: Refused, 422: Refused, 429: Unavailable,
    500: Unavailable, 502: Unavailable, 503: Unavailable, 504: Unclear,
}  # fmt: skip


@pytest.mark.parametrize("code", ANSWERS)
@pytest.mark.parametrize("shape", ["status", "html"])
def test_an_answer_of_the_server_means_one_thing(code: int, shape: str) -> None:
    body: dict[str, Any] = (
        {"json": {"kind": "Status", "code": code, "message": "no"}} if shape == "status" else {"text": "<html>no"}
    )
    reply = httpx2.Response(code, headers={"retry-after": "7"}, **body)
    api = Server().api("trial", through=lambda request: reply)
    with pytest.raises(ANSWERS[code]) as raised:
        api.create(objects.service("trial", "web"))
    assert type(raised.value) is ANSWERS[code]
    if isinstance(raised.value, Unavailable):
        assert raised.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (httpx2.ConnectError, Unavailable), (httpx2.ConnectTimeout, Unavailable), (httpx2.ReadTimeout, Unclear),
        (httpx2.RemoteProtocolError, Unclear), (httpx2.WriteError, Unclear),
    ],
)  # fmt: skip
def test_a_broken_wire_is_unclear_unless_nothing_was_sent(error: type[Exception], meaning: type[PortError]) -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise error("token t0ken-of-a-test")

    api = Server().api("trial", through=broken)
    for call in (lambda: api.get("v1/Service", "web", "trial"), lambda: api.apply(objects.service("trial", "web"))):
        with pytest.raises(meaning) as raised:
            call()
        assert type(raised.value) is meaning
        assert "t0ken" not in str(raised.value)


@pytest.mark.parametrize("text", ["", '{"kind": "Service", "metadata": {"na', "<html>proxy</html>", "[]", '"x"'])
def test_an_answer_that_cannot_be_read_is_unclear(text: str) -> None:
    api = Server().api("trial", through=lambda request: httpx2.Response(200, text=text))
    calls: list[Callable[[], object]] = [
        lambda: api.get("v1/Service", "web", "trial"), lambda: api.list("v1/Pod", "trial"),
        lambda: api.create(objects.service("trial", "web")),
        lambda: api.apply(objects.service("trial", "web")), lambda: api.merge("v1/Service", "web", "trial", {"metadata": {}}),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(Unclear):
            call()


def test_the_undo_is_an_annotation_that_a_run_of_another_name_replaces() -> None:
    server, kube = stood(Pods())
    put(kube, STABLE, Stable(2, 1), undo=Put(STABLE, None))
    kube.write(Put(STABLE, Stable(3, 2)), Stamp("run-2", 2, kube.read(STABLE, 5).version, Put(STABLE, Stable(2, 1))), 5)
    marks = server.objects[f"{PATH}/configmaps/web-stable"]["metadata"]["annotations"]
    assert json.loads(marks[UNDO]) == told(Put(STABLE, Stable(2, 1)))
    assert VALUE not in marks


def test_a_service_alone_has_no_weights() -> None:
    _, kube = stood(Pods())
    with pytest.raises(Refused, match="a Service has no weights; choose --router haproxy"):
        put(kube, ROUTES, Routes(((1, 80.0), (2, 20.0))))
