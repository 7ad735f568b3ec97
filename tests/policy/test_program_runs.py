"""Analyses beside the steps of a canary (delivery-systems.md section 2.7 and "Analysis" in 2.19)."""

from __future__ import annotations

from sim.policy.canary import Canary
from sim.policy.commands import Finish, Measure, Promote, SetScale, SetWeight
from sim.policy.events import Absent, Failed, Human, Measured, PodsReady, Started, Terminated, Value, Woke
from sim.policy.notes import AnalysisIs, PhaseIs
from sim.policy.steps import Analyse, Pause
from tests.policy.lists import Tape, analysis, metric

FAILED = 'analysis phase error/failed: Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'
STEP, BACKGROUND = f"Step-based {FAILED}", f"Background {FAILED}"


def started(policy: Canary, *, ready: bool = True) -> Tape:
    """At 2 s, with 5 pods of stable and one of the canary."""
    tape = Tape(policy)
    tape.feed(0.0, Started(replicas=5))
    if ready:
        tape.feed(2.0, PodsReady(5, 1))
    return tape


def kinds(tape: Tape) -> list[str]:
    """The metrics' runs that the last event asked for."""
    commands = tape.rollout.journal[-1].commands
    return [command.run for command in commands if isinstance(command, Measure)]


def unclear(tape: Tape, at: float) -> None:
    tape.feed(at, Measured(tape.asked, Absent()))


def test_a_step_run_begins_with_its_step_and_ends_it() -> None:
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=2, interval=30.0)), Pause())))
    assert kinds(tape) == ["step"]
    assert tape.answer(3.0, 0.0) == []
    assert tape.rollout.wakes_at == 33.0
    tape.feed(33.0, Woke())
    tape.answer(34.0, 1.0)
    assert tape.steps == [2]


def test_a_failing_step_run_aborts_and_the_message_is_its_own() -> None:
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=2, interval=30.0)))))
    assert tape.answer(3.0, 1.5) == [SetWeight(0), Finish("aborted", STEP)]
    assert tape.phases == [("Degraded", f"RolloutAborted: Rollout aborted update to revision 2: {STEP}")]
    assert tape.steps == [0]


def test_five_errors_in_a_row_abort() -> None:
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=1)))))
    rule = metric().verdict
    assert rule.on_error == "inconclusive"  # type: ignore[attr-defined]
    tape.feed(3.0, Measured(tape.asked, Failed("503")))
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]


def test_a_background_run_begins_before_anything_is_scaled() -> None:
    policy = Canary(steps=(SetWeight(20), Pause()), background=analysis(interval=30.0))
    commands = Tape(policy).feed(0.0, Started(replicas=5))
    assert [type(command) for command in commands] == [SetWeight, Measure, SetScale]


def test_a_background_run_waits_for_its_starting_step() -> None:
    policy = Canary(steps=(SetWeight(20), Pause()), background=analysis(interval=30.0), starting_step=1)
    tape = started(policy, ready=False)
    assert kinds(tape) == []
    tape.feed(2.0, PodsReady(5, 1))
    assert kinds(tape) == ["background"]


def test_a_background_run_aborts_in_the_middle_of_a_pause() -> None:
    tape = started(Canary(steps=(SetWeight(20), Pause()), background=analysis(interval=30.0)))
    assert tape.answer(9.0, 2.0) == [SetWeight(0), Finish("aborted", BACKGROUND)]


def test_a_background_run_never_holds_back_the_end() -> None:
    policy = Canary(steps=(SetWeight(20), Pause(5.0)), background=analysis(interval=30.0))
    tape = started(policy)
    tape.answer(3.0, 0.0)
    tape.feed(7.0, Woke())
    end = tape.feed(9.0, PodsReady(5, 5))
    assert Promote(2) in end
    assert [note.phase for note in tape.notes if isinstance(note, AnalysisIs)] == ["Successful"]  # cut (quirk Q10)


def test_success_of_a_finite_background_run_means_nothing() -> None:
    tape = started(Canary(steps=(SetWeight(20), Pause()), background=analysis(count=1)))
    assert tape.answer(3.0, 0.0) == []
    assert tape.feed(4.0, Woke()) == []


def test_inconclusive_pauses_for_a_person_and_promote_skips_the_analysis_step() -> None:
    """Seen: tests/golden/histories/step-inconclusive-promoted."""
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=1)), SetWeight(40), Pause())))
    unclear(tape, 3.0)
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]
    assert tape.rollout.wakes_at is None
    tape.feed(50.0, Human("promote"))
    assert tape.steps == [2] and kinds(tape) == []


def test_inconclusive_in_the_background_pauses_for_a_person_and_promote_begins_a_new_run() -> None:
    tape = started(Canary(steps=(SetWeight(20), SetWeight(40)), background=analysis(count=1)), ready=False)
    unclear(tape, 3.0)
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]
    tape.feed(50.0, Human("promote"))
    assert kinds(tape) == ["background"]
    unclear(tape, 51.0)  # and again
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]


def test_promote_without_a_condition_skips_the_current_step() -> None:
    """Seen: tests/golden/histories/canary-skip-a-step."""
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=9, interval=5.0)), Pause())))
    tape.feed(7.0, Human("promote"))
    assert tape.steps == [2] and tape.phases[-1] == ("Paused", "CanaryPauseStep")


def test_inconclusive_may_abort_instead() -> None:
    policy = Canary(steps=(SetWeight(20), Analyse(analysis(count=1))), on_inconclusive="abort")
    tape = started(policy)
    unclear(tape, 3.0)
    reason = 'Step-based analysis phase error/failed: Metric "errors" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0)'
    assert tape.rollout.outcome == "aborted" and tape.rollout.reason == reason


def test_while_inconclusive_a_timed_pause_still_ends_but_nothing_is_scaled() -> None:
    """The recorded case background-inconclusive: the index moves from 1 to 2, the pods stay."""
    policy = Canary(steps=(SetWeight(20), Pause(10.0), SetWeight(60)), background=analysis(count=1), router=False)
    tape = Tape(policy)
    tape.feed(0.0, Started(replicas=5))
    tape.play((1.0, PodsReady(4, 0)), (3.0, PodsReady(4, 1)))
    unclear(tape, 4.0)
    assert tape.phases == []  # of two conditions the first is told
    assert tape.feed(13.0, Woke()) == []
    assert tape.steps == [2]
    assert tape.phases == [("Paused", "InconclusiveAnalysisRun")]
    assert tape.rollout.wakes_at is None
    commands = tape.feed(60.0, Human("promote"))
    assert isinstance(commands[0], Measure) and commands[1:] == [SetScale(3, 1), SetScale(3, 3)]


def test_while_inconclusive_the_weight_is_not_halted() -> None:
    policy = Canary(steps=(SetWeight(20), Pause()), background=analysis(count=1))
    tape = started(policy, ready=False)
    unclear(tape, 1.0)
    assert tape.feed(2.0, PodsReady(5, 1)) == [SetWeight(20)]
    assert tape.steps == [1, 2]  # and a pause step counts as done at once


def test_after_the_pause_was_cleared_the_next_pause_step_holds_again() -> None:
    policy = Canary(steps=(SetWeight(20), Analyse(analysis(count=1)), Pause()))
    tape = started(policy)
    unclear(tape, 3.0)
    tape.feed(9.0, Human("promote"))
    assert tape.steps == [2] and tape.phases[-1] == ("Paused", "CanaryPauseStep")


def test_a_step_run_is_not_judged_while_a_pause_condition_exists() -> None:
    """Order of steps changes detection (quirk Q21)."""
    policy = Canary(
        steps=(SetWeight(20), Analyse(analysis(name="slow", count=1)), Pause()), background=analysis(count=1)
    )
    tape = started(policy)
    step, background = tape.asked, tape.asked - 1
    assert tape.rollout.journal[0].commands[1].id == background  # type: ignore[union-attr]
    tape.feed(3.0, Measured(background, Absent()))
    assert tape.feed(4.0, Measured(step, Value(9.0))) == []  # it failed, and nobody looks
    assert tape.rollout.outcome is None
    tape.feed(9.0, Human("promote"))
    assert tape.rollout.outcome == "aborted"


def test_a_failing_background_run_is_not_judged_while_inconclusive() -> None:
    two = analysis(count=1), analysis(name="other", interval=5.0)
    tape = started(Canary(steps=(SetWeight(20), Analyse(two[0])), background=two[1]))
    step, background = tape.asked, tape.asked - 1
    tape.feed(3.0, Measured(step, Absent()))
    tape.feed(4.0, Measured(background, Value(5.0)))
    assert tape.rollout.outcome is None
    tape.feed(5.0, Human("promote"))
    assert tape.rollout.outcome == "aborted"


def test_a_run_ended_by_hand_is_successful() -> None:
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=9, interval=30.0)), Pause())))
    tape.feed(5.0, Terminated("step"))
    assert tape.steps == [2]
    assert tape.feed(6.0, Terminated("pre")) == []


def test_runs_go_on_under_a_persons_pause() -> None:
    tape = started(Canary(steps=(SetWeight(20), Pause()), background=analysis(interval=30.0)))
    tape.feed(3.0, Human("pause"))
    tape.answer(4.0, 0.0)
    assert tape.rollout.wakes_at == 34.0
    tape.feed(34.0, Woke())
    assert tape.answer(35.0, 7.0)[-1] == Finish("aborted", BACKGROUND)


def test_late_and_strange_answers_change_nothing() -> None:
    tape = started(Canary(steps=(SetWeight(20), Analyse(analysis(count=1)), Pause())))
    first = tape.asked
    tape.answer(3.0, 0.0)
    assert tape.feed(4.0, Measured(first, Value(9.0))) == []
    assert tape.feed(5.0, Measured(77, Value(9.0))) == []
    assert tape.rollout.outcome is None


def test_who_is_waited_for() -> None:
    """A person must act where nothing else gets the rollout on: not yet while a timed pause is under way."""
    policy = Canary(steps=(SetWeight(20), Pause(10.0), SetWeight(60), Pause()), background=analysis(count=1))
    tape = started(policy)
    assert [note.waits for note in tape.notes if isinstance(note, PhaseIs)] == [False]
    unclear(tape, 4.0)
    assert tape.phases == []
    tape.feed(12.0, Woke())
    assert [note.waits for note in tape.notes if isinstance(note, PhaseIs)] == [True]
    tape.feed(20.0, Human("promote"))
    assert [note.waits for note in tape.notes if isinstance(note, PhaseIs)] == [False]
    tape.feed(25.0, PodsReady(5, 3))
    assert tape.notes[-1] == PhaseIs("Paused", "CanaryPauseStep", waits=True)
    tape.feed(26.0, Human("pause"))
    assert tape.notes[-1] == PhaseIs("Paused", "manually paused", waits=True)
    tape.feed(27.0, Human("abort"))
    assert [note.waits for note in tape.notes if isinstance(note, PhaseIs)] == [False]
