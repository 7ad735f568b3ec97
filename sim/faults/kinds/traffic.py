"""Membership, routers and load (faults.md section 2.4)."""

from __future__ import annotations

from sim.faults.kind import Kind, kind, parameter

KINDS: tuple[Kind, ...] = (
    kind(
        "members.lag",
        "pipeline",
        parameter("delay_s", "s", "how late a removal is seen", required=True),
        simulated="a removal is seen late, so that SIGTERM races it",
        real="no preStop hook, and a delay in the fault proxy",
    ),
    kind("members.freeze", "pipeline", simulated="no eviction (guard engaged)"),
    kind("members.zombie", "pipeline", simulated="dead member stays"),
    kind(
        "members.flap",
        "pipeline",
        parameter("period_s", "s", "one cycle", required=True, low=0.1, join="same"),
        simulated="a member goes out and comes back",
        real="ready toggled at the demo application's fault endpoint",
        undo="reset at the demo application's fault endpoint",
    ),
    kind(
        "members.false_positive",
        "pipeline",
        parameter("p", "ratio", "probability that a healthy member is marked down", required=True),
        simulated="healthy member marked down",
        real="probe answer at the demo application's fault endpoint",
        undo="reset at the demo application's fault endpoint",
    ),
    kind("members.fail_open", "pipeline", simulated="all unhealthy: all receive traffic"),
    kind("router.ignore_weight", "pipeline", simulated="a share of the traffic stays at the old weight"),
    kind(
        "router.split_brain",
        "pipeline",
        parameter("fraction", "ratio", "share of the proxies with the new weights", 0.5, join="same"),
        simulated="part of the proxies have the new weights",
        real="freeze some proxies",
        undo="resume",
    ),
    kind(
        "router.old_generation",
        "pipeline",
        parameter("drain_s", "s", "how long the old process serves", required=True, join="same"),
        simulated="old process serves old weights until drained",
    ),
    kind(
        "router.sticky",
        "pipeline",
        parameter("fraction", "ratio", "share of clients that are pinned", required=True),
        parameter("ttl_s", "s", "how long they stay", required=True, join="same"),
        simulated="clients pinned to a version keep it after the weight is 0",
        real="keep-alive clients with cookies",
        undo="stop clients",
    ),
    kind(
        "load.spike",
        "pipeline",
        parameter("factor", "factor", "arrival rate, times this", required=True),
        parameter("shape", "word", "how it rises", "step", choices=("step", "flash", "diurnal"), simulates=("step",)),
        simulated="the arrival rate is multiplied by factor",
        real="load generator",
        undo="back to the planned rate",
        modelled=True,
    ),
    kind(
        "load.low",
        "pipeline",
        parameter("rps", "1/s", "arrival rate in its place", 0.1),
        simulated="the arrival rate falls to rps: few or no requests in a window",
        real="load generator",
        undo="back to the planned rate",
        modelled=True,
    ),
    kind(
        "load.shift",
        "pipeline",
        parameter("segment", "text", "the segment that grows or shrinks", required=True),
        parameter("to", "ratio", "its new share", required=True, join="same"),
        simulated="the mix of segments changes at an equal total",
        real="load generator",
        undo="back to the planned mix",
    ),
)
