"""Artifact store: an outage delays and loses nothing; retention takes what it takes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import pytest
import simpy

from sim.durations import Constant, Uniforms
from sim.pipeline.artifacts import ArtifactStore
from sim.pipeline.disruptions import Disruption, Track
from sim.pipeline.model import Artifacts, Retry
from sim.policy.errors import WorldError

PLAIN = Artifacts(Constant(10.0), Constant(5.0), Constant(4.0), Retry(10.0, 2.0, 60.0))


def pushed(uniform: Uniforms, starts: list[float], *faults: Disruption) -> list[float]:
    """When the push and scan started at each of ``starts`` are done."""
    env = simpy.Environment()
    store = ArtifactStore(env, PLAIN, uniform, Track(faults))
    done: list[float] = [0.0] * len(starts)

    def push(number: int, at: float) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(at)
        yield from store.push(number)
        done[number] = env.now

    for number, at in enumerate(starts):
        env.process(push(number, at))
    env.run()
    return done


def test_an_outage_delays_the_push_and_loses_nothing(half: Uniforms) -> None:
    outage = Disruption("store.outage", 100.0, 200.0)
    # At 50 all is well; 95 breaks at 100 and tries at 110, 130, 170, 230; 199 tries again at 209; 200 is past it.
    assert pushed(half, [50.0, 95.0, 199.0, 200.0], outage) == [65.0, 245.0, 224.0, 215.0]


def test_the_back_off_is_capped_and_endless(half: Uniforms) -> None:
    outage = Disruption("store.outage", 0.0, 86400.0)
    (done,) = pushed(half, [0.0], outage)
    assert 86400.0 + 15.0 <= done <= 86400.0 + 60.0 + 15.0


def test_a_partial_outage_fails_a_share_of_the_transfers() -> None:
    def uniform(purpose: str, entity: int, index: int) -> float:
        return (entity % 10 + 0.5) / 10 if purpose == "store.outage" and index == 0 else 0.99

    outage = Disruption("store.outage", 0.0, 1e5, 0.3)
    assert pushed(uniform, [0.0] * 10, outage) == [25.0] * 3 + [15.0] * 7


def store_with(artifacts: Artifacts, uniform: Uniforms, pushes: list[float], ask: float) -> list[bool]:
    """Which of the artifacts pushed at ``pushes`` a pull at ``ask`` still finds."""
    env = simpy.Environment()
    store = ArtifactStore(env, artifacts, uniform, Track())
    found: list[bool] = []

    def life() -> Generator[simpy.Event, Any, None]:
        for number, at in enumerate(pushes):
            yield env.timeout(at - env.now)
            store.keep(number)
        yield env.timeout(ask - env.now)
        for number in range(len(pushes)):
            found.append((yield from store.pull(number)))

    env.process(life())
    env.run()
    return found


def test_retention_by_count_acts_at_the_next_collection(half: Uniforms) -> None:
    artifacts = replace(PLAIN, pull=Constant(0.0), keep=2, gc_every=100.0)  # collections at 50, 150, 250...
    pushes = [10.0, 60.0, 70.0, 160.0]
    assert store_with(artifacts, half, pushes[:3], 149.0) == [True, True, True]
    assert store_with(artifacts, half, pushes, 170.0) == [False, True, True, True]
    assert store_with(artifacts, half, pushes, 250.0) == [False, False, True, True]


def test_retention_by_age(half: Uniforms) -> None:
    artifacts = replace(PLAIN, pull=Constant(0.0), max_age=100.0, gc_every=100.0)
    assert store_with(artifacts, half, [10.0, 50.0, 60.0], 160.0) == [False, True, True]


def test_nothing_goes_without_retention(half: Uniforms) -> None:
    assert store_with(replace(PLAIN, pull=Constant(0.0)), half, [float(i) for i in range(50)], 1e7) == [True] * 50


@pytest.mark.parametrize(
    "wrong", [lambda: Artifacts(keep=0), lambda: Artifacts(max_age=0.0), lambda: Artifacts(gc_every=0.0)]
)
def test_retention_is_checked(wrong: Callable[[], Artifacts]) -> None:
    with pytest.raises(WorldError, match="got 0"):
        wrong()
