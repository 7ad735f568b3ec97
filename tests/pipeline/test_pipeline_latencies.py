"""The derived latencies of pipeline-systems.md section 2, each from the block that produces it.

60,000 draws a row with a fixed seed: the mean within 1 % (at least 3.9 standard errors: a false alarm below 1e-4 a
row), the quantiles within 3 %, the extremes inside the bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.durations import Constant, Uniform, Uniforms
from sim.pipeline.disruptions import Disruption, Track
from sim.pipeline.hops import Chain
from sim.pipeline.model import Alerting, Hop, Poll, Propagation
from sim.pipeline.telemetry import Alarm
from sim.pipeline.trigger import Ticks

N = 60_000
Row = tuple[float, float, float, float, float]


def check(ages: list[float], row: Row) -> None:
    mean, p50, p95, low, high = row
    ages.sort()
    assert sum(ages) / N == pytest.approx(mean, rel=0.01)
    assert ages[N // 2] == pytest.approx(p50, rel=0.03)
    assert ages[N * 95 // 100] == pytest.approx(p95, rel=0.03)
    assert low - 1e-6 <= ages[0]
    assert ages[-1] <= high + 1e-6


@pytest.mark.parametrize(
    ("poll", "row"),
    [
        (Poll(120.0, 60.0), (76, 75, 150, 0, 180)),
        (Poll(120.0, 0.0, Uniform(0.0, 60.0), 120.0), (101, 95, 215, 0, 300)),
        (Poll(60.0, 0.0), (30, 30, 57, 0, 60)),
        (Poll(300.0, 0.0), (150, 150, 285, 0, 300)),
    ],
    ids=["argocd documented", "argocd as coded", "flux, spinnaker trigger", "gitlab, jenkins"],
)
def test_polls(uniforms: Callable[[int], Uniforms], poll: Poll, row: Row) -> None:
    uniform = uniforms(2)
    ticks = Ticks(poll, uniform, "poll")
    news = sorted(10_000.0 + 3e6 * uniform("news", i, 0) for i in range(N))
    check([ticks.after(at) - at for at in news], row)


@pytest.mark.parametrize(
    ("alerting", "row"),
    [
        (Alerting(60.0, 60.0, 0.0), (90, 90, 131, 30, 150)),
        (Alerting(60.0, 60.0, 60.0), (150, 150, 191, 90, 210)),
        (Alerting(60.0, 60.0, 300.0), (390, 390, 431, 330, 450)),
        (Alerting(15.0, 15.0, 0.0), (45, 45, 55, 30, 60)),
        (Alerting(15.0, 15.0, 60.0), (105, 105, 115, 90, 120)),
    ],
    ids=["for 0", "for 60", "for 300", "15 s, for 0", "15 s, for 60"],
)
def test_prometheus_and_alertmanager(uniforms: Callable[[int], Uniforms], alerting: Alerting, row: Row) -> None:
    uniform = uniforms(3)
    check([Alarm(alerting, uniform, instance=i).fires(1000.0) - 1000.0 for i in range(N)], row)


@pytest.mark.parametrize(
    ("hops", "row"),
    [
        ((Hop(period=10.0), Hop(period=30.0)), (20, 20, 34.5, 0, 40)),
        ((Hop(period=30.0), Hop(period=30.0)), (30, 30, 51, 0, 60)),
        ((Hop(delay=Constant(40.0)), Hop(period=30.0), Hop(period=30.0)), (70, 70, 90, 40, 100)),
    ],
    ids=["spinnaker sees an instance", "eureka deregistration", "eureka registration"],
)
def test_hop_chains(uniforms: Callable[[int], Uniforms], hops: tuple[Hop, ...], row: Row) -> None:
    chain = Chain(Propagation(hops, receivers=N), uniforms(4))
    check([chain.arrival(1000.0, 1, receiver) - 1000.0 for receiver in range(N)], row)


def test_a_lost_hop_is_healed_by_the_resync(uniforms: Callable[[int], Uniforms]) -> None:
    hop = Hop(delay=Constant(1.0), p_drop=0.25, resync=600.0)
    chain = Chain(Propagation((hop,), receivers=4000), uniforms(5))
    ages = [chain.arrival(5000.0, 1, receiver) - 5000.0 for receiver in range(4000)]
    late = [age for age in ages if age > 1.0 + 1e-9]
    assert len(late) / 4000 == pytest.approx(0.25, abs=0.03)  # 4.4 standard errors
    assert max(ages) <= 601.0
    first, last = chain.arrivals(5000.0, 1)
    assert (first, last) == (min(ages) + 5000.0, max(ages) + 5000.0)


def test_a_metrics_gap_blinds_the_alert_until_samples_return(half: Uniforms) -> None:
    rule = Alerting(sample=10.0, evaluate=10.0, pending=0.0, group_wait=30.0, lookback=50.0)
    assert Alarm(rule, half).fires(1000.0) == 1035.0
    gap = Track([Disruption("telemetry.gap", 990.0, 2000.0)])
    assert Alarm(rule, half, gap).fires(1000.0) == 2035.0


def test_a_gap_longer_than_the_lookback_starts_pending_again(half: Uniforms) -> None:
    rule = Alerting(sample=10.0, evaluate=10.0, pending=100.0, group_wait=0.0, lookback=50.0)
    assert Alarm(rule, half).fires(1000.0) == 1105.0
    short = Track([Disruption("telemetry.gap", 1050.0, 1090.0)])  # the last sample is 40 s old at most
    assert Alarm(rule, half, short).fires(1000.0) == 1105.0
    long = Track([Disruption("telemetry.gap", 1030.0, 1090.0)])  # absent at 1085, so pending restarts at 1095
    assert Alarm(rule, half, long).fires(1000.0) == 1195.0


def test_half_the_samples_missing_delays_but_does_not_blind(uniforms: Callable[[int], Uniforms]) -> None:
    rule = Alerting(sample=15.0, evaluate=15.0, group_wait=0.0)
    gap = Track([Disruption("telemetry.gap", 0.0, 1e6, 0.5)])
    uniform = uniforms(6)
    ages = [Alarm(rule, uniform, gap, instance=i).fires(1000.0) - 1000.0 for i in range(4000)]
    # A sample is missing with probability 1/2: on average one more sample, 15 s later; 5 standard errors.
    assert sum(ages) / 4000 == pytest.approx(15.0 + 15.0, abs=2.0)
