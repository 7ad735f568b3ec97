"""Closed forms of judges.md V19 to V21 and section 17."""

from __future__ import annotations

import pytest

from sim.results.planning import ramp_blast_radius, runs_for_half_width, trials_per_arm, trials_to_see_one


def test_v19_ramp() -> None:
    assert ramp_blast_radius(1000, 0.2, [(0.05, 60), (0.2, 60), (0.5, 30)]) == pytest.approx(6000)
    assert ramp_blast_radius(1, 0.2, [(0.05, 1)]) == pytest.approx(0.01)


@pytest.mark.parametrize(("p", "n"), [(0.001, 2994.234), (0.01, 298.0729), (0.05, 58.40397)])
def test_v20_zero_failures(p: float, n: float) -> None:
    assert trials_to_see_one(p) == pytest.approx(n, rel=2e-7)
    assert (1 - p) ** trials_to_see_one(p) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("p1", "p2", "n"),
    [(0.001, 0.002, 23510.14), (0.005, 0.01, 4672.829), (0.01, 0.02, 2318.165), (0.01, 0.015, 7749.590)],
)
def test_v21_two_proportions(p1: float, p2: float, n: float) -> None:
    assert trials_per_arm(p1, p2) == pytest.approx(n, rel=3e-7)
    with pytest.raises(ValueError, match="never told apart"):
        trials_per_arm(p1, p1)


def test_runs_for_half_width() -> None:
    assert runs_for_half_width(0.05, 0.01) == pytest.approx(1825, abs=1)
    assert runs_for_half_width(0.01, 0.001) == pytest.approx(38_000, rel=0.005)
