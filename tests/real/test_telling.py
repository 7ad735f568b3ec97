"""What was seen -> entries: order, roles, what pods took."""

from __future__ import annotations

from typing import Any

from real.controllers.case import Case
from real.controllers.prepare import REVISION
from real.controllers.recording import Act, Recording
from real.controllers.tell import tell
from real.controllers.telling import Sizes
from real.controllers.watching import Seen, Watch
from sim.tracing.script import Happening, Script


def replica_set(revision: int, wanted: int, available: int, **more: Any) -> dict[str, Any]:
    pod = {"metadata": {"annotations": {REVISION: str(revision)}}}
    metadata = {"labels": {"rollouts-pod-template-hash": f"hash{revision}"}}
    return {
        "metadata": metadata,
        "spec": {"replicas": wanted, "template": pod},
        "status": {"availableReplicas": available},
    } | more


def rollout(revision: int, **status: Any) -> dict[str, Any]:
    pod = {"metadata": {"annotations": {REVISION: str(revision)}}}
    return {"metadata": {}, "spec": {"template": pod}, "status": {"stableRS": "hash1"} | status}


def seen(*found: tuple[float, str, str, dict[str, Any]]) -> tuple[Seen, ...]:
    return tuple(Seen(at, number, kind, name, one) for number, (at, kind, name, one) in enumerate(found, 1))


CASE = Case("c", ({"kind": "Rollout", "metadata": {"name": "a"}, "spec": {"strategy": {"canary": {}}}},), Script())


def test_a_canary_of_one_pod_told() -> None:
    found = seen(
        (90.0, "ReplicaSet", "a-1", replica_set(1, 2, 2)),
        (90.0, "Rollout", "a", rollout(1, phase="Healthy", currentPodHash="hash1")),
        (100.0, "Rollout", "a", rollout(2, phase="Healthy", currentPodHash="hash1", currentStepIndex=1)),
        (100.1, "ReplicaSet", "a-2", replica_set(2, 0, 0)),
        (100.2, "Rollout", "a", rollout(2, phase="Progressing", message="more", currentPodHash="hash2", currentStepIndex=0)),
        (100.3, "ReplicaSet", "a-2", replica_set(2, 1, 0)),
        (103.3, "ReplicaSet", "a-2", replica_set(2, 1, 1)),
        (103.4, "Rollout", "a", rollout(2, phase="Paused", message="CanaryPauseStep", currentPodHash="hash2", currentStepIndex=1)),
    )  # fmt: skip
    history = tell(Recording(CASE, "then", found, (Act(109.0, Happening(9.0, "promote")),)))
    assert [(one["at"], one["kind"], one["step"], one["stable"], one["canary"]) for one in history.entries] == [
        (0.2, "phase", 0, 2, 0), (0.3, "scale", 0, 2, 1), (3.3, "available", 0, 2, 1), (3.4, "step", 1, 2, 1), (3.4, "phase", 1, 2, 1),
        (9.0, "human", 1, 2, 1),
    ]  # fmt: skip
    assert history.pods == {2: (3.0,)} and history.acts == (9.0,)


def test_pods_are_timed_in_the_order_of_their_making() -> None:
    sizes = Sizes()
    sizes.see(0.0, "a", replica_set(2, 2, 0), True)
    sizes.see(3.0, "a", replica_set(2, 2, 1), True)
    sizes.see(4.0, "a", replica_set(2, 3, 1), True)
    sizes.see(9.0, "a", replica_set(2, 3, 3), True)
    assert sizes.starts == {2: [3.0, 9.0, 5.0]}


def test_pods_that_go_before_they_were_available_took_for_ever() -> None:
    sizes = Sizes()
    sizes.see(0.0, "a", replica_set(2, 3, 0), True)
    sizes.see(2.0, "a", replica_set(2, 3, 1), True)
    sizes.see(3.0, "a", replica_set(2, 1, 1), True)
    sizes.see(5.0, "a", replica_set(2, 2, 1), True)
    sizes.see(9.0, "a", replica_set(2, 2, 2), True)
    assert sizes.starts == {2: [2.0, None, None, 4.0]}


def test_pods_of_before_the_start_are_not_timed_and_size_is_by_role() -> None:
    sizes = Sizes()
    sizes.see(0.0, "a", replica_set(1, 4, 4), False)
    sizes.see(1.0, "b", replica_set(2, 1, 0), True)
    sizes.see(1.0, "c", replica_set(3, 2, 0), True)
    assert sizes.starts[1] == []
    assert sizes.roles(1, 3) == (4, 2, 1) and sizes.roles(1, 1) == (4, 0, 3)


def test_what_arrives_late_is_ordered_as_it_was_written() -> None:
    late = (
        Seen(5.0, 7, "Rollout", "a", {}), Seen(5.2, 3, "ReplicaSet", "b", {}), Seen(5.1, 9, "Pod", "c", {}),
        Seen(5.3, 7, "Rollout", "a", {}),
    )  # fmt: skip
    watch = Watch(None, "space", (), lambda _: None, list(late))  # type: ignore[arg-type]
    assert [(one.version, one.at) for one in watch.ordered()] == [(3, 5.0), (7, 5.0), (9, 5.1)]
