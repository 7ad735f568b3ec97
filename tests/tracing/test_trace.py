"""A policy against a script: what contracts section 8 says, entry by entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from sim.policy.analysis import Analysis, Conditions, Limits, Metric
from sim.policy.bluegreen import BlueGreen
from sim.policy.canary import Canary
from sim.policy.commands import AskGate, Command, Counts, SetWeight, Text
from sim.policy.errors import PolicyError, WorldError
from sim.policy.events import Absent, Answered, Event, Failed, NotANumber, Started, Value
from sim.policy.expr import parse_condition
from sim.policy.judges.base import Arm, Window
from sim.policy.judges.threshold import Threshold
from sim.policy.notes import Note
from sim.policy.rolling import Rolling
from sim.policy.rollout import Policy
from sim.policy.steps import Analyse, Gate, Pause
from sim.tracing.run import Trace, trace
from sim.tracing.script import HANG, Happening, Script

Entry = dict[str, Any]


def only(found: Trace, kind: str) -> list[Entry]:
    return [entry for entry in found.entries if entry["kind"] == kind]


def measured(*answers: object, verdict: object = None, query: float = 0.0, **fields: Any) -> Trace:
    """One metric, every 10 s, as often as there are answers; failures and errors end nothing."""
    rule = verdict or Conditions(parse_condition("result[0] >= 0.95"))
    fields = {"failure_limit": 99, "inconclusive_limit": 99, "consecutive_error_limit": 99} | fields
    metric = Metric("rate", Text("prometheus", "q"), rule, interval=10.0, count=len(answers), **fields)  # type: ignore[arg-type]
    script = Script(measurements={"rate": answers}, query=query, until=400.0)  # type: ignore[arg-type]
    return trace(Canary(steps=(SetWeight(20), Analyse(Analysis((metric,), "checks")))), script)


def seen(found: Trace) -> list[tuple[float, object, str]]:
    return [(entry["at"], entry["value"], entry["verdict"]) for entry in only(found, "measurement")]


def test_every_kind_of_answer() -> None:
    found = measured(Value(0.99), Value([0.9, 0.95]), Absent(), NotANumber(), Failed("503"), Value(None), Value(0.97))
    assert seen(found)[:7] == [
        (0.0, [0.99], "Successful"),
        (10.0, [0.9, 0.95], "Failed"),
        (20.0, [], "Error"),
        (30.0, ["NaN"], "Failed"),
        (40.0, None, "Error"),
        (50.0, None, "Error"),
        (60.0, [0.97], "Successful"),
    ]
    json.dumps(found.document(), allow_nan=False)


def test_the_last_answer_repeats_and_metrics_share_no_queue() -> None:
    both = Analysis(
        tuple(Metric(name, Counts(9.0), Limits(high=1.0), interval=10.0, count=3) for name in ("a", "b")), "t"
    )
    script = Script(measurements={"a": (Value(0.1), Value(0.2)), "t/b": (Value(0.3),)})
    found = trace(Canary(steps=(Analyse(both),)), script)
    assert [e["value"] for e in only(found, "measurement") if e["metric"] == "a"] == [0.1, 0.2, 0.2]
    assert [e["value"] for e in only(found, "measurement") if e["metric"] == "b"] == [0.3, 0.3, 0.3]


def test_template_and_metric_come_before_the_metric_alone() -> None:
    metric = Metric("a", Counts(9.0), Limits(high=1.0), template="t")
    script = Script(measurements={"a": (Value(9.0),), "t/a": (Value(0.3),)})
    assert only(trace(Canary(steps=(Analyse(Analysis((metric,))),)), script), "measurement")[0]["value"] == 0.3


def test_a_metric_without_an_entry_is_an_error() -> None:
    metric = Metric("a", Counts(9.0), Limits(high=1.0), template="t")
    with pytest.raises(WorldError, match=r"no measurements for metric t/a; add measurements: \{a: \[...\]\}"):
        trace(Canary(steps=(Analyse(Analysis((metric,))),)), Script())


def test_a_query_takes_its_time() -> None:
    found = measured(Value(0.99), Value(0.99), query=4.0)
    assert [at for at, _, _ in seen(found)] == [4.0, 18.0]


@pytest.mark.parametrize(("provider", "patience"), [("prometheus", 30.0), ("web", 10.0)])
def test_a_query_that_hangs_ends_by_the_providers_timeout(provider: str, patience: float) -> None:
    metric = Metric("rate", Text(provider, "q"), Limits(high=1.0, on_error="fail"))
    found = trace(Canary(steps=(Analyse(Analysis((metric,))),)), Script(measurements={"rate": (HANG,)}))
    assert seen(found) == [(patience, None, "Failed")]
    assert repr(HANG) == "HANG"


def test_counts_are_written_as_what_they_count() -> None:
    from sim.policy.analysis import Judged

    metric = Metric("rate", Counts(60.0), Judged(Threshold(0.01)))
    window = Window(0.0, 60.0, 0.2, Arm(100, 3))
    found = trace(Canary(steps=(Analyse(Analysis((metric,))),)), Script(measurements={"rate": (Value(window),)}))
    assert seen(found) == [(0.0, {"requests": 100, "bad": 3}, "Failed")]


@pytest.mark.parametrize(("value", "shown"), [(nan, "NaN"), (inf, "Inf"), (-inf, "-Inf")])
def test_numbers_that_json_has_no_word_for(value: float, shown: str) -> None:
    found = measured(Value({"a": (value,)}), verdict=Conditions(vector=False))
    assert seen(found)[0][1] == {"a": [shown]}


# ---- pods ----


@pytest.mark.parametrize(
    ("ready", "times"),
    [
        (0.0, [0.0, 0.0]),
        (2.0, [0.0, 2.0]),
        ({2: 3.0}, [0.0, 3.0]),
        ({1: 9.0}, [0.0, 0.0]),
        ({2: (1.0, 4.0)}, [0.0, 1.0, 4.0]),
    ],
)
def test_ready_for_all_per_revision_and_per_pod(ready: Any, times: list[float]) -> None:
    found = trace(Canary(steps=(SetWeight(50), Pause())), Script(ready=ready), replicas=4)
    changes = [entry["at"] for entry in only(found, "available")]
    assert changes == times[len(times) - len(changes) :]
    assert only(found, "weight")[0]["at"] == times[-1]


@pytest.mark.parametrize("ready", [inf, {2: inf}, {2: (1.0, inf)}, {2: ()}])
def test_pods_that_never_come_are_late(ready: Any) -> None:
    found = trace(Canary(steps=(SetWeight(50), Pause())), Script(ready=ready), replicas=4)
    assert found.phase == "Degraded" and found.reason.startswith("ProgressDeadlineExceeded: ")
    assert only(found, "weight") == []


# ---- people and others ----


def happened(*events: Happening, policy: Policy | None = None, **script: Any) -> Trace:
    steps = (SetWeight(20), Pause(), SetWeight(60), Pause())
    return trace(policy or Canary(steps=steps), Script(events=events, **script), replicas=5)


def test_promote_and_promote_in_full() -> None:
    found = happened(Happening(10.0, "promote"), Happening(20.0, "promote", full=True))
    assert [(entry["at"], entry["action"]) for entry in only(found, "human")] == [
        (10.0, "promote"),
        (20.0, "promote-full"),
    ]
    assert [entry["weight"] for entry in only(found, "weight")] == [20, 60, 0]
    assert found.phase == "Healthy"


def test_abort_and_retry() -> None:
    found = happened(Happening(10.0, "abort"), Happening(20.0, "retry"))
    assert [entry["weight"] for entry in only(found, "weight")] == [20, 0, 20]
    assert found.phase == "Paused"
    assert happened(Happening(10.0, "abort")).reason == "RolloutAborted: Rollout aborted update to revision 2"


def test_pause_and_resume() -> None:
    found = happened(Happening(5.0, "pause", True), Happening(10.0, "promote"), Happening(11.0, "pause", False))
    assert [entry["action"] for entry in only(found, "human")] == ["pause", "promote", "resume"]
    assert (only(found, "phase")[2]["phase"], only(found, "phase")[2]["reason"]) == ("Paused", "manually paused")


def test_a_newer_revision_and_another_size() -> None:
    found = happened(Happening(10.0, "revision", 3), Happening(20.0, "replicas", 10))
    assert only(found, "revision") == [
        {"at": 10.0, "kind": "revision", "step": 1, "weight": 20, "stable": 5, "canary": 0, "revision": 3}
    ]
    assert (only(found, "scale")[-1]["stable"], only(found, "scale")[-1]["canary"]) == (10, 2)


def test_a_run_is_terminated() -> None:
    metric = Metric("rate", Counts(9.0), Limits(high=1.0), interval=10.0)
    policy = Canary(steps=(SetWeight(20), Pause()), background=Analysis((metric,), "watch"))
    found = happened(
        Happening(15.0, "terminate", "background"), policy=policy, measurements={"rate": (Value(0.0),)}, until=60.0
    )
    runs = [(entry["at"], entry["phase"]) for entry in only(found, "analysis")]
    assert runs == [(0.0, "Running"), (15.0, "Successful")]
    assert only(found, "analysis")[0] == {
        "at": 0.0, "kind": "analysis", "step": 0, "weight": 0, "stable": 5, "canary": 1,
        "run": "background", "index": 0, "template": "watch", "phase": "Running",
    }  # fmt: skip
    assert [entry["at"] for entry in only(found, "measurement")] == [0.0, 10.0]


@pytest.mark.parametrize(
    ("events", "at", "phase"),
    [
        ((), 0.0, "Healthy"),  # without a word in the script a gate says yes
        ((Happening(30.0, "approve", "smoke"),), 30.0, "Healthy"),
        ((Happening(30.0, "deny", "smoke"),), 30.0, "Degraded"),
        ((Happening(30.0, "approve", "other"),), 0.0, "Healthy"),
    ],
)
def test_gates(events: tuple[Happening, ...], at: float, phase: str) -> None:
    found = happened(*events, policy=Canary(steps=(Gate("smoke"),)))
    assert found.phase == phase
    assert only(found, "phase")[-1]["at"] == at


def test_a_gate_that_was_answered_keeps_its_answer() -> None:
    found = happened(
        Happening(1.0, "approve", "smoke"), policy=Canary(steps=(Gate("smoke"), Pause(5.0), Gate("smoke")))
    )
    assert found.phase == "Healthy" and only(found, "phase")[-1]["at"] == 6.0


def test_a_gate_answers_by_name_or_by_type() -> None:
    asked = AskGate("webhook", "smoke")

    class Asks:
        wakes_at = None

        def __init__(self, emit: Callable[[Command | Note], None]) -> None:
            self.emit = emit

        def handle(self, at: float, event: Event) -> None:
            if isinstance(event, Started):
                self.emit(asked)
            elif isinstance(event, Answered):
                self.emit(SetWeight(7 if event == Answered("webhook", True) else 3))

    class Policed:
        def machine(self, emit: Callable[[Command | Note], None]) -> Asks:
            return Asks(emit)

    for word in ("smoke", "webhook"):
        found = happened(Happening(5.0, "deny", word), policy=Policed())
        assert [(entry["at"], entry["weight"]) for entry in only(found, "weight")] == [(5.0, 3)]


def test_nothing_happens_after_until() -> None:
    found = happened(Happening(10.0, "promote"), until=9.0)
    assert found.phase == "Paused" and max(entry["at"] for entry in found.entries) <= 9.0


class Restless:
    """Wants to be woken at once, always."""

    def machine(self, emit: object) -> Restless:
        return self

    wakes_at = 0.0

    def handle(self, at: float, event: Event) -> None: ...


def test_a_policy_that_does_not_get_on() -> None:
    with pytest.raises(PolicyError, match="the policy does not get on: 10000 events at 0 s"):
        trace(Restless(), Script())


# ---- the document ----


def test_the_document_and_the_order_of_entries() -> None:
    found = trace(
        Canary(steps=(SetWeight(20), Pause(30.0))),
        Script(ready=2.0),
        replicas=5,
        name="demo",
        profile="argo-rollouts@1.10",
    )
    document = found.document()
    assert list(document) == ["policy", "profile", "phase", "reason", "entries"]
    assert (document["policy"], document["profile"], document["phase"]) == ("demo", "argo-rollouts@1.10", "Healthy")
    assert [(e["at"], e["kind"], e["step"], e["weight"], e["stable"], e["canary"]) for e in document["entries"]] == [
        (0.0, "phase", 0, 0, 5, 0),
        (0.0, "scale", 0, 0, 5, 1),
        (2.0, "available", 0, 0, 5, 1),
        (2.0, "weight", 0, 20, 5, 1),
        (2.0, "step", 1, 20, 5, 1),
        (2.0, "phase", 1, 20, 5, 1),
        (32.0, "step", 2, 20, 5, 1),
        (32.0, "phase", 2, 20, 5, 1),
        (32.0, "scale", 2, 20, 5, 5),
        (32.0, "phase", 2, 20, 5, 5),
        (34.0, "available", 2, 20, 5, 5),
        (34.0, "weight", 2, 100, 5, 5),
        (34.0, "scale", 2, 100, 5, 0),
        (34.0, "phase", 2, 100, 5, 0),
        (34.0, "weight", 2, 0, 5, 0),
        (34.0, "available", 2, 0, 5, 0),
        (64.0, "scale", 2, 0, 5, 0),
    ]
    assert [entry["older"] for entry in document["entries"] if entry["kind"] == "scale"] == [0, 0, 5, 0]
    json.dumps(document, allow_nan=False)


def test_times_have_three_decimals() -> None:
    found = trace(Canary(steps=(SetWeight(50), Pause())), Script(ready=1 / 3), replicas=2)
    assert only(found, "weight")[0]["at"] == 0.333


def test_switches_name_revisions() -> None:
    found = trace(BlueGreen(auto_promotion_after=5.0), Script(ready=2.0), replicas=2)
    assert [(e["at"], e["active"], e["preview"]) for e in only(found, "switch")] == [(0.0, 1, 2), (7.0, 2, 2)]


def test_a_deployments_own_sizes_are_shown() -> None:
    found = trace(Rolling(), Script(ready=1.0), replicas=4)
    assert [(e["at"], e["stable"], e["canary"]) for e in only(found, "scale")] == [
        (0.0, 4, 1), (0.0, 3, 1), (0.0, 3, 2), (1.0, 1, 2), (1.0, 1, 4), (2.0, 0, 4), (2.0, 4, 0),
    ]  # fmt: skip


def test_a_flag_runs_in_the_pods_that_are_there() -> None:
    found = trace(Canary(steps=(SetWeight(50), Pause(5.0)), pods=False), Script(), replicas=3)
    assert found.phase == "Healthy" and only(found, "scale") == []
    assert [entry["weight"] for entry in only(found, "weight")] == [50, 100, 0]


def test_a_phase_is_told_once_though_it_waits_for_somebody_else_now() -> None:
    metric = Metric("rate", Counts(9.0), Limits(high=1.0))
    policy = Canary(steps=(SetWeight(20), Pause(50.0)), background=Analysis((metric,)))
    found = trace(policy, Script(measurements={"rate": (Absent(),)}, query=5.0), replicas=5)
    assert [(entry["at"], entry["reason"]) for entry in only(found, "phase")] == [
        (0.0, "more replicas need to be updated"), (0.0, "CanaryPauseStep"), (50.0, "InconclusiveAnalysisRun"),
    ]  # fmt: skip
