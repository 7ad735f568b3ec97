"""The exact p-value against scipy without ties, and against dealing the values anew with ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from tests.oracle import ks


@pytest.mark.parametrize(("n", "m"), [(5, 9), (40, 40), (30, 70)])
def test_without_ties_it_is_the_known_exact_value(n: int, m: int) -> None:
    numbers = np.random.default_rng(n)
    one, other = numbers.normal(size=n), numbers.normal(size=m) + 0.4
    assert ks.pvalue(one, other) == pytest.approx(ks_2samp(one, other, method="exact").pvalue, abs=1e-12)


def test_with_ties_it_is_the_share_of_dealings_that_lie_as_far_apart() -> None:
    """4,000 dealings: four standard errors, a false alarm in 1 of 16,000."""
    numbers = np.random.default_rng(3)
    one, other = numbers.poisson(3.0, 60), numbers.poisson(3.8, 60)
    distance, pool = ks.gap(one, other)[0], np.concatenate([one, other])
    dealt = [numbers.permutation(pool) for _ in range(4000)]
    share = np.mean([ks.gap(deal[:60], deal[60:])[0] >= distance for deal in dealt])
    p = ks.pvalue(one, other)
    assert abs(share - p) < 4.0 * np.sqrt(p * (1.0 - p) / 4000)
    assert p < ks_2samp(one, other, method="exact").pvalue  # which takes the data for continuous


def test_equal_samples_do_not_differ() -> None:
    assert ks.pvalue([1, 1, 2], [1, 1, 2]) == 1.0


def test_the_critical_gap_is_the_first_that_is_rare_enough() -> None:
    """n = m = 10 at 5%: 7 of 10, the tabulated value of the two-sided test."""
    assert 60 < ks.critical(10, 10, 0.05) <= 70  # gaps are multiples of 10 here
