"""Three cases played on the real controllers again: two of Argo Rollouts, one of Flagger, all at once."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.golden.compare import HISTORIES, against

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import SingleConfig

    from sim.tracing.history import History
    from tests.real_cluster.rig import Cluster

CASES = ("step-failed", "router-abort", "flagger-ab-failed")
TAKES = 2  # a recording on a busy machine may be noisy: it is taken once more


@pytest.fixture(scope="module")
def controlled(kind_cluster: Cluster) -> SingleConfig:
    """The way to a cluster with both controllers."""
    from lightkube import Client
    from lightkube.resources.apps_v1 import Deployment

    with closing(Client(kind_cluster.ground.config)) as client:
        there = {found.metadata.name for found in client.list(Deployment, namespace="*")}
    for controller in ("argo-rollouts", "flagger"):
        if controller not in there:  # a cluster that was kept has them
            kind_cluster.install(controller)
    return kind_cluster.ground.config


@pytest.mark.cluster
def test_the_trace_equals_what_the_controllers_do_now(controlled: SingleConfig) -> None:
    left = {name: ["not recorded"] for name in CASES}
    for take in range(TAKES):
        for history, name in zip(asyncio.run(_recorded(controlled, [*left], take)), [*left], strict=True):
            left[name] = against(HISTORIES / name, history)
        left = {name: found for name, found in left.items() if found}
        if not left:
            return
    pytest.fail(str(left))


async def _recorded(config: SingleConfig, names: list[str], take: int) -> list[History]:
    from real.controllers.answers import Answers
    from real.controllers.case import Case
    from real.controllers.recorder import record
    from real.controllers.tell import tell
    from real.docker.engine import bridge

    with Answers(bridge("kind")) as answers:
        cases = [Case.read(HISTORIES / name) for name in names]
        taken = await asyncio.gather(*(record(case, config, answers, f"{case.name}-{take}") for case in cases))
    return [tell(recording) for recording in taken]
