"""`fixed.exact` and its control `peeking_t`: one look keeps alpha, many looks do not."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.judges import Arm, FixedExact, PeekingT, Window
from sim.policy.judges.fixed import conditional_p, two_proportion_z
from sim.policy.judges.spending import peeking_error


@settings(derandomize=True, deadline=None, max_examples=80)
@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_conditional_p_is_scipys_binomial_test(c: int, b: int, rho: float) -> None:
    expected = scipy.stats.binomtest(c, c + b, rho, "greater").pvalue if c + b else 1.0
    assert conditional_p(c, b, rho) == pytest.approx(expected, rel=1e-9)


def test_z_against_the_chi_square_of_a_two_by_two_table() -> None:
    table = [[30, 970], [18, 982]]
    chi = scipy.stats.chi2_contingency(table, correction=False).statistic
    assert two_proportion_z(30, 1000, 18, 1000) ** 2 == pytest.approx(chi)
    assert two_proportion_z(0, 10, 0, 10) == two_proportion_z(10, 10, 10, 10) == 0.0


def test_waits_then_tests_once() -> None:
    look = FixedExact(requests=200).start(0, None)
    windows = [(1, 1), (1, 1), (90, 0)]
    verdicts = [look.look(Window(i, i + 1, 0.5, Arm(100, c), Arm(100, b))).verdict for i, (c, b) in enumerate(windows)]
    assert verdicts == ["continue", "pass", "pass"]
    found = FixedExact(requests=15).start(0, None).look(Window(0, 1, 0.5, Arm(15, 12), Arm(15, 3)))
    assert (found.verdict, dict(found.evidence)["p"]) == ("fail", pytest.approx(0.017578125))


def test_fixed_keeps_alpha_and_peeking_does_not() -> None:
    """500 healthy runs of 5 looks each, as published for 5 looks: 14.2 % two-sided; exact 99.9 % intervals."""
    rng, fixed, peeked = np.random.default_rng(31), 0, 0
    for _ in range(500):
        judges = FixedExact(requests=5000).start(0, None), PeekingT(two_sided=True).start(0, None)
        seen = [Window(i, i + 1, 0.5, *(Arm(1000, int(b)) for b in rng.binomial(1000, 0.1, 2))) for i in range(5)]
        fixed += [judges[0].look(w).verdict for w in seen][-1] == "fail"
        peeked += "fail" in [judges[1].look(w).verdict for w in seen]
    assert fixed <= scipy.stats.binom.ppf(0.999, 500, 0.05)
    low, high = scipy.stats.binom.interval(0.999, 500, peeking_error(5, 0.05)[-1])
    assert low <= peeked <= high


def test_peeking_directions() -> None:
    better = Window(0, 1, 0.5, Arm(1000, 0), Arm(1000, 50))
    assert PeekingT().start(0, None).look(better).verdict == "pass"
    assert PeekingT(two_sided=True).start(0, None).look(better).verdict == "fail"
