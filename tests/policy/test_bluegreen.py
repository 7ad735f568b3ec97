"""Blue-green: events in, commands out (delivery-systems.md sections 2.14, 2.15, 2.19)."""

from __future__ import annotations

import pytest

from sim.policy.bluegreen import BlueGreen
from sim.policy.commands import Finish, Measure, Promote, SetScale, Switch
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Absent,
    Human,
    Interrupted,
    Measured,
    NewRevision,
    PodsReady,
    Resized,
    Started,
    Terminated,
    Woke,
)
from tests.policy.lists import Tape, analysis

STOPPED = "RolloutAborted: Rollout aborted update to revision 2"
FAILED = 'analysis phase error/failed: Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'
PRE, POST = f"Blue/green pre-promotion {FAILED}", f"Blue/green post-promotion {FAILED}"
ONE = analysis(count=1)
PROMOTED = [Promote(2), Finish("promoted", "switched")]


def started(ready: bool = False, **fields: object) -> Tape:
    """3 pods; when `ready`, all of the new revision are available at 5 s."""
    tape = Tape(BlueGreen(**fields))  # type: ignore[arg-type]
    tape.feed(0.0, Started(replicas=3))
    if ready:
        tape.feed(5.0, PodsReady(3, 3))
    return tape


def test_the_preview_moves_first_then_all_pods_then_the_active_service() -> None:
    tape = Tape(BlueGreen())
    assert tape.feed(0.0, Started(replicas=3)) == [Switch(1, 2), SetScale(3, 3)]
    assert tape.phases == [
        ("Progressing", "more replicas need to be updated"), ("Progressing", "active service cutover pending"),
    ]  # fmt: skip
    assert tape.feed(4.0, PodsReady(3, 2)) == []
    assert tape.feed(5.0, PodsReady(3, 3)) == [Switch(2, 2), *PROMOTED]
    assert tape.phases == [("Healthy", "")]
    tape.feed(5.0, PodsReady(3, 0, 3))
    assert tape.rollout.wakes_at == 35.0
    assert tape.feed(35.0, Woke()) == [SetScale(3, 0, 0)]


def test_without_a_preview_service() -> None:
    assert started(preview=False).rollout.journal[0].commands[0] == Switch(1, 1)


def test_a_manual_promotion() -> None:
    tape = started(ready=True, auto_promotion=False, auto_promotion_after=9.0)  # the seconds are ignored
    assert tape.phases == [("Paused", "BlueGreenPause")]
    assert tape.rollout.wakes_at is None
    assert tape.feed(70.0, Human("promote")) == [Switch(2, 2), *PROMOTED]


def test_a_promotion_after_a_time() -> None:
    tape = started(ready=True, auto_promotion_after=20.0)
    assert tape.rollout.wakes_at == 25.0
    assert tape.feed(25.0, Woke()) == [Switch(2, 2), *PROMOTED]


def test_a_promotion_before_its_time() -> None:
    tape = started(ready=True, auto_promotion_after=20.0)
    assert tape.feed(9.0, Human("promote")) == [Switch(2, 2), *PROMOTED]


def test_a_small_preview_grows_after_the_pause() -> None:
    tape = Tape(BlueGreen(preview_replicas=1, auto_promotion_after=20.0))
    assert tape.feed(0.0, Started(replicas=3)) == [Switch(1, 2), SetScale(3, 1)]
    assert tape.phases[-1] == ("Progressing", "more replicas need to be updated")
    tape.feed(5.0, PodsReady(3, 1))
    assert tape.rollout.wakes_at == 25.0
    assert tape.feed(25.0, Woke()) == [SetScale(3, 3)]
    assert tape.feed(26.0, PodsReady(3, 2)) == []
    assert tape.feed(27.0, PodsReady(3, 3)) == [Switch(2, 2), *PROMOTED]


def test_a_small_preview_without_pause_grows_at_once() -> None:
    tape = started(preview_replicas=1)
    assert tape.feed(5.0, PodsReady(3, 1)) == [SetScale(3, 3)]


def test_pre_promotion_then_pause() -> None:
    tape = started(ready=True, pre=ONE, auto_promotion=False)
    assert isinstance(tape.rollout.journal[-1].commands[0], Measure)
    assert tape.answer(6.0, 0.0) == []
    assert tape.phases == [("Paused", "BlueGreenPause")]


def test_a_failing_pre_promotion_leaves_the_active_service_alone() -> None:
    tape = started(ready=True, pre=ONE)
    assert tape.answer(6.0, 9.0) == [Finish("aborted", PRE)]
    assert tape.phases == [("Degraded", f"{STOPPED}: {PRE}")]
    assert tape.rollout.wakes_at == 36.0
    assert tape.feed(36.0, Woke()) == [SetScale(3, 0)]


def test_an_inconclusive_pre_promotion_pauses_and_runs_again_after_promote() -> None:
    tape = started(ready=True, pre=ONE)
    tape.feed(6.0, Measured(tape.asked, Absent()))
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]
    assert isinstance(tape.feed(50.0, Human("promote"))[0], Measure)
    assert tape.answer(51.0, 0.0) == [Switch(2, 2), *PROMOTED]


def test_inconclusive_may_abort_instead() -> None:
    tape = started(ready=True, pre=ONE, on_inconclusive="abort")
    tape.feed(6.0, Measured(tape.asked, Absent()))
    assert tape.rollout.outcome == "aborted"


def test_post_promotion_decides_who_is_stable() -> None:
    tape = started(ready=True, post=ONE)
    commands = tape.rollout.journal[-1].commands
    assert commands[0] == Switch(2, 2) and isinstance(commands[1], Measure)
    assert tape.phases[0] == ("Progressing", "waiting for analysis to complete")
    assert tape.answer(9.0, 0.0) == PROMOTED
    tape.feed(9.0, PodsReady(3, 0, 3))
    assert tape.rollout.wakes_at == 39.0  # the old pods were kept until now


def test_a_failing_post_promotion_switches_back_and_keeps_the_new_pods_for_the_delay() -> None:
    tape = started(ready=True, post=ONE, abort_scale_down_delay=8.0)
    assert tape.answer(9.0, 9.0) == [Switch(1, 2), Finish("aborted", POST)]
    assert tape.rollout.wakes_at == 17.0
    assert tape.feed(17.0, Woke()) == [SetScale(3, 0)]


def test_an_unsaturated_new_revision_delays_the_switch_back() -> None:
    tape = started(ready=True, post=ONE)
    tape.feed(7.0, PodsReady(3, 2))
    assert tape.answer(9.0, 9.0) == [Finish("aborted", POST)]
    assert tape.rollout.wakes_at is None
    assert tape.feed(20.0, PodsReady(3, 3)) == [Switch(1, 2)]
    assert tape.rollout.wakes_at == 50.0


def test_an_inconclusive_post_promotion_scales_nothing() -> None:
    tape = started(ready=True, post=ONE)
    tape.feed(9.0, Measured(tape.asked, Absent()))
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")] and tape.rollout.wakes_at is None
    assert tape.feed(20.0, Resized(4)) == []


def test_promote_full_skips_pause_and_runs() -> None:
    tape = started(pre=ONE, post=ONE, auto_promotion=False, preview_replicas=1)
    assert tape.feed(3.0, Human("promote-full")) == [SetScale(3, 3)]
    assert tape.feed(5.0, PodsReady(3, 3)) == [Switch(2, 2), *PROMOTED]
    assert tape.feed(6.0, Human("promote-full")) == [] and tape.rollout.outcome == "promoted"


def test_an_abort_before_the_switch_and_a_retry() -> None:
    tape = started(ready=True, auto_promotion=False)
    assert tape.feed(9.0, Human("abort")) == [Finish("aborted", STOPPED)]
    assert tape.feed(12.0, Human("retry")) == []
    assert tape.rollout.outcome is None and tape.phases[-1] == ("Paused", "BlueGreenPause")
    assert tape.feed(15.0, Human("promote")) == [Switch(2, 2), *PROMOTED]


def test_new_pods_may_stay_for_ever() -> None:
    tape = started(ready=True, auto_promotion=False, abort_scale_down_delay=None)
    assert tape.feed(9.0, Interrupted("the pager rang")) == [Finish("aborted", "the pager rang")]
    assert tape.rollout.wakes_at is None


def test_a_persons_pause_stops_the_switch() -> None:
    tape = started()
    tape.feed(2.0, Human("pause"))
    assert tape.feed(5.0, PodsReady(3, 3)) == []
    assert tape.rollout.wakes_at is None
    assert tape.feed(9.0, Human("resume")) == [Switch(2, 2), *PROMOTED]


def test_a_newer_revision_keeps_the_one_in_the_middle_for_the_delay() -> None:
    tape = started(ready=True, auto_promotion=False)
    assert tape.feed(9.0, NewRevision(3)) == [Switch(1, 3), SetScale(3, 3, 3)]
    tape.feed(9.0, PodsReady(3, 0, 3))
    assert tape.rollout.wakes_at == 39.0
    assert tape.feed(39.0, Woke()) == [SetScale(3, 3, 0)]


def test_a_revision_that_serves_is_not_scaled_down() -> None:
    tape = started(ready=True, post=ONE, scale_down_delay=5.0)
    assert tape.feed(9.0, NewRevision(3))[:2] == [Switch(2, 3), SetScale(3, 3, 3)]
    tape.feed(9.0, PodsReady(3, 0, 3))
    assert tape.feed(30.0, Woke()) == []
    switched = tape.feed(40.0, PodsReady(3, 3, 3))
    assert switched[0] == Switch(3, 3) and SetScale(3, 3, 0) in switched


def test_back_to_stable_before_and_after_the_switch() -> None:
    back = [Finish("aborted", "back to the stable revision 1")]
    tape = started(ready=True, auto_promotion=False)
    assert tape.feed(9.0, NewRevision(1)) == [
        Switch(1, 1),
        *back,
    ]  # the new pods are older by now, and stay for the delay
    assert tape.rollout.wakes_at == 39.0 and tape.phases[-1] == ("Healthy", "")
    late = started(ready=True, post=ONE)
    commands = late.feed(9.0, NewRevision(1))
    assert [c for c in commands if isinstance(c, Switch)][-1] == Switch(1, 1)
    assert late.rollout.outcome == "aborted"


def test_back_to_a_revision_whose_pods_still_stand_skips_everything() -> None:
    tape = started(ready=True, auto_promotion=False, pre=None)
    tape.play((7.0, Human("promote")), (7.0, PodsReady(3, 0, 3)))
    end = tape.feed(20.0, NewRevision(1))
    assert end == [Switch(2, 1), Switch(1, 1), Promote(1), Finish("promoted", "switched")]
    later = started(ready=True)
    later.play((5.0, PodsReady(3, 0, 3)), (35.0, Woke()), (35.0, PodsReady(3, 0, 0)))
    assert later.feed(50.0, NewRevision(1)) == [Switch(2, 1), SetScale(3, 3)]


@pytest.mark.parametrize(("limit", "left"), [(None, 6), (1, 3), (0, 0)])
def test_so_many_older_revisions_keep_their_pods(limit: int | None, left: int) -> None:
    tape = started(ready=True, scale_down_delay_revisions=limit)
    tape.play((6.0, PodsReady(3, 0, 3)), (9.0, NewRevision(3)))
    commands = tape.feed(15.0, PodsReady(3, 3, 3))
    assert [c for c in commands if isinstance(c, SetScale)][-1:] == ([SetScale(3, 0, left)] if left < 6 else [])


def test_another_size() -> None:
    tape = started(ready=True, auto_promotion=False)
    assert tape.feed(9.0, Resized(5)) == [SetScale(5, 3), SetScale(5, 5)]  # one ReplicaSet after the other


def test_the_deadline_runs_in_analyses_too() -> None:
    tape = started(ready=True, pre=analysis(interval=30.0), progress_deadline=60.0)
    assert tape.rollout.wakes_at == 60.0  # the preview's pods are no progress: what counts is the active revision's
    tape.feed(60.0, Woke())
    assert tape.phases == [("Degraded", 'ProgressDeadlineExceeded: ReplicaSet "revision 2" has timed out progressing.')]


def test_the_deadline_may_abort() -> None:
    tape = started(progress_deadline=60.0, progress_deadline_abort=True)
    assert tape.feed(60.0, Woke()) == [Finish("aborted", 'ReplicaSet "revision 2" has timed out progressing.')]


def test_a_run_ended_by_hand_is_successful() -> None:
    tape = started(ready=True, pre=analysis(interval=30.0))
    assert tape.feed(9.0, Terminated("pre")) == [Switch(2, 2), *PROMOTED]


def test_no_pods_and_a_revision_that_is_stable_already() -> None:
    tape = Tape(BlueGreen())
    assert tape.feed(0.0, Started(replicas=0)) == [Switch(1, 2), Switch(2, 2), *PROMOTED]
    same = Tape(BlueGreen())
    assert same.feed(0.0, Started(replicas=2, revision=1)) == [
        Switch(1, 1), Finish("promoted", "revision 1 is stable already"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"auto_promotion_after": -1.0}, "autoPromotionSeconds is 0 or more, got -1"),
        ({"preview_replicas": 0}, "previewReplicaCount is 1 or more, got 0"),
        ({"progress_deadline": 0.0}, "the progress deadline is more than 0 s, got 0"),
        ({"min_ready": 600.0}, "the progress deadline must exceed minReadySeconds, got 600"),
    ],
)
def test_what_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        BlueGreen(**fields)  # type: ignore[arg-type]
