"""`gst` and the boundaries below it: quadrature against Simpson's rule, alpha by simulation, the last look."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from sim.policy.judges import Arm, GroupSequential, Window
from sim.policy.judges.spending import (
    MOST,
    Inside,
    boundaries,
    boundary,
    exit_probabilities,
    leave,
    spend_obrien_fleming,
    spend_pocock,
    stay,
)  # fmt: skip


def simpson(limits: list[float], fractions: list[float], points: int = 601) -> float:
    """Chance of leaving two-sided limits, by the recursion on Simpson's grid: written independently of the module."""
    t, inside = fractions[0], limits[0] * math.sqrt(fractions[0])
    grid = np.linspace(-inside, inside, points)
    f = scipy.stats.norm.pdf(grid, scale=math.sqrt(t))
    for c, new in zip(limits[1:], fractions[1:], strict=True):
        h = (grid[1] - grid[0]) / 3
        w = h * np.array([1, *([4, 2] * ((points - 3) // 2)), 4, 1])
        edge = c * math.sqrt(new)
        target = np.linspace(-edge, edge, points)
        f = scipy.stats.norm.pdf(target[:, None] - grid[None, :], scale=math.sqrt(new - t)) @ (w * f)
        grid, t = target, new
    h = (grid[1] - grid[0]) / 3
    return float(1 - h * np.array([1, *([4, 2] * ((points - 3) // 2)), 4, 1]) @ f)


def test_quadrature_agrees_with_simpson() -> None:
    fractions, limits = [0.15, 0.3, 0.5, 0.55, 1.0], [3.0, 2.4, 2.2, 2.1, 2.0]
    assert exit_probabilities(fractions, limits)[-1] == pytest.approx(simpson(limits, fractions), abs=1e-8)


@pytest.mark.parametrize("spend", [spend_obrien_fleming, spend_pocock])
@pytest.mark.parametrize("two_sided", [True, False])
def test_boundaries_spend_exactly_what_they_may(spend: object, two_sided: bool) -> None:
    fractions = (0.1, 0.35, 0.4, 0.9, 1.0)
    limits = boundaries(fractions, spend, 0.05, two_sided=two_sided)  # type: ignore[arg-type]
    spent = exit_probabilities(fractions, limits, two_sided=two_sided)
    assert spent == pytest.approx([spend(t, 0.05) for t in fractions], abs=1e-9)  # type: ignore[operator]


def test_one_look_is_the_plain_test() -> None:
    assert boundaries((1.0,), spend_pocock, 0.05, two_sided=False) == pytest.approx((1.6448536,), abs=1e-6)
    assert boundaries((1.0,), spend_obrien_fleming, 0.05) == pytest.approx((1.9599640,), abs=1e-6)


def test_nothing_to_spend_is_never_left() -> None:
    assert boundary(Inside(), 0.2, 0.0, two_sided=True) == MOST
    first = stay(Inside(), 0.3, -math.inf, MOST)
    assert sum(p for _, p in first.mass) == pytest.approx(1.0, abs=1e-12)
    assert leave(first, 1.0, -1.96, 1.96) == pytest.approx(0.05, abs=1e-4)


def run(judge: GroupSequential, rng: np.random.Generator, rates: tuple[float, float], step: int = 450) -> str:
    look, verdict = judge.start(0, None), "continue"
    while verdict == "continue":
        c, b = (int(rng.binomial(step, p)) for p in rates)
        verdict = look.look(Window(0, 1, 0.5, Arm(step, c), Arm(step, b))).verdict
    return verdict


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_alpha_holds_at_uneven_looks(spending: str) -> None:
    """400 healthy runs with uneven looks; outside the exact 99.9 % interval has chance < 0.001."""
    judge = GroupSequential(planned_requests=4000, looks=5, spending=spending)  # type: ignore[arg-type]
    rng = np.random.default_rng(21)
    failed = sum(run(judge, rng, (0.1, 0.1)) == "fail" for _ in range(400))
    low, high = scipy.stats.binom.interval(0.999, 400, 0.05)
    assert low <= failed <= high


def test_power_and_the_ends() -> None:
    rng = np.random.default_rng(22)
    judge = GroupSequential(planned_requests=4000, looks=5)
    assert sum(run(judge, rng, (0.15, 0.1)) == "fail" for _ in range(40)) >= 38
    margin = GroupSequential(planned_requests=40_000, looks=2, margin=0.02)
    assert run(margin, rng, (0.1, 0.1), 20_000) == "pass"
    assert run(margin, rng, (0.112, 0.1), 2000) in ("fail", "inconclusive")
    assert run(GroupSequential(planned_requests=100, looks=1), rng, (0.1, 0.1), 100) == "inconclusive"
    assert run(GroupSequential(planned_requests=100, looks=1, at_end="pass"), rng, (0.1, 0.1), 100) == "pass"


def test_two_sided_fails_on_improvement_too_and_decisions_are_final() -> None:
    look = GroupSequential(planned_requests=1000, looks=1, two_sided=True).start(0, None)
    better = Window(0, 1, 0.5, Arm(1000, 0), Arm(1000, 100))
    assert look.look(better).verdict == "fail"
    assert look.look(Window(1, 2, 0.5, Arm(1000, 5), Arm(1000, 5))).verdict == "fail"
    assert GroupSequential(planned_requests=1000, looks=1).start(0, None).look(better).verdict == "inconclusive"
