"""How a canary ends, starts over, and is late (delivery-systems.md sections 2.11 to 2.13, 2.15, 2.17, 2.19, 2.20)."""

from __future__ import annotations

import pytest

from sim.policy.canary import Canary
from sim.policy.commands import Finish, Measure, Promote, SetScale, SetWeight
from sim.policy.events import Human, Interrupted, NewRevision, PodsReady, Started, Woke
from sim.policy.steps import Analyse, Pause
from sim.tracing.run import trace
from sim.tracing.script import Happening, Script
from tests.policy.lists import Tape, analysis

STOPPED = "RolloutAborted: Rollout aborted update to revision 2"
LATE = 'ProgressDeadlineExceeded: ReplicaSet "revision 2" has timed out progressing.'


def at_twenty(**more: object) -> Tape:
    """Behind a router, at weight 20 of 5 pods, in a manual pause; 2 s have passed."""
    tape = Tape(Canary(steps=(SetWeight(20), Pause(), SetWeight(60), Pause()), **more))  # type: ignore[arg-type]
    tape.feed(0.0, Started(replicas=5))
    tape.feed(2.0, PodsReady(5, 1))
    return tape


# ---- abort ----


def test_an_abort_moves_the_traffic_at_once_and_the_pods_after_the_delay() -> None:
    tape = at_twenty()
    assert tape.feed(10.0, Human("abort")) == [SetWeight(0), Finish("aborted", STOPPED)]
    assert (tape.steps, tape.phases) == ([0], [("Degraded", STOPPED)])
    assert tape.rollout.wakes_at == 40.0
    assert tape.feed(40.0, Woke()) == [SetScale(5, 0)]
    assert tape.rollout.wakes_at is None
    assert tape.feed(41.0, Human("abort")) == []


def test_the_delay_starts_once_stable_is_complete() -> None:
    tape = at_twenty(abort_scale_down_delay=8.0)
    tape.feed(9.0, PodsReady(4, 1))
    tape.feed(10.0, Human("abort"))
    assert tape.rollout.wakes_at is None
    tape.feed(15.0, PodsReady(5, 1))
    assert tape.rollout.wakes_at == 23.0


def test_without_a_delay_the_pods_stay_for_ever() -> None:
    tape = at_twenty(abort_scale_down_delay=None)
    tape.feed(10.0, Human("abort"))
    assert tape.rollout.wakes_at is None
    assert tape.feed(9999.0, Woke()) == []


def test_an_interruption_aborts_with_its_cause() -> None:
    assert at_twenty().feed(10.0, Interrupted("the pager rang"))[-1] == Finish("aborted", "the pager rang")


def test_abort_without_router_is_the_recorded_walk() -> None:
    """R=5, stable 3 available, canary 2: (5,2), (5,1), then (5,0) when a fourth stable pod is available (section 2.19)."""
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), router=False, max_surge=2, max_unavailable=1))
    tape.feed(0.0, Started(replicas=5))
    tape.play((1.0, PodsReady(5, 2)), (1.1, PodsReady(3, 2)))
    assert tape.steps == [1]
    assert tape.feed(9.0, Human("abort"))[:2] == [SetScale(5, 2), SetScale(5, 1)]
    assert tape.feed(9.1, PodsReady(3, 1)) == []
    assert tape.feed(11.0, PodsReady(4, 1)) == [SetScale(5, 0)]


def test_abort_without_router_with_four_stable_pods_takes_one_step() -> None:
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), router=False, max_surge=2, max_unavailable=1))
    tape.feed(0.0, Started(replicas=5))
    assert tape.feed(1.0, PodsReady(5, 0)) == []
    assert tape.feed(2.0, PodsReady(4, 0)) == []
    assert tape.feed(9.0, Human("abort"))[:2] == [SetScale(5, 2), SetScale(5, 0)]


def test_retry_begins_again_with_the_pods_that_are_there_and_a_new_run() -> None:
    tape = Tape(Canary(steps=(SetWeight(20), Analyse(analysis(count=1)), Pause())))
    tape.feed(0.0, Started(replicas=5))
    tape.feed(2.0, PodsReady(5, 1))
    tape.answer(3.0, 9.0)
    assert tape.rollout.outcome == "aborted"
    again = tape.feed(10.0, Human("retry"))
    assert [type(command) for command in again] == [SetWeight, Measure]
    assert again[0] == SetWeight(20)
    assert tape.rollout.outcome is None and tape.phases[0][0] == "Progressing"
    tape.answer(11.0, 0.0)
    assert tape.steps == [2]


def test_retry_changes_nothing_where_nothing_was_aborted() -> None:
    tape = at_twenty()
    assert tape.feed(5.0, Human("retry")) == [] and tape.notes == []


# ---- promotion ----


def test_promote_full_keeps_the_weight_until_all_pods_are_there() -> None:
    tape = at_twenty()
    assert tape.feed(9.0, Human("promote-full")) == [SetScale(5, 5)]
    assert tape.steps == [4]
    assert tape.feed(12.0, PodsReady(5, 4)) == []
    assert tape.feed(13.0, PodsReady(5, 5)) == [Promote(2), SetWeight(0), Finish("promoted", "promoted in full")]


def test_promote_full_ends_an_abort_and_all_runs() -> None:
    tape = Tape(Canary(steps=(SetWeight(20), Analyse(analysis(count=1)))))
    tape.feed(0.0, Started(replicas=2))
    tape.feed(2.0, PodsReady(2, 1))
    tape.answer(3.0, 9.0)
    assert tape.feed(10.0, Human("promote-full")) == [SetScale(2, 2)]
    assert tape.rollout.outcome is None
    assert tape.feed(11.0, PodsReady(2, 2))[0] == Promote(2)
    assert tape.rollout.outcome == "promoted"


def test_after_the_end_people_change_nothing() -> None:
    tape = at_twenty()
    tape.feed(9.0, Human("promote-full"))
    tape.play((12.0, PodsReady(5, 5)), (12.0, PodsReady(5, 0, 5)))
    for action in ("promote", "promote-full", "abort", "retry"):
        assert tape.feed(20.0, Human(action)) == []  # type: ignore[arg-type]
        assert tape.rollout.outcome == "promoted"
    assert tape.feed(42.0, Woke()) == [SetScale(5, 0)]


def test_the_old_pods_go_at_once_under_dynamic_stable_scale() -> None:
    tape = Tape(Canary(steps=(SetWeight(50),), dynamic_stable_scale=True))
    tape.feed(0.0, Started(replicas=4))
    assert tape.feed(2.0, PodsReady(4, 2)) == [SetWeight(50), SetScale(2, 2), SetScale(2, 4)]
    tape.feed(2.0, PodsReady(2, 2))
    end = tape.feed(5.0, PodsReady(2, 4))
    assert end[:3] == [SetWeight(100), Promote(2), SetWeight(0)]
    assert end[3:] == [SetScale(4, 0, 0), Finish("promoted", "all steps done")]


# ---- a newer revision ----


def test_a_newer_revision_starts_over_and_drops_the_one_in_the_middle() -> None:
    tape = at_twenty()
    assert tape.feed(9.0, NewRevision(3)) == [SetWeight(0), SetScale(5, 1, 1)]
    assert tape.steps == [0]
    assert tape.feed(9.0, PodsReady(5, 0, 1)) == []  # the router points at it until a newer pod is there
    assert tape.feed(12.0, PodsReady(5, 1, 1)) == [SetWeight(20), SetScale(5, 1, 0)]
    assert tape.feed(13.0, NewRevision(3)) == []


def test_without_router_the_one_in_the_middle_drains_within_what_is_available() -> None:
    """The recorded case new-revision-mid-way: 2, 1, 0, each time one new pod became available."""
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), router=False, max_surge=2, max_unavailable=0))
    tape.feed(0.0, Started(replicas=5))
    tape.play((1.0, PodsReady(5, 2)), (1.1, PodsReady(3, 2)))
    assert tape.feed(9.0, NewRevision(3)) == [SetScale(3, 2, 2)]
    assert tape.feed(9.1, PodsReady(3, 0, 2)) == []
    assert tape.feed(11.0, PodsReady(3, 1, 2)) == [SetScale(3, 2, 1)]
    assert tape.feed(11.1, PodsReady(3, 1, 1)) == []
    assert tape.feed(12.0, PodsReady(3, 2, 1)) == [SetScale(3, 2, 0)]
    tape.feed(12.1, PodsReady(3, 2, 0))
    assert tape.steps == [1]


def test_back_to_stable_skips_the_steps_and_takes_the_update_back() -> None:
    tape = at_twenty()
    assert tape.feed(9.0, NewRevision(1)) == [SetWeight(0), Finish("aborted", "back to the stable revision 1")]
    assert tape.steps == [4] and tape.phases[-1] == ("Healthy", "")
    tape.feed(9.0, PodsReady(5, 0, 1))
    assert tape.rollout.wakes_at == 39.0
    assert tape.feed(39.0, Woke()) == [SetScale(5, 0, 0)]


def test_back_to_stable_without_router_ends_when_the_others_are_gone() -> None:
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), router=False, max_surge=0, max_unavailable=1))
    tape.feed(0.0, Started(replicas=3))
    tape.play((1.0, PodsReady(2, 0)), (2.0, PodsReady(2, 1)))
    assert tape.steps == [1]
    assert tape.feed(9.0, NewRevision(1)) == [SetScale(2, 0, 0), SetScale(3, 0, 0)]
    assert tape.phases[-1] == ("Progressing", "updated replicas are still becoming available")
    assert tape.feed(9.1, PodsReady(2, 0, 0)) == []
    assert tape.feed(12.0, PodsReady(3, 0, 0)) == [Finish("aborted", "back to the stable revision 1")]


def test_back_and_forth_again() -> None:
    tape = at_twenty()
    tape.play((9.0, NewRevision(1)), (9.0, PodsReady(5, 0, 1)))
    assert tape.feed(12.0, NewRevision(2)) == [SetWeight(20)]  # its pod is still there
    assert tape.rollout.outcome is None


def test_a_newer_revision_after_an_abort() -> None:
    tape = at_twenty()
    tape.feed(10.0, Human("abort"))
    assert tape.feed(12.0, NewRevision(3)) == [SetScale(5, 1, 1)]
    assert tape.rollout.outcome is None and tape.rollout.wakes_at == 40.0  # the deadline of the aborted one
    assert tape.feed(40.0, Woke()) == [SetScale(5, 1, 0)]


def test_every_former_stable_revision_has_a_deadline_of_its_own() -> None:
    tape = Tape(Canary())
    tape.feed(0.0, Started(replicas=2))
    tape.play((1.0, PodsReady(2, 2)), (1.0, PodsReady(2, 0, 2)), (11.0, NewRevision(3)))
    tape.play((12.0, PodsReady(2, 2, 2)), (12.0, PodsReady(2, 0, 4)))
    assert tape.rollout.wakes_at == 31.0
    assert tape.feed(31.0, Woke()) == [SetScale(2, 0, 2)]
    assert tape.rollout.wakes_at == 42.0
    assert tape.feed(42.0, Woke()) == [SetScale(2, 0, 0)]


# ---- dynamic stable scale ----


def weights(found: list[dict[str, object]]) -> list[object]:
    return [entry["weight"] for entry in found if entry["kind"] == "weight"]


DYNAMIC = (SetWeight(25), Pause(), SetWeight(75), Pause())


def walk(**more: object) -> list[dict[str, object]]:
    """R=4, 25 and 75, aborted at 75 while stable pods come back one by one."""
    policy = Canary(steps=DYNAMIC, dynamic_stable_scale=True, **more)  # type: ignore[arg-type]
    script = Script(
        ready={1: (10.0, 20.0, 30.0), 2: 0.0},
        events=(Happening(20.0, "promote"), Happening(60.0, "abort")),
    )
    return list(trace(policy, script, replicas=4).entries)


def test_up_the_weight_comes_before_stable_shrinks_and_the_pause_after() -> None:
    kinds = [(e["at"], e["kind"], e["weight"], e["stable"], e["canary"]) for e in walk() if e["at"] == 20.0]
    assert kinds == [
        (20.0, "human", 25, 3, 1),
        (20.0, "phase", 25, 3, 1),
        (20.0, "step", 25, 3, 1),
        (20.0, "scale", 25, 3, 3),
        (20.0, "available", 25, 3, 3),
        (20.0, "weight", 75, 3, 3),
        (20.0, "step", 75, 3, 3),
        (20.0, "scale", 75, 1, 3),
        (20.0, "phase", 75, 1, 3),
        (20.0, "available", 75, 1, 3),
    ]


def test_an_abort_walks_back_as_stable_pods_return() -> None:
    """75, 75, 25, 0 with 1, 2, 3 and 4 stable pods; all sizes go with the weight (seen: dynamic-stable-abort)."""
    found = [entry for entry in walk() if entry["at"] >= 60.0]  # type: ignore[operator]
    assert [(e["at"], e["weight"]) for e in found if e["kind"] == "weight"] == [(80.0, 25), (110.0, 0)]
    scales = [(e["at"], e["stable"], e["canary"]) for e in found if e["kind"] == "scale"]
    assert scales == [(60.0, 3, 3), (80.0, 3, 1), (80.0, 4, 1), (110.0, 4, 0)]


def test_in_1_8_the_weight_falls_with_every_pod() -> None:
    found = [entry for entry in walk(profile="argo-rollouts@1.8") if entry["at"] >= 60.0]  # type: ignore[operator]
    assert [(e["at"], e["weight"]) for e in found if e["kind"] == "weight"] == [(70.0, 50), (80.0, 25), (90.0, 0)]


def test_with_a_delay_of_their_own_the_pods_stay_and_the_abort_never_ends() -> None:
    """Stable waits for canary pods to go, and they wait for stable to be complete (seen: dynamic-stable-delay)."""
    found = [entry for entry in walk(pods_follow_abort=False, abort_scale_down_delay=15.0) if entry["at"] >= 60.0]  # type: ignore[operator]
    assert [(e["at"], e["weight"]) for e in found if e["kind"] == "weight"] == [(80.0, 25)]
    assert [(e["at"], e["stable"], e["canary"]) for e in found if e["kind"] == "scale"] == [(60.0, 3, 3)]


def test_back_to_a_stable_revision_that_was_scaled_down_walks_back_too() -> None:
    policy = Canary(steps=DYNAMIC, dynamic_stable_scale=True)
    script = Script(
        ready={1: (10.0, 20.0, 30.0), 2: 0.0}, events=(Happening(20.0, "promote"), Happening(60.0, "revision", 1))
    )
    found = trace(policy, script, replicas=4)
    late = [entry for entry in found.entries if entry["at"] >= 60.0]
    assert [(e["at"], e["weight"]) for e in late if e["kind"] == "weight"] == [(80.0, 25), (90.0, 0)]
    assert [(e["at"], e["older"]) for e in late if e["kind"] == "scale"][-1] == (90.0, 0)
    assert found.phase == "Healthy"


def test_dynamic_stable_scale_without_pods() -> None:
    tape = Tape(Canary(steps=(SetWeight(25), Pause()), dynamic_stable_scale=True))
    tape.feed(0.0, Started(replicas=0))
    assert tape.feed(1.0, Human("abort"))[-1] == Finish("aborted", STOPPED)


# ---- progress deadline ----


def test_the_deadline_marks_and_progress_clears() -> None:
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), progress_deadline=60.0))
    tape.feed(0.0, Started(replicas=5))
    assert tape.rollout.wakes_at == 60.0
    assert tape.feed(60.0, Woke()) == []
    assert tape.phases == [("Degraded", LATE)]
    assert tape.rollout.wakes_at is None and tape.rollout.outcome is None
    tape.feed(75.0, PodsReady(5, 1))
    assert tape.phases == [("Progressing", "more replicas need to be updated")]
    assert tape.rollout.wakes_at == 135.0
    assert tape.feed(100.0, PodsReady(5, 0)) == []  # a lost pod is no progress
    assert tape.rollout.wakes_at == 135.0


def test_a_pod_that_is_ready_is_progress_before_it_counts() -> None:
    tape = Tape(Canary(steps=(SetWeight(20), Pause()), progress_deadline=60.0, min_ready=30.0))
    assert tape.feed(0.0, Started(replicas=5)) == [SetWeight(0), SetScale(5, 1, min_ready=30.0)]
    tape.feed(50.0, PodsReady(5, 0, settling=1))
    assert tape.rollout.wakes_at == 110.0 and tape.phases == []
    tape.feed(80.0, PodsReady(5, 1))
    assert tape.phases[-1] == ("Paused", "CanaryPauseStep")


def test_the_deadline_may_abort() -> None:
    tape = Tape(Canary(steps=(SetWeight(20),), progress_deadline=60.0, progress_deadline_abort=True))
    tape.feed(0.0, Started(replicas=5))
    late = 'ReplicaSet "revision 2" has timed out progressing.'
    assert tape.feed(60.0, Woke()) == [Finish("aborted", late)]
    assert tape.phases == [("Degraded", f"{STOPPED}: {late}")]


def test_in_1_8_the_abort_comes_a_write_after_the_deadline() -> None:
    tape = Tape(
        Canary(
            steps=(SetWeight(20),), progress_deadline=60.0, progress_deadline_abort=True, profile="argo-rollouts@1.8"
        )
    )
    tape.feed(0.0, Started(replicas=5))
    tape.feed(60.0, Woke())
    assert tape.phases == [("Degraded", LATE), ("Degraded", STOPPED)]


@pytest.mark.parametrize("step", [Pause(), Pause(9999.0), Analyse(analysis(count=1))])
def test_the_deadline_does_not_run_in_pauses_and_analyses(step: Pause | Analyse) -> None:
    tape = Tape(Canary(steps=(SetWeight(20), step)))
    tape.feed(0.0, Started(replicas=5))
    tape.feed(2.0, PodsReady(5, 1))
    assert tape.rollout.wakes_at in (None, 10001.0)


def test_the_deadline_waits_for_old_pods_to_go() -> None:
    tape = Tape(Canary(progress_deadline=10.0))
    tape.feed(0.0, Started(replicas=2))
    tape.play((1.0, PodsReady(2, 2)), (1.0, PodsReady(2, 0, 2)), (5.0, NewRevision(3)))
    assert tape.rollout.wakes_at == 31.0  # the scale-down deadline of revision 1
    tape.feed(31.0, Woke())
    assert tape.rollout.wakes_at == 41.0


def test_the_clock_begins_anew_after_a_pause() -> None:
    tape = Tape(Canary(steps=(SetWeight(40), Pause()), progress_deadline=60.0))
    tape.feed(0.0, Started(replicas=5))
    tape.feed(5.0, Human("pause"))
    assert tape.rollout.wakes_at is None
    tape.feed(500.0, Human("resume"))
    assert tape.phases == [("Progressing", "more replicas need to be updated")] and tape.rollout.wakes_at == 560.0


def test_a_promote_past_the_steps_clears_no_late_mark() -> None:
    tape = Tape(Canary(steps=(), progress_deadline=60.0))
    tape.feed(0.0, Started(replicas=5))
    tape.feed(60.0, Woke())
    tape.feed(70.0, Human("promote"))
    assert tape.phases == []
