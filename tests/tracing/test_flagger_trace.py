"""Flagger through a trace, promotion included: the primary rolls beside the canary, then traffic returns."""

from __future__ import annotations

from sim.policy.commands import Text
from sim.policy.events import Value
from sim.policy.flagger import Check, Flagger, Hook
from sim.tracing.run import trace
from sim.tracing.script import Happening, Script

CHECK = Check("errors", Text("prometheus", "errors"), high=1.0)


def test_promotion_and_the_next_revision() -> None:
    policy = Flagger(interval=15, threshold=2, step_weight=50, checks=(CHECK,))
    script = Script(
        measurements={"errors": (Value(0.5),)}, ready=2.0, events=(Happening(200.0, "revision", 3),), until=600.0
    )
    found = trace(policy, script, replicas=4)
    assert [(entry["at"], entry["phase"]) for entry in found.entries if entry["kind"] == "phase"] == [
        (0.0, "Initialized"), (15.0, "Progressing"), (60.0, "Promoting"), (75.0, "Finalising"), (90.0, "Succeeded"),
        (210.0, "Progressing"), (255.0, "Promoting"), (270.0, "Finalising"), (285.0, "Succeeded"),
    ]  # fmt: skip
    ends = [entry for entry in found.entries if entry["at"] in (90.0, 285.0) and entry["kind"] == "available"]
    assert [(entry["stable"], entry["canary"]) for entry in ends] == [(4, 0), (4, 0)]


def test_a_primary_that_is_slow_holds_the_traffic_back() -> None:
    policy = Flagger(interval=10, step_weight=100, checks=(CHECK,))
    script = Script(measurements={"errors": (Value(0.5),)}, ready={2: (1.0, 14.0)}, until=600.0)
    found = trace(policy, script, replicas=1)
    assert [(entry["at"], entry["phase"]) for entry in found.entries if entry["kind"] == "phase"][2:] == [
        (30.0, "Promoting"), (50.0, "Finalising"), (60.0, "Succeeded"),
    ]  # fmt: skip


def test_gates_by_name_and_a_rollback_hook_that_is_closed() -> None:
    hooks = (Hook("start gate", "confirm-rollout"), Hook("stop", "rollback"))
    script = Script(
        measurements={"errors": (Value(0.5),)}, events=(Happening(25.0, "approve", "start gate"),), until=600.0
    )
    found = trace(Flagger(interval=10, step_weight=100, checks=(CHECK,), hooks=hooks), script)
    assert [entry["at"] for entry in found.entries if entry["kind"] == "phase" and entry["phase"] == "Progressing"] == [
        30.0
    ]
    assert found.phase == "Succeeded"
    stopped = Script(measurements={"errors": (Value(0.5),)}, events=(Happening(35.0, "approve", "stop"),), until=600.0)
    assert trace(Flagger(interval=10, step_weight=5, checks=(CHECK,), hooks=hooks), stopped).phase == "Failed"
