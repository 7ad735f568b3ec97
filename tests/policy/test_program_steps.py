"""The canary program, step by step: events in, commands out (delivery-systems.md sections 2.8 to 2.11, 2.19)."""

from __future__ import annotations

import pytest

from sim.policy.canary import Canary
from sim.policy.commands import AskGate, Finish, Match, Measure, Mirror, Promote, SetExperiment, SetScale, SetWeight
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Absent,
    Answered,
    ExperimentReady,
    Human,
    Measured,
    PodsReady,
    Resized,
    Started,
    WeightIs,
    Woke,
)
from sim.policy.steps import Analyse, Experiment, Gate, Pause, ScaleCanary, Step
from tests.policy.lists import Tape, analysis


def five(*steps: Step, **more: object) -> Tape:
    """Started with 5 pods behind a router."""
    tape = Tape(Canary(steps=steps, **more))  # type: ignore[arg-type]
    tape.feed(0.0, Started(replicas=5))
    return tape


def test_the_first_pass_tells_the_phase_before_anything_is_scaled() -> None:
    tape = Tape(Canary(steps=(SetWeight(20),)))
    assert tape.feed(0.0, Started(replicas=5)) == [SetWeight(0), SetScale(5, 1)]
    assert tape.phases == [("Progressing", "more replicas need to be updated")]


def test_a_weight_waits_for_its_pods_and_the_step_ends_with_it() -> None:
    tape = five(SetWeight(20), Pause(60.0))
    assert tape.feed(8.0, PodsReady(5, 1)) == [SetWeight(20)]
    assert tape.steps == [1]
    assert tape.phases == [("Paused", "CanaryPauseStep")]
    assert tape.rollout.wakes_at == 68.0


def test_before_its_pods_are_there_the_weight_before_holds() -> None:
    tape = five(SetWeight(20), SetWeight(60), Pause())
    assert tape.feed(8.0, PodsReady(5, 1)) == [SetWeight(20), SetScale(5, 3)]
    assert tape.feed(9.0, PodsReady(5, 2)) == []  # rule 6: 20 stays
    assert tape.feed(10.0, PodsReady(5, 3)) == [SetWeight(60)]


def test_a_canary_that_loses_its_last_pod_gets_no_traffic() -> None:
    tape = five(SetWeight(20), Pause())
    tape.feed(8.0, PodsReady(5, 1))
    assert tape.feed(20.0, PodsReady(5, 0)) == [SetWeight(0)]
    assert tape.feed(22.0, PodsReady(5, 1)) == [SetWeight(20)]


def test_the_guard_holds_the_weight_but_not_the_step() -> None:
    tape = five(SetWeight(20), Pause())
    assert tape.feed(8.0, PodsReady(3, 1)) == []  # stable has 3 of the 4 pods that 80% need
    assert tape.steps == [1]
    assert tape.feed(9.0, PodsReady(4, 1)) == [SetWeight(20)]


def test_a_timed_pause_starts_when_the_pods_are_settled_and_ends_on_time() -> None:
    tape = five(SetWeight(20), Pause(60.0), SetWeight(40), Pause())
    tape.feed(8.0, PodsReady(5, 1))
    assert tape.feed(67.9, Woke()) == []
    assert tape.feed(68.0, Woke()) == [SetScale(5, 2)]
    assert tape.phases == [("Progressing", "more replicas need to be updated")]
    assert tape.steps == [2]


def test_promote_ends_a_manual_pause_only() -> None:
    tape = five(SetWeight(20), Pause(), SetWeight(40), Pause())
    assert tape.feed(1.0, Human("promote")) == []  # nothing to clear yet
    tape.feed(8.0, PodsReady(5, 1))
    assert tape.rollout.wakes_at is None
    assert tape.feed(50.0, Human("promote")) == [SetScale(5, 2)]


def test_two_pauses_in_a_row_are_two_pauses() -> None:
    tape = five(SetWeight(20), Pause(), Pause())
    tape.feed(8.0, PodsReady(5, 1))
    tape.feed(50.0, Human("promote"))
    assert tape.phases == [("Progressing", "more replicas need to be updated"), ("Paused", "CanaryPauseStep")]


def test_an_empty_pause_holds_nothing() -> None:
    tape = five(SetWeight(20), Pause(0.0), SetWeight(20), Pause())
    tape.feed(8.0, PodsReady(5, 1))
    assert tape.steps == [1, 2, 3]


def test_all_steps_done_promotes_when_all_pods_are_there() -> None:
    tape = five(SetWeight(20), Pause(10.0))
    tape.feed(8.0, PodsReady(5, 1))
    assert tape.feed(18.0, Woke()) == [SetScale(5, 5)]
    end = tape.feed(30.0, PodsReady(5, 5))
    assert end == [SetWeight(100), Promote(2), SetWeight(0), Finish("promoted", "all steps done")]
    assert tape.phases == [("Healthy", "")]
    assert tape.rollout.wakes_at == 60.0  # the old pods stay for 30 s
    tape.feed(30.0, PodsReady(5, 0, 5))
    assert tape.feed(60.0, Woke()) == [SetScale(5, 0, 0)]
    assert tape.rollout.wakes_at is None


def test_no_steps_without_router_is_a_rolling_update() -> None:
    tape = Tape(Canary(router=False, max_surge=1, max_unavailable=0))
    assert tape.feed(0.0, Started(replicas=3)) == [SetScale(3, 1)]
    assert tape.feed(5.0, PodsReady(3, 1)) == [SetScale(2, 1), SetScale(2, 2)]
    assert tape.feed(5.0, PodsReady(2, 1)) == []
    assert tape.feed(10.0, PodsReady(2, 2)) == [SetScale(1, 2), SetScale(1, 3)]
    assert tape.feed(10.0, PodsReady(1, 2)) == []
    assert tape.feed(15.0, PodsReady(1, 3)) == [SetScale(0, 3), Promote(2), Finish("promoted", "updated")]


def test_without_router_a_weight_stands_when_surplus_stable_pods_are_gone() -> None:
    tape = Tape(Canary(steps=(SetWeight(50), Pause()), router=False, max_surge=1))
    assert tape.feed(0.0, Started(replicas=4)) == [SetScale(3, 0), SetScale(3, 2)]
    assert tape.feed(2.0, PodsReady(3, 1)) == [SetScale(2, 2)]
    assert tape.feed(3.0, PodsReady(3, 2)) == []
    assert tape.steps == []
    tape.feed(3.1, PodsReady(2, 2))
    assert tape.steps == [1]


def test_set_canary_scale_stays_in_force_until_match_traffic_weight() -> None:
    steps = (ScaleCanary(replicas=1), SetWeight(80), Pause(), ScaleCanary(match_weight=True), Pause())
    tape = five(*steps)
    assert tape.feed(2.0, PodsReady(5, 1)) == [SetWeight(80)]  # 1 pod gets 80% (quirk Q17)
    assert tape.steps == [1, 2]
    assert tape.feed(9.0, Human("promote")) == [SetScale(5, 4)]  # and the weight holds
    tape.feed(12.0, PodsReady(5, 4))
    assert tape.steps == [4]


def test_set_canary_scale_by_weight_and_minimum() -> None:
    assert five(ScaleCanary(weight=50), min_pods=2).rollout.journal[0].commands[-1] == SetScale(5, 3)
    assert five(ScaleCanary(replicas=1), min_pods=2).rollout.journal[0].commands[-1] == SetScale(5, 1)  # as written
    assert five(SetWeight(1), min_pods=9).rollout.journal[0].commands[-1] == SetScale(5, 5)  # never above R
    old = five(SetWeight(1), min_pods=9, profile="argo-rollouts@1.8")
    assert old.rollout.journal[0].commands[-1] == SetScale(5, 9)


def test_past_the_last_step_set_canary_scale_is_unused() -> None:
    tape = five(ScaleCanary(replicas=1), SetWeight(10))
    assert tape.feed(2.0, PodsReady(5, 1)) == [SetWeight(10), SetScale(5, 5)]


def test_routes_are_set_and_go_with_the_end() -> None:
    tape = five(ScaleCanary(replicas=1), Match(("beta",)), Mirror(10.0), Pause(5.0))
    assert tape.feed(2.0, PodsReady(5, 1)) == [Match(("beta",)), Mirror(10.0)]
    assert tape.steps == [1, 2, 3]
    tape.feed(7.0, Woke())
    end = tape.feed(9.0, PodsReady(5, 5))
    assert end == [
        SetWeight(100),
        Promote(2),
        Match(()),
        Mirror(0.0),
        SetWeight(0),
        Finish("promoted", "all steps done"),
    ]


def test_routes_go_with_an_abort() -> None:
    tape = five(SetWeight(20), Match(("beta",)), Pause())
    tape.feed(2.0, PodsReady(5, 1))
    assert tape.feed(9.0, Human("abort"))[:3] == [Match(()), Mirror(0.0), SetWeight(0)]


def test_a_gate_is_asked_once_and_opens_or_aborts() -> None:
    tape = five(SetWeight(20), Gate("smoke"), Pause())
    assert tape.feed(2.0, PodsReady(5, 1)) == [SetWeight(20), AskGate("smoke")]
    assert tape.feed(3.0, Woke()) == []
    assert tape.feed(4.0, Answered("other", False)) == []
    assert tape.feed(5.0, Answered("smoke", True)) == []
    assert tape.steps == [2]
    assert tape.feed(6.0, Answered("smoke", False)) == []  # it was asked for no longer


def test_a_gate_that_says_no_aborts() -> None:
    tape = five(SetWeight(20), Gate("smoke"))
    tape.feed(2.0, PodsReady(5, 1))
    assert tape.feed(5.0, Answered("smoke", False)) == [SetWeight(0), Finish("aborted", "gate smoke said no")]


def test_an_experiment_lasts_its_time_from_when_its_pods_are_there() -> None:
    tape = Tape(Canary(steps=(Experiment(30.0, analysis(count=1), 1, 2), Pause()), min_ready=2.0))
    assert tape.feed(0.0, Started(replicas=5))[-1] == SetExperiment(1, 2, 2.0)
    assert tape.feed(3.0, ExperimentReady(1, 1)) == []
    (asked,) = tape.feed(4.0, ExperimentReady(1, 2))
    assert isinstance(asked, Measure)
    tape.answer(5.0, 0.5)
    assert tape.steps == [] and tape.rollout.wakes_at == 34.0
    tape.feed(34.0, Woke())
    assert tape.steps == [1] and tape.rollout.wakes_at == 64.0
    assert tape.feed(64.0, Woke()) == [SetExperiment(0, 0, 2.0)]  # its pods stay for a while


def test_a_required_run_ends_an_experiment_and_nothing_else_does() -> None:
    until = five(Experiment(None, analysis(count=1), required=True), Pause())
    until.feed(1.0, ExperimentReady(1, 1))
    until.answer(2.0, 0.5)
    assert until.steps == [1]
    endless = five(Experiment(None, analysis(count=1)), Pause())
    endless.feed(1.0, ExperimentReady(1, 1))
    endless.answer(2.0, 0.5)
    assert endless.steps == [] and endless.rollout.wakes_at is None
    endless.feed(9.0, Human("promote"))
    assert endless.steps == [1]


def test_a_failing_experiment_aborts() -> None:
    said = "Experiment analysis phase is error/failed: "
    tape = five(Experiment(30.0, analysis(count=1)))
    tape.feed(1.0, ExperimentReady(1, 1))
    failed = 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'
    assert tape.answer(2.0, 2.0)[-1] == Finish("aborted", f"{said}{failed}")
    late = five(Experiment(30.0, names=("old", "new")))
    late.feed(500.0, ExperimentReady(1, 0))
    assert late.feed(600.0, Woke())[-1] == Finish(
        "aborted", f"{said}Template 'new' exceeded its progressDeadlineSeconds (600)"
    )


def test_an_inconclusive_experiment_begins_anew_whether_somebody_promotes_or_not() -> None:
    tape = five(Experiment(None, analysis(count=1)), Pause())
    tape.feed(1.0, ExperimentReady(1, 1))
    again = tape.feed(2.0, Measured(tape.asked, Absent()))
    assert again == [SetExperiment(0, 0), SetExperiment(1, 1)] and tape.phases == [("Paused", "InconclusiveExperiment")]
    assert tape.feed(3.0, Human("promote")) == [] and tape.steps == []
    (asked,) = tape.feed(4.0, ExperimentReady(1, 1))
    assert isinstance(asked, Measure)


def test_a_persons_pause_halts_sizes_steps_and_pauses_but_not_the_weight() -> None:
    tape = five(SetWeight(20), SetWeight(40), Pause())
    tape.feed(1.0, Human("pause"))
    assert tape.phases == [("Paused", "manually paused")]
    assert tape.feed(8.0, PodsReady(5, 1)) == [SetWeight(20)]
    assert tape.steps == [] and tape.rollout.wakes_at is None
    assert tape.feed(90.0, Human("resume")) == [SetScale(5, 2)]
    assert tape.steps == [1]


def test_a_pause_that_ends_while_a_person_holds_it_ends_afterwards() -> None:
    tape = five(SetWeight(20), Pause(10.0), SetWeight(40))
    tape.feed(8.0, PodsReady(5, 1))
    tape.feed(9.0, Human("pause"))
    assert tape.feed(40.0, WeightIs(20)) == [] and tape.rollout.wakes_at is None
    assert tape.feed(60.0, Human("resume")) == [SetScale(5, 2)]


def test_an_abort_under_a_persons_pause_moves_the_traffic_and_leaves_the_pods() -> None:
    tape = five(SetWeight(20), Pause())
    tape.feed(8.0, PodsReady(5, 1))
    tape.feed(9.0, Human("pause"))
    stopped = "RolloutAborted: Rollout aborted update to revision 2"
    assert tape.feed(10.0, Human("abort")) == [SetWeight(0), Finish("aborted", stopped)]
    assert tape.phases == [("Degraded", stopped)]
    assert tape.rollout.wakes_at is None
    tape.feed(20.0, Human("resume"))
    assert tape.rollout.wakes_at == 50.0


def test_no_pods_at_all() -> None:
    tape = Tape(Canary(steps=(SetWeight(20), Pause(10.0))))
    assert tape.feed(0.0, Started(replicas=0)) == [SetWeight(0)]
    assert tape.feed(10.0, Woke()) == [Promote(2), Finish("promoted", "all steps done")]


def test_one_pod() -> None:
    tape = Tape(Canary(steps=(SetWeight(50), Pause(10.0)), router=False))
    assert tape.feed(0.0, Started(replicas=1)) == [SetScale(1, 1)]
    tape.feed(3.0, PodsReady(1, 1))
    assert tape.steps == [1]
    end = tape.feed(13.0, Woke())
    assert end == [SetScale(0, 1), Promote(2), Finish("promoted", "all steps done")]


def test_a_revision_that_is_stable_already() -> None:
    tape = Tape(Canary(steps=(SetWeight(20), Analyse(analysis(count=1))), background=analysis(interval=10.0)))
    end = tape.feed(0.0, Started(replicas=3, revision=1))
    assert end == [SetWeight(0), Finish("promoted", "revision 1 is stable already")]
    assert tape.phases[-1] == ("Healthy", "")
    assert tape.rollout.wakes_at is None


def test_another_size_on_the_way_and_afterwards() -> None:
    tape = five(SetWeight(20), Pause(10.0))
    tape.feed(2.0, PodsReady(5, 1))
    assert tape.feed(5.0, Resized(10)) == [SetScale(10, 1), SetScale(10, 2)]
    tape.feed(7.0, PodsReady(10, 2))
    tape.feed(12.0, Woke())
    tape.play((20.0, PodsReady(10, 10)), (20.0, PodsReady(10, 0, 10)))
    assert tape.feed(25.0, Resized(4)) == [SetScale(4, 0, 10)]


def test_without_router_a_smaller_size_afterwards() -> None:
    tape = Tape(Canary(router=False, max_surge="100%"))
    tape.feed(0.0, Started(replicas=3))
    tape.play((1.0, PodsReady(3, 3)), (1.0, PodsReady(3, 0)))
    assert tape.feed(2.0, Resized(2)) == [SetScale(2, 0, 0)]


def test_a_flag_moves_only_weights() -> None:
    tape = Tape(Canary(steps=(SetWeight(10), Pause(5.0), SetWeight(100)), pods=False))
    assert tape.feed(0.0, Started(replicas=3)) == [SetWeight(0), SetWeight(10)]
    end = tape.feed(5.0, Woke())
    assert end == [SetWeight(100), Promote(2), SetWeight(0), Finish("promoted", "all steps done")]


@pytest.mark.parametrize(
    ("threshold", "passed"),
    [(None, (False, False, False, True)), ("60%", (False, False, True, True)), (1, (False, True, True, True))],
)
def test_so_many_pods_are_enough_for_a_step(threshold: int | str | None, passed: tuple[bool, ...]) -> None:
    for available, over in enumerate(passed):
        tape = Tape(Canary(steps=(SetWeight(30), Pause()), progress_threshold=threshold))
        tape.feed(0.0, Started(replicas=10))
        tape.feed(1.0, PodsReady(10, available))
        assert (tape.steps[-1:] == [1]) is over


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": (SetWeight(101),)}, "a weight lies between 0 and 100, got 101"),
        ({"steps": (ScaleCanary(1),), "router": False}, "setCanaryScale needs a router"),
        ({"dynamic_stable_scale": True, "router": False}, "dynamicStableScale needs a router"),
        ({"progress_deadline": 0.0}, "the progress deadline is more than 0 s, got 0"),
        ({"progress_threshold": "60"}, "a number of pods or a percentage, got '60'; write 3 or 60%"),
        ({"progress_threshold": -1}, "a number of pods or a percentage, got -1"),
        ({"progress_threshold": 1, "profile": "argo-rollouts@1.8"}, "came with Argo Rollouts 1.10"),
        ({"min_ready": -1.0}, "minReadySeconds is 0 or more, got -1"),
        ({"min_ready": 600.0}, "the progress deadline must exceed minReadySeconds, got 600"),
        ({"pods": False, "router": False}, "set router: true"),
    ],
)
def test_what_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Canary(**fields)  # type: ignore[arg-type]
