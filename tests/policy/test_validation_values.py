"""The published and computed values of judges.md section 19 that concern judges: V1-V6, V8, V12, V13, V18, V20-V22."""

from __future__ import annotations

import math
import statistics

import pytest

from sim.policy.judges import Arm, BurnRate, Window, fixed, spending, sprt, threshold
from sim.policy.judges import burn_rate as br
from sim.policy.special import beta_quantile

DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0.05, {1: 0.05, 2: 0.08312, 3: 0.10726, 4: 0.12617, 5: 0.14169, 10: 0.19336, 20: 0.24791, 50: 0.32045}),
        (0.01, {1: 0.01, 2: 0.01766, 3: 0.02366, 4: 0.02858, 5: 0.03274, 10: 0.04738, 20: 0.06403, 50: 0.08803}),
    ],
)
def test_v1_peeking(level: float, expected: dict[int, float]) -> None:
    got = spending.peeking_error(50, level)
    assert {k: got[k - 1] for k in expected} == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"),
    [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (5, 2.413, 2.040), (10, 2.555, 2.087)],
)
def test_v2_constants(looks: int, pocock: float, obrien_fleming: float) -> None:
    assert spending.pocock_constant(looks) == pytest.approx(pocock, abs=1e-3)
    assert spending.obrien_fleming_constant(looks) == pytest.approx(obrien_fleming, abs=1e-3)


def test_v3_spending() -> None:
    times = (0.2, 0.4, 0.6, 0.8, 1.0)
    obf = [spending.spend_obrien_fleming(t, 0.05) for t in times]
    pocock = [spending.spend_pocock(t, 0.05) for t in times]
    assert obf == pytest.approx([1.17264e-5, 0.00194191, 0.01139642, 0.02842963, 0.05], rel=1e-4)
    assert pocock == pytest.approx([0.01476973, 0.02615686, 0.03542565, 0.04324199, 0.05], rel=1e-4)


@pytest.mark.parametrize(
    ("window", "factor", "seconds"),
    [
        (10 * MINUTE, 1, 0.6),
        (36 * HOUR, 1, 129.6),
        (HOUR, 36, 129.6),
        (HOUR, 14.4, 51.84),
        (6 * HOUR, 6, 129.6),
        (3 * DAY, 1, 259.2),
    ],
)
def test_v4_time_to_alert(window: float, factor: float, seconds: float) -> None:
    assert br.fires_after(0.999, 1.0, window, factor) == pytest.approx(seconds, rel=1e-9)


def test_v4_reset() -> None:
    assert br.resets_after(0.999, 1.0, HOUR, 36) == pytest.approx(57.84 * MINUTE, rel=1e-9)
    assert br.resets_after(0.999, 0.001, HOUR, 36) == 0.0


@pytest.mark.parametrize(("factor", "seconds"), [(1, 30 * DAY), (2, 15 * DAY), (10, 3 * DAY), (1000, 43.2 * MINUTE)])
def test_v5_exhaustion(factor: float, seconds: float) -> None:
    assert br.exhausts(0.999, factor * 0.001) == pytest.approx(seconds, rel=1e-9)


@pytest.mark.parametrize(("share", "window", "factor"), [(0.02, 1, 14.4), (0.05, 6, 6), (0.10, 72, 1), (0.05, 1, 36)])
def test_v5_factor_for_a_budget_share(share: float, window: float, factor: float) -> None:
    assert br.factor_for(share, window * HOUR) == pytest.approx(factor, rel=1e-12)


def test_v5_burn_35_never_fires_at_36_and_empties_the_budget() -> None:
    assert br.fires_after(0.999, 0.035, HOUR, 36) == math.inf
    assert br.exhausts(0.999, 0.035) / HOUR == pytest.approx(20.571, abs=1e-3)
    look = BurnRate(slo=0.999, page=((HOUR, 300.0, 36.0),)).start(0, None)
    verdicts = {look.look(Window(t, t + 300.0, 0.1, Arm(1000, 35))).verdict for t in range(0, 7200, 300)}
    assert verdicts == {"pass"}


def test_v5_budget_shares() -> None:
    assert br.budget_share(0.999, 1.0, HOUR) == pytest.approx(1.3889, abs=1e-4)
    assert br.budget_share(0.999, 0.001, 10 * MINUTE) == pytest.approx(0.000231, abs=1e-6)
    assert DAY / (10 * MINUTE) == 144  # a 10-minute-window alert: at most so many per day


def held(hold: float, rate_at: list[float]) -> list[str]:
    """Verdicts of an alert with `for: hold` over one-minute windows with these error rates."""
    look = BurnRate(slo=0.999, page=((MINUTE, MINUTE, 1.0),), hold=hold).start(0, None)
    windows = [Window(i * MINUTE, (i + 1) * MINUTE, 0.1, Arm(1000, round(1000 * r))) for i, r in enumerate(rate_at)]
    return [look.look(w).verdict for w in windows]


def test_v6_spikes_never_satisfy_the_duration_clause() -> None:
    spikes = ([1.0] * 5 + [0.0] * 5) * 12
    assert set(held(10 * MINUTE, spikes)) == {"pass"}
    assert "fail" in held(0.0, spikes)
    assert br.budget_share(0.999, 1.0, 5 * MINUTE) == pytest.approx(0.11574, abs=1e-5)
    assert 3 * br.budget_share(0.999, 1.0, 5 * MINUTE) == pytest.approx(0.3472, abs=1e-4)


@pytest.mark.parametrize("rate", [0.002, 1.0])
def test_v6_for_one_hour_is_blind_to_severity(rate: float) -> None:
    verdicts = held(HOUR, [rate] * 70)
    assert verdicts.index("fail") == 60  # the first look an hour after the first violating one


def test_v8_extremes() -> None:
    assert br.burn(0.999, 1 / 10) == pytest.approx(100)
    assert br.burn(0.999, 1.0) == pytest.approx(1000)
    assert br.budget_share(0.999, 1 / 10, HOUR) == pytest.approx(0.13889, abs=1e-5)
    allowed_failures = 10 * 720 * (1 - 0.999)
    assert allowed_failures == pytest.approx(7.2)
    assert br.budget_share(0.9, 1.0, HOUR) == pytest.approx(0.01389, abs=1e-5)
    assert br.fires_after(0.9, 1.0, HOUR, 14.4) == math.inf
    assert br.exhausts(0.99999, 1.0) == pytest.approx(25.92)
    assert br.exhausts(0.99999, 0.01) == pytest.approx(2592)


def test_v12_naive_threshold_with_fixed_arrivals() -> None:
    assert threshold.allowed(0.01, 600) == 6
    q = threshold.fail_probability(600, 0.005, 0.01)
    assert q == pytest.approx(0.0331301, abs=1e-6)
    assert threshold.rollback_probability(10, 1, q) == pytest.approx(0.2860293, abs=1e-6)


def test_v12_naive_threshold_with_poisson_arrivals() -> None:
    q = threshold.fail_probability_poisson(600, 0.005, 0.01)
    assert q == pytest.approx(0.0559749, abs=1e-6)
    assert threshold.rollback_probability(10, 1, q) == pytest.approx(0.4378716, abs=1e-6)


def test_v13_sprt() -> None:
    low, high = sprt.bounds(0.05, 0.05)
    assert (low, high) == pytest.approx((-2.944439, 2.944439), abs=1e-6)
    assert sprt.average_samples(0.01, 0.02, 0.05, 0.05) == pytest.approx((849.527, 677.121), abs=1e-3)
    assert fixed.one_sample_size(0.01, 0.02) == pytest.approx(1551.890, abs=1e-3)
    assert sprt.first_clean(0.01, 0.02, 0.05, 0.05) == 291
    assert low / sprt.increment(1, 0, 0.01, 0.02) == pytest.approx(290.025, abs=1e-3)


@pytest.mark.parametrize(
    ("bad", "n", "lower", "upper"),
    [(0, 10, 4.789e-5, 0.2171963), (5, 100, 0.0193318, 0.1061001), (10, 1000, 0.0051527, 0.0176664)],
)
def test_v18_jeffreys(bad: int, n: int, lower: float, upper: float) -> None:
    got = [beta_quantile(q, bad + 0.5, n - bad + 0.5) for q in (0.025, 0.975)]
    assert got == pytest.approx([lower, upper], abs=1e-7)


@pytest.mark.parametrize(("p", "n"), [(0.001, 2994.234), (0.01, 298.0729), (0.05, 58.40397)])
def test_v20_escape_by_zero_failures(p: float, n: float) -> None:
    assert fixed.seen_within(p) == pytest.approx(n, rel=1e-6)
    assert fixed.unseen(p, round(n)) == pytest.approx(0.05, rel=0.03)


@pytest.mark.parametrize(
    ("p1", "p2", "n"),
    [(0.001, 0.002, 23510.14), (0.005, 0.01, 4672.829), (0.01, 0.02, 2318.165), (0.01, 0.015, 7749.590)],
)
def test_v21_sample_size(p1: float, p2: float, n: float) -> None:
    assert fixed.sample_size(p1, p2) == pytest.approx(n, abs=1e-2)


def test_v22_exact_conditional_test() -> None:
    assert fixed.conditional_p(12, 3, 0.5) == pytest.approx(0.017578125, rel=1e-13)
    assert fixed.conditional_p(0, 0, 0.5) == 1.0
    assert statistics.fmean([fixed.conditional_p(k, 15 - k, 0.5) for k in range(16)]) > 0.5
