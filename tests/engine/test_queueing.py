"""Waiting times against the closed forms of queueing theory, and the compiled recursion against the plain one.

Each mean is that of independent runs that begin empty, without their first 2,000 requests (hundreds of relaxation times
at these utilizations). It must lie within 3.5 standard errors of the truth: a right engine fails with chance 0.0005 per
value over seeds; the seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.engine.queueing import Use, erlang, plain, saturated, waits
from sim.faults.effects import VersionEffect
from sim.policy.errors import WorldError
from sim.service.model import Latency, Pods, Service

RUNS, REQUESTS, WARM = 60, 12_000, 2_000
Work = Callable[[np.random.Generator, int], NDArray[np.float64]]


def exponential(numbers: np.random.Generator, size: int) -> NDArray[np.float64]:
    return numbers.exponential(1.0, size)


def constant(numbers: np.random.Generator, size: int) -> NDArray[np.float64]:
    return np.ones(size)


def lognormal(numbers: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Mean 1, sigma 0.7: second moment exp(sigma^2)."""
    return numbers.lognormal(-0.245, 0.7, size)


def erlang_b(places: int, load: float) -> float:
    """Chance that all places are busy where nobody waits: (a^c / c!) / sum of a^k / k! (Erlang 1917)."""
    weights = [exp(k * log(load) - lgamma(k + 1)) for k in range(places + 1)]
    return weights[-1] / sum(weights)


def erlang_c(places: int, load: float) -> float:
    """Chance to wait: the same with the last weight times c / (c - a)."""
    blocked, more = erlang_b(places, load), places / (places - load)
    return blocked * more / (1.0 - blocked + blocked * more)


def runs(places: int, load: float, work: Work) -> list[NDArray[np.float64]]:
    """Waits of independent runs; work lasts 1 on average, so the load is the rate of arrivals."""
    found = []
    for seed in range(RUNS):
        numbers = np.random.default_rng([places, round(1000 * load), seed])
        arrivals = np.cumsum(numbers.exponential(1.0 / load, REQUESTS))
        found.append(waits(arrivals, work(numbers, REQUESTS), np.zeros(places))[0][WARM:])
    return found


def near(values: list[float], truth: float) -> None:
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert abs(np.mean(values) - truth) < 3.5 * error
    assert error < 0.06 * truth  # and the interval says something


@pytest.mark.parametrize(("places", "load"), [(1, 0.5), (1, 0.7), (4, 3.0), (20, 17.0), (50, 45.0)])
def test_exponential_work_waits_as_erlang_says(places: int, load: float) -> None:
    """M/M/c: P(wait) = C, mean wait = C / (c - a), and those who wait do so exponentially with rate c - a."""
    found, chance = runs(places, load, exponential), erlang_c(places, load)
    near([float((wait > 0).mean()) for wait in found], chance)
    near([float(wait.mean()) for wait in found], chance / (places - load))
    near([float((wait > 1.0 / (places - load)).mean()) for wait in found], chance * np.exp(-1.0))


@pytest.mark.parametrize(("work", "second"), [(constant, 1.0), (exponential, 2.0), (lognormal, np.exp(0.49))])
def test_one_place_waits_as_pollaczek_and_khinchine_say(work: Work, second: float) -> None:
    """M/G/1: mean wait = rate E[S^2] / (2 (1 - utilization)); who arrives meets a busy place with chance
    utilization."""
    found = runs(1, 0.6, work)
    near([float(wait.mean()) for wait in found], 0.6 * second / (2.0 * 0.4))
    near([float((wait > 0).mean()) for wait in found], 0.6)


def test_erlang_s_formulas() -> None:
    """Tabulated: 10 places at 8 erlangs block 12.17% and let wait 40.92%; one place waits with its utilization."""
    assert erlang_b(10, 8.0) == pytest.approx(0.12166, abs=1e-5)
    assert erlang_c(10, 8.0) == pytest.approx(0.40918, abs=1e-5)
    assert erlang_c(1, 0.3) == pytest.approx(0.3)
    for places in (1, 10, 250):
        assert erlang(places, 0.8 * places) == pytest.approx(erlang_c(places, 0.8 * places), rel=1e-12)
        assert erlang(places, 1.2 * places) == 1.0


@pytest.mark.compiled
@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    gaps=st.lists(st.floats(0, 3), max_size=200),
    seconds=st.floats(0.01, 5),
    free=st.lists(st.floats(-5, 20), min_size=1, max_size=9),
)
def test_compiled_and_plain_are_the_same(gaps: list[float], seconds: float, free: list[float]) -> None:
    from sim.engine.compiled_queueing import waits as fast

    arrivals, work = np.cumsum(gaps, dtype=np.float64), np.array([seconds * (1 + i % 7) for i in range(len(gaps))])
    for one, other in zip(plain(arrivals, work, np.sort(free)), fast(arrivals, work, np.sort(free)), strict=True):
        assert one.tobytes() == other.tobytes()


def test_work_may_go_on_in_pieces() -> None:
    numbers = np.random.default_rng(1)
    arrivals, work = np.cumsum(numbers.exponential(0.3, 900)), numbers.exponential(1.0, 900)
    whole, end = waits(arrivals, work, np.zeros(3))
    first, between = waits(arrivals[:400], work[:400], np.zeros(3))
    second, last = waits(arrivals[400:], work[400:], between)
    assert np.array_equal(whole, np.concatenate([first, second])) and np.array_equal(end, last)


def test_nobody_is_served_by_nobody() -> None:
    with pytest.raises(ValueError, match="need at least 1 place"):
        waits(np.zeros(1), np.ones(1), np.zeros(0))


def test_saturation_of_a_plan() -> None:
    """100 requests/s of 0.1 s work are 10 busy places; half of them on 1 new pod of 4 places are 1.25 of it."""
    service = Service(latency=Latency(median=0.1 * exp(-0.245), sigma=0.7), pods=Pods(concurrency=4))
    slow = (VersionEffect("canary", 0.0, float("inf"), latency_factor=2.0),)

    def used(share: float, old: int, new: int, *effects: VersionEffect) -> tuple[float, float, bool]:
        use = saturated(service, share, (old, new), effects)
        return use.old, use.new, use.queues

    assert used(0.0, 10, 0) == pytest.approx((0.25, 0.0, False))
    assert used(0.5, 5, 1) == pytest.approx((0.25, 1.25, True))
    assert used(0.2, 4, 2, *slow) == pytest.approx((0.5, 0.5, True))  # 8 places are few
    assert saturated(replace(service, pods=Pods()), 0.5, (5, 1)) == Use(0.0, 0.0, False)


def test_a_pod_without_a_place() -> None:
    with pytest.raises(WorldError, match="at least 1 request at once"):
        Pods(concurrency=0)
