"""Rolling update and recreate: one revision is applied, and its pods are watched (delivery-systems.md section 5)."""

from __future__ import annotations

import pytest

from sim.policy.commands import Apply, Finish, Promote
from sim.policy.errors import PolicyError
from sim.policy.events import Human, Interrupted, NewRevision, PodsReady, Resized, Started, Woke
from sim.policy.rolling import Rolling
from tests.policy.lists import Tape

PROMOTED = [Promote(2), Finish("promoted", "updated")]


def started(replicas: int = 4, **fields: object) -> Tape:
    tape = Tape(Rolling(**fields))  # type: ignore[arg-type]
    tape.feed(0.0, Started(replicas=replicas))
    return tape


def test_the_world_is_asked_once_and_the_end_is_all_pods_and_no_others() -> None:
    tape = Tape(Rolling())
    assert tape.feed(0.0, Started(replicas=4)) == [Apply(2, 1, 1)]
    assert tape.phases == [("Progressing", "more replicas need to be updated")]
    assert tape.feed(3.0, PodsReady(1, 4)) == []
    assert tape.feed(4.0, PodsReady(0, 4)) == PROMOTED
    assert tape.phases == [("Healthy", "")] and tape.rollout.wakes_at is None


def test_recreate() -> None:
    assert started(recreate=True, min_ready=5.0).rollout.journal[0].commands == (Apply(2, 1, 1, 5.0, True),)


def test_the_deadline_only_marks_and_progress_clears() -> None:
    tape = started(progress_deadline=60.0)
    tape.feed(10.0, PodsReady(4, 1))
    assert tape.rollout.wakes_at == 70.0
    tape.feed(20.0, PodsReady(4, 0))  # a lost pod is no progress
    assert tape.rollout.wakes_at == 70.0
    assert tape.feed(70.0, Woke()) == []
    assert tape.phases == [("Degraded", "ProgressDeadlineExceeded")] and tape.rollout.wakes_at is None
    tape.feed(99.0, PodsReady(3, 2))
    assert tape.phases == [("Progressing", "more replicas need to be updated")] and tape.rollout.wakes_at == 159.0


@pytest.mark.parametrize(
    ("event", "reason"), [(Human("abort"), "undone by a person"), (Interrupted("the pager rang"), "the pager rang")]
)
def test_an_abort_is_an_undo(event: Human | Interrupted, reason: str) -> None:
    tape = started()
    tape.feed(5.0, PodsReady(3, 2))
    assert tape.feed(6.0, event) == [Apply(1, 1, 1)]
    assert tape.phases == [("Progressing", "undoing")]
    assert tape.feed(7.0, event) == []
    assert tape.feed(9.0, PodsReady(4, 0)) == [Finish("aborted", reason)]


def test_retry_after_an_undo() -> None:
    tape = started()
    tape.play((5.0, PodsReady(3, 2)), (6.0, Human("abort")), (9.0, PodsReady(4, 0)))
    assert tape.feed(10.0, Human("retry")) == [Apply(2, 1, 1)]
    assert tape.rollout.outcome is None
    assert tape.feed(20.0, PodsReady(0, 4)) == PROMOTED
    assert tape.feed(21.0, Human("retry")) == [] and tape.rollout.outcome == "promoted"


def test_a_newer_revision_in_the_middle() -> None:
    tape = started()
    tape.feed(5.0, PodsReady(1, 4))
    assert tape.feed(6.0, NewRevision(3)) == [Apply(3, 1, 1)]
    assert tape.feed(6.0, PodsReady(1, 0, 4)) == []
    assert tape.feed(9.0, PodsReady(0, 4, 0)) == [Promote(3), Finish("promoted", "updated")]


def test_back_to_the_stable_revision() -> None:
    tape = started()
    tape.feed(5.0, PodsReady(3, 2))
    assert tape.feed(6.0, NewRevision(1)) == [Apply(1, 1, 1)]
    assert tape.feed(6.0, PodsReady(3, 0, 2)) == []
    assert tape.feed(9.0, PodsReady(4, 0, 0)) == [Finish("aborted", "back to the stable revision 1")]


def test_another_size_on_the_way_and_afterwards() -> None:
    tape = started()
    assert tape.feed(1.0, Resized(8)) == [Apply(2, 2, 2)]
    assert tape.feed(9.0, PodsReady(0, 8)) == PROMOTED
    assert tape.feed(10.0, Resized(4)) == [Apply(2, 1, 1)]
    assert tape.rollout.outcome == "promoted" and tape.rollout.wakes_at is None


def test_no_pods_and_a_revision_that_is_stable_already() -> None:
    assert Tape(Rolling()).feed(0.0, Started(replicas=0))[1:] == PROMOTED
    same = Tape(Rolling()).feed(0.0, Started(replicas=2, revision=1))
    assert same[1:] == [Finish("promoted", "revision 1 is stable already")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_ready": -1.0}, "minReadySeconds is 0 or more, got -1"),
        ({"min_ready": 600.0}, "the progress deadline must exceed minReadySeconds, got 600"),
        ({"max_surge": "many"}, "a count or a percentage, got 'many'"),
        ({"max_unavailable": -1}, "must be 0 or more, got -1"),
    ],
)
def test_what_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        Rolling(**fields)  # type: ignore[arg-type]
