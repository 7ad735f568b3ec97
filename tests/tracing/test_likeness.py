"""The comparison with a history catches planted differences, and lets pass what it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sim.tracing.likeness import differences

Entry = dict[str, Any]


def entry(at: float, kind: str, **more: Any) -> Entry:
    return {"at": at, "kind": kind, "step": 0, "weight": 0, "stable": 4, "canary": 1} | more


def story() -> list[Entry]:
    return [
        entry(0.0, "phase", phase="Progressing", reason="more"),
        entry(0.0, "scale", older=0),
        entry(3.0, "available", stable=4, canary=1),
        entry(3.0, "step", index=1),
        entry(3.0, "analysis", run="step", index=1, phase="Running"),
        entry(3.0, "measurement", run="step", metric="ok", value=[0.99], verdict="Successful"),
        entry(8.0, "measurement", run="step", metric="ok", value=None, verdict="Error"),
        entry(18.0, "measurement", run="step", metric="ok", value=[0.98], verdict="Successful"),
        entry(18.0, "analysis", run="step", index=1, phase="Successful"),
        entry(18.0, "step", index=2),
        entry(30.0, "human", action="promote"),
    ]


def shifted(by: float, after: int) -> list[Entry]:
    return [one | {"at": one["at"] + by} if number >= after else one for number, one in enumerate(story())]


def without(number: int) -> list[Entry]:
    return [one for place, one in enumerate(story()) if place != number]


def changed(number: int, **more: Any) -> list[Entry]:
    return [one | more if place == number else one for place, one in enumerate(story())]


def test_a_story_equals_itself() -> None:
    assert differences(story(), story()) == []


@pytest.mark.parametrize("number", range(len(story())))
def test_a_missing_or_doubled_entry_is_told(number: int) -> None:
    assert differences(story(), without(number)) != []
    assert differences(without(number), story()) != []
    doubled = [*story()[: number + 1], story()[number] | {"at": story()[number]["at"] + 0.5}, *story()[number + 1 :]]
    if story()[number]["kind"] not in ("available", "phase"):  # the same again is no news
        assert differences(story(), doubled) != []


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (0, {"reason": "less"}), (0, {"phase": "Paused"}), (1, {"canary": 2}), (1, {"older": 1}), (2, {"canary": 2}), (2, {"stable": 3}),
        (3, {"index": 2}), (4, {"index": 0}), (5, {"value": [0.98]}), (5, {"verdict": "Failed"}), (8, {"phase": "Failed"}),
        (10, {"action": "abort"}), (5, {"metric": "other"}), (4, {"run": "background"}),
    ],
)  # fmt: skip
def test_a_changed_value_is_told(number: int, more: dict[str, Any]) -> None:
    assert differences(story(), changed(number, **more)) != []


@pytest.mark.parametrize(("by", "told"), [(-0.9, False), (1.4, False), (-1.1, True), (1.6, True)])
def test_each_wait_has_its_own_bounds(by: float, told: bool) -> None:
    assert (differences(shifted(by, 7), story()) != []) is told


def test_waits_do_not_add_up() -> None:
    """Each of three waits is late by 1.2 s: every one is within bounds, although the last entry is 3.6 s late."""
    late = [
        one | {"at": one["at"] + 1.2 * ((one["at"] >= 8) + (one["at"] >= 18) + (one["at"] >= 30))} for one in story()
    ]
    assert differences(late, story()) == []


def test_different_kinds_may_swap_within_a_moment() -> None:
    def recorded(gap: float) -> list[Entry]:
        moved = {3: 3.0 + gap, 4: 3.0}
        return sorted(
            (one | {"at": moved.get(place, one["at"])} for place, one in enumerate(story())), key=lambda one: one["at"]
        )

    assert differences(recorded(0.25), story()) == []
    assert any(line.startswith("order:") for line in differences(recorded(0.4), story()))


def test_one_kind_never_swaps() -> None:
    two = [*story(), entry(31.0, "scale", stable=3, older=0), entry(31.01, "scale", stable=3, canary=2, older=0)]
    swapped = [*two[:-2], two[-1] | {"at": 31.0}, two[-2] | {"at": 31.01}]
    assert differences(swapped, two) != []


def test_what_a_history_cannot_show_is_not_compared() -> None:
    hidden = [
        {key: value for key, value in one.items() if key != "value" or one["verdict"] != "Error"} for one in story()
    ]
    assert differences(hidden, changed(6, value=[])) == []
    texts = [changed(0, reason=f'Error: "Error Message: {text}"') for text in ("503", "timeout")]
    assert differences(*texts) == []


@pytest.mark.parametrize(("stood", "told"), [(0.2, False), (0.5, True)])
@pytest.mark.parametrize("turned", [list, lambda both: list(reversed(both))])
def test_pods_that_were_there_for_a_moment_may_be_missing(
    stood: float, told: bool, turned: Callable[[Any], Any]
) -> None:
    end = entry(22.0 + stood, "available", stable=3, canary=2)
    blip = [*story(), entry(22.0, "available", stable=2, canary=1), end]
    both = turned([blip, [*story(), end]])
    assert (differences(*both) != []) is told


def test_an_analysis_that_fails_at_its_first_measurement_is_written_once() -> None:
    ended = entry(3.0, "analysis", run="step", index=1, phase="Failed")
    traced = [entry(3.0, "analysis", run="step", index=1, phase="Running"), ended]
    assert differences([ended], traced) == []
    assert differences(traced, [ended]) != []
    assert differences([ended], [traced[0] | {"at": 2.9}, ended]) != []
