"""The port of faults: record before effect, proof or taken back, undone to the last rule, whenever the process dies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from real.chaos.catalogue import INJECTORS, injector
from real.chaos.injector import NotEffective
from real.chaos.port import Chaos
from real.cluster.names import MANAGED
from real.ports.errors import Conflict, Fenced, Forbidden, Gone, Refused, Unclear
from real.ports.things import Injection, Lease, Put, Stamp
from tests.real.chaos.world import IMAGE, NAMESPACE, Dead, World

# One injection of every kind that changes a cluster; what changes our own calls and load only is in test_calls.py and test_users.py.
ROWS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "pod.kill": (("web-d",), {"count": 1, "grace_s": 0.0}),
    "pod.container_kill": (("web-a",), {"exit_code": 137}),
    "pod.unready": (("web-a",), {}),
    "pod.ready_flap": (("web-a",), {"period_s": 20.0, "duty": 0.5}),
    "members.flap": (("web-a", "web-b"), {"period_s": 10.0}),
    "members.false_positive": (("web-a",), {"p": 0.3}),
    "stress.memory": (("web-a",), {"bytes": 5e7, "workers": 1}),
    "telemetry.reset": (("web-a", "web-b"), {}),
    "pod.stuck_terminating": (("web-a",), {}),
    "node.drain": (("w2",), {"timeout_s": 120.0}),
    "node.pause": (("w1",), {}),
    "node.loss": (("w1",), {}),
    "node.reboot": (("w1",), {}),
    "node.image_gc": (("w1", "w2"), {"image": "sha256:" + "ab" * 32}),
    "image.pull_fail": (("w1", "w2"), {"code": "404", "p": 1.0, "cached": "serve"}),
    "sched.block": ((), {"reason": "pdb"}),
    "net.delay": (("web-a", "web-d"), {"delay_s": 0.2, "jitter_s": 0.0, "direction": "both"}),
    "net.loss": (("web-d",), {"p": 0.3, "correlation": 0.0, "burst": None}),
    "net.bandwidth": (("web-d",), {"rate_bps": 1e6, "burst_bytes": 32768}),
    "net.partition": (("web-d",), {"direction": "both", "peer": "peer"}),
    "net.reset": (("web-d",), {"after_s": 0.0}),
    "net.blackhole": (("web-d",), {}),
    "net.slow_close": (("web-d",), {"delay_s": 1.0}),
    "net.slice": (("web-d",), {"size_bytes": 64, "delay_s": 0.0}),
    "net.limit": (("web-d",), {"bytes": 10}),
    "dns.error": (("web-a",), {"p": 1.0, "names": ("db.test",)}),
    "store.outage": (("sea-registry",), {"code": 503, "p": 1.0}),
    "telemetry.gap": (("web-a", "web-b"), {"fraction": 1.0}),
}
STAMP = Stamp("run-1", 3, "", Put("fault/f1", None))


def injection(kind: str) -> Injection:
    targets, params = ROWS[kind]
    return Injection(kind, targets, tuple(params.items()))


def put(world: World, kind: str) -> Chaos:
    chaos = Chaos(world.field())
    chaos.write(Put("fault/f1", injection(kind)), STAMP, 10.0)
    return chaos


def removed(chaos: Chaos, epoch: int = 3) -> None:
    chaos.write(Put("fault/f1", None), Stamp("run-1", epoch, chaos.read("fault/f1", 10.0).version), 10.0)


def test_every_injector_of_a_cluster_has_its_row() -> None:
    assert set(ROWS) == {kind for kind, one in INJECTORS.items() if not {"calls", "users"} & set(one.needs)}


@pytest.mark.parametrize("kind", ROWS)
def test_in_proved_and_out_again(kind: str) -> None:
    world = World()
    before = world.tree()
    chaos = put(world, kind)
    live = chaos.read("fault/f1", 10.0)
    assert (live.value, live.run, live.epoch, live.undo) == (injection(kind), "run-1", 3, Put("fault/f1", None))
    assert chaos.names() == ("fault/f1",)
    kept = world.objects["v1/ConfigMap", NAMESPACE, "web-fault-f1"]["data"]
    assert kept["proof"] and json.loads(kept["record"]) is not None
    removed(chaos)
    assert world.tree() == before
    assert chaos.names() == () and chaos.read("fault/f1", 10.0).version == ""


@pytest.mark.parametrize("kind", ROWS)
def test_the_record_is_there_before_anything_else_is_changed(kind: str) -> None:
    world = World()
    put(world, kind)
    assert world.lines[0] == "create v1/ConfigMap web-fault-f1"
    assert len(world.lines) >= 2


@pytest.mark.parametrize("kind", ROWS)
def test_what_does_not_bite_is_no_fault(kind: str) -> None:
    if kind in ("pod.kill", "pod.stuck_terminating", "node.drain"):
        return  # what the API server has carried out has bitten; there is nothing to be deaf to
    world = World(deaf=True)
    before = world.tree()
    with pytest.raises((NotEffective, Gone)):
        put(world, kind)
    assert world.tree() == before


@pytest.mark.parametrize("kind", ROWS)
def test_twice_in_and_twice_out_is_the_same_as_once(kind: str) -> None:
    if kind in ("pod.kill", "pod.stuck_terminating"):
        return  # its pod is gone; names of pods do not come back
    world = World()
    before = world.tree()
    chaos = put(world, kind)
    once = world.tree()[1:]
    chaos.write(Put("fault/f1", injection(kind)), Stamp("run-1", 3, chaos.read("fault/f1", 10.0).version), 10.0)
    assert world.tree()[1:] == once
    removed(chaos)
    with pytest.raises(Gone):
        chaos.write(Put("fault/f1", None), Stamp("run-1", 3, ""), 10.0)
    assert world.tree() == before


@pytest.mark.parametrize("kind", ROWS)
def test_a_death_at_any_call_leaves_nothing_that_recover_does_not_undo(kind: str) -> None:
    undisturbed = World()
    before = undisturbed.tree()
    removed(put(undisturbed, kind))
    for moment in range(1, undisturbed.calls + 1):
        world = World(die_at=moment)
        try:
            removed(put(world, kind))
        except Dead:
            world.die_at = -1
        chaos = Chaos(world.field())  # another process, with nothing in its memory
        if chaos.names():
            removed(chaos, epoch=4)
        assert world.tree() == before, f"dead before call {moment}"


@pytest.mark.parametrize("kind", ROWS)
def test_an_answer_that_is_lost_is_asked_for_again(kind: str) -> None:
    """As a driver does: after no answer it reads, and puts again what is not there yet."""
    undisturbed = World()
    before = undisturbed.tree()
    removed(put(undisturbed, kind))
    for moment in range(1, undisturbed.calls + 1):
        world = World(unclear_at=moment)
        chaos = Chaos(world.field())
        for wanted in (injection(kind), None):
            for _ in range(4):
                live = chaos.read("fault/f1", 10.0)
                if live.value == wanted:
                    break
                try:
                    chaos.write(Put("fault/f1", wanted), replace(STAMP, version=live.version), 10.0)
                except (Unclear, Gone):
                    continue
            assert chaos.read("fault/f1", 10.0).value == wanted, f"answer to call {moment} lost"
        assert world.tree() == before, f"answer to call {moment} lost"


def test_what_is_not_proved_is_another_value() -> None:
    world = World()
    chaos = put(world, "node.pause")
    assert chaos.read("fault/f1", 10.0).value == injection("node.pause")
    del world.objects["v1/ConfigMap", NAMESPACE, "web-fault-f1"]["data"]["proof"]
    assert chaos.read("fault/f1", 10.0).value not in (injection("node.pause"), None)


def test_a_second_death_while_recovering_is_recovered_as_well() -> None:
    undisturbed = World()
    before = undisturbed.tree()
    put(undisturbed, "net.delay")
    for moment in range(1, 40):
        world = World()
        put(world, "net.delay")
        world.die_at = world.calls + moment
        try:
            removed(Chaos(world.field()))
        except Dead:
            world.die_at = -1
            chaos = Chaos(world.field())
            if chaos.names():
                removed(chaos)
        assert world.tree() == before, moment


def test_a_pod_that_left_took_its_fault_along() -> None:
    world = World()
    chaos = put(world, "net.partition")
    place = next(key for key, rules in world.rules.items() if rules)
    del world.objects["v1/Pod", NAMESPACE, "web-d"]
    removed(chaos)
    assert world.rules[place] and chaos.names() == ()  # its namespace is gone with the rules in it


def test_versions_and_epochs_are_looked_at() -> None:
    world = World()
    chaos = put(world, "node.pause")
    version = chaos.read("fault/f1", 10.0).version
    for stamp, error in (
        (Stamp("run-1", 3, "0"), Conflict), (Stamp("run-1", 3, ""), Conflict), (Stamp("run-0", 2, version), Fenced),
    ):  # fmt: skip
        with pytest.raises(error):
            chaos.write(Put("fault/f1", None), stamp, 10.0)
    with pytest.raises(Conflict, match="is not now"):
        chaos.write(Put("fault/f2", injection("node.pause")), Stamp("run-1", 3, "7"), 10.0)
    assert world.states["w1"] == "paused"


def test_what_cannot_be_undone_stays_on_record() -> None:
    world = World()
    chaos = put(world, "node.pause")
    version = chaos.read("fault/f1", 10.0).version
    world.unpause = lambda name: None  # type: ignore[method-assign]
    with pytest.raises(Unclear, match="w1 paused is left"):
        chaos.write(Put("fault/f1", None), Stamp("run-1", 3, version), 10.0)
    assert chaos.names() == ("fault/f1",)


@pytest.mark.parametrize(
    "name, value, error",
    [
        ("fault/F 1", injection("node.pause"), "is no fault"),
        ("fault/a;reboot", injection("node.pause"), "is no fault"),
        ("routes", injection("node.pause"), "is no fault"),
        ("fault/f1", Lease("", "", 1, 0.0), "cannot be a Lease"),
        ("fault/f1", Injection("clock.skew", (), ()), "the machine's own"),
        ("fault/f1", Injection("node.pause", ("cp",), ()), "is no worker of our cluster"),
        ("fault/f1", Injection("node.pause", ("somebody",), ()), "is no worker of our cluster"),
        ("fault/f1", Injection("node.reboot", ("cp",), ()), "is no worker of our cluster"),
        ("fault/f1", Injection("pod.kill", ("peer-0",), (("grace_s", 0.0),)), "not of our app"),
        ("fault/f1", Injection("net.loss", ("peer-0",), (("p", 0.5),)), "not of our app"),
        ("fault/f1", Injection("net.partition", ("web-a",), (("peer", "nobody"),)), "is no address"),
        ("fault/f1", Injection("store.outage", ("golden-registry",), ()), "not the registry of our cluster"),
        ("fault/f1", Injection("node.image_gc", ("w1",), (("image", "sha256:absent"),)), "no node has the image"),
    ],
)
def test_it_refuses_and_changes_nothing(name: str, value: Any, error: str) -> None:
    world = World()
    before = world.tree()
    with pytest.raises((Refused, Forbidden), match=error):
        Chaos(world.field()).write(Put(name, value), STAMP, 10.0)
    assert world.tree() == before


@pytest.mark.parametrize("kind", ROWS)
def test_who_takes_over_to_undo_injects_nothing_again(kind: str) -> None:
    world = World()
    live = put(world, kind).read("fault/f1", 10.0)
    done, world.deaf = len(world.lines), True
    other = Chaos(world.field())
    again = other.write(Put("fault/f1", live.value), Stamp("run-1", 4, live.version, live.undo), 10.0)
    assert world.lines[done:] == ["merge v1/ConfigMap web-fault-f1"]
    assert (again.value, again.epoch) == (live.value, 4)


def test_objects_without_our_label_are_never_touched() -> None:
    world = World()
    chaos = put(world, "node.pause")
    found = world.objects["v1/ConfigMap", NAMESPACE, "web-fault-f1"]
    del found["metadata"]["labels"][MANAGED]
    with pytest.raises(Forbidden, match="does not carry our label"):
        removed(chaos)


def test_a_foreign_qdisc_is_left_alone() -> None:
    world = World()
    world.qdiscs["w1", 113] = "1: htb default 1"
    with pytest.raises(Refused, match="not ours"):
        put(world, "net.bandwidth")
    assert world.qdiscs["w1", 113] == "1: htb default 1" and Chaos(world.field()).names() == ()


def test_a_node_that_was_cordoned_before_stays_so() -> None:
    world = World()
    world.objects["v1/Node", "", "w2"]["spec"]["unschedulable"] = True
    chaos = put(world, "node.drain")
    removed(chaos)
    assert world.objects["v1/Node", "", "w2"]["spec"]["unschedulable"] is True


def test_a_budget_keeps_pods_on_a_drained_node_and_is_told() -> None:
    world = World(budget=True)
    put(world, "node.drain")
    proof = world.objects["v1/ConfigMap", NAMESPACE, "web-fault-f1"]["data"]["proof"]
    assert proof == "w2 takes no pods; kept by a budget: web-b, web-c"


def test_a_rebooted_node_is_waited_for_until_its_kubelet_says_so_anew() -> None:
    """It counts as Ready all the time: what it said before its end stays for a while."""
    world = World(booting=60.0)
    chaos = put(world, "node.reboot")
    proof = world.objects["v1/ConfigMap", NAMESPACE, "web-fault-f1"]["data"]["proof"]
    assert proof == "w1 started anew at the same address" and world.boots == {"w1": 1}
    with pytest.raises(Unclear, match="w1 not Ready is left"):
        removed(chaos)
    world.at += 60.0
    removed(chaos)
    assert chaos.names() == () and world.boots == {"w1": 1}


def test_pods_of_a_rebooted_node_that_nobody_has_looked_at_since_are_waited_for() -> None:
    world = World()
    status = world.objects["v1/Pod", NAMESPACE, "web-a"]["status"]["containerStatuses"][0]
    status["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    chaos = put(world, "node.reboot")
    with pytest.raises(Unclear, match="web-a of w1 as it was before is left"):
        removed(chaos)
    status["state"]["running"]["startedAt"] = "2026-01-01T00:00:01Z"
    removed(chaos)


def test_a_node_that_came_up_elsewhere_is_no_reboot_and_is_started_again_at_its_own_address() -> None:
    """Its cluster would not find it: no proof, and the undo brings it back."""
    world = World(elsewhere="172.18.0.99")
    with pytest.raises(NotEffective):
        put(world, "node.reboot")
    assert world.boots == {"w1": 2} and world.born("w1")[1] == "172.18.0.2" and Chaos(world.field()).names() == ()


def test_a_node_that_died_while_it_was_rebooted_is_started() -> None:
    world = World()
    chaos = put(world, "node.reboot")
    world.states["w1"] = "exited"
    removed(chaos)
    assert world.states["w1"] == "running"


@pytest.mark.parametrize("kind", ["node.pause", "node.reboot"])
def test_a_node_that_somebody_else_stopped_is_left_alone(kind: str) -> None:
    world = World()
    world.states["w1"] = "paused"
    with pytest.raises(Refused, match="w1 is paused already, and not by this fault"):
        put(world, kind)
    assert world.states["w1"] == "paused" and Chaos(world.field()).names() == ()


def test_the_proof_can_be_asked_for_again() -> None:
    world = World()
    chaos = put(world, "net.delay")
    assert "took 0.40 s" in chaos.proof("fault/f1")
    assert chaos.proof("fault/other") == ""


def test_a_fault_whose_driver_is_late_ends_by_itself_and_its_record_stays() -> None:
    world, later = World(), []
    before = world.tree()
    chaos = Chaos(world.field(), later=lambda seconds, act: later.append((seconds, act)) or (lambda: later.clear()))  # type: ignore[func-returns-value]
    lasting = Injection("node.pause", ("w1",), (("lasts_s", 10.0),))
    chaos.write(Put("fault/f1", lasting), STAMP, 10.0)
    ((seconds, act),) = later
    assert seconds == 11.0 and world.states["w1"] == "paused"
    act()
    assert world.states["w1"] == "running" and chaos.names() == ("fault/f1",)
    removed(chaos)
    assert world.tree() == before and later == []


def test_the_driver_that_is_in_time_prevents_it() -> None:
    world, ends = World(), []
    chaos = Chaos(world.field(), later=lambda seconds, act: lambda: ends.append(seconds))
    chaos.write(Put("fault/f1", Injection("node.pause", ("w1",), (("lasts_s", 10.0),))), STAMP, 10.0)
    removed(chaos)
    chaos.close()
    assert ends == [11.0]


def test_images_are_named_by_the_pods() -> None:
    assert IMAGE.startswith("sea-registry:5000/") and injector("image.pull_fail").aims == "all nodes"
