"""Two thousand stories, each with a crash before every call and every line of its journal, and a recovery after it.

Time is virtual; a story takes as long as its code. What must hold is written in `tests/real/fake.py`: the invariants of every write, and
`ended`. Whatever fails is told by its numbers: `crashed(story(seed), step)` plays it again.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.journal import replay
from tests.real.stories import POLICIES, contested, crashed, first, resumed, story, twice, undisturbed

SEEDS, BLOCK = 2_000, 50


def _wrong(block: int) -> list[str]:
    wrong: list[str] = []
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        told = story(seed)
        whole = undisturbed(told)
        wrong += [f"story {seed}: {problem}" for problem in whole.wrong]
        for step in range(1, whole.yard.steps + 1):
            wrong += [f"story {seed}, crash before step {step}: {problem}" for problem in crashed(told, step).wrong]
    return wrong


@pytest.mark.parametrize("block", range(SEEDS // BLOCK))
def test_a_crash_anywhere_ends_promoted_or_restored(block: int) -> None:
    assert _wrong(block) == []


def test_a_recovery_may_crash_too() -> None:
    wrong = [
        f"story {seed}, crash before {step} {problem}"
        for seed in range(11)
        for step in range(9 + seed, undisturbed(story(seed)).yard.steps + 1, 29)
        for problem in twice(story(seed), step)
    ]
    assert wrong == []


@pytest.mark.nightly
@pytest.mark.parametrize("block", range(20))
def test_any_two_crashes(block: int) -> None:
    """200 stories, every step of each and every step of its recovery."""
    wrong = [
        f"story {seed}, crash before {step} {problem}"
        for seed in range(block * 10, (block + 1) * 10)
        for step in range(1, undisturbed(story(seed)).yard.steps + 1)
        for problem in twice(story(seed), step)
    ]
    assert wrong == []


@pytest.mark.nightly
@pytest.mark.parametrize("block", range(SEEDS // BLOCK, 10_000 // BLOCK))
def test_eight_thousand_stories_more(block: int) -> None:
    assert _wrong(block) == []


@pytest.mark.parametrize("block", range(10))
def test_a_driver_that_stood_still_is_fenced_out(block: int) -> None:
    """At any step a recovery takes over, and another run is refused; then the old driver goes on, and changes nothing any more."""
    wrong: list[str] = []
    for seed in range(block * 11, (block + 1) * 11):
        told = story(seed)
        for step in range(1 + block % 3, undisturbed(told).yard.steps + 1, 3):
            wrong += [
                f"story {seed}, stood still before step {step}: {problem}" for problem in contested(told, step).wrong
            ]
    assert wrong == []


@pytest.mark.parametrize("block", range(5))
def test_a_run_that_goes_on_after_a_crash_comes_to_an_end(block: int) -> None:
    wrong: list[str] = []
    for seed in range(block * 22, (block + 1) * 22):
        told = story(seed)
        for step in range(1 + seed % 2, undisturbed(told).yard.steps + 1, 2):
            wrong += [f"story {seed}, resumed at step {step}: {problem}" for problem in resumed(told, step).wrong]
    assert wrong == []


def test_going_on_comes_to_the_same_end_as_never_stopping() -> None:
    """Where nothing else goes wrong: wherever it crashed, the outcome is the one of the undisturbed run."""
    for seed in range(110):
        told = story(seed)
        well = replace(told.behaviour, ready={}, answers=("good",), people=("promote",), gate=True, query=0.0)
        calm = replace(told, rate=0.0, stops=(), halt=None, jumps=(), behaviour=well)
        whole = undisturbed(calm)
        assert whole.ending is not None and whole.ending.state == "promoted", seed
        for step in range(20, whole.yard.steps - 25, 9):
            result = resumed(calm, step)
            assert result.ending is not None and result.wrong == [] and result.ending.state == "promoted", (
                seed,
                step,
                result.ending,
            )


def test_what_a_crash_leaves_of_the_journal_replays() -> None:
    for seed in range(110):
        told = story(seed)
        steps = undisturbed(told).yard.steps
        for step in range(1, steps + 1, 7):
            assert replay(told.policy, first(told, step).log.journal()) is None, (seed, step)


def test_stories_end_in_every_way() -> None:
    """The suite would prove nothing if all its stories were promoted."""
    ends = {(type(told.policy).__name__, whole.ending.state, whole.ending.outcome)
            for told, whole in ((story(seed), undisturbed(story(seed))) for seed in range(220)) if whole.ending is not None}  # fmt: skip
    assert {kind for kind, _, _ in ends} == {type(policy).__name__ for policy in POLICIES}
    assert {state for _, state, _ in ends} >= {"promoted", "restored"}
    assert {outcome for _, _, outcome in ends} == {"promoted", "aborted", "inconclusive"}
