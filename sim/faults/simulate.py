"""From a fault to its effects in the simulator: one function for each modelled kind, and the models they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from sim.faults.aims import AIMS
from sim.faults.effects import (
    DriverEffect,
    Effect,
    LoadEffect,
    PipelineEffect,
    PodEffect,
    TelemetryEffect,
    Version,
    VersionEffect,
)
from sim.faults.fault import Fault
from sim.faults.timing import Uniform, undrawn, windows
from sim.policy.errors import WorldError

RESTART = 10.0  # s; the kubelet's first back-off, which doubles up to 300 s (faults.md 2.1, pod.container_kill)
RETRANSMIT = 1.0  # s; TCP's first retransmission time-out (RFC 6298 section 2)
DETECT = 40.0  # s; kubernetes: node-monitor-grace-period (profiles.yaml members.lease.ttl_s)
EVICT = 300.0  # s; kubernetes: DefaultTolerationSeconds (profiles.yaml members.lease.evict_after_s)

Window = tuple[float, float]


def effects(
    fault: Fault, until: float, uniform: Uniform = undrawn, *, pod_rate: float | None = None
) -> tuple[Effect, ...]:
    """One effect for each occurrence that starts before `until`, in order of time.

    `uniform` are the draws of the fault's stream; `pod_rate` the requests per second of one pod, which only a memory
    leak in bytes needs. Raises WorldError for a kind that is not modelled, and for a fault that waits for a trigger.
    """
    make = _EFFECTS.get(fault.kind)
    if make is None:
        raise WorldError(
            f"not yet: the simulator does not carry out {fault.kind}; modelled kinds: {', '.join(_EFFECTS)}"
        )
    if fault.kind == "build.memory_leak":
        return tuple(_leak(fault, window, pod_rate) for window in windows(fault, until, uniform))
    return tuple(make(fault, window) for window in windows(fault, until, uniform))


def _version(fault: Fault, fallback: Version = "canary") -> Version:
    return cast(Version, fault.target.version or fallback)


def _errors(fault: Fault, window: Window) -> Effect:
    segment = fault.params.get("segment", fault.target.segment)
    return VersionEffect(
        _version(fault),
        *window,
        ramp=fault.ramp_s,
        error_add=fault.number("p"),
        after=fault.number("after_s") if "after_s" in fault.params else 0.0,
        segment=None if segment is None else str(segment),
    )


def _latency(fault: Fault, window: Window) -> Effect:
    return VersionEffect(
        _version(fault),
        *window,
        ramp=fault.ramp_s,
        latency_add=fault.number("add_s"),
        latency_factor=fault.number("factor"),
        segment=fault.target.segment,
        tail_share=fault.number("tail_p"),
        tail_add=fault.number("tail_s"),
    )


def _leak(fault: Fault, window: Window, pod_rate: float | None = None) -> Effect:
    """The sawtooth of out-of-memory restarts, averaged over pods.

    In bytes: a pod reaches its limit T = limit / (bytes per request x requests per second) seconds after it began, and
    is then gone for RESTART seconds, again and again: in the long run a share RESTART / (T + RESTART) of its time. All
    pods begin together and drift apart, so the error probability is taken to grow from 0 at T to that share at 2T, and
    to stay there. That overstates the harm where endpoints forget a dead pod faster than it restarts, and smooths the
    first common peak. In the short form it grows by growth_per_s from after_s on, up to max_p.
    """
    if fault.params.get("limit_bytes") is None:
        growth, cap, after = fault.number("growth_per_s"), fault.number("max_p"), fault.number("after_s")
        return VersionEffect(_version(fault), *window, after=after, growth=growth, cap=cap)
    if pod_rate is None:
        raise WorldError(
            f"fault {fault.id}: a leak in bytes needs one pod's requests per second; pass pod_rate or give growth_per_s"
        )
    leaked = fault.number("bytes_per_request") * pod_rate
    if leaked <= 0:
        return VersionEffect(_version(fault), *window)
    full = fault.number("limit_bytes") / leaked
    share = RESTART / (full + RESTART)
    return VersionEffect(_version(fault), *window, after=full, growth=share / full, cap=share)


def _kill(fault: Fault, window: Window) -> Effect:
    count, share = int(fault.number("count")), fault.number("pct")
    return PodEffect("kill", _version(fault), *window, count, share, delay=fault.number("grace_s"))


def _share(fault: Fault) -> tuple[int, float]:
    """(count, fraction) of the pods that are meant; without a subset all of them."""
    subset = fault.target.subset
    if subset is None:
        return 0, 1.0
    return subset.count or 0, subset.fraction or 0.0


def _crash(fault: Fault, window: Window) -> Effect:
    delay, p = fault.number("crash_after_s"), fault.number("p")
    return PodEffect("crash_loop", _version(fault), *window, *_share(fault), delay, p, RESTART)


def _slow(fault: Fault, window: Window) -> Effect:
    return PodEffect("slow_start", _version(fault), *window, *_share(fault), delay=fault.number("startup_delay_s"))


def _node(fault: Fault, window: Window) -> Effect:
    """Both versions lose the same share of their pods, unless the target names one of them."""
    version = _version(fault, "all")
    kind: Literal["node_loss", "node_reboot"] = "node_loss" if fault.kind == "node.loss" else "node_reboot"
    return PodEffect(kind, version, *window, *_share(fault), delay=DETECT, back_after=DETECT + EVICT)


def _delay(fault: Fault, window: Window) -> Effect:
    """A request and its answer cross the network once each way: `both` delays it twice, at a packet per crossing."""
    crossings = 2 if fault.params["direction"] == "both" else 1
    delay = crossings * fault.number("delay_s")
    return VersionEffect(_version(fault), *window, ramp=fault.ramp_s, latency_add=delay, segment=fault.target.segment)


def _loss(fault: Fault, window: Window) -> Effect:
    """A simple model: with probability p a request fails, and all wait p x RETRANSMIT longer, the mean of one
    retransmission.

    It has the right mean, not the right tail: a real share p would wait a whole RETRANSMIT.
    """
    p = fault.number("p")
    return VersionEffect(
        _version(fault),
        *window,
        ramp=fault.ramp_s,
        error_add=p,
        latency_add=p * RETRANSMIT,
        segment=fault.target.segment,
    )


def _gap(fault: Fault, window: Window) -> Effect:
    return TelemetryEffect("gap", *window, fraction=fault.number("fraction"))


def _lag(fault: Fault, window: Window) -> Effect:
    return TelemetryEffect("lag", *window, delay=fault.number("delay_s"))


def _nan(fault: Fault, window: Window) -> Effect:
    return TelemetryEffect("nan", *window, code=str(fault.params["value"]))


def _failing(fault: Fault, window: Window) -> Effect:
    return TelemetryEffect("error", *window, fraction=fault.number("p"), code=str(fault.params["code"]))


def _reset(fault: Fault, window: Window) -> Effect:
    return TelemetryEffect("reset", *window)


def _spike(fault: Fault, window: Window) -> Effect:
    return LoadEffect(*window, factor=fault.number("factor"))


def _low(fault: Fault, window: Window) -> Effect:
    return LoadEffect(*window, rate=fault.number("rps"))


def _crashed(fault: Fault, window: Window) -> Effect:
    """The rollout's controller by default; with the system `delivery` the reconciler of the pipeline."""
    return _pipeline(fault, window, 1.0) if _stage(fault) else DriverEffect(*window)


def _lossy(fault: Fault, window: Window) -> Effect:
    return _pipeline(fault, window, fault.number("p"))


def _offline(fault: Fault, window: Window) -> Effect:
    return _pipeline(fault, window, fault.number("fraction"))


def _pipeline(fault: Fault, window: Window, intensity: float) -> PipelineEffect:
    return PipelineEffect(fault.kind, *window, intensity, _stage(fault))


def _stage(fault: Fault) -> str:
    return AIMS[fault.kind].systems.get(fault.target.system or "", "")


_EFFECTS: dict[str, Callable[[Fault, Window], Effect]] = {
    "build.error_rate": _errors,
    "build.latency": _latency,
    "build.segment_error": _errors,
    "build.memory_leak": _leak,
    "pod.kill": _kill,
    "pod.crash_loop": _crash,
    "pod.slow_start": _slow,
    "node.loss": _node,
    "node.reboot": _node,
    "net.delay": _delay,
    "net.loss": _loss,
    "telemetry.gap": _gap,
    "telemetry.lag": _lag,
    "telemetry.nan": _nan,
    "telemetry.provider_error": _failing,
    "telemetry.reset": _reset,
    "store.outage": _lossy,
    "trigger.drop": _lossy,
    "pool.offline": _offline,
    "driver.crash": _crashed,
    "load.spike": _spike,
    "load.low": _low,
}
