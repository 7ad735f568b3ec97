"""Known models are found again: of 200 sets of data each, how often does a 95% interval miss the truth?

10 misses are expected; more than 23 of 200 have a chance of 0.0001 where an interval keeps its word (binomial), so the seven fits below are
wrong together in one of 1,400 sets of seeds. Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import exp, inf, log

import numpy as np
import pytest

from real.calibrate import delays, latency, rates, timing
from real.calibrate.evidence import Change, Evidence, Look, Piece, pooled, unfit
from sim.durations import Z99, Lognormal
from sim.policy.errors import WorldError
from sim.results.interval import Interval

SETS, MOST = 200, 23
Draw = np.random.Generator


def poisson(draw: Draw, rate: float, seconds: int) -> tuple[Piece, ...]:
    return tuple(Piece(at, at + 1, int(count)) for at, count in enumerate(draw.poisson(rate, seconds)))


def a_rate(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    yield rates.rate(poisson(draw, 80.0, 40)), 80.0


def a_wide_rate(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    factors = draw.gamma(20.0, 1 / 20.0, 60)
    pieces = [Piece(60 * at, 60 * at + 60, int(draw.poisson(6000 * factor))) for at, factor in enumerate(factors)]
    assert rates.spread(pieces).kind == "gamma"
    yield rates.rate(pieces), 100.0


def a_floor(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    yield rates.failures(int(draw.binomial(8000, 0.002)), 8000), 0.002


BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def histogram(values: np.ndarray) -> list[int]:
    return np.histogram(values, [-inf, *np.nextafter(BOUNDS, inf), inf])[0].tolist()


def latencies(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    found = latency.fitted(BOUNDS, histogram(draw.lognormal(log(0.08), 0.7, 3000)))
    assert found is not None
    yield found.median, 0.08
    yield found.p99, 0.08 * exp(0.7 * Z99)


def a_model(draw: Draw) -> Lognormal:
    """One whose spread is as the prior has it: scaled inverse chi-square."""
    sigma = delays.USUAL * float(np.sqrt(delays.EARLIER / draw.chisquare(delays.EARLIER)))
    return Lognormal(3.0, 3.0 * exp(Z99 * sigma))


def some_delays(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    found = delays.delay([a_model(draw).draw(u) for u in draw.random(1)])
    assert found is not None
    yield found.median, 3.0


def changes(draw: Draw, delay: float, rate: float, said: float) -> list[Change]:
    """Three weights, 20 s apart, said to have arrived after so long, under windows of the load that begin anywhere."""
    found, offset = [], float(draw.random())
    for at, before, after in ((10.0, 0.0, 0.2), (30.0, 0.2, 0.5), (50.0, 0.5, 1.0)):
        windows = []
        for start in (offset + second for second in range(int(at) - 2, int(at) + 14)):
            part = min(1.0, max(0.0, start + 1 - (at + delay)))
            total = int(draw.poisson(rate))
            windows.append((start, start + 1, int(draw.binomial(total, before + (after - before) * part)), total))
        found.append(Change(at, before, after, at + said, "weight", tuple(windows)))
    return found


def a_rest(draw: Draw) -> Iterator[tuple[Interval | None, float]]:
    yield timing.rest(changes(draw, 1.3, 100.0, said=0.4)), 0.9


@pytest.mark.parametrize("fit", [a_rate, a_wide_rate, a_floor, latencies, some_delays, a_rest])
def test_intervals_keep_their_word(fit: Callable[[Draw], Iterator[tuple[Interval | None, float]]]) -> None:
    missed: dict[int, int] = {}
    for seed in range(SETS):
        for place, (found, truth) in enumerate(fit(np.random.Generator(np.random.PCG64([17, seed])))):
            assert found is not None
            missed[place] = missed.get(place, 0) + (truth not in found)
    assert all(count <= MOST for count in missed.values()), missed


def test_the_estimate_is_the_truth_where_there_is_much_data() -> None:
    draw = np.random.Generator(np.random.PCG64(4))
    found = latency.fitted(BOUNDS, histogram(draw.lognormal(log(0.08), 0.7, 400_000)))
    assert found is not None
    assert found.median.estimate == pytest.approx(0.08, rel=0.01)
    assert found.sigma.estimate == pytest.approx(0.7, rel=0.01)
    assert found.off < 0.005
    weights = changes(draw, 2.4, 20_000.0, said=0.3)
    assert timing.propagation(weights) == pytest.approx([2.4] * 3, abs=0.02)


def test_two_numbers_are_not_fitted_to_two_buckets() -> None:
    assert latency.fitted((0.1, 0.5), (100, 3, 0)) is None
    assert latency.fitted((0.1, 0.5), (100, 30, 4)) is not None
    assert delays.delay([]) is None


@pytest.mark.parametrize("count", [1, 3, 12])
def test_one_more_stays_below_the_prediction_bound(count: int) -> None:
    """At 99%, whatever the count: 40 of 4,000 may be above; fewer than 18 or more than 66 have a chance of 0.0001 each."""
    above = 0
    draw = np.random.Generator(np.random.PCG64(23))
    for _ in range(4000):
        model = a_model(draw)
        found = delays.delay([model.draw(u) for u in draw.random(count)])
        assert found is not None
        above += model.draw(float(draw.random())) > found.p99
    assert 18 <= above <= 66


def test_ways_of_traffic_do_not_arrive_alike() -> None:
    """A switch takes 0.6 s from when it is said to be so, a weight nothing; the driver itself took 0.1 s and 0.3 s."""
    draw = np.random.Generator(np.random.PCG64(11))
    weights = [replace(one, way="weight") for one in changes(draw, 0.1, 20_000.0, said=0.1)]
    switches = [replace(one, way="switch") for one in changes(draw, 0.9, 20_000.0, said=0.3)]
    assert timing.propagation([*weights, *switches]) == pytest.approx([0.1] * 3 + [0.9] * 3, abs=0.02)
    alone = [replace(one, answers=()) for one in weights]
    assert timing.propagation(alone) == pytest.approx([0.1] * 3)
    assert timing.rest(alone) is None


@pytest.mark.parametrize(
    ("interval", "places"), [(15.0, [3.1]), (1.0, [0.16, 0.79]), (5.0, [0.2, 1.3, 4.4]), (2.0, [0.7, 1.1])]
)
def test_the_interval_of_scrapes_is_found(interval: float, places: list[float]) -> None:
    draw = np.random.Generator(np.random.PCG64(8))
    steps = draw.choice(80, 24, replace=False)
    moments = [float(step * interval + places[n % len(places)] + draw.normal(0, 0.001)) for n, step in enumerate(steps)]
    assert timing.scrape([moments]) == interval
    assert timing.phases(moments, interval) == pytest.approx(places, abs=0.005)
    assert timing.scrape([moments[:4]]) is None
    assert timing.scrape([moments[:12], [moment + 0.37 * interval for moment in moments[12:]]]) == interval


def test_spacing_of_samples_is_a_usual_one_or_the_median() -> None:
    assert timing.spacing([14.99, 15.0, 15.01, 30.0]) == 15.0
    assert timing.spacing([7.0, 7.1, 6.9]) == 7.0
    assert timing.spacing([]) is None


@pytest.mark.parametrize(("lag", "sure"), [(0.0, True), (12.0, False)])
def test_a_lag_is_at_most_the_youngest_age(lag: float, sure: bool) -> None:
    draw = np.random.Generator(np.random.PCG64(3))
    looks = [
        Look(at, at + 0.2, at - lag - age, 0.1) for at, age in zip(range(100, 130), draw.random(30) * 15, strict=True)
    ]
    found = timing.lag(looks, 15.0)
    assert found is not None
    assert lag in found
    assert found.estimate == pytest.approx(lag, abs=0.0 if sure else 1.5)
    assert timing.queries(looks) == pytest.approx([0.3] * 30)


def test_counts_of_a_clock_are_told_from_those_of_chance() -> None:
    draw = np.random.Generator(np.random.PCG64(5))
    assert rates.spread([Piece(at, at + 1, 100) for at in range(60)]).kind == "fixed"
    kinds = [rates.spread(poisson(np.random.Generator(np.random.PCG64([1, n])), 50.0, 60)).kind for n in range(300)]
    assert kinds.count("poisson") >= 296  # false alarms: 0.2% of 300; more than 4 have a chance of 0.0004
    wide = [Piece(60 * at, 60 * at + 60, int(draw.poisson(6000 * f))) for at, f in enumerate(draw.gamma(9, 1 / 9, 400))]
    assert rates.spread(wide).k == pytest.approx(9.0, rel=0.35)


def evidence(**told: object) -> Evidence:
    whole = {"about": "x", "pieces": tuple(Piece(at, at + 1, 100, at % 7 == 0) for at in range(60))}
    return Evidence(**{**whole, **told})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({}, ""),
        ({"pieces": ()}, "too short: 0 requests in 0 s"),
        ({"pieces": tuple(Piece(at, at + 1, 40) for at in range(10))}, "too short: 400 requests in 10 s"),
        ({"pieces": tuple(Piece(at, at + 1, 100, 30 * (at == 7)) for at in range(60))}, "came from 7 s to 8 s"),
        ({"versions": ((5000, 5), (1000, 30))}, "the new version failed 30 of 1,000"),
        ({"versions": ((5000, 5), (1000, 1))}, ""),
        ({"versions": ((5000, 0), (1000, 0))}, ""),
    ],
)
def test_what_is_not_healthy_is_not_fitted(told: dict[str, object], says: str) -> None:
    found = list(unfit(evidence(**told)))
    assert found == [] if not says else says in found[0], found


def test_runs_of_one_service_are_one_evidence() -> None:
    one = evidence(
        bounds=(0.1,), latency=(5000, 1000), starts=(3.0,), scrapes=((1.0, 2.0),), versions=((10, 1), (20, 0)), told=6000.0, replicas=3,
    )  # fmt: skip
    both = pooled([one, replace(one, starts=(4.0, 5.0))])
    assert (both.requests, both.bad, both.seconds) == (12_000, 18, 120.0)
    assert (both.latency, both.starts, both.told) == ((10_000, 2000), (3.0, 4.0, 5.0), 12_000.0)
    assert (both.scrapes, both.versions) == (((1.0, 2.0), (1.0, 2.0)), ((20, 2), (40, 0)))
    assert pooled([one]) == one
    assert pooled([one, replace(one, told=None)]).told is None
    with pytest.raises(WorldError, match="not of one service: replicas 3, 2"):
        pooled([one, replace(one, replicas=2)])
