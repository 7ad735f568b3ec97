"""The worker pool against queueing theory, and its rules one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.durations import Constant, Exponential, Uniforms
from sim.pipeline.disruptions import Disruption, Track
from sim.pipeline.pool import Spell, WorkerPool
from sim.policy.errors import WorldError

T19 = 3.8834  # the 0.9995 quantile of Student's t with 19 degrees of freedom
Job = tuple[float, float, int]  # arrival, service, priority


def serve(workers: int, jobs: list[Job], outages: list[Disruption] | None = None) -> list[Spell]:
    """Run jobs (in the order of arrival) through a pool; their spells in the order of arrival."""
    env = simpy.Environment()
    pool = WorkerPool(env, workers)
    pool.suffer(Track(outages or []), Constant(0.0), lambda purpose, entity, index: 0.5)
    spells: dict[int, Spell] = {}

    def job(number: int, service: float, priority: int) -> Generator[simpy.Event, Any, None]:
        spells[number] = yield pool.submit(service, priority=priority)

    def source() -> Generator[simpy.Event, Any, None]:
        for number, (arrival, service, priority) in enumerate(jobs):
            yield env.timeout(arrival - env.now)
            env.process(job(number, service, priority))

    env.process(source())
    env.run()
    return [spells[number] for number in range(len(jobs))]


def erlang_c(workers: int, load: float) -> float:
    """P(wait > 0) in M/M/c (Erlang 1917)."""
    top = load**workers / math.factorial(workers) / (1 - load / workers)
    return top / (sum(load**k / math.factorial(k) for k in range(workers)) + top)


@pytest.mark.parametrize(("workers", "load"), [(1, 0.5), (3, 1.8)])
def test_the_mean_wait_is_erlang_c(uniforms: Callable[[int], Uniforms], workers: int, load: float) -> None:
    """20 independent runs of 2,500 jobs after 300 to warm up, service rate 1; 99.9 % t intervals, so two intervals in
    each of two cases raise a false alarm in 0.4 % of seeds."""
    uniform = uniforms(11)
    gap, service = Exponential(1 / load), Exponential(1.0)
    means, delayed = [], []
    for run in range(20):
        jobs, at = [], 0.0
        for i in range(2800):
            at += gap.draw(uniform("gap", run, i))
            jobs.append((at, service.draw(uniform("service", run, i)), 0))
        waits = [spell.started - spell.submitted for spell in serve(workers, jobs)][300:]
        means.append(sum(waits) / len(waits))
        delayed.append(sum(wait > 1e-12 for wait in waits) / len(waits))
    c = erlang_c(workers, load)
    for seen, expected, within in ((means, c / (workers - load), 0.2), (delayed, c, 0.1)):
        mean = sum(seen) / 20
        half = T19 * math.sqrt(sum((x - mean) ** 2 for x in seen) / 19 / 20)
        assert half < within * expected  # the interval is narrow enough to mean something
        assert abs(mean - expected) <= half


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(0.0, 12.0)), min_size=1, max_size=40),
)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_waits_are_those_of_the_kiefer_wolfowitz_recursion(workers: int, steps: list[tuple[float, float]]) -> None:
    jobs, at = [], 0.0
    for gap, service in steps:
        at += gap
        jobs.append((at, service, 0))
    free = [0.0] * workers  # when each worker is free, sorted
    for (arrival, service, _), spell in zip(jobs, serve(workers, jobs), strict=True):
        start = max(arrival, free[0])
        assert spell.started == pytest.approx(start, abs=1e-9)
        assert spell.ended == pytest.approx(start + service, abs=1e-9)
        free = sorted([start + service, *free[1:]])


def test_priority_goes_first_but_interrupts_nobody() -> None:
    spells = serve(1, [(0.0, 10.0, 0), (1.0, 10.0, 0), (2.0, 10.0, -1)])
    assert [spell.started for spell in spells] == [0.0, 20.0, 10.0]


def test_an_outage_of_all_workers_loses_work_and_no_job() -> None:
    outage = Disruption("pool.offline", 5.0, 100.0)
    spells = serve(2, [(0.0, 10.0, 0), (1.0, 10.0, 0), (2.0, 10.0, 0)], [outage])
    assert [(spell.started, spell.ended, spell.lost) for spell in spells] == [
        (0.0, 110.0, 1),
        (1.0, 110.0, 1),
        (110.0, 120.0, 0),
    ]


def test_part_of_the_workers_leaves_the_highest_numbers_first() -> None:
    outage = Disruption("pool.offline", 5.0, 50.0, 0.3)  # 0.3 of 3 workers: one
    spells = serve(3, [(0.0, 10.0, 0), (0.5, 10.0, 0), (1.0, 10.0, 0)], [outage])
    assert [spell.ended for spell in spells] == [10.0, 10.5, 20.0]
    assert [spell.lost for spell in spells] == [0, 0, 1]


def test_overlapping_outages_end_with_the_last() -> None:
    outages = [Disruption("pool.offline", 5.0, 50.0), Disruption("pool.offline", 20.0, 80.0)]
    assert serve(1, [(10.0, 1.0, 0)], outages)[0].started == 80.0


def test_workers_sleep_after_an_outage(half: Uniforms) -> None:
    env = simpy.Environment()
    pool = WorkerPool(env, 1)
    pool.suffer(Track([Disruption("pool.offline", 0.0, 100.0)]), Constant(30.0), half)
    done = pool.submit(5.0)
    assert pool.waiting == 0
    env.run()
    assert done.value == Spell(0.0, 0.0, 135.0, 1)


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(WorldError, match="at least one worker, got 0"):
        WorkerPool(simpy.Environment(), 0)
