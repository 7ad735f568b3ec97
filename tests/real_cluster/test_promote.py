"""A healthy canary is promoted, and nobody notices: no failed request at 200 requests/s, traffic as the weights say."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.lab.stage import prepared
from real.lab.trial import Trial, conducted
from real.routers.base import Place
from real.routers.choice import chosen
from sim.journal import Journal, replay
from sim.policy.canary import Canary
from sim.policy.steps import Pause, SetWeight
from sim.service.model import Pods, Service
from sim.service.traffic import Constant
from tests.real_cluster.rig import Cluster

pytestmark = pytest.mark.cluster

STEP = 16.0  # seconds: 3,000 requests at 200/s, and the change of weight itself


def test_a_healthy_canary_is_promoted_without_a_failed_request(kind_cluster: Cluster, tmp_path: Path) -> None:
    policy = Canary(steps=(SetWeight(20), Pause(STEP), SetWeight(50), Pause(STEP)), scale_down_delay=2.0)
    service = Service(traffic=Constant(200.0), errors=0.0, latency=None, pods=Pods(count=3))
    router = chosen("auto", policy, kind_cluster.images.of)
    stage = prepared(kind_cluster.ground, Place("promote", "web"), kind_cluster.good, 3, router)
    trial = Trial(
        kind_cluster.ground, stage, policy, kind_cluster.version("v2"), service, tmp_path / "run", {"run": "promote-1"}
    )

    ending, truth = conducted(trial)

    assert (ending.state, ending.outcome) == ("promoted", "promoted")
    assert truth.totals() | {"sent": 0, "good": 0, "slow": 0} == dict.fromkeys(truth.totals(), 0)
    journal = Journal.read(tmp_path / "run")
    assert replay(policy, journal) is None
