"""What a fault hits: names, within its blast; nothing at all is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from real.chaos.aim import resolve
from real.chaos.catalogue import injector
from real.chaos.mischief import Mischief
from real.ports.errors import Refused
from real.ports.things import Injection, Put, Stable, told
from sim.faults.fault import Blast, Fault, Repeat, Subset, Target, Trigger
from sim.policy.commands import SetWeight
from sim.policy.events import Woke
from sim.policy.notes import PhaseIs, StepIs
from tests.real.chaos.world import NAMESPACE, World

ALL = Blast(max_pods=10, max_pct=100.0)


def aimed(
    kind: str, target: Target, params: Mapping[str, Any] | None = None, blast: Blast = ALL, world: World | None = None
) -> Any:
    return resolve(
        Fault("f1", kind, target, params or {}, blast=blast), (world or World()).field(), injector(kind), seed=7
    )


@pytest.mark.parametrize(
    "kind, target, params, wanted",
    [
        ("net.delay", Target("canary"), {}, ("web-d",)),
        ("net.delay", Target("stable"), {}, ("web-a", "web-b", "web-c")),
        ("net.delay", Target("all"), {}, ("web-a", "web-b", "web-c", "web-d")),
        ("net.delay", Target("2"), {}, ("web-d",)),
        ("net.delay", Target(selector=(("seatrial.dev/revision", "2"),)), {}, ("web-d",)),
        ("node.pause", Target("canary"), {}, ("w1",)),
        ("node.pause", Target(system="node/w2"), {}, ("w2",)),
        ("store.outage", Target(system="store"), {}, ("sea-registry",)),
        ("image.pull_fail", Target(system="store"), {}, ("w1", "w2")),
        ("api.error", Target(system="api"), {}, ()),
        ("telemetry.gap", Target(system="telemetry"), {"fraction": 1.0}, ("web-a", "web-b", "web-c", "web-d")),
    ],
)
def test_targets_become_names(kind: str, target: Target, params: dict[str, Any], wanted: tuple[str, ...]) -> None:
    assert aimed(kind, target, params) == wanted


@pytest.mark.parametrize(
    "target, params, many",
    [
        (Target("stable"), {"count": 2, "pct": None}, 2),
        (Target("stable"), {"count": 9, "pct": None}, 3),
        (Target("stable"), {"count": 1, "pct": 0.5}, 2),
        (Target("stable", subset=Subset(count=1)), {"count": 3, "pct": None}, 1),
        (Target("stable", subset=Subset(fraction=0.34)), {}, 2),
    ],
)
def test_some_of_them_the_same_again(target: Target, params: dict[str, Any], many: int) -> None:
    found = aimed("pod.kill", target, params)
    assert len(found) == many and set(found) <= {"web-a", "web-b", "web-c"}
    assert aimed("pod.kill", target, params) == found


def test_a_part_of_the_scrapes() -> None:
    assert len(aimed("telemetry.gap", Target(system="telemetry"), {"fraction": 0.5}, Blast())) == 2


@pytest.mark.parametrize(
    "kind, target, blast, why",
    [
        ("net.delay", Target("stable"), Blast(), "would hit 3 of 4 pods; blast allows 1 and 25%"),
        ("net.delay", Target("stable"), Blast(max_pods=3), "25%"),
        ("node.pause", Target("canary"), Blast(), "would hit 2 of 4 pods"),
        ("net.delay", Target("r9"), ALL, "no pod of version r9"),
        ("net.delay", Target(selector=(("app", "x"),)), ALL, "no pod of version all"),
    ],
)
def test_too_much_or_nothing_is_refused(kind: str, target: Target, blast: Blast, why: str) -> None:
    with pytest.raises(Refused, match=why):
        aimed(kind, target, blast=blast)


def test_exactly_what_blast_allows_is_hit() -> None:
    assert aimed("net.delay", Target("canary"), blast=Blast()) == ("web-d",)


def test_a_node_without_infrastructure_is_hit_first() -> None:
    """Prometheus is on w2: as long as another worker has the pods, that one is paused."""
    assert aimed("node.pause", Target("stable")) == ("w1",)


def test_after_a_promotion_the_canary_is_stable() -> None:
    import json

    world = World()
    data = {"value": json.dumps(told(Put("stable", Stable(2, 1))))}
    world.add(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "web-stable", "namespace": NAMESPACE},
            "data": data,
        }
    )
    assert aimed("net.delay", Target("stable"), world=world) == ("web-d",)


def mischief(*faults: Fault) -> Mischief:
    return Mischief(faults, World().field(), seed=3)


PAUSE = Fault("f1", "api.error", Target(), {"p": 1.0}, at_s=10.0, duration_s=5.0)
IN = Put("fault/f1", Injection("api.error", (), (("p", 1.0), ("lasts_s", 5.0))))
OUT = Put("fault/f1", None)


def test_a_fault_begins_and_ends() -> None:
    plan = mischief(PAUSE)
    assert plan.wakes_at == 10.0 and plan.due(9.9) == ()
    assert plan.due(10.0) == (IN,)
    assert plan.wakes_at == 15.0 and plan.due(20.0) == (OUT,)
    assert plan.wakes_at is None and plan.due(99.0) == ()


def test_an_instant_is_put_and_taken_away_at_once() -> None:
    plan = mischief(Fault("f1", "pod.kill", Target("canary"), {"count": 1}, at_s=3.0))
    assert [put.value is None for put in plan.due(3.0)] == [False, True]


def test_it_repeats() -> None:
    plan = mischief(Fault("f1", "api.error", Target(), {}, at_s=1.0, duration_s=2.0, repeat=Repeat(10.0, times=3)))
    found = []
    while plan.wakes_at is not None:
        found.append((plan.wakes_at, [put.value is not None for put in plan.due(plan.wakes_at)]))
    assert found == [(1.0, [True]), (3.0, [False]), (11.0, [True]), (13.0, [False]), (21.0, [True]), (23.0, [False])]


def test_ends_come_before_starts() -> None:
    again = Fault("f1", "api.error", Target(), {"p": 1.0}, at_s=15.0, duration_s=5.0)
    plan = mischief(PAUSE, again)
    plan.due(10.0)
    assert plan.due(15.0) == (OUT, IN)


@pytest.mark.parametrize(
    "trigger, happens",
    [
        (Trigger("weight_at_least", 20), lambda plan, at: plan.heard(at, Woke(), (SetWeight(10), SetWeight(20)))),
        (Trigger("step_entered", 2), lambda plan, at: (plan.noted(at, StepIs(1)), plan.noted(at, StepIs(2)))),
        (Trigger("phase", "Paused"), lambda plan, at: plan.noted(at, PhaseIs("Paused"))),
        (Trigger("event", "Woke"), lambda plan, at: plan.heard(at, Woke(), ())),
    ],
)
def test_a_trigger_starts_it_once(trigger: Trigger, happens: Any) -> None:
    plan = mischief(Fault("f1", "api.error", Target(), {"p": 1.0}, trigger=trigger, duration_s=5.0))
    assert plan.wakes_at is None
    happens(plan, 40.0)
    assert plan.wakes_at == 40.0 and plan.due(40.0) == (IN,)
    happens(plan, 42.0)
    assert plan.due(45.0) == (OUT,) and plan.wakes_at is None
