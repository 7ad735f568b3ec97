"""Shared by the pipeline's tests: keyed uniforms, and a delivery system without any chance in it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from hashlib import blake2b
from typing import Any

import pytest
import simpy

from sim.pipeline import (
    Alerting,
    Artifacts,
    Constant,
    Delivery,
    Hop,
    Integration,
    PipelineModel,
    Propagation,
    Recovery,
    Release,
    Retry,
    Roll,
    RolloutEnd,
    Uniforms,
    Wakeups,
    Webhook,
)

HOOK = Webhook(delay=Constant(2.0), p_drop=0.0)


@pytest.fixture(scope="session")
def uniforms() -> Callable[[int], Uniforms]:
    """``uniforms(seed)``: a hash of the address, so no call can shift another."""

    def seeded(seed: int) -> Uniforms:
        start = blake2b(str(seed).encode(), digest_size=8)

        def uniform(purpose: str, entity: int, index: int) -> float:
            hasher = start.copy()
            hasher.update(f"|{purpose}|{entity}|{index}".encode())
            return (int.from_bytes(hasher.digest(), "big") >> 11) * 2.0**-53

        return uniform

    return seeded


@pytest.fixture
def half() -> Uniforms:
    """Every number is one half: phases are half a period, nothing with a probability up to 0.5 happens."""
    return lambda purpose, entity, index: 0.5


@pytest.fixture
def exact() -> PipelineModel:
    """All durations constant: 2 s webhooks, 150 s of CI, 10 s push, 5 s scan, 4 s pull, 1 s apply, 3 s to the proxy.

    An alert takes at most 10 + 10 + 30 s, a person 600 s to answer, a fix 1000 s to write.
    """
    return PipelineModel(
        integration=Integration(
            workers=2, wakeups=Wakeups(HOOK, None), start=Constant(0.0), build=Constant(100.0), test=Constant(50.0),
            p_fail=0.0, p_catch=0.0, p_flaky=0.0, retries=1, repair=Constant(900.0), rerun=Constant(60.0),
        ),
        artifacts=Artifacts(Constant(10.0), Constant(5.0), Constant(4.0), Retry(10.0, 2.0, 300.0)),
        delivery=Delivery(Wakeups(HOOK, None), Constant(1.0)),
        propagation=Propagation((Hop(Constant(3.0)),), rate=100.0),
        alerting=Alerting(sample=10.0, evaluate=10.0, pending=0.0, group_wait=30.0, visible=0.01),
        recovery=Recovery(response=Constant(600.0), fix=Constant(1000.0), p_bad_fix=0.0),
    )  # fmt: skip


@pytest.fixture(scope="session")
def steady() -> Callable[..., Roll]:
    """``steady(length, judge)``: a rollout of ``length`` seconds; ``judge(release)`` gives another end."""

    def make(length: float = 60.0, judge: Callable[[Release], str] = lambda release: "promoted") -> Roll:
        def roll(env: simpy.Environment, release: Release) -> Generator[simpy.Event, Any, RolloutEnd]:
            start = env.now
            yield env.timeout(length)
            since = start if release.bad else None
            match judge(release):
                case "aborted":
                    return RolloutEnd("aborted", env.now, 7.0 if release.bad else 0.0, since)
                case "inconclusive":
                    return RolloutEnd("inconclusive", None, 0.0, since)
                case _:
                    return RolloutEnd("promoted", None, 5.0 if release.bad else 0.0, since)

        return roll

    return make
