"""Flagger's loop as event lists: delivery-systems.md sections 4.2 to 4.7."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.commands import (
    Apply,
    AskGate,
    Command,
    Finish,
    Match,
    Measure,
    Mirror,
    Promote,
    SetScale,
    SetWeight,
    Text,
)
from sim.policy.errors import PolicyError
from sim.policy.events import (
    Absent,
    Answer,
    Answered,
    BatchesDone,
    Failed,
    Human,
    Interrupted,
    Measured,
    NewRevision,
    NotANumber,
    PodsReady,
    Started,
    Value,
    Woke,
)
from sim.policy.flagger import Check, Flagger, Hook
from sim.policy.notes import PhaseIs, TickIs
from sim.policy.rollout import Rollout

ERRORS = Check("errors", Text("prometheus", "errors"), high=1.0)
GOOD, BAD = Value(0.5), Value(5.0)


def run(
    policy: Flagger,
    answers: Iterable[Answer] = (),
    gates: Callable[[float, str], bool] = lambda at, gate: True,
    events: dict[float, Any] | None = None,
    until: float = 1000.0,
    replicas: int = 4,
) -> list[tuple[float, Any]]:
    """Drive a policy where answers and pods come at once; what it did and said, with the moments."""
    said: list[tuple[float, Any]] = []
    rollout = Rollout(policy, lambda at, item: said.append((at, item)))
    left, events = list(answers), dict(events or {})
    pending: list[Any] = [Started(replicas)]
    at, beside = 0.0, 0

    def follow(command: Command) -> None:
        nonlocal beside
        match command:
            case Measure(id):
                pending.append(Measured(id, left.pop(0) if len(left) > 1 else left[0]))
            case AskGate(gate) if gate != "post-rollout":
                pending.append(Answered(gate, gates(at, gate)))
            case SetScale(stable, canary):
                pending.append(PodsReady(stable, canary))
            case Apply(count=int(count)):  # the canary takes a newer spec over, or the promoted one again
                pending.append(PodsReady(replicas + count, 0) if command.beside else PodsReady(replicas, count))
            case Apply(renew=True):
                pending.append(BatchesDone(command.revision, replicas))
            case Apply():
                pending.append(PodsReady(0, command.beside + replicas))
                beside = command.beside
            case Promote():
                pending.append(PodsReady(beside + replicas, 0))

    while True:
        while pending:
            for command in rollout.handle(at, pending.pop(0)):
                follow(command)
        following = min((moment for moment in (rollout.wakes_at, *events) if moment is not None), default=None)
        if following is None or following > until:
            return said
        at = following
        pending.append(events.pop(at) if at in events else Woke())


def phases(said: list[tuple[float, Any]]) -> list[tuple[float, str]]:
    return [(at, item.phase) for at, item in said if isinstance(item, PhaseIs)]


def weights(said: list[tuple[float, Any]]) -> list[tuple[float, float]]:
    """Weights after the first one, which is 0 at the start."""
    return [(at, item.weight) for at, item in said if isinstance(item, SetWeight) and at > 0]


def ticks(said: list[tuple[float, Any]]) -> list[tuple[float, int, int]]:
    return [(at, item.failed_checks, item.iterations) for at, item in said if isinstance(item, TickIs)]


def asked(said: list[tuple[float, Any]], gate: str) -> list[float]:
    return [at for at, item in said if isinstance(item, AskGate) and item.gate == gate]


def test_a_good_canary_takes_the_increments_and_three_ticks_more() -> None:
    policy = Flagger(interval=10, threshold=2, step_weight=20, ceiling=50, checks=(ERRORS,))
    said = run(policy, [GOOD])
    # No clamp: 20, 40, 60 (section 4.3); from the first tick to the end n + 3 intervals (section 4.6).
    assert weights(said) == [(20, 20), (30, 40), (40, 60), (60, 0)]
    assert phases(said) == [
        (0, "Initialized"),
        (10, "Progressing"),
        (50, "Promoting"),
        (60, "Finalising"),
        (70, "Succeeded"),
    ]
    commands = [(at, item) for at, item in said if isinstance(item, SetScale | Apply | Promote | Finish)]
    assert commands == [
        (10, SetScale(4, 4)),
        (50, Apply(2, 1, 1, beside=4)), (50, Promote(2)),
        (70, SetScale(4, 0)), (70, Finish("promoted", "promoted")),
    ]  # fmt: skip


def test_the_first_events_and_commands() -> None:
    rollout = Rollout(Flagger(interval=15, step_weight=50, checks=(ERRORS,)))
    assert rollout.handle(0, Started(replicas=3)) == (SetWeight(0),)
    assert rollout.wakes_at == 15
    assert rollout.handle(15, Woke()) == (SetScale(3, 3),)
    assert rollout.handle(15, PodsReady(3, 2)) == ()
    assert rollout.handle(30, Woke()) == ()  # 2 of 3 pods: wait
    assert rollout.handle(44, PodsReady(3, 3)) == ()
    assert rollout.handle(45, Woke()) == (SetWeight(50),)  # no pre-rollout hook, nothing to ask
    assert rollout.handle(60, Woke()) == (Measure(1, "tick", "errors", Text("prometheus", "errors")),)
    assert rollout.handle(60, Measured(1, GOOD)) == (SetWeight(100),)
    assert rollout.handle(75, Woke()) == (Measure(2, "tick", "errors", Text("prometheus", "errors")),)
    assert rollout.handle(75, Measured(2, GOOD)) == (Apply(2, 1, 0, beside=3),)
    assert rollout.handle(90, Woke()) == ()  # the primary's old pods are still there
    assert rollout.handle(95, PodsReady(0, 5)) == (Promote(2),)  # both workloads run revision 2 now
    assert rollout.handle(95, PodsReady(5, 0)) == ()
    assert rollout.handle(105, Woke()) == ()  # the primary's last pod is missing
    assert rollout.handle(119, PodsReady(6, 0)) == ()
    assert rollout.handle(120, Woke()) == (SetWeight(0),)
    assert rollout.handle(135, Woke()) == (SetScale(3, 0), Finish("promoted", "promoted"))
    assert rollout.wakes_at is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [  # Flagger: pkg/controller/scheduler_svc_test.go:34-48, as weights of the canary
        ({"step_weight": 20, "ceiling": 50}, [20, 40, 60]),
        ({"step_weight": 50, "ceiling": 100}, [50, 100]),
        ({"step_weights": (1, 2, 10, 80)}, [1, 2, 10, 80]),
        ({"step_weights": (1, 2, 10, 200)}, [1, 2, 10, 100]),
    ],
)
def test_weight_plans(fields: dict[str, Any], expected: list[int]) -> None:
    said = run(Flagger(interval=10, checks=(ERRORS,), **fields), [GOOD])
    assert [weight for _, weight in weights(said)] == [*expected, 0]
    assert phases(said)[-1][1] == "Succeeded"


def test_rollback_comes_one_tick_after_the_threshold() -> None:
    said = run(Flagger(interval=10, threshold=2, step_weight=10, checks=(ERRORS,)), [GOOD, BAD])
    # Section 4.7: failing from the third tick on, failedChecks 1, 2, then the rollback; a failure keeps the weight.
    assert ticks(said) == [(40, 1, 0), (50, 2, 0), (60, 0, 0)]
    assert weights(said) == [(20, 10), (30, 20), (60, 0)]
    assert phases(said)[-1] == (60, "Failed")
    assert said[-2:] == [(60, Finish("aborted", "failed checks 2 >= threshold 2")), (60, TickIs(0, 0))]


def test_a_success_never_lowers_the_count() -> None:
    said = run(Flagger(interval=10, threshold=3, step_weight=5, checks=(ERRORS,)), [BAD, GOOD, BAD, GOOD, BAD, GOOD])
    assert ticks(said) == [(30, 1, 0), (50, 2, 0), (70, 3, 0), (80, 0, 0)]
    assert phases(said)[-1] == (80, "Failed")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 4), st.sampled_from([7, 20, 34, 100]))
def test_outcome_and_time_follow_from_the_order_of_checks(good: list[bool], threshold: int, step: int) -> None:
    """n passes promote; `threshold` failures before the last of them roll back a tick later (section 4.6)."""
    passes = -(-100 // step)
    checks = [*good, *[True] * passes]
    failed = [at for at, passed in enumerate(checks, 1) if not passed][threshold - 1 : threshold]
    done = [at for at, passed in enumerate(checks, 1) if passed][passes - 1]
    policy = Flagger(interval=10, threshold=threshold, step_weight=step, checks=(ERRORS,))
    said = run(policy, [GOOD if passed else BAD for passed in checks])
    rolled_back = bool(failed) and failed[0] < done
    end = (30 + 10 * failed[0], "Failed") if rolled_back else (40 + 10 * done, "Succeeded")
    assert phases(said)[-1] == end
    assert all(at % 10 == 0 for at, _ in said)


@pytest.mark.parametrize(
    "answer", [NotANumber(), Absent(), Failed("503"), Value(None), Value([]), Value("no"), Value(True)]
)
def test_whatever_is_not_a_number_fails(answer: Answer) -> None:
    assert Check("m", Text("p", "q")).assess(answer)[1] is False


def test_thresholds() -> None:
    between = Check("m", Text("p", "q"), low=1, high=2)
    assert [between.assess(Value(v))[1] for v in (0.99, 1, 2, 2.01)] == [False, True, True, False]
    assert between.assess(Value([9.0, 1.5]))[1]  # the last of several series counts
    whole = Check("request-duration", Text("p", "q"), high=500.9, whole=True)
    assert [whole.assess(Value(v))[1] for v in (500.0, 500.99, 501.0)] == [True, True, False]
    assert Check("m", Text("p", "q")).assess(Value(7.0))[1]  # no bound at all


def test_a_metric_without_query_fails_every_tick() -> None:
    said = run(Flagger(interval=10, threshold=1, step_weight=50, checks=(Check("typo", None),)))
    assert ticks(said) == [(30, 1, 0), (40, 0, 0)]
    assert phases(said)[-1] == (40, "Failed")


def test_the_first_failure_ends_the_tick() -> None:
    late = Check("late", Text("prometheus", "late"), high=1)
    said = run(Flagger(interval=10, threshold=1, step_weight=50, checks=(ERRORS, late)), [BAD])
    assert [item.metric for _, item in said if isinstance(item, Measure)] == ["errors"]


def test_a_silent_query_fails_after_five_seconds_and_the_grid_stays() -> None:
    rollout = Rollout(Flagger(interval=10, threshold=2, step_weight=50, checks=(ERRORS,)))
    rollout.handle(0, Started(replicas=1))
    rollout.handle(10, Woke())
    rollout.handle(10, PodsReady(1, 1))
    rollout.handle(20, Woke())
    (measure,) = rollout.handle(30, Woke())
    assert isinstance(measure, Measure)
    assert rollout.wakes_at == 35
    assert rollout.handle(35, Woke()) == ()
    assert rollout.wakes_at == 40
    assert rollout.handle(36, Measured(measure.id, GOOD)) == ()  # too late: changes nothing
    assert rollout.wakes_at == 40


def test_pre_rollout_comes_with_the_first_weight_and_counts() -> None:
    hooks = (Hook("acceptance", "pre-rollout"), Hook("load"))
    policy = Flagger(interval=10, threshold=3, step_weight=60, checks=(ERRORS,), hooks=hooks)
    said = run(policy, [GOOD], gates=lambda at, gate: gate != "pre-rollout" or at >= 40)
    assert asked(said, "pre-rollout") == [20, 30, 40]
    assert asked(said, "rollout") == [50, 60]
    assert ticks(said) == [(20, 1, 0), (30, 2, 0)]  # not even the success at the end lowers the count
    assert weights(said)[:2] == [(40, 60), (50, 100)]


def test_confirm_rollout_waits_without_counting() -> None:
    policy = Flagger(interval=10, step_weight=50, checks=(ERRORS,), hooks=(Hook("gate", "confirm-rollout"),))
    said = run(policy, [GOOD], gates=lambda at, gate: at >= 50)
    assert phases(said)[:3] == [(0, "Initialized"), (10, "Waiting"), (50, "Progressing")]
    assert asked(said, "confirm-rollout") == [10, 20, 30, 40, 50]
    assert ticks(said) == []


def test_confirm_traffic_increase_holds_the_weight() -> None:
    policy = Flagger(interval=10, step_weight=50, checks=(ERRORS,), hooks=(Hook("gate", "confirm-traffic-increase"),))
    said = run(policy, [GOOD], gates=lambda at, gate: at not in (30, 40))
    assert weights(said)[:2] == [(20, 50), (50, 100)]
    assert phases(said)[-1][1] == "Succeeded"


def test_confirm_promotion_of_a_canary_keeps_analysing() -> None:
    policy = Flagger(
        interval=10, threshold=5, step_weight=100, checks=(ERRORS,), hooks=(Hook("gate", "confirm-promotion"),)
    )
    said = run(policy, [GOOD], gates=lambda at, gate: at >= 50)
    assert asked(said, "confirm-promotion") == [30, 40, 50]
    assert phases(said)[2:4] == [(30, "WaitingPromotion"), (50, "Promoting")]
    assert ticks(said)[0] == (30, 0, -1)
    failing = run(policy, [GOOD, BAD], gates=lambda at, gate: False)
    assert phases(failing)[-1] == (90, "Failed")  # five failures at 40..80, then the rollback tick


def test_rollback_hook() -> None:
    policy = Flagger(
        interval=10, step_weight=10, checks=(ERRORS,), hooks=(Hook("stop", "rollback"), Hook("tell", "post-rollout"))
    )
    said = run(policy, [GOOD], gates=lambda at, gate: at >= 40)
    assert phases(said)[-1] == (40, "Failed")
    assert asked(said, "post-rollout") == [40]
    assert (40, SetScale(4, 0)) in said


def test_blue_green_asks_twice_and_analyses_once_at_full_weight() -> None:
    policy = Flagger(
        interval=10, threshold=2, iterations=2, checks=(ERRORS,), hooks=(Hook("gate", "confirm-promotion"),)
    )
    said = run(policy, [GOOD])
    assert ticks(said) == [(20, 0, 1), (30, 0, 2), (40, 0, 3), (50, 0, 0)]
    assert asked(said, "confirm-promotion") == [40, 50]
    assert weights(said) == [(40, 100), (60, 0)]
    assert phases(said)[-1] == (70, "Succeeded")


def test_blue_green_asks_every_second_tick_while_denied() -> None:
    policy = Flagger(interval=10, iterations=3, checks=(ERRORS,), hooks=(Hook("gate", "confirm-promotion"),))
    said = run(policy, [GOOD], gates=lambda at, gate: at >= 90)
    assert asked(said, "confirm-promotion")[:3] == [50, 70, 90]
    assert ticks(said)[2:6] == [(40, 0, 3), (50, 0, 2), (60, 0, 3), (70, 0, 2)]


def test_one_iteration_denied_runs_pre_rollout_instead_of_analysis() -> None:
    hooks = (Hook("gate", "confirm-promotion"), Hook("smoke", "pre-rollout"))
    policy = Flagger(interval=10, iterations=1, checks=(ERRORS,), hooks=hooks)
    said = run(policy, [GOOD], lambda at, gate: gate != "confirm-promotion", until=60)
    assert asked(said, "pre-rollout") == [20, 40, 60]  # Q30


def test_mirror_of_blue_green_and_of_a_canary() -> None:
    said = run(Flagger(interval=10, iterations=2, mirror=True, mirror_weight=50, checks=(ERRORS,)), [GOOD])
    assert [(at, item) for at, item in said if isinstance(item, Mirror)] == [(20, Mirror(50)), (40, Mirror(0.0))]
    canary = run(Flagger(interval=10, step_weight=50, mirror=True, checks=(ERRORS,)), [GOOD])
    assert [(at, item) for at, item in canary if isinstance(item, Mirror | SetWeight)] == [
        (0.0, SetWeight(0)), (20, Mirror(100.0)), (30, SetWeight(50)), (30, Mirror(0.0)), (40, SetWeight(100)), (60, SetWeight(0)),
    ]  # fmt: skip


def test_ab_matches_instead_of_weighing() -> None:
    said = run(Flagger(interval=10, iterations=2, match=("header:x=y",), checks=(ERRORS,)), [GOOD])
    assert weights(said) == []
    assert [(at, item) for at, item in said if isinstance(item, Match)] == [
        (20, Match(("header:x=y",))),
        (50, Match(())),
    ]
    assert phases(said)[-1] == (60, "Succeeded")


def test_without_router_no_weight_is_set() -> None:
    said = run(Flagger(interval=10, iterations=1, router=False, match=("header:x=y",), checks=(ERRORS,)), [GOOD])
    assert not [item for _, item in said if isinstance(item, SetWeight | Match | Mirror)]
    assert phases(said) == [
        (0, "Initialized"),
        (10, "Progressing"),
        (40, "Promoting"),
        (50, "Finalising"),
        (60, "Succeeded"),
    ]


def test_traffic_returns_in_steps() -> None:
    said = run(Flagger(interval=10, step_weight=100, step_weight_promotion=40, checks=(ERRORS,)), [GOOD])
    assert weights(said) == [(20, 100), (40, 60), (50, 20), (60, 0)]
    assert phases(said)[-2:] == [(60, "Finalising"), (70, "Succeeded")]


def test_skip_analysis_takes_one_tick() -> None:
    said = run(Flagger(interval=10, skip_analysis=True))
    assert phases(said) == [(0, "Initialized"), (10, "Progressing"), (20, "Succeeded")]


def test_a_canary_that_never_becomes_ready() -> None:
    rollout = Rollout(Flagger(interval=10, step_weight=50, progress_deadline=30))
    rollout.handle(0, Started(replicas=2))
    rollout.handle(10, Woke())
    assert [rollout.handle(at, Woke()) for at in (20.0, 30.0)] == [(), ()]
    assert rollout.handle(40, Woke()) == (
        SetScale(2, 0), Finish("aborted", "the canary was not ready within the progress deadline"),
    )  # fmt: skip


def test_a_primary_that_never_takes_the_copy_leaves_traffic_with_the_canary() -> None:
    rollout = Rollout(Flagger(interval=10, step_weight=100, progress_deadline=20))
    rollout.handle(0, Started(replicas=2))
    for at in (10.0, 20.0, 30.0, 40.0):
        rollout.handle(at, Woke())
        rollout.handle(at, PodsReady(2, 2))
    rollout.handle(50, Woke())
    assert rollout.outcome == "inconclusive"
    assert "the canary keeps all traffic" in rollout.reason


def test_a_newer_revision_starts_over() -> None:
    said = run(
        Flagger(interval=10, threshold=3, step_weight=30, checks=(ERRORS,)), [BAD, GOOD], events={35.0: NewRevision(3)}
    )
    assert weights(said)[:3] == [(20, 30), (40, 0), (50, 30)]
    assert ticks(said) == [(30, 1, 0), (40, 0, 0)]
    assert (90, Promote(3)) in said


def test_a_revert_in_mid_run_is_not_seen() -> None:
    said = run(Flagger(interval=10, step_weight=50, checks=(ERRORS,)), [GOOD], events={25.0: NewRevision(1)})
    end = [(60, "Promoting"), (70, "Finalising"), (80, "Succeeded")]
    assert phases(said) == [(0, "Initialized"), (10, "Progressing"), *((at - 20, phase) for at, phase in end),
                            (70, "Progressing"), *((at + 40, phase) for at, phase in end)]  # fmt: skip
    assert [item.outcome for _, item in said if isinstance(item, Finish)] == ["promoted", "promoted"]  # Q31


def test_after_the_end_the_grid_goes_on() -> None:
    said = run(Flagger(interval=10, step_weight=100, checks=(ERRORS,)), [BAD], events={73.0: NewRevision(3)}, until=90)
    assert phases(said)[2:] == [(40, "Failed"), (80, "Progressing")]


def test_abort_and_pause_by_a_person() -> None:
    policy = Flagger(interval=10, step_weight=10, checks=(ERRORS,))
    said = run(policy, [GOOD], events={25.0: Human("pause"), 47.0: Human("resume"), 63.0: Human("abort")})
    assert weights(said) == [(20, 10), (50, 20), (60, 30), (70, 0)]
    assert said[-1][1] == Finish("aborted", "aborted by a person")
    assert run(policy, [GOOD], events={5.0: Interrupted("page")})[-1] == (10, Finish("aborted", "page"))


def test_increment_zero_never_advances() -> None:
    said = run(Flagger(interval=10, checks=(ERRORS,)), [GOOD], until=200)
    assert weights(said) == []
    assert phases(said) == [(0, "Initialized"), (10, "Progressing")]  # Q34


def test_a_late_yes_is_the_next_answer() -> None:
    rollout = Rollout(Flagger(interval=10, step_weight=50, hooks=(Hook("gate", "confirm-rollout"),)))
    rollout.handle(0, Started(replicas=1))
    assert rollout.handle(10, Woke()) == (AskGate("confirm-rollout", "gate"),)
    assert rollout.wakes_at == 10
    assert rollout.handle(10, Woke()) == ()  # silence is a no
    assert rollout.handle(14, Answered("confirm-rollout", True)) == ()
    assert rollout.handle(20, Woke()) == (SetScale(1, 1),)


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": 5},
        {"threshold": 0},
        {"ceiling": 0},
        {"canary_replicas": 0},
        {"router": False},
        {"first_tick": -1},
    ],
)
def test_impossible_configurations(fields: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        Flagger(**fields)


def test_an_unknown_webhook_type() -> None:
    with pytest.raises(PolicyError, match="confirm-rollout"):
        Hook("x", "confirm")  # type: ignore[arg-type]
