"""Synthetic commits: working hours, batches, sizes and the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from sim.pipeline import Change, Commits, Constant, Risk, Uniforms, mark, synthesize
from sim.pipeline.commits import LIMIT, calendar
from sim.policy.errors import WorldError

WEEK = 7 * 86400.0


def test_working_time_maps_to_the_calendar() -> None:
    commits = Commits(hours=(9.0, 17.0), days=5)
    assert calendar(0.0, commits) == 9 * 3600.0
    assert calendar(8 * 3600.0, commits) == 86400.0 + 9 * 3600.0
    assert calendar(5 * 8 * 3600.0 + 60.0, commits) == WEEK + 9 * 3600.0 + 60.0


def test_pushes_are_poisson_in_working_hours(uniforms: Callable[[int], Uniforms]) -> None:
    changes = synthesize(Commits(per_hour=4.0), uniforms(1), until=50 * WEEK)
    assert abs(len(changes) - 8000) < 4 * 8000**0.5  # 4 standard deviations
    for change in changes:
        day, second = divmod(change.at % WEEK, 86400.0)
        assert day < 5
        assert 9 * 3600.0 <= second < 17 * 3600.0
    assert [change.id for change in changes] == list(range(1, len(changes) + 1))
    assert all(a.at <= b.at for a, b in pairwise(changes))


def test_a_push_can_hold_several_commits(uniforms: Callable[[int], Uniforms]) -> None:
    changes = synthesize(Commits(per_hour=4.0, batch=(1.0, 0.0, 1.0)), uniforms(2), until=10 * WEEK)
    sizes: dict[float, int] = {}
    for change in changes:
        sizes[change.at] = sizes.get(change.at, 0) + 1
    assert sorted(dict.fromkeys(sizes.values())) == [1, 3]
    assert len(changes) / len(sizes) == pytest.approx(2.0, abs=0.1)  # 4 standard errors


def test_a_longer_run_starts_with_the_shorter_one(uniforms: Callable[[int], Uniforms]) -> None:
    short = synthesize(Commits(), uniforms(3), until=2 * WEEK)
    assert synthesize(Commits(), uniforms(3), until=4 * WEEK)[: len(short)] == short


def test_larger_changes_are_worse() -> None:
    risk = Risk(p_bad=0.1, typical=40.0, size_effect=1.0)
    assert risk.probability(40) == pytest.approx(0.1)
    assert risk.probability(80) == pytest.approx(1 - 0.9**2)
    assert replace(risk, size_effect=0.0).probability(4000) == pytest.approx(0.1)
    assert risk.probability(0) == 0.0


def test_a_history_is_marked_and_otherwise_kept(uniforms: Callable[[int], Uniforms]) -> None:
    history = [Change(i, float(i), size=40, author="a", source="c0ffee") for i in range(1, 4001)]
    marked = mark(history, Risk(p_bad=0.1, severity=Constant(3.0)), uniforms(4))
    assert sum(change.bad for change in marked) / 4000 == pytest.approx(0.1, abs=0.02)  # 4 standard errors
    assert {change.severity for change in marked} == {0.0, 1.0}
    assert [replace(change, bad=False, severity=0.0) for change in marked] == history


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Commits(per_hour=0.0), "per_hour must be above 0, got 0"),
        (lambda: Commits(hours=(17.0, 9.0)), "in order"),
        (lambda: Commits(days=8), "from 1 to 7, got 8"),
        (lambda: Commits(batch=()), "positive sum"),
        (lambda: Risk(p_bad=1.5), "in \\[0, 1\\], got 1.5"),
        (lambda: mark([Change(LIMIT, 0.0)], Risk(), lambda purpose, entity, index: 0.5), "numbered from 1"),
    ],
)
def test_errors_name_the_value(make: Callable[[], object], said: str) -> None:
    with pytest.raises(WorldError, match=said):
        make()
