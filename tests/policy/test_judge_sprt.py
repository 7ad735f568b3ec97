"""`sprt`: error rates and sample sizes by seeded simulation, the conditional form, truncation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from sim.policy.judges import Arm, Sprt, Window
from sim.policy.judges.sprt import alternative, average_samples, bounds, increment, worse_share


def paths(p: float, runs: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(decided high, sample size) of request-by-request tests of 0.01 against 0.02."""
    bad = np.random.default_rng(seed).random((runs, length)) < p
    s = np.cumsum(np.where(bad, increment(1, 1, 0.01, 0.02), increment(1, 0, 0.01, 0.02)), axis=1)
    low, high = bounds(0.05, 0.05)
    out = (s <= low) | (s >= high)
    assert out.any(axis=1).all()
    when = out.argmax(axis=1)
    return s[np.arange(runs), when] >= high, when + 1


@pytest.mark.parametrize(("p", "wrong", "which"), [(0.01, True, 0), (0.02, False, 1)])
def test_error_rates_and_average_sample_numbers(p: float, wrong: bool, which: int) -> None:
    """1500 runs: errors above the 99.9 % point of Bin(1500, .05) have chance < 0.001; sizes 0..+15 % of Wald's."""
    high, size = paths(p, 1500, 9000, seed=which)
    assert (high == wrong).sum() <= scipy.stats.binom.ppf(0.999, 1500, 0.05)
    assert 1.0 < size.mean() / average_samples(0.01, 0.02, 0.05, 0.05)[which] < 1.15


def test_verdicts_and_finality() -> None:
    look = Sprt().start(0, None)
    assert look.look(Window(0, 60, 0.1, Arm(290, 0))).verdict == "continue"
    assert look.look(Window(60, 120, 0.1, Arm(1, 0))).verdict == "pass"
    assert look.look(Window(120, 180, 0.1, Arm(100, 100))).verdict == "pass"
    assert Sprt().start(0, None).look(Window(0, 60, 0.1, Arm(100, 6))).verdict == "fail"


def test_truncation_is_inconclusive() -> None:
    look = Sprt(max_requests=300).start(0, None)
    found = look.look(Window(0, 60, 0.1, Arm(300, 4)))
    assert (found.verdict, "max_requests 300" in found.reason) == ("inconclusive", True)


def test_the_alternative_is_capped() -> None:
    assert alternative(0.6, 2.0) == 0.999
    assert worse_share(0.5, 2.0) == pytest.approx(2 / 3)


def test_without_p0_only_errors_count() -> None:
    judge = Sprt(p0=None)
    look = judge.start(0, None)
    found = look.look(Window(0, 60, 0.2, Arm(200, 4), Arm(800, 6)))
    assert dict(found.evidence)["statistic"] == pytest.approx(
        4 * math.log(worse_share(0.2, 2) / 0.2) + 6 * math.log((1 - worse_share(0.2, 2)) / 0.8)
    )
    assert look.look(Window(60, 120, 0.2, Arm(200, 40), Arm(800, 6))).verdict == "fail"
    assert judge.start(0, None).look(Window(0, 60, 0.5, Arm(500, 5), Arm(500, 40))).verdict == "pass"
    assert judge.start(0, None).look(Window(0, 60, 0.2, Arm(200, 4))).verdict == "inconclusive"
    assert "set split" in judge.start(0, None).look(Window(0, 60, 0.05, Arm(500, 5), Arm(500, 5))).reason
    assert judge.start(0, None).look(Window(0, 60, 0.0, Arm(5, 5), Arm(500, 5))).verdict == "inconclusive"


def test_conditional_false_alarms_stay_below_alpha() -> None:
    """400 healthy runs; above the 99.9 % point of Bin(400, 0.05) has chance < 0.001."""
    rng, failed = np.random.default_rng(12), 0
    for _ in range(400):
        look, verdict = Sprt(p0=None).start(0, None), "continue"
        while verdict == "continue":
            verdict = look.look(
                Window(0, 1, 0.3, Arm(300, int(rng.binomial(300, 0.01))), Arm(700, int(rng.binomial(700, 0.01))))
            ).verdict
        failed += verdict == "fail"
    assert failed <= scipy.stats.binom.ppf(0.999, 400, 0.05)
