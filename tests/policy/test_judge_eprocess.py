"""`eprocess.counts`: its martingale property exactly, error rates by seeded simulation, steps, margin and split."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from sim.policy.judges import Arm, EProcessCounts, Finding, Window, conclude
from sim.policy.judges.eprocess import log_e_harm, log_e_multinomial, log_e_noninferior, theta_interval, theta_margin


def binomial(n: int, theta: float) -> list[float]:
    return [math.comb(n, c) * theta**c * (1 - theta) ** (n - c) for c in range(n + 1)]


def expected(log_e: list[float], mass: list[float]) -> float:
    return sum(p * math.exp(e) for p, e in zip(mass, log_e, strict=True))


@pytest.mark.parametrize("rho", [0.01, 0.05, 0.5, 0.8])
@pytest.mark.parametrize("n", [1, 7, 120])
def test_e_has_mean_one_at_the_edge_of_the_null_and_less_inside(rho: float, n: int) -> None:
    harm = [log_e_harm(c, n - c, rho, 100.0) for c in range(n + 1)]
    assert expected(harm, binomial(n, rho)) == pytest.approx(1.0, rel=1e-11)
    assert expected(harm, binomial(n, 0.7 * rho)) < 1.0
    either = [log_e_multinomial((c, n - c), (rho, 1 - rho), 100.0) for c in range(n + 1)]
    assert expected(either, binomial(n, rho)) == pytest.approx(1.0, rel=1e-11)
    edge = theta_margin(rho, 1.25)
    better = [log_e_noninferior(c, n - c, rho, 100.0, 1.25) for c in range(n + 1)]
    assert expected(better, binomial(n, edge)) == pytest.approx(1.0, rel=1e-11)
    assert expected(better, binomial(n, edge + 0.1 * (1 - edge))) < 1.0


def test_e_is_monotone_in_both_counts_so_it_can_be_tabulated() -> None:
    harm = np.array([[log_e_harm(c, b, 0.1) for b in range(0, 80, 4)] for c in range(40)])
    margin = np.array([[log_e_noninferior(c, b, 0.1) for b in range(0, 80, 4)] for c in range(40)])
    assert (np.diff(harm, axis=0) > 0).all() and (np.diff(harm, axis=1) < 0).all()
    assert (np.diff(margin, axis=0) < 0).all() and (np.diff(margin, axis=1) > 0).all()


def test_harm_against_numerical_integration() -> None:
    """E = mean of the likelihood ratio over the prior cut to theta > rho, by midpoints."""
    c, b, rho, k = 9, 20, 0.2, 100.0
    theta = rho + (1 - rho) * (np.arange(200_000) + 0.5) / 200_000
    prior = scipy.stats.beta.pdf(theta, k * rho, k * (1 - rho))
    ratio = (theta / rho) ** c * ((1 - theta) / (1 - rho)) ** b
    assert math.exp(log_e_harm(c, b, rho, k)) == pytest.approx(float((ratio * prior).sum() / prior.sum()), rel=1e-6)


def test_large_counts_stay_finite() -> None:
    assert log_e_harm(50_000, 1_000_000, 0.05) == pytest.approx(log_e_harm(50_000, 1_000_000, 0.05))
    assert math.isfinite(log_e_harm(1_000_000, 0, 0.05)) and math.isfinite(log_e_harm(0, 1_000_000, 0.05))


def test_theta_interval_holds_the_estimate_and_widens_from_nothing() -> None:
    assert theta_interval(0, 0, 0.1) == (0.0, 1.0)
    low, high = theta_interval(10, 90, 0.1)
    assert low < 0.1 < high
    narrow = theta_interval(1000, 9000, 0.1)
    assert low < narrow[0] < 0.1 < narrow[1] < high
    for edge in theta_interval(30, 70, 0.1):  # at the ends the two-sided evidence is exactly 1/alpha
        e = log_e_multinomial((30, 70), (0.1, 0.9)) + 30 * math.log(0.1 / edge) + 70 * math.log(0.9 / (1 - edge))
        assert e == pytest.approx(math.log(20.0), rel=1e-6)


def stream(
    rng: np.random.Generator, weight: float, looks: int, ratio: float, judge: EProcessCounts, rate: float = 0.01
) -> list[Finding]:
    look, out = judge.start(0, None), []
    canary = rng.binomial(int(1000 * weight), rate * ratio, looks)
    baseline = rng.binomial(1000 - int(1000 * weight), rate, looks)
    for i, (c, b) in enumerate(zip(canary.tolist(), baseline.tolist(), strict=True)):
        n = int(1000 * weight)
        out.append(look.look(Window(60.0 * i, 60.0 * i + 60.0, weight, Arm(n, c), Arm(1000 - n, b))))
        if out[-1].verdict in ("fail", "pass"):
            break
    return out


def test_false_alarms_under_the_null_stay_below_alpha_at_any_stop() -> None:
    """600 healthy runs of 50 looks. A judge of size alpha exceeds the bound with chance at most 0.001; seed fixed."""
    rng, runs, alpha = np.random.default_rng(2024), 600, 0.05
    judge = EProcessCounts(alpha=alpha)
    alarms = sum(stream(rng, 0.1, 50, 1.0, judge)[-1].verdict == "fail" for _ in range(runs))
    assert alarms <= scipy.stats.binom.ppf(0.999, runs, alpha)
    assert alarms > 0  # it is a test, not a wall


def test_a_canary_three_times_as_bad_is_found() -> None:
    """200 runs; power at this effect is above 0.99, so fewer than 190 has chance below 1e-4 for a working judge."""
    rng = np.random.default_rng(7)
    found = [stream(rng, 0.1, 50, 3.0, EProcessCounts()) for _ in range(200)]
    assert sum(run[-1].verdict == "fail" for run in found) >= 190
    assert np.median([len(run) for run in found]) < 30


def test_a_margin_passes_early_and_rarely_a_canary_at_the_margin() -> None:
    """100 healthy runs mostly pass; 200 runs at the margin pass at most at the 99.9 % point of Bin(200, alpha)."""
    rng, judge = np.random.default_rng(9), EProcessCounts(margin=1.5)
    healthy = [stream(rng, 0.5, 100, 1.0, judge, rate=0.03)[-1].verdict for _ in range(100)]
    assert healthy.count("pass") >= 80
    edge = [stream(rng, 0.5, 60, 1.5, judge, rate=0.03)[-1].verdict for _ in range(200)]
    assert edge.count("pass") <= scipy.stats.binom.ppf(0.999, 200, 0.05)


def test_evidence_is_the_product_of_the_factors_of_the_steps() -> None:
    look = EProcessCounts().start(0, None)
    look.look(Window(0, 60, 0.1, Arm(100, 2), Arm(900, 3)))
    look.look(Window(60, 120, 0.1, Arm(100, 2), Arm(900, 4)))
    found = look.look(Window(120, 180, 0.5, Arm(500, 5), Arm(500, 4)))
    total = log_e_harm(4, 7, 0.1) + log_e_harm(5, 4, 0.5)
    assert dict(found.evidence)["statistic"] == pytest.approx(total, rel=1e-12)
    back = look.look(Window(180, 240, 0.1, Arm(100, 1), Arm(900, 3)))
    assert dict(back.evidence)["statistic"] == pytest.approx(total + log_e_harm(1, 3, 0.1), rel=1e-12)


def test_the_p_value_never_rises_and_a_failure_is_final() -> None:
    look = EProcessCounts().start(0, None)
    found = [look.look(Window(i, i + 1, 0.5, Arm(100, c), Arm(100, 1))) for i, c in enumerate((9, 0, 0, 60, 0, 0))]
    ps = [dict(f.evidence)["p"] for f in found]
    assert ps == sorted(ps, reverse=True)
    assert [f.verdict for f in found][3:] == ["fail", "fail", "fail"]


def test_a_split_that_is_not_the_planned_one_is_reported_instead_of_judged() -> None:
    """Equal arms under a 5 % weight: with rho = 0.05 a healthy canary would be convicted."""
    seen = Window(0, 60, 0.05, Arm(1000, 10), Arm(1000, 10))
    found = EProcessCounts().start(0, None).look(seen)
    assert (found.verdict, "set split" in found.reason) == ("inconclusive", True)
    for split in ("equal", "requests"):
        assert EProcessCounts(split=split).start(0, None).look(seen).verdict == "continue"  # type: ignore[arg-type]


def test_a_split_taken_from_the_requests_keeps_alpha_when_the_plan_is_wrong() -> None:
    """400 healthy runs with a random share of 1/11; above the 99.9 % point of Bin(400, .05) has chance < 0.001."""
    rng, failed, judge = np.random.default_rng(14), 0, EProcessCounts(split="requests")
    for _ in range(400):
        look, verdict = judge.start(0, None), "continue"
        for i, n in enumerate(rng.binomial(1000, 1 / 11, 30).tolist()):
            arms = Arm(n, int(rng.binomial(n, 0.02))), Arm(1000 - n, int(rng.binomial(1000 - n, 0.02)))
            verdict = look.look(Window(i, i + 1, 0.05, *arms)).verdict
        failed += verdict == "fail"
    assert failed <= scipy.stats.binom.ppf(0.999, 400, 0.05)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_weight_without_anything_to_compare_is_inconclusive(weight: float) -> None:
    found = EProcessCounts().start(0, None).look(Window(0, 60, weight, Arm(100, 1), Arm(100, 1)))
    assert found.verdict == "inconclusive"


def test_at_end_decides_what_no_harm_means() -> None:
    last = EProcessCounts().start(0, None).look(Window(0, 60, 0.5, Arm(100, 1), Arm(100, 1)))
    assert conclude(EProcessCounts(), last).verdict == "inconclusive"
    assert conclude(EProcessCounts(at_end="pass"), last).verdict == "pass"
