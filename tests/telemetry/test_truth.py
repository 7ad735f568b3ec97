"""Queries against the counts of the ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.durations import Constant as Fixed
from sim.engine.paths import follow
from sim.faults.effects import TelemetryEffect
from sim.policy.commands import Apply, SetScale, Switch
from sim.scenario import assemble
from sim.service.mix import layout
from sim.service.model import Pods
from sim.service.telemetry.names import Identity, Named
from sim.service.telemetry.settings import Telemetry
from tests.telemetry.world import ROWS, World, service

SHAPE = layout(service())
CANARY = 'service="shop-canary"'
ALL = np.r_[SHAPE.new : SHAPE.width]
GOOD = np.r_[SHAPE.new : SHAPE.errors]
BAD = np.r_[SHAPE.errors : SHAPE.width]


def counts(world: World, columns: np.ndarray, scrape: int) -> np.ndarray:  # type: ignore[type-arg]
    return world.ledger.cumulative[scrape][:, columns].sum(axis=1)


def extrapolated(
    first: float, last: float, times: tuple[float, float], window: tuple[float, float], samples: int
) -> float:
    """What `increase` makes of two counts in a window (Prometheus: promql/functions.go, extrapolatedRate), for a counter far from 0."""
    span = times[1] - times[0]
    between = span / (samples - 1)
    before, after = times[0] - window[0], window[1] - times[1]
    limit = between * 1.1
    stretch = span + (before if before < limit else between / 2) + (after if after < limit else between / 2)
    return (last - first) * stretch / span


@pytest.mark.parametrize("at", [300.0, 307.0, 314.9])
@pytest.mark.parametrize(("matcher", "columns"), [("", ALL), (',code="200"', GOOD), (',code=~"5.."', BAD)])
def test_increase_is_the_count_between_scrapes_stretched(at: float, matcher: str, columns: np.ndarray) -> None:  # type: ignore[type-arg]
    world = World(f"sum(increase(http_requests_total{{{CANARY}{matcher}}}[2m]))")
    assert not world.apart
    answer = world.ask(at)
    last, first = int(at // 15), int((at - 120.0) // 15) + 1  # left-open
    assert answer.values.shape == (1, ROWS)
    for row in range(ROWS):
        pieces = [columns] if matcher else [GOOD, BAD]  # each series is stretched by itself
        expected = 0.0
        for piece in pieces:
            low, high = counts(world, piece, first)[row], counts(world, piece, last)[row]
            start = high - low
            reach = (at - 120.0) if start == 0 else max(at - 120.0, first * 15.0 - (last - first) * 15.0 * low / start)
            expected += extrapolated(low, high, (first * 15.0, last * 15.0), (reach, at), last - first + 1)
        assert answer.values[0, row] == pytest.approx(expected, rel=1e-12)


def test_a_counter_is_the_count() -> None:
    world = World(f"sum by (code) (http_requests_total{{{CANARY}}})")
    assert world.apart
    answer = world.ask(300.0)
    shown = {dict(labels)["code"]: values for labels, values in zip(answer.labels, answer.values, strict=True)}
    good, bad = (
        shown["200"],
        np.where(answer.present, answer.values, 0.0)[[dict(one)["code"] == "500" for one in answer.labels]][0],
    )
    assert good.tolist() == counts(world, GOOD, 20).tolist()
    assert bad.tolist() == counts(world, BAD, 20).tolist()


def test_pods_add_up_to_their_version() -> None:
    """Sum over pods of raw counters, at every scrape; pods of the new version share evenly, up to chance."""
    world = World(f"http_requests_total{{{CANARY}}}")
    for at in (60.0, 150.0, 600.0):
        answer = world.ask(at)
        total = np.where(answer.present, answer.values, 0.0).sum(axis=0)
        assert total.tolist() == counts(world, ALL, int(at // 15)).tolist()
    by_pod: dict[str, float] = {}
    for labels, values, there in zip(answer.labels, answer.values, answer.present, strict=True):
        by_pod[dict(labels)["pod"]] = by_pod.get(dict(labels)["pod"], 0.0) + float(values[there].sum())
    assert sorted(by_pod) == ["shop-latest-00000", "shop-latest-00001"]
    one, two = by_pod.values()
    assert abs(one - two) < 5 * (one + two) ** 0.5


def test_a_quantile_is_the_one_of_the_buckets() -> None:
    from sim.policy.judges.histogram import quantile

    world = World(
        f'histogram_quantile(0.9, sum by (le) (increase(http_server_requests_seconds_bucket{{{CANARY},outcome="SUCCESS"}}[5m])))'
    )
    answer = world.ask(585.0)
    first, last = 20, 39
    between = world.ledger.cumulative[last] - world.ledger.cumulative[first]
    good = between[:, SHAPE.new : SHAPE.slow].copy()
    good[:, SHAPE.slow_from :] += between[:, SHAPE.slow : SHAPE.errors]
    for row in range(ROWS):
        assert answer.values[0, row] == pytest.approx(quantile(0.9, good[row].tolist(), SHAPE.bounds), rel=1e-9)


def test_the_stable_version_has_a_past() -> None:
    """A rate over five minutes at the very start sees the traffic before it."""
    answer = World('sum(rate(http_requests_total{service="shop-stable"}[5m]))').ask(0.0)
    assert answer.values.mean() == pytest.approx(20.0, abs=5 * (20.0 / 300.0 / ROWS) ** 0.5)


def test_series_begin_with_their_first_request_unless_counters_are_initialized() -> None:
    text = f'sum(rate(http_requests_total{{{CANARY},code="500"}}[1m]))'
    late = World(text, of=service(rate=1.0)).ask(90.0)
    assert 0 < late.present[0].sum() < ROWS
    early = World(text, of=service(rate=1.0, telemetry=Telemetry(initialized=True))).ask(90.0)
    assert early.present.all() and (early.values[0] == 0).any()


def test_a_reset_is_no_drop_of_the_rate() -> None:
    """After a reset counters count from 0: `resets` sees it, and `increase` misses at most what came after the last scrape before it."""
    reset = TelemetryEffect("reset", 305.0, 305.0)
    world = World(f'sum(increase(http_requests_total{{{CANARY},code="200"}}[5m]))', effects=(reset,))
    answer = world.ask(450.0)
    truth = counts(world, GOOD, 30) - counts(world, GOOD, 11)
    missed = counts(world, GOOD, 21) - counts(world, GOOD, 20)
    seen = answer.values[0] * 285.0 / 300.0
    assert (seen <= truth + 1e-6).all() and (seen >= truth - missed - 1e-6).all() and (seen < truth - 1e-6).any()
    resets = World(f'resets(http_requests_total{{{CANARY},code="200"}}[5m])', effects=(reset,)).ask(450.0)
    assert resets.values[resets.present].max() == 1.0


def test_samples_arrive_late_with_their_own_times() -> None:
    lag = TelemetryEffect("lag", 300.0, 400.0, delay=40.0)
    world = World(f'max(timestamp(http_requests_total{{{CANARY},code="200"}}))', effects=(lag,))
    assert world.ask(299.0).values[0].tolist() == [285.0] * ROWS
    assert world.ask(310.0).values[0].tolist() == [270.0] * ROWS


def test_a_gap_is_no_sample_and_a_part_of_one_is_some() -> None:
    text = f'max(count_over_time(http_requests_total{{{CANARY},code="200"}}[2m]))'
    whole = World(text, effects=(TelemetryEffect("gap", 200.0, 260.0),)).ask(300.0)
    assert whole.values[0].tolist() == [4.0] * ROWS
    part = World(text, effects=(TelemetryEffect("gap", 0.0, 600.0, fraction=0.5),)).ask(300.0)
    assert 2.0 < part.values[0][part.present[0]].mean() < 6.0


def test_pods_are_scraped_at_different_moments() -> None:
    """Four moments an interval: every pod has its own grid of 15 s, and counts what its version did up to there."""
    told = Telemetry(phases=5)
    world = World(f'timestamp(http_requests_total{{{CANARY},code="200"}})', of=service(telemetry=told))
    answer = world.ask(300.0)
    times = answer.values[:, 0].tolist()
    assert len(set(times)) == len(times) == 2 and all(285.0 < time <= 300.0 and time % 3.0 == 0.0 for time in times)
    assert world.apart
    total = World(f'sum(increase(http_requests_total{{{CANARY},code="200"}}[5m]))', of=service(telemetry=told))
    truth = total.ledger.cumulative[195][:, GOOD].sum(axis=1) - total.ledger.cumulative[95][:, GOOD].sum(axis=1)
    assert np.abs(total.ask(585.0).values[0] / truth - 1).max() < 0.1


def test_a_judge_of_counts_sees_whole_intervals_whatever_the_phases() -> None:
    views = [
        World("up", of=service(telemetry=Telemetry(phases=phases))).site.sight.look(307.0, 60.0) for phases in (1, 5)
    ]
    assert [(view.start, view.end) for view in views] == [(255.0, 300.0)] * 2  # type: ignore[union-attr]
    fine = World("up", of=service(telemetry=Telemetry(phases=5)))
    view = fine.site.sight.look(307.0, 60.0)
    new = fine.ledger.cumulative[100] - fine.ledger.cumulative[85]
    assert view.canary.requests.tolist() == new[:, ALL].sum(axis=1).tolist()  # type: ignore[union-attr]


LIVE = Identity(
    Named("shop", "live", "stable"), Named("shop", "next", "latest"), "prod", "live", system="argo", active="live"
)  # fmt: skip


def test_a_switch_moves_the_service_to_the_new_pods() -> None:
    """Blue-green: before it the active service shows the old pods, afterwards the new ones, with the counters that they have."""
    script = ((0.0, SetScale(4, 4)), (0.0, Switch(1, 2)), (300.0, Switch(2, 2)))
    text = 'sum by (rollouts_pod_template_hash) (rate(http_requests_total{service="live"}[1m]))'
    world = World(text, script=script, identity=LIVE)
    before, after = world.ask(285.0), world.ask(400.0)
    assert [dict(labels)["rollouts_pod_template_hash"] for labels in before.labels] == ["stable"]
    assert [dict(labels)["rollouts_pod_template_hash"] for labels in after.labels] == ["latest"]
    assert before.values.mean() == pytest.approx(20.0, rel=0.1) and after.values.mean() == pytest.approx(20.0, rel=0.1)


@pytest.mark.parametrize(
    "change", [{"arrivals": "fixed"}, {"pods": Pods(count=4, start=Fixed(10.0), concurrency=50)}], ids=str
)
def test_other_ledgers_have_samples_too(change: dict[str, object]) -> None:
    """Arrivals that are not random, and requests that wait: rollouts that ask queries run there as well."""
    of = replace(service(rate=50.0, errors=0.001), horizon=3600.0, **change)  # type: ignore[arg-type]
    policy = Path(__file__).parents[2] / "scenarios/policies/argo-canary.yaml"
    for pods in ("auto", "apart"):
        told = replace(of, telemetry=Telemetry(pods=pods))  # type: ignore[arg-type]
        case = assemble([policy], service=told, releases=("errors-large",)).cases()[0][2]
        assert follow(case, 1, 0, 2)["outcome"].tolist() == [1, 1]


def test_pods_that_come_and_go() -> None:
    """A rolling update: every pod's series begins and ends with it, and all of them together are the version."""
    script = ((0.0, Apply(2, 1, 0)),)
    world = World('http_requests_total{code="200"}', script=script)
    lives = {revision: [life for life in world.site._fleet.lives if life.revision == revision] for revision in (1, 2)}
    assert len(lives[1]) == len(lives[2]) == 4 and all(life.gone < 60.0 for life in lives[1])
    for at in (30.0, 60.0, 300.0):
        answer = world.ask(at)
        new = [dict(labels)["version"] == "canary" for labels in answer.labels]
        shown = np.where(answer.present, answer.values, 0.0)[new].sum(axis=0)
        assert shown.tolist() == counts(world, GOOD, int(at // 15)).tolist()
    old = [dict(labels)["version"] == "stable" for labels in answer.labels]
    assert not answer.present[old].any()  # marked stale at the first scrape after their end
