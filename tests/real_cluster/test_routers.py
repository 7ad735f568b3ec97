"""Every bundled router carries the traffic that it says, and loses no request by its own moves."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from real.cluster.adapter import Kubernetes
from real.lab.stage import prepared
from real.load.generator import Plan
from real.load.process import Load
from real.ports.things import ROUTES, Put, Routes, Stamp, Workload, workload
from real.routers.base import Place
from real.routers.choice import chosen
from real.sample.objects import Sample
from sim.policy.canary import Canary
from sim.service.traffic import Constant
from tests.real_cluster.rig import Cluster
from tests.real_cluster.runs import until

pytestmark = pytest.mark.cluster

RATE, STEP = 150.0, 21.0  # requests/s and seconds: 3,000 requests in the middle of a step


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
def test_a_router_moves_the_share_it_says_and_loses_nothing(kind_cluster: Cluster, tmp_path: Path, name: str) -> None:
    place, router = Place(f"router-{name}", "web"), chosen(name, Canary(), kind_cluster.images.of)
    stage = prepared(kind_cluster.ground, place, kind_cluster.good, 2, router, Sample())
    api = kind_cluster.ground.writes(place.namespace)
    kube = Kubernetes(api, place, router)

    def put(name: str, value: Workload | Routes | None) -> None:
        kube.write(Put(name, value), Stamp("by-hand", 1, kube.read(name, 10).version), 20)

    put(workload(2), Workload(2, kind_cluster.version("v2"), 1))
    put(ROUTES, Routes(((1, 100.0), (2, 0.0))))
    until(lambda: kube.look(10).pods(2) == 1, 60)
    put(ROUTES, Routes(((1, 100.0), (2, 0.0)), (("beta", 2),)))
    plan = Plan("127.0.0.1", stage.port, Constant(RATE), 600.0, reuse=100, limit=2.0, segments=(("beta", 0.1),))
    load = Load(plan, tmp_path / "truth.json")
    begun = time.time()
    time.sleep(2.0)
    moments = []
    for share in (10.0, 40.0):
        put(ROUTES, Routes(((1, 100.0 - share), (2, share)), (("beta", 2),)))
        start = time.time()
        time.sleep(STEP)
        moments.append((share, start, time.time()))
        assert dict(kube.look(10).shares) == pytest.approx({1: 1 - share / 100, 2: share / 100})
    put(ROUTES, Routes(((1, 100.0),)))
    put(workload(2), None)
    time.sleep(7.0)  # the pod drains
    put(ROUTES, None)
    time.sleep(1.0)
    truth = load.stop()
    api.close()
    kind_cluster.drop(place.namespace)
    assert begun - 5 < truth.begun < begun + 5
    counts = truth.totals()
    assert (counts["bad"], counts["lost"], counts["in_flight"]) == (0, 0, 0), truth.reasons
    for share, start, end in moments:
        found = truth.answers(start - truth.begun + 1.0, end - truth.begun - 1.0)
        requests = sum(cell.answers for cell in found.values())
        expected = 0.1 + 0.9 * share / 100  # the segment goes there whatever the weight
        assert requests >= 2_700
        assert found["2"].answers / requests == pytest.approx(expected, abs=0.03)
    # Before the rule names the segment, and after it, its requests are everybody's: about 10 of 55 seconds.
    assert truth.segments["beta", "2"] > 3 * truth.segments["beta", "1"]
