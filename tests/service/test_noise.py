"""Chance around a rate: moments, correlations, order, and the fixed use of uniforms."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policy.errors import WorldError
from sim.service.noise import GRID, PRESETS, Drift, Gamma, Iid, Noise, Noisy, Outbreaks, factor, multipliers, snap
from sim.service.traffic import Constant, Ramp

NOISES = st.sampled_from([*PRESETS.values(), Gamma(0.9, every=60.0), Outbreaks(60.0, 60.0, 50.0)])


def uniforms(noise: Noise, windows: int, seed: int = 1) -> list[float]:
    draw = Random(seed)
    return [draw.random() for _ in range(windows * noise.per_window)]


def moments(values: list[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / len(values)


def lag(values: list[float], steps: int) -> float:
    mean, variance = moments(values)
    pairs = zip(values, values[steps:], strict=False)
    return math.fsum((a - mean) * (b - mean) for a, b in pairs) / (len(values) - steps) / variance


def test_the_grid() -> None:
    assert (factor(0), factor(GRID), factor(-2 * GRID)) == (1.0, 2.0, 0.25)
    assert snap(0.0) == 0.0 and snap(8.0) == 8.0
    assert all(abs(math.log2(snap(rate) / rate)) <= 0.5 / GRID + 1e-12 for rate in (0.013, 1.0, 99.0, 2e6))
    assert len({snap(100.0 + i / 10) for i in range(900)}) == 60


@settings(derandomize=True, deadline=None, max_examples=60)
@given(noise=NOISES, seed=st.integers(0, 1000), windows=st.integers(1, 40), raised=st.integers(0, 39))
def test_one_factor_per_window_in_order_of_the_uniforms(noise: Noise, seed: int, windows: int, raised: int) -> None:
    u = uniforms(noise, windows, seed)
    found = noise.steps(u, 15.0)
    assert len(found) == windows
    assert multipliers(noise, u, 15.0) == [factor(k) for k in found]
    assert noise.steps(u[: (windows // 2) * noise.per_window], 15.0) == found[: windows // 2]
    more = [0.5 * (1.0 + value) if i == raised else value for i, value in enumerate(u)]
    assert all(a <= b for a, b in zip(found, noise.steps(more, 15.0), strict=True))


def test_noisy_traffic_is_the_shape_times_the_factors() -> None:
    noisy = Noisy(Ramp(0.0, 80.0, 80.0), (1.0, 0.5, 2.0), 10.0)
    assert [noisy.rate(at) for at in (5.0, 10.0, 29.0, 30.0)] == [5.0, 5.0, 58.0, 30.0]
    assert noisy.levels([0.0, 10.0, 20.0, 40.0]) == [5.0, 7.5, (25.0 * 2.0 + 35.0) / 2.0]
    assert noisy.levels([5.0, 15.0, 1000.0])[0] == pytest.approx((7.5 + 12.5 * 0.5) / 2.0)
    level = Noisy(Constant(0.1), (factor(3), factor(3), factor(-1)), 15.0).levels([0.0, 5.0, 15.0, 30.0, 45.0, 60.0])
    assert level == [0.1 * factor(3)] * 3 + [0.1 * factor(-1), 0.1]
    with pytest.raises(WorldError, match=r"window must be more than 0 s, got 0\.0"):
        Noisy(Constant(1.0), (), 0.0)


def test_iid_is_no_chance_in_the_rate() -> None:
    assert multipliers(Iid(), [0.1, 0.9]) == [1.0, 1.0]


def test_gamma_has_its_moments() -> None:
    """A grid of 20,000 midpoints: mean 1 and variance 1/k within 1%; and a factor holds for 5 minutes."""
    for k in (0.9, 2.4, 5.0, 50.0):
        mean, variance = moments(multipliers(Gamma(k, every=60.0), [(i + 0.5) / 20000 for i in range(20000)]))
        assert mean == pytest.approx(1.0, rel=2e-3)
        assert variance == pytest.approx(1.0 / k, rel=0.01)
    found = Gamma(5.0).steps(uniforms(Gamma(5.0), 60), 15.0)
    assert [len(set(found[i : i + 20])) for i in (0, 20, 40)] == [1, 1, 1] and len(set(found)) == 3


def test_gamma_quantiles_against_scipy() -> None:
    """Every quantile lies within half a step (and the rounding of the table) of the exact one."""
    from scipy.stats import gamma

    for k in (0.9, 5.0, 300.0):
        for u in (0.001, 0.1, 0.5, 0.9, 0.999):
            exact = float(gamma.ppf(u, k, scale=1.0 / k))
            assert abs(math.log2(multipliers(Gamma(k), [u])[0] / exact)) <= 0.5 / GRID + 1e-9


def test_drift_has_the_published_correlations() -> None:
    """Lags 1, 10, 30 minutes: .41, .257, .232 (judges.md section 18). 40 series of 2,000 minutes; the slow part makes
    the estimate itself uncertain by about 0.01, so 0.05 is beyond four standard errors (false alarm below 1e-4; the
    seed is fixed)."""
    noise = Drift(sd=0.05)
    series = [[math.log(x) for x in multipliers(noise, uniforms(noise, 2000, seed))] for seed in range(40)]
    pooled = [x for one in series for x in one]
    mean, variance = moments(pooled)
    assert math.sqrt(variance) == pytest.approx(0.05, rel=0.06)
    for steps, expected in ((1, 0.41), (10, 0.257), (30, 0.232)):
        found = math.fsum((a - mean) * (b - mean) for one in series for a, b in zip(one, one[steps:], strict=False)) / (
            sum(len(one) - steps for one in series) * variance
        )
        assert found == pytest.approx(expected, abs=0.05)
    assert moments([math.exp(x) for x in pooled])[0] == pytest.approx(1.0, abs=0.01)


def test_shorter_windows_keep_the_correlation_in_time() -> None:
    noise = PRESETS["ar1-strong"]
    quarter = [math.log(x) for x in multipliers(noise, uniforms(noise, 20000), 15.0)]
    minute = [math.log(x) for x in multipliers(noise, uniforms(noise, 20000), 60.0)]
    assert lag(quarter, 4) == pytest.approx(0.8, abs=0.03)
    assert lag(minute, 1) == pytest.approx(0.8, abs=0.03)


def test_outbreaks_last_and_recur() -> None:
    """20,000 windows of a minute: share of bursts 5/125, mean length 5 minutes; bounds of four standard errors."""
    noise = Outbreaks(lasts=300.0, every=7200.0, factor=16.0)
    found = multipliers(noise, uniforms(noise, 50000))
    assert set(found) == {1.0, 16.0}
    assert found.count(16.0) / 50000 == pytest.approx(0.04, abs=0.009)
    starts = sum(1 for a, b in pairwise(found) if a < b)
    # The chain seen each minute misses the shortest bursts: mean seen length 1 / ((1 - share) (1 - memory)).
    share, memory = 0.04, math.exp(-60.0 * (1 / 300 + 1 / 7200))
    assert found.count(16.0) / starts == pytest.approx(1.0 / ((1.0 - share) * (1.0 - memory)), rel=0.15)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Drift(sd=-0.1), r"sd of the log-rate must lie in \[0, 1\], got -0.1"),
        (lambda: Drift(slow=1.0), "slow is an autocorrelation"),
        (lambda: Drift(share=1.5), "share of the fast process"),
        (lambda: Gamma(0.0), "k of a negative binomial"),
        (lambda: Gamma(5.0, every=0.0), "every must be more than 0 s, got 0.0"),
        (lambda: Outbreaks(lasts=0.0), "lasts must be more than 0 s, got 0.0"),
        (lambda: Outbreaks(factor=0.5), "factor of a burst"),
        (lambda: Drift().steps([0.1, 0.2, 0.3]), "needs 2 uniforms per window, got 3"),
    ],
)
def test_refusals(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorldError, match=message):
        make()
