"""What each modelled kind does in the simulator."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from sim.faults.catalogue import MODELLED
from sim.faults.effects import (
    DriverEffect,
    Effect,
    LoadEffect,
    PipelineEffect,
    PodEffect,
    TelemetryEffect,
    VersionEffect,
)
from sim.faults.fault import Fault
from sim.faults.impact import Impact, impact
from sim.faults.presets import CONDITIONS, RELEASES, condition, written
from sim.faults.reading import parse, read
from sim.faults.simulate import effects
from sim.policy.errors import WorldError

INF = math.inf


def fault(kind: str, params: dict[str, Any] | None = None, **more: Any) -> Fault:
    return parse({"id": "one", "kind": kind, "params": params, **more})


def windowed(kind: str, params: dict[str, Any] | None = None, **more: Any) -> Fault:
    return fault(kind, params, **{"at_s": 60, "duration_s": 100, **more})


def only(one: Fault, **options: Any) -> Effect:
    found = effects(one, 3600, **options)
    assert len(found) == 1
    return found[0]


CASES: list[tuple[Fault, Effect]] = [
    (fault("build.error_rate", {"p": "2%"}), VersionEffect("canary", 0, INF, error_add=0.02)),
    (
        fault("build.error_rate", {"p": 0.5, "shape": "delayed", "after_s": "2m"}, target={"segment": "mobile"}),
        VersionEffect("canary", 0, INF, error_add=0.5, after=120.0, segment="mobile"),
    ),
    (
        fault("build.error_rate", {"p": 0.5, "shape": "ramp"}, ramp_s="5m"),
        VersionEffect("canary", 0, INF, ramp=300.0, error_add=0.5),
    ),
    (
        fault(
            "build.latency", {"factor": 3, "add_s": "50ms", "tail_p": "1%", "tail_s": 2}, target={"version": "stable"}
        ),
        VersionEffect("stable", 0, INF, latency_add=0.05, latency_factor=3.0, tail_share=0.01, tail_add=2.0),
    ),
    (
        fault("build.segment_error", {"segment": "mobile", "p": 0.3}),
        VersionEffect("canary", 0, INF, error_add=0.3, segment="mobile"),
    ),
    (
        fault("build.memory_leak", {"growth_per_s": 0.001, "max_p": "20%", "after_s": 60}),
        VersionEffect("canary", 0, INF, after=60.0, growth=0.001, cap=0.2),
    ),
    (
        fault("pod.kill", {"grace_s": 5}, target={"version": "stable"}, at_s=60),
        PodEffect("kill", "stable", 60, 60, count=1, delay=5.0),
    ),
    (
        fault("pod.kill", {"pct": "20%"}, target={"version": "all"}, at_s=60),
        PodEffect("kill", "all", 60, 60, fraction=0.2),
    ),
    (
        fault("pod.crash_loop", {"p": 0.9}),
        PodEffect("crash_loop", "canary", 0, INF, fraction=1.0, delay=5.0, probability=0.9, back_after=10.0),
    ),
    (
        fault("pod.slow_start", target={"version": "canary", "subset": {"count": 2}}),
        PodEffect("slow_start", "canary", 0, INF, count=2, delay=30.0),
    ),
    (
        windowed("node.loss", target={"subset": {"fraction": "25%"}}),
        PodEffect("node_loss", "all", 60, 160, fraction=0.25, delay=40.0, back_after=340.0),
    ),
    (
        windowed("node.reboot", target={"subset": {"fraction": "25%"}}),
        PodEffect("node_reboot", "all", 60, 160, fraction=0.25, delay=40.0, back_after=340.0),
    ),
    (
        windowed("net.delay", {"delay_s": "20ms", "direction": "both"}, target={"version": "all"}, ramp_s=10),
        VersionEffect("all", 60, 160, ramp=10.0, latency_add=0.04),
    ),
    (
        windowed("net.loss", {"p": "3%"}, target={"version": "canary"}),
        VersionEffect("canary", 60, 160, error_add=0.03, latency_add=0.03),
    ),
    (windowed("telemetry.gap", {"fraction": 0.5}), TelemetryEffect("gap", 60, 160, fraction=0.5)),
    (windowed("telemetry.lag", {"delay_s": 45}), TelemetryEffect("lag", 60, 160, delay=45.0)),
    (windowed("telemetry.nan", {"value": "empty"}), TelemetryEffect("nan", 60, 160, code="empty")),
    (windowed("telemetry.provider_error", {"p": 0.5}), TelemetryEffect("error", 60, 160, fraction=0.5, code="503")),
    (fault("telemetry.reset", at_s=60), TelemetryEffect("reset", 60, 60)),
    (windowed("store.outage", {"p": 0.5}), PipelineEffect("store.outage", 60, 160, 0.5, "")),
    (windowed("trigger.drop"), PipelineEffect("trigger.drop", 60, 160, 1.0, "")),
    (
        windowed("trigger.drop", target={"system": "delivery"}),
        PipelineEffect("trigger.drop", 60, 160, 1.0, "delivery"),
    ),
    (windowed("pool.offline", {"fraction": 0.25}), PipelineEffect("pool.offline", 60, 160, 0.25, "")),
    (windowed("driver.crash"), DriverEffect(60, 160)),
    (windowed("driver.crash", target={"system": "delivery"}), PipelineEffect("driver.crash", 60, 160, 1.0, "delivery")),
    (windowed("load.spike", {"factor": 4}), LoadEffect(60, 160, factor=4.0)),
    (windowed("load.low", {"rps": 0.5}), LoadEffect(60, 160, rate=0.5)),
]


@pytest.mark.parametrize(("one", "effect"), CASES, ids=[one.kind for one, _ in CASES])
def test_the_effect_of_a_kind(one: Fault, effect: Effect) -> None:
    assert only(one) == effect
    assert pickle.loads(pickle.dumps(one)) == one


def test_every_modelled_kind_has_a_case() -> None:
    assert {one.kind for one, _ in CASES} == set(MODELLED)


def test_an_unmodelled_kind_is_refused_by_name() -> None:
    raw = {"id": "cut", "kind": "net.blackhole", "target": {"version": "canary"}, "at_s": 0, "duration_s": 9}
    with pytest.raises(
        WorldError, match="not yet: the simulator does not carry out net.blackhole; modelled kinds: build"
    ):
        effects(parse(raw, "real"), 3600)


def test_one_effect_for_each_occurrence() -> None:
    again = windowed("load.spike", {"factor": 2}, repeat={"every_s": 200, "jitter_s": 10})
    assert effects(again, 500, lambda index: 0.5) == (
        LoadEffect(60, 160, 2.0),
        LoadEffect(265.0, 365.0, 2.0),
        LoadEffect(470.0, 570.0, 2.0),
    )
    assert effects(windowed("load.spike", {"factor": 2}, at_s=500), 500) == ()


def test_a_leak_in_bytes_needs_the_requests_of_a_pod() -> None:
    leak = fault("build.memory_leak", {"bytes_per_request": "64Ki", "limit_bytes": "256Mi"})
    with pytest.raises(WorldError, match="pass pod_rate or give growth_per_s"):
        effects(leak, 3600)
    found = only(leak, pod_rate=20.0)
    # 256 Mi / (64 Ki x 20/s) = 204.8 s to the limit, then 10 s gone in every 214.8 s.
    assert isinstance(found, VersionEffect)
    assert found.after == 204.8
    assert found.cap == pytest.approx(10 / 214.8)
    assert found.error(204.0, 0.0) == 0.0
    assert found.error(204.8 * 1.5, 0.0) == pytest.approx(found.cap / 2)
    assert found.error(1e6, 0.0) == found.cap


def test_a_version_effect_waits_for_its_version() -> None:
    late = VersionEffect("canary", 0, INF, error_add=0.1, after=120.0)
    assert late.onset(served=30.0) == 150.0
    assert [late.error(at, 30.0) for at in (149.0, 150.0, 150.5)] == [0.0, 0.0, 0.1]  # strictly older
    assert late.error(1e9, INF) == 0.0
    fixed = VersionEffect("all", 60, 160, error_add=0.1, ramp=50.0)
    assert [fixed.error(at, 0.0) for at in (59, 60, 85, 110, 159, 160)] == [0.0, 0.0, 0.05, 0.1, 0.1, 0.0]


def test_growth_is_counted_from_the_onset_and_capped() -> None:
    leak = VersionEffect("canary", 0, INF, after=100.0, growth=0.001, cap=0.05)
    assert [leak.error(at, 20.0) for at in (120.0, 130.0, 1000.0)] == [0.0, pytest.approx(0.01), 0.05]


def test_impacts_combine_by_the_rules() -> None:
    active: list[Effect] = [
        VersionEffect("canary", 0, INF, error_add=0.1, latency_add=0.1, latency_factor=2.0),
        VersionEffect("all", 0, INF, error_add=0.2, latency_add=0.2, latency_factor=3.0, tail_share=0.01, tail_add=1.0),
        VersionEffect("stable", 0, INF, error_add=0.9),
        VersionEffect("canary", 0, INF, error_add=0.5, segment="mobile"),
        LoadEffect(0, INF, factor=9.0),
    ]
    canary = impact(active, "canary", 10.0, 0.0)
    assert (canary.latency_factor, canary.tails) == (6.0, ((0.01, 1.0),))
    assert [canary.error, canary.latency_add] == pytest.approx([0.28, 0.3])
    assert impact(active, "canary", 10.0, 0.0, "mobile").error == pytest.approx(1 - 0.72 * 0.5)
    assert impact(active, "stable", 10.0, 0.0).error == pytest.approx(1 - 0.8 * 0.1)


ZERO: list[Fault] = [
    fault("build.error_rate", {"p": 0}),
    fault("build.latency", {"tail_p": 0, "tail_s": 5}),
    fault("build.latency", {"tail_p": 0.5}),
    fault("build.segment_error", {"segment": "mobile", "p": 0}),
    fault("build.memory_leak", {"growth_per_s": 0}),
    fault("build.memory_leak", {"bytes_per_request": 0, "limit_bytes": "1Mi"}),
    windowed("net.delay", {"delay_s": 0}, target={"version": "all"}, ramp_s=10),
    windowed("net.loss", {"p": 0}, target={"version": "all"}),
]


@pytest.mark.parametrize("one", ZERO, ids=[one.kind for one in ZERO])
def test_zero_intensity_changes_no_request(one: Fault) -> None:
    found = effects(one, 3600, pod_rate=10.0)
    for at in (0.0, 60.0, 65.0, 100.0, 160.0, 3000.0):
        assert all(impact(found, version, at, 0.0, "mobile") == Impact() for version in ("canary", "stable"))


def test_zero_intensity_elsewhere_gives_neutral_values() -> None:
    assert only(fault("pod.kill", {"count": 0}, target={"version": "all"}, at_s=9)) == PodEffect("kill", "all", 9, 9)
    nobody = windowed("node.loss", target={"subset": {"fraction": 0}})
    assert only(nobody) == PodEffect("node_loss", "all", 60, 160, 0, 0.0, 40.0, 1.0, 340.0)
    assert only(windowed("telemetry.gap", {"fraction": 0})) == TelemetryEffect("gap", 60, 160, fraction=0.0)
    assert only(windowed("telemetry.lag", {"delay_s": 0})) == TelemetryEffect("lag", 60, 160, delay=0.0)
    assert only(windowed("store.outage", {"p": 0})) == PipelineEffect("store.outage", 60, 160, 0.0, "")
    assert only(windowed("load.spike", {"factor": 1})) == LoadEffect(60, 160)


def test_the_named_conditions() -> None:
    assert CONDITIONS == ("good", "errors-small", "errors-medium", "errors-large", "slow", "leak", "metrics-outage")
    assert condition("good") == ()
    errors = [only(condition(f"errors-{size}")[0]) for size in ("small", "medium", "large")]
    assert errors == [VersionEffect("canary", 0, INF, error_add=p) for p in (0.005, 0.02, 0.2)]
    slow = impact(effects(condition("slow")[0], 3600), "canary", 10.0, 0.0)
    assert slow == Impact(latency_factor=3.0, tails=((0.01, 1.0),))


def test_the_leak_grows_from_0_to_10_percent_in_30_minutes_after_2_minutes() -> None:
    leak = effects(condition("leak")[0], 7200)
    at = [impact(leak, "canary", 60.0 * minutes, 0.0).error for minutes in (1, 2, 17, 32, 60)]
    assert at == [0.0, 0.0, pytest.approx(0.05), pytest.approx(0.1), pytest.approx(0.1)]


def test_a_metrics_outage_hides_the_release_that_is_asked_for() -> None:
    gap = TelemetryEffect("gap", 60.0, 660.0)
    assert [effects(one, 3600) for one in condition("metrics-outage", "good")] == [(gap,)]
    hidden = condition("metrics-outage")
    assert [one.kind for one in hidden] == ["telemetry.gap", "build.error_rate"]
    assert effects(hidden[1], 3600) == (VersionEffect("canary", 0, INF, error_add=0.02),)


@pytest.mark.parametrize("release", list(RELEASES))
def test_conditions_are_written_as_a_scenario_writes_them(release: str) -> None:
    assert read(written("metrics-outage", release)) == (condition("metrics-outage", release), [])


def test_an_unknown_condition_gets_a_near_name() -> None:
    with pytest.raises(WorldError, match="unknown condition 'slwo'; did you mean slow?"):
        condition("slwo")
    with pytest.raises(WorldError, match="unknown condition 'metrics-outage'; use one of: good"):
        condition("metrics-outage", "metrics-outage")
