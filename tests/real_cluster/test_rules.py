"""Rules that are objects of the cluster, with a pod of ours that obeys them: kept and given up by a real API server, and what users get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from real.cluster.adapter import Kubernetes
from real.lab.raising import known
from real.lab.stage import prepared
from real.load.generator import Plan
from real.load.process import Load
from real.load.truth import Truth
from real.ports.errors import Conflict
from real.ports.things import ROUTES, Put, Routes, Stamp, Workload, workload
from real.routers.base import Place
from real.routers.choice import chosen
from real.sample.objects import Sample
from sim.policy.canary import Canary
from sim.service.traffic import Constant
from tests.real_cluster.rig import Cluster
from tests.real_cluster.runs import until

pytestmark = pytest.mark.cluster

NAMES = ("gateway", "istio", "ingress-nginx")
RATE, STEP, SHARE = 100.0, 33.0, 20.0  # requests/s and seconds: 3,000 in the middle of the step; percent
PLAN = Plan("127.0.0.1", 0, Constant(RATE), 600.0, reuse=100, limit=2.0, segments=(("beta", 0.1),))


class Standing(NamedTuple):
    """An app behind one of the routers; `port` is where its users come in."""

    kube: Kubernetes
    port: int

    def put(self, what: str, value: Workload | Routes | None) -> None:
        live = self.kube.read(what, 20)
        self.kube.write(Put(what, value), Stamp("by-hand", 1, live.version, Put(what, None)), 20)
        assert self.kube.read(what, 20).value == value

    def gives_up(self, stale: str) -> None:
        """The rule goes; a write about an earlier one is refused."""
        self.put(ROUTES, Routes(((1, 100.0),)))
        with pytest.raises(Conflict):
            self.kube.write(Put(ROUTES, None), Stamp("by-hand", 1, stale), 10)
        self.put(workload(2), None)


def test_users_get_what_the_rule_says_and_lose_nothing(kind_cluster: Cluster, tmp_path: Path) -> None:
    kind_cluster.install("flagger")  # it brings the Gateway API's own resources
    second = (kind_cluster.good, kind_cluster.version("v2"))[1]
    with ExitStack() as stack:
        apps = {name: stack.enter_context(_standing(kind_cluster, name, second)) for name in NAMES}
        plans = {name: replace(PLAN, port=one.port) for name, one in apps.items()}
        loads = {name: Load(plan, tmp_path / f"{name}.json") for name, plan in plans.items()}
        time.sleep(2.0)
        starts = {}
        for name, one in apps.items():
            one.put(ROUTES, Routes(((1, 100.0 - SHARE), (2, SHARE)), (("beta", 2),)))
            starts[name] = time.time()
        stale = {name: one.kube.read(ROUTES, 10).version for name, one in apps.items()}
        time.sleep(STEP)
        end = time.time()
        for name, one in apps.items():
            assert dict(one.kube.look(10).shares) == pytest.approx({1: 1 - SHARE / 100, 2: SHARE / 100})
            one.gives_up(stale[name])
        time.sleep(6.5)  # the pods drain
        for one in apps.values():
            one.put(ROUTES, None)
        time.sleep(1.0)
        truths = {name: load.stop() for name, load in loads.items()}
    for name, truth in truths.items():
        _got(name, truth, starts[name], end)


def _got(name: str, truth: Truth, start: float, end: float) -> None:
    """What users got between these moments of the wall clock."""
    counts = truth.totals()
    assert (counts["bad"], counts["lost"], counts["in_flight"]) == (0, 0, 0), (name, truth.reasons, truth.codes)
    found = truth.answers(start - truth.begun + 1.0, end - truth.begun - 1.0)
    requests = sum(cell.answers for cell in found.values())
    assert requests >= 3_000
    expected = 0.1 + 0.9 * SHARE / 100  # the segment goes there whatever the weight
    assert found["2"].answers / requests == pytest.approx(expected, abs=0.03), name


@contextmanager
def _standing(cluster: Cluster, name: str, second: str) -> Iterator[Standing]:
    """The app with both versions; at the end its rule says what it said before, and its Services are gone."""
    known(cluster.ground, name)
    place, reads = Place(f"rules-{name}", "web"), cluster.ground.reads()
    router = chosen(name, Canary(), cluster.images.of, reads)
    reads.close()
    stage = prepared(cluster.ground, place, cluster.good, 2, router, Sample())
    api = cluster.ground.writes(place.namespace)
    kube = Kubernetes(api, place, router)
    try:
        neutral = api.get(*router.key(place), place.namespace)
        assert neutral is not None
        one = Standing(kube, stage.port)
        one.put(workload(2), Workload(2, second, 1))
        one.put(ROUTES, Routes(((1, 100.0), (2, 0.0))))
        until(lambda: kube.look(10).pods(2) == 1, 60)
        yield one
        left = api.get(*router.key(place), place.namespace)
        assert left is not None
        assert left["spec"] == neutral["spec"]
        services = {one["metadata"]["name"] for one in api.list("v1/Service", place.namespace)}
        assert services == {"web", "web-preview", "web-router", "web-router-agent"}
    finally:
        api.close()
        cluster.drop(place.namespace)
