"""Twenty of the stories again, with the real adapter and lightkube between the driver and a server in memory."""

from __future__ import annotations

import pytest

from tests.real import stories
from tests.real.kubeyard import KubeYard
from tests.real.stories import crashed, story, undisturbed

SEEDS = 20


@pytest.fixture(autouse=True)
def through_lightkube(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "Yard", KubeYard)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_crash_before_a_call_or_a_line_ends_promoted_or_restored(seed: int) -> None:
    """Every 17th step of each, another one first for each seed; the nightly form takes them all."""
    assert _wrong(seed, 1 + seed % 17, 17) == []


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_crash_before_any_call_or_line_ends_promoted_or_restored(seed: int) -> None:
    assert _wrong(seed, 1, 1) == []


def _wrong(seed: int, begin: int, every: int) -> list[str]:
    told = story(seed)
    whole = undisturbed(told)
    wrong = [f"story {seed}: {problem}" for problem in whole.wrong]
    for step in range(begin, whole.yard.steps + 1, every):
        wrong += [f"story {seed}, crash before step {step}: {problem}" for problem in crashed(told, step).wrong]
    return wrong
