"""Known-bad drivers against the suite: all of them are caught, and each by a few stories."""

from __future__ import annotations

import pytest

from tests.real.planted import BUGS, planted
from tests.real.stories import contested, crashed, story, undisturbed

STORIES = 120


def caught(bug: str) -> int | None:
    """The first story that catches a bug."""
    for seed in range(STORIES):
        told = story(seed)
        steps = undisturbed(told).yard.steps
        with planted(*BUGS[bug]):
            if undisturbed(told).wrong:
                return seed
            for step in range(1 + seed % 4, steps + 1, 4):
                if crashed(told, step).wrong or contested(told, step).wrong:
                    return seed
    return None


def test_there_are_enough_of_them() -> None:
    assert len(BUGS) >= 25


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug: str) -> None:
    assert caught(bug) is not None
