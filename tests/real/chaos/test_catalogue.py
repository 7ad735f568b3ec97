"""Every kind of the one catalogue is injected, or told beforehand why not."""

from __future__ import annotations

from typing import Any

import pytest

from real.chaos.catalogue import ELSEWHERE, INJECTORS, NETEM, REASONS, injector, reason, unable
from real.load.channel import Channel
from sim.faults.catalogue import KINDS
from sim.faults.fault import Blast, Fault, Target
from sim.faults.reading import read
from sim.service.traffic import Constant
from tests.real.chaos.world import World


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_answered_for(kind: str) -> None:
    why = reason(kind)
    assert (kind in INJECTORS) == (why == "")
    if KINDS[kind].capability == "sim":
        assert kind not in INJECTORS and "simulated" in why


def test_the_tables_name_kinds_of_the_catalogue_only_and_each_once() -> None:
    named = [*INJECTORS, *ELSEWHERE, *REASONS]
    assert set(named) <= set(KINDS) and len(set(named) - set(NETEM)) + len(set(named) & set(NETEM)) == len(set(named))
    assert not set(INJECTORS) & (set(ELSEWHERE) | set(REASONS))


def test_everything_that_the_issue_asks_for_is_injected() -> None:
    assert {
        "pod.kill", "node.drain", "node.pause", "node.reboot", "net.delay", "net.loss", "net.partition", "net.bandwidth", "image.pull_fail",
        "store.outage", "telemetry.gap", "api.error", "dns.error", "load.spike", "load.low", "load.shift",
    } <= set(INJECTORS)  # fmt: skip
    assert {"pod.crash_loop", "pod.slow_start", "build.error_rate", "build.latency", "build.memory_leak"} <= set(
        ELSEWHERE
    )


@pytest.mark.parametrize("kind", NETEM)
def test_netem_takes_over_where_the_kernel_has_it(kind: str) -> None:
    assert reason(kind, netem=True) == "" and injector(kind, netem=True) is NETEM[kind]


def fault(kind: str, **more: Any) -> Fault:
    made, flaws = read([{"id": "f1", "kind": kind, "at_s": 0, **more}], mode="real")
    assert not flaws, flaws
    return made[0]


@pytest.mark.parametrize(
    "asked, lacking, why",
    [
        (Fault("f1", "clock.skew", Target("canary"), {}), (), "the clock is the machine's own"),
        (Fault("f1", "pool.slow", Target(), {}), (), "simulated"),
        (Fault("f1", "pod.kill", Target("canary"), {}), (), ""),
        (Fault("f1", "pod.kill", Target("canary"), {}, ramp_s=3.0), (), "leave ramp_s out"),
        (Fault("f1", "pod.kill", Target("canary"), {}, blast=Blast(namespaces=("other",))), (), "leave out trial"),
        (Fault("f1", "node.pause", Target("canary"), {}), ("nodes",), "only those of a cluster"),
        (Fault("f1", "node.drain", Target("canary"), {}), ("whole",), "only those of a cluster"),
        (Fault("f1", "node.reboot", Target("canary"), {}), ("nodes",), "only those of a cluster"),
        (Fault("f1", "api.error", Target(), {}), ("calls",), "transport"),
        (Fault("f1", "load.spike", Target(), {"factor": 2.0}), ("users",), "--load none"),
        (Fault("f1", "load.spike", Target(), {"factor": 2.0, "shape": "flash"}), (), "write shape: step, not flash"),
        (Fault("f1", "load.shift", Target(), {"segment": "gold", "to": 0.5}), (), "no segment gold; there are beta"),
        (Fault("f1", "load.shift", Target(), {"segment": "beta", "to": 0.5}), (), ""),
        (Fault("f1", "net.loss", Target("canary"), {"p": 0.1, "burst": (0.1, 0.2)}), (), "need netem"),
        (Fault("f1", "image.pull_fail", Target(), {"p": 0.5}), (), "leave p at 1"),
        (Fault("f1", "image.pull_fail", Target(), {"cached": "fail"}), (), "leave cached: serve"),
        (Fault("f1", "store.outage", Target(), {"p": 0.5}), (), "leave p at 1"),
        (Fault("f1", "sched.block", Target(), {"reason": "no_capacity"}), (), "use reason: quota"),
    ],
)
def test_unable_is_told_beforehand(asked: Fault, lacking: tuple[str, ...], why: str) -> None:
    users = Channel(Constant(10.0), (("beta", 0.3),))
    field = World().field(**{"calls": object(), "users": users, **dict.fromkeys(lacking)})
    told = unable(asked, field)
    assert (why in told and told.startswith("fault f1 (")) if why else told == ""
