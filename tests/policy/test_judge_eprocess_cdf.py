"""`eprocess.cdf`: the band against its published closed form, false alarms, power, and the promotion margin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.policy.errors import WorldError
from sim.policy.judges import Arm, EProcessCdf, Window
from sim.policy.judges.eprocess_cdf import _level, band, band_constant, quantile_bounds

BOUNDS = (0.05, 0.1, 0.2, 0.4, 0.8)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01, 1e-4])
def test_band_constant_solves_its_equation_and_beats_the_published_simplification(alpha: float) -> None:
    c = band_constant(alpha)
    best = min(_level(1.0 + i / 4000, c) for i in range(1, 2000))
    assert best == pytest.approx(alpha, rel=1e-3)
    assert 0.0 < 0.8 * math.log(1612 / alpha) - c < 1.0  # Howard and Ramdas give this upper bound for A = 0.85


def test_band_shrinks_and_is_infinite_before_m() -> None:
    assert band(99, 0.05) == math.inf
    widths = [band(t, 0.05) for t in (100, 1000, 10_000, 100_000)]
    assert widths == sorted(widths, reverse=True)
    assert band(1000, 0.01) > band(1000, 0.05)


def test_quantile_bounds_read_the_band_outward() -> None:
    shares = (0.2, 0.6, 0.9, 1.0, 1.0)
    assert quantile_bounds(0.5, shares, 0.15, BOUNDS) == (0.05, 0.2)
    assert quantile_bounds(0.99, shares, 0.05, BOUNDS) == (0.2, math.inf)  # the lower band never reaches 0.99
    assert quantile_bounds(0.1, shares, 0.0, BOUNDS) == (0.0, 0.05)


def arm(rng: np.random.Generator, n: int, weights: tuple[float, ...]) -> Arm:
    return Arm(n, 0, tuple(rng.multinomial(n, weights).tolist()))


HEALTHY = (0.3, 0.3, 0.2, 0.1, 0.07, 0.03)
SLOWER = (0.15, 0.25, 0.3, 0.15, 0.1, 0.05)


def run(rng: np.random.Generator, weights: tuple[float, ...], looks: int, judge: EProcessCdf) -> str:
    look, verdict = judge.start(0, None), "continue"
    for i in range(looks):
        verdict = look.look(Window(i, i + 1.0, 0.2, arm(rng, 100, weights), arm(rng, 400, HEALTHY), BOUNDS)).verdict
        if verdict != "continue":
            break
    return verdict


def test_equal_latencies_are_not_rejected_and_slower_ones_are() -> None:
    """120 healthy runs of 40 looks at alpha 0.05: the band is conservative; more than 14 has chance < 0.001."""
    rng = np.random.default_rng(4)
    assert sum(run(rng, HEALTHY, 40, EProcessCdf()) == "fail" for _ in range(120)) <= 14
    assert all(run(rng, SLOWER, 60, EProcessCdf()) == "fail" for _ in range(20))


def test_a_faster_canary_is_not_rejected_and_passes_with_a_margin() -> None:
    rng = np.random.default_rng(6)
    judge = EProcessCdf(quantile=0.5, margin=0.3)
    assert run(rng, HEALTHY, 60, judge) == "pass"
    look = EProcessCdf().start(0, None)
    fast, slow = Arm(5000, 0, (5000, 0, 0, 0, 0, 0)), Arm(5000, 0, (0, 0, 5000, 0, 0, 0))
    assert look.look(Window(0, 1, 0.5, fast, slow, BOUNDS)).verdict == "continue"


def test_missing_buckets_and_changed_buckets() -> None:
    look = EProcessCdf().start(0, None)
    assert look.look(Window(0, 1, 0.5, Arm(10, 0), Arm(10, 0), BOUNDS)).verdict == "inconclusive"
    assert look.look(Window(0, 1, 0.5, Arm(10, 0, (10, 0)), Arm(10, 0, (10, 0)), (0.1,))).verdict == "continue"
    with pytest.raises(WorldError, match="same bounds"):
        look.look(Window(1, 2, 0.5, Arm(10, 0, (5, 5, 0)), Arm(10, 0, (5, 5, 0)), (0.1, 0.2)))
    with pytest.raises(WorldError, match="one count per bound"):
        look.look(Window(1, 2, 0.5, Arm(10, 0, (5, 5)), Arm(10, 0, (5, 5)), (0.1, 0.2)))
