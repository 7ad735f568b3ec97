"""The whole pipeline without chance: times to the second, and what each rule does. Constants are those of `exact`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import pytest
import simpy

from sim.pipeline import (
    Change,
    Constant,
    Delivery,
    DeploymentRow,
    Disruption,
    Pipeline,
    PipelineModel,
    Poll,
    Release,
    Roll,
    RolloutEnd,
    Rows,
    Superseded,
    Uniform,
    Uniforms,
    Wakeups,
)
from sim.pipeline.model import Supersede
from sim.policy.errors import WorldError

DAY = 86400.0
Steady = Callable[..., Roll]


def brief(rows: Rows) -> list[tuple[str, int, str, int]]:
    return [(row.reason, row.revision, row.outcome, row.changes) for row in rows.deployments]


def bad(id: int, at: float, severity: float = 0.5) -> Change:
    return Change(id, at, bad=True, severity=severity)


def test_one_change_to_the_second(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [Change(1, 1000.0, size=12)], steady(), half).run(DAY)
    (change,), (deployment,) = rows.changes, rows.deployments
    assert (change.committed, change.ci_started, change.ci_ended, change.ready) == (1000.0, 1002.0, 1152.0, 1167.0)
    assert (change.exposed, change.served, change.deployment) == (1174.0, 1237.0, 0)
    assert (change.ci_runs, change.ci_failures, change.caught, change.size) == (1, 0, False, 12)
    assert deployment == DeploymentRow(
        0, "change", 1, 0, 1, 1000.0, 1169.0, "webhook", 1169.0, 1174.0, 1234.0, "promoted", 1237.0, 1237.0
    )


def test_what_the_rollout_is_told(exact: PipelineModel, half: Uniforms) -> None:
    told: list[Release] = []

    def roll(env: simpy.Environment, release: Release) -> Generator[simpy.Event, Any, RolloutEnd]:
        told.append(release)
        yield env.timeout(300.0)
        return RolloutEnd("promoted")

    Pipeline(exact, [Change(1, 0.0), bad(2, 200.0, 0.25), bad(3, 210.0, 0.5)], roll, half).run(1000.0)
    assert told == [
        Release(0, (1,), 1, False, 0.0, 174.0),
        Release(1, (2, 3), 3, True, 1.0 - (1.0 - 0.25) * (1.0 - 0.5), 479.0),
    ]


def test_ci_queues_when_workers_are_busy(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [Change(i, 0.0) for i in (1, 2, 3, 4, 5)], steady(), half).run(DAY)
    assert [row.ci_ended for row in rows.changes] == [152.0, 152.0, 302.0, 302.0, 452.0]


def test_a_flaky_run_is_repeated_in_the_job_then_started_again(exact: PipelineModel, steady: Steady) -> None:
    model = replace(exact, integration=replace(exact.integration, p_flaky=0.1))

    def uniform(purpose: str, entity: int, index: int) -> float:
        flaky = {1: (0,), 2: (0, 1), 3: ()}[entity] if purpose == "ci.flaky" else ()
        return 0.0 if index in flaky else 0.5

    rows = Pipeline(model, [Change(1, 0.0), Change(2, 10_000.0), Change(3, 20_000.0)], steady(), uniform).run(DAY)
    spent = [(row.ci_runs, row.ci_failures, (row.ci_ended or 0.0) - row.committed) for row in rows.changes]
    # 2 + 100 + 2 * 50; and 2 + 200, 60 until somebody starts it again, 2 + 150; and 2 + 150.
    assert spent == [(1, 0, 202.0), (2, 1, 414.0), (1, 0, 152.0)]


def test_a_broken_change_goes_back_to_its_author(exact: PipelineModel, steady: Steady) -> None:
    model = replace(exact, integration=replace(exact.integration, p_fail=0.1))

    def uniform(purpose: str, entity: int, index: int) -> float:
        return 0.0 if purpose == "ci.fail" and index == 0 else 0.5

    (row,) = Pipeline(model, [Change(1, 0.0)], steady(), uniform).run(DAY).changes
    # Red twice inside one job (2 + 100 + 2 * 50), 900 s of repair, and green (2 + 150).
    assert (row.ci_runs, row.ci_failures, row.ci_ended) == (2, 1, 1254.0)


def test_a_bad_change_that_ci_sees_is_repaired_before_the_merge(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    model = replace(exact, integration=replace(exact.integration, p_catch=0.6))
    rows = Pipeline(model, [bad(1, 0.0)], steady(), half).run(DAY)
    assert (rows.changes[0].bad, rows.changes[0].caught) == (True, True)
    assert [row.bad for row in rows.deployments] == [False]


# ---- supersede: change 1 rolls for 1000 s, 2 and 3 arrive meanwhile


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("batch", [("change", 1, "promoted", 1), ("change", 3, "promoted", 2)]),
        ("queue", [("change", 1, "promoted", 1), ("change", 2, "promoted", 1), ("change", 3, "promoted", 1)]),
        ("replace", [("change", 1, "superseded", 1), ("change", 2, "superseded", 2), ("change", 3, "promoted", 3)]),
    ],
)
def test_supersede(
    exact: PipelineModel, half: Uniforms, steady: Steady, mode: Supersede, expected: list[tuple[str, int, str, int]]
) -> None:
    model = replace(exact, delivery=replace(exact.delivery, supersede=mode))
    rows = Pipeline(model, [Change(1, 0.0), Change(2, 200.0), Change(3, 400.0)], steady(1000.0), half).run(DAY)
    assert brief(rows) == expected
    assert all(row.served is not None for row in rows.changes)
    if mode == "replace":
        assert [row.rollout_ended for row in rows.deployments] == [369.0, 569.0, 1574.0]


def test_a_rollout_may_answer_its_interruption(exact: PipelineModel, half: Uniforms) -> None:
    causes: list[object] = []

    def roll(env: simpy.Environment, release: Release) -> Generator[simpy.Event, Any, RolloutEnd]:
        start = env.now
        try:
            yield env.timeout(1000.0)
        except simpy.Interrupt as interrupt:
            causes.append(interrupt.cause)
            yield env.timeout(50.0)  # takes traffic back; a third revision must not disturb it
            return RolloutEnd("aborted", harm=9.0, bad_since=start)
        return RolloutEnd("promoted")

    model = replace(exact, delivery=replace(exact.delivery, supersede="replace"))
    rows = Pipeline(model, [Change(1, 0.0), Change(2, 200.0), Change(3, 220.0)], roll, half).run(DAY)
    assert causes == [Superseded(2)]
    first = rows.deployments[0]
    assert (first.outcome, first.rollout_ended, first.harm) == ("superseded", 419.0, 9.0)
    assert (first.restored, first.restored_by) == (419.0, "superseded")
    assert brief(rows)[1:] == [("change", 3, "promoted", 3)]


def test_an_interruption_during_the_pull(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    model = replace(
        exact,
        delivery=replace(exact.delivery, supersede="replace"),
        artifacts=replace(exact.artifacts, pull=Constant(100.0)),
    )
    rows = Pipeline(model, [Change(1, 0.0), Change(2, 50.0)], steady(), half).run(DAY)
    assert brief(rows) == [("change", 1, "superseded", 1), ("change", 2, "promoted", 2)]
    assert (rows.deployments[0].rollout_started, rows.deployments[0].rollout_ended) == (None, 219.0)


# ---- recovery


def test_an_escape_is_alerted_rolled_back_and_fixed(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [Change(1, 0.0), bad(2, 5000.0)], steady(), half).run(DAY)
    assert brief(rows) == [
        ("change", 1, "promoted", 1),
        ("change", 2, "promoted", 1),
        ("rollback", 1, "promoted", 0),
        ("change", 2 + 2**24, "promoted", 2),
    ]
    escape, rollback, fix = rows.deployments[1:]
    # Served at 5237; sampled and evaluated at 5245 (phase 5 of 10), 30 s of group wait, 600 s for a person.
    assert (escape.detected, escape.detected_by, escape.responded) == (5275.0, "alert", 5875.0)
    # 4 + 1 + 60 + 3 s: pull, apply, roll, propagate.
    assert (rollback.noticed_by, rollback.started, rollback.served) == ("person", 5875.0, 5943.0)
    assert (escape.bad_since, escape.restored, escape.restored_by) == (5174.0, 5943.0, "rollback")
    # 5 from the rollout, then half of 100 requests/s from its end to the restoration.
    assert escape.harm == 5.0 + 50.0 * (5943.0 - 5234.0)
    # A fix is written in 1000 s from the decision on and takes the ordinary way.
    assert fix.started == 5875.0 + 1000.0 + 169.0
    assert rows.changes[-1].fixes == 2
    assert [row.bad for row in rows.deployments] == [False, True, False, False]


def test_forward_fixes_what_is_live(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    model = replace(exact, recovery=replace(exact.recovery, method="forward"))
    rows = Pipeline(model, [bad(1, 0.0), Change(2, 1500.0)], steady(), half).run(DAY)
    # Change 2 is ready at 1669, but people know the flaw since 875: it is held and goes out with the fix.
    assert brief(rows) == [("change", 1, "promoted", 1), ("fix", 1 + 2**24, "promoted", 2)]
    assert rows.deployments[0].restored_by == "fix"
    assert rows.deployments[0].restored == rows.deployments[1].served


def test_two_flaws_of_one_release_are_fixed_one_by_one(exact: PipelineModel, steady: Steady) -> None:
    model = replace(exact, recovery=replace(exact.recovery, method="forward", fix=Uniform(1000.0, 3000.0)))

    def uniform(purpose: str, entity: int, index: int) -> float:
        return 0.0 if (purpose, entity) == ("people.fix", 3) else 0.5

    changes = [Change(1, 0.0), bad(2, 10.0, 0.25), bad(3, 20.0, 0.25)]
    rows = Pipeline(model, changes, steady(400.0), uniform).run(DAY)
    assert brief(rows) == [
        ("change", 1, "promoted", 1),
        ("change", 3, "promoted", 2),
        ("fix", 3 + 2**24, "promoted", 1),
        ("fix", 2 + 2**24, "promoted", 1),
    ]
    escape, first, second = rows.deployments[1:]
    assert (escape.restored, escape.restored_by) == (second.served, "fix")
    assert escape.rollout_ended is not None and first.served is not None and second.served is not None
    apart = [served - escape.rollout_ended for served in (first.served, second.served)]
    assert escape.harm == pytest.approx(5.0 + 25.0 * sum(apart))


def test_the_fix_overtakes_in_ci(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    model = replace(exact, recovery=replace(exact.recovery, method="forward"))
    crowd = [Change(i, 1800.0) for i in range(2, 22)]
    rows = Pipeline(model, [bad(1, 0.0), *crowd], steady(), half).run(DAY)
    fix = next(row for row in rows.changes if row.fixes == 1)
    assert fix.ci_started is not None
    assert fix.ci_started - fix.committed <= 2.0 + 150.0
    assert sum(row.ci_started > fix.ci_started for row in rows.changes if row.ci_started is not None) >= 15


def test_rollback_without_the_old_artifact_goes_forward(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    model = replace(exact, artifacts=replace(exact.artifacts, keep=1, gc_every=100.0))
    rows = Pipeline(model, [Change(1, 0.0), bad(2, 5000.0)], steady(), half).run(DAY)
    assert brief(rows)[2:] == [("rollback", 1, "missing", 0), ("fix", 2 + 2**24, "promoted", 1)]
    assert rows.deployments[1].restored_by == "fix"


def test_a_rollback_waits_for_the_registry(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    outage = Disruption("store.outage", 5800.0, 6500.0)
    rows = Pipeline(exact, [Change(1, 0.0), bad(2, 5000.0)], steady(), half, disruptions=[outage]).run(DAY)
    assert brief(rows)[2] == ("rollback", 1, "promoted", 0)
    assert rows.deployments[2].rollout_started is not None
    assert rows.deployments[2].rollout_started > 6500.0


def test_a_rollback_interrupts_a_rollout_of_a_change(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [Change(1, 0.0), bad(2, 5000.0), Change(3, 5100.0)], steady(2000.0), half).run(DAY)
    # 2 is served at 7177, known at 7815; 3 would roll until 9179 and is interrupted, then held until the fix.
    assert brief(rows) == [
        ("change", 1, "promoted", 1),
        ("change", 2, "promoted", 1),
        ("change", 3, "superseded", 1),
        ("rollback", 1, "promoted", 0),
        ("change", 2 + 2**24, "promoted", 3),
    ]


def test_a_failed_rollback_leaves_it_to_the_fix(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    roll = steady(60.0, lambda release: "aborted" if release.reason == "rollback" else "promoted")
    rows = Pipeline(exact, [Change(1, 0.0), bad(2, 5000.0)], roll, half).run(DAY)
    assert brief(rows)[2:] == [("rollback", 1, "aborted", 0), ("fix", 2 + 2**24, "promoted", 1)]


def test_a_flaw_below_the_alert_is_found_by_users_or_never(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    changes = [Change(1, 0.0), bad(2, 5000.0, severity=0.001)]
    (_, escape) = Pipeline(exact, changes, steady(), half).run(DAY).deployments
    assert (escape.detected, escape.restored) == (None, None)
    assert escape.harm == pytest.approx(5.0 + 0.1 * (DAY - 5234.0))
    model = replace(exact, alerting=replace(exact.alerting, reports=Constant(7200.0)))
    reported = Pipeline(model, changes, steady(), half).run(DAY).deployments[1]
    assert (reported.detected, reported.detected_by) == (5237.0 + 7200.0, "report")
    assert reported.restored_by == "rollback"


def test_what_stable_already_has_is_no_regression(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [bad(1, 0.0, severity=0.001), Change(2, 5000.0)], steady(), half).run(DAY)
    assert [row.bad for row in rows.deployments] == [True, False]


# ---- stopped rollouts


def test_a_bad_release_that_was_stopped_gets_a_fix(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    roll = steady(60.0, lambda release: "aborted" if release.bad else "promoted")
    rows = Pipeline(exact, [bad(1, 0.0), Change(2, 1000.0)], roll, half).run(DAY)
    assert brief(rows) == [("change", 1, "aborted", 1), ("change", 1 + 2**24, "promoted", 3)]
    stopped = rows.deployments[0]
    assert (stopped.detected, stopped.detected_by, stopped.harm) == (234.0, "rollout", 7.0)
    assert (stopped.bad_since, stopped.restored, stopped.restored_by) == (174.0, 234.0, "abort")
    assert stopped.responded == 834.0


@pytest.mark.parametrize("outcome", ["aborted", "inconclusive"])
def test_a_good_release_that_was_stopped_is_tried_again(
    exact: PipelineModel, half: Uniforms, steady: Steady, outcome: str
) -> None:
    roll = steady(60.0, lambda release: outcome if release.attempt == 0 else "promoted")
    rows = Pipeline(exact, [Change(1, 0.0)], roll, half).run(DAY)
    assert brief(rows) == [("change", 1, outcome, 1), ("change", 1, "promoted", 1)]
    assert [(row.attempt, row.started) for row in rows.deployments] == [(0, 169.0), (1, 834.0)]
    assert rows.deployments[0].restored is None


def test_after_a_stop_newer_revisions_wait_for_the_person_or_do_not(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    roll = steady(60.0, lambda release: "aborted" if release.artifact == 1 else "promoted")
    changes = [Change(1, 0.0), Change(2, 300.0)]
    held = Pipeline(exact, changes, roll, half).run(DAY)
    assert (brief(held)[1], held.deployments[1].started) == (("change", 2, "promoted", 2), 834.0)
    eager = replace(exact, recovery=replace(exact.recovery, hold=False))
    tried = Pipeline(eager, changes, roll, half).run(DAY)
    assert (brief(tried)[1], tried.deployments[1].started) == (("change", 2, "promoted", 2), 469.0)
    assert len(tried.deployments) == 2


def test_a_bad_fix_is_fixed_again(exact: PipelineModel, steady: Steady) -> None:
    model = replace(exact, recovery=replace(exact.recovery, method="forward", p_bad_fix=0.1))

    def uniform(purpose: str, entity: int, index: int) -> float:
        return 0.0 if (purpose, entity) == ("change.bad", 1 + 2**24) else 0.5

    rows = Pipeline(model, [bad(1, 0.0)], steady(), uniform).run(DAY)
    assert brief(rows) == [
        ("change", 1, "promoted", 1),
        ("fix", 1 + 2**24, "promoted", 1),
        ("fix", 1 + 2 * 2**24, "promoted", 1),
    ]


# ---- disruptions, and the horizon


def test_lost_webhooks_are_healed_by_the_poll(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    hook = exact.delivery.wakeups.webhook
    model = replace(exact, delivery=Delivery(Wakeups(hook, Poll(300.0, 0.0)), Constant(1.0)))
    lost = Disruption("trigger.drop", 0.0, DAY, target="delivery")
    rows = Pipeline(model, [Change(1, 0.0), Change(2, 1000.0)], steady(), half, disruptions=[lost]).run(DAY)
    assert [(row.noticed, row.noticed_by) for row in rows.deployments] == [(450.0, "poll"), (1350.0, "poll")]


def test_a_crashed_reconciler_reads_everything_when_it_is_back(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    crash = Disruption("driver.crash", 100.0, 4000.0)
    rows = Pipeline(exact, [Change(1, 0.0), Change(2, 500.0)], steady(), half, disruptions=[crash]).run(DAY)
    assert brief(rows) == [("change", 2, "promoted", 2)]
    assert (rows.deployments[0].noticed, rows.deployments[0].noticed_by) == (4000.0, "restart")


def test_ci_offline_delays_and_loses_nothing(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    offline = Disruption("pool.offline", 50.0, 5000.0)
    rows = Pipeline(exact, [Change(i, 0.0) for i in (1, 2, 3)], steady(), half, disruptions=[offline]).run(DAY)
    assert [row.ci_ended for row in rows.changes] == [5150.0, 5150.0, 5300.0]


def test_a_metrics_gap_delays_detection(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    gap = Disruption("telemetry.gap", 5200.0, 9000.0)
    rows = Pipeline(exact, [Change(1, 0.0), bad(2, 5000.0)], steady(), half, disruptions=[gap]).run(DAY)
    assert rows.deployments[1].detected == 9005.0 + 30.0


def test_the_horizon_leaves_rows_open(exact: PipelineModel, half: Uniforms, steady: Steady) -> None:
    rows = Pipeline(exact, [Change(1, 0.0), Change(2, 150.0), Change(3, 900.0)], steady(400.0), half).run(600.0)
    assert [row.outcome for row in rows.deployments] == ["promoted", "unfinished"]
    assert [row.served for row in rows.changes] == [577.0, None]
    assert rows.span == 600.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([Change(1, 5.0), Change(2, 4.0)], "sort them"),
        ([Change(1, 5.0), Change(1, 6.0)], "of their own"),
        ([Change(0, 5.0)], "from 1 to"),
    ],
)
def test_changes_are_checked(
    exact: PipelineModel, half: Uniforms, steady: Steady, changes: list[Change], said: str
) -> None:
    with pytest.raises(WorldError, match=said):
        Pipeline(exact, changes, steady(), half)


def test_who_looks_why_a_good_release_was_stopped_finds_what_was_live(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    """A flaw too small for the alert stops the next rollout, which has it too; it gets a fix, and nobody rolls back."""
    seen: list[Release] = []

    def judge(release: Release) -> str:
        seen.append(release)
        return "aborted" if release.kept > 0 else "promoted"

    changes = [bad(1, 0.0, severity=0.001), Change(2, 5000.0)]
    small, stopped, fix = Pipeline(exact, changes, steady(60.0, judge), half).run(DAY).deployments
    assert (small.outcome, stopped.outcome, fix.outcome) == ("promoted", "aborted", "promoted")
    assert (stopped.responded, fix.reason, fix.changes) == ((stopped.rollout_ended or 0.0) + 600.0, "fix", 2)
    assert (small.restored, small.restored_by) == (fix.served, "fix")
    assert [(release.severity, release.kept, release.mended) for release in seen] == [
        (0.001, 0.0, 0.0), (0.0, 0.001, 0.0), (0.0, 0.0, 0.001)
    ]  # fmt: skip


def test_what_is_live_breaks_its_share_of_the_requests_that_there_are(
    exact: PipelineModel, half: Uniforms, steady: Steady
) -> None:
    asked: list[tuple[float, float]] = []

    def requests(start: float, end: float) -> float:
        asked.append((start, end))
        return 7000.0

    (row,) = Pipeline(exact, [bad(1, 0.0, severity=0.001)], steady(), half, requests=requests).run(DAY).deployments
    assert asked == [(row.rollout_ended, DAY)]
    assert row.harm == pytest.approx(5.0 + 7.0)  # 5 during the rollout
