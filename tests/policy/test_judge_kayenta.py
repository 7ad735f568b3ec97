"""Kayenta's classification, score and run, rule by rule, and the quirks a to j of judges.md section 4.6."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from sim.policy.judges import Arm, Kayenta, KayentaMargin, Metric, Window
from sim.policy.judges.kayenta_classify import Classified, Label, classify, margin_bound, report
from sim.policy.judges.kayenta_metric import pair
from sim.policy.judges.kayenta_run import few_points, outcome, plan, stops
from sim.policy.judges.kayenta_score import grade, score

NAN = math.nan
CRITICAL_VALUE = scipy.stats.norm.ppf(0.99) / 0.75  # quirk e: z_{(1+conf)/2} / (1 - tolerance)
QUIET: Callable[[str, int], float] = lambda arm, i: 0.0  # noqa: E731 - a value, not a function worth a name


def ramp(level: float, n: int = 60, step: float = 0.01) -> tuple[float, ...]:
    return tuple(level + step * i for i in range(n))


def label(
    metric: Metric, exp: tuple[float, ...], ctl: tuple[float, ...], noise: Callable[[str, int], float] = QUIET
) -> Label:
    return classify(metric, exp, ctl, noise).label


def classified(
    name: str, kind: Label, groups: tuple[str, ...] = ("g",), critical: bool = False, muted: bool = False
) -> Classified:
    return Classified(Metric(name, groups=groups, muted=muted, critical=critical), kind, critical)


def window(exp: tuple[float, ...], ctl: tuple[float, ...], name: str = "m") -> Window:
    return Window(0, 3600, 0.05, Arm(1000, 0, points=((name, exp),)), Arm(1000, 0, points=((name, ctl),)))


# --- 4.2 pairing


def test_pairs_match_by_labels_in_any_order_and_pad_with_nan() -> None:
    exp = (("m{pod=a,zone=x}", (1.0,)), ("other", (9.0,)))
    ctl = (("m{zone=x, pod=a}", (2.0, 3.0)),)
    (one,) = pair("m", exp, ctl, 3)
    assert one[0][0] == 1.0 and all(math.isnan(v) for v in one[0][1:]) and len(one[0]) == 3
    assert one[1][:2] == (2.0, 3.0) and math.isnan(one[1][2])


def test_an_unlabelled_side_stands_as_nan_against_every_labelled_series() -> None:
    pairs = pair("m", (("m", (1.0, 2.0)),), (("m{pod=a}", (3.0, 4.0)), ("m{pod=b}", (5.0, 6.0))), 2)
    assert [p[1] for p in pairs] == [(3.0, 4.0), (5.0, 6.0)]
    assert all(math.isnan(v) for p in pairs for v in p[0])


def test_a_missing_side_is_nan_and_a_missing_metric_one_empty_pair() -> None:
    (one,) = pair("m", (), (("m", (1.0, 2.0)),), 2)
    assert all(math.isnan(v) for v in one[0]) and one[1] == (1.0, 2.0)
    assert pair("m", (), (), 0) == (((), ()),)


def test_different_label_keys_fail_the_whole_judgement() -> None:
    points = (("m{pod=a}", ramp(1.0)),), (("m{zone=x}", ramp(1.0)),)
    with pytest.raises(ArithmeticError, match="different labels"):
        pair("m", *points, 0)
    judged = Window(0, 60, 0.1, Arm(9, 0, points=points[0]), Arm(9, 0, points=points[1]))
    assert Kayenta(metrics=(Metric("m"),)).start(0, None).look(judged).verdict == "error"


# --- 4.3 classification


def test_shifts_are_high_low_or_pass_by_direction() -> None:
    up, down = ramp(2.0), ramp(1.0)
    expected: dict[str, tuple[Label, Label]] = {
        "increase": ("High", "Pass"),
        "decrease": ("Pass", "Low"),
        "either": ("High", "Low"),
    }
    for direction, kinds in expected.items():
        metric = Metric("m", direction=direction)  # type: ignore[arg-type]
        assert (label(metric, up, down), label(metric, down, up)) == kinds
    assert label(Metric("m"), up, tuple(reversed(up))) == "Pass"  # equal as sorted lists


def test_empty_arms() -> None:
    full, empty = ramp(1.0), (NAN, NAN)
    cases: list[tuple[Metric, Label, bool]] = [
        (Metric("m"), "Nodata", False),
        (Metric("m", critical=True), "Nodata", True),
        (Metric("m", must_have_data=True), "NodataFailMetric", False),
        (Metric("m", must_have_data=True, critical=True), "Nodata", True),
    ]
    for metric, kind, critical in cases:
        for arms in ((empty, full), (full, empty), ((), ())):
            got = classify(metric, *arms, QUIET)
            assert (got.label, got.critical, got.deviation) == (kind, critical, 1.0)


def test_constant_arms_get_noise_from_the_seed_only_when_both_are_constant() -> None:
    calls: list[tuple[str, int]] = []

    def noise(arm: str, i: int) -> float:
        calls.append((arm, i))
        return math.sin(len(calls))

    metric = Metric("m", direction="increase")
    assert label(metric, (2.0,) * 30, (1.0,) * 30, noise) == "High"
    assert calls == [("exp", i) for i in range(30)] + [("ctl", i) for i in range(30)]
    calls.clear()
    assert label(metric, (1.0,) * 30, (1.0,) * 20, noise) == "Pass"  # one distinct pooled value
    assert label(metric, ramp(5.0), (1.0,) * 30, noise) == "High"
    assert calls == []


def test_outliers_are_removed_per_arm_before_anything_else() -> None:
    base = ramp(1.0, 200)
    spiky = (*base, 1e6)
    kept = classify(Metric("m"), spiky, base, QUIET)
    removed = classify(Metric("m", outliers="remove"), spiky, base, QUIET)
    assert kept.deviation > 1000 and removed.deviation == 1.0
    assert (kept.experiment.count, removed.experiment.count) == (201, 200)


def test_effect_sizes_gate_the_verdict() -> None:
    up, down = ramp(2.0), ramp(1.0)  # mean ratio about 1.77, every canary value above: CLES 1
    assert label(Metric("m", allowed_increase=1.7), up, down) == "High"
    assert label(Metric("m", allowed_increase=1.8), up, down) == "Pass"
    assert label(Metric("m", allowed_decrease=0.5), down, up) == "Pass"
    assert label(Metric("m", effect="cles", allowed_increase=0.99), up, down) == "High"
    assert label(Metric("m", effect="cles"), down, up) == "Low"
    assert Metric("m", effect="cles").limit("allowed_increase") == 0.5


def test_beyond_allowed_but_not_beyond_critical_is_not_critical() -> None:
    up, down = ramp(2.0), ramp(1.0)
    mild = classify(Metric("m", critical=True, critical_increase=3.0), up, down, QUIET)
    hard = classify(Metric("m", critical=True, critical_increase=1.5), up, down, QUIET)
    assert (mild.label, mild.critical, hard.label, hard.critical) == ("High", False, "High", True)


def test_a_zero_mean_leaves_the_effect_undefined_and_the_gate_open() -> None:
    zero, up = tuple(float(i) for i in range(-30, 31)), ramp(50.0, 61)
    got = classify(Metric("m"), up, zero, QUIET)
    assert math.isnan(got.deviation) and got.label == "High"


def test_infinite_values_are_an_error() -> None:
    assert label(Metric("m"), (1.0, math.inf), ramp(1.0)) == "Error"


def test_report_of_an_arm() -> None:
    assert report((1.0, 2.0, 3.0)).deviation == 1.0
    assert (report((4.0,)).deviation, report(()).count, report((4.0,)).mean) == (0.0, 0, 4.0)


# --- 4.4 score


def test_group_scores_count_passes_among_scored_metrics() -> None:
    results = [
        classified("a", "Pass"), classified("b", "High"), classified("c", "NodataFailMetric"),
        classified("d", "Nodata"), classified("e", "Error"), classified("f", "Pass", groups=()),
        classified("x", "Low", muted=True),
    ]  # fmt: skip
    got = score(results, {})
    assert [(g.name, round(g.score, 4), g.nodata) for g in got.groups] == [("g", 33.3333, False)]
    assert got.summary == 33.33


def test_critical_failure_and_mostly_nodata_zero_the_score() -> None:
    assert (
        score([classified("a", "Pass"), classified("b", "High", critical=True)], {}).reason
        == "critical metric b is High"
    )
    half = score([classified("a", "Pass"), classified("b", "Nodata")], {})
    assert (half.summary, half.reason) == (0.0, "1 of 2 metrics have no data")
    assert score([classified("a", "Pass"), classified("b", "NodataFailMetric")], {}).summary == 50.0
    assert score([], {}).summary == 0.0


def test_weights_are_percent_and_the_rest_is_shared() -> None:
    results = [classified("a", "Pass", ("x",)), classified("b", "High", ("y",)), classified("c", "Pass", ("z", "y"))]
    assert score(results, {"x": 50.0}).summary == 50.0 + 0.25 * 50 + 25.0
    assert score(results, {}).summary == 83.33  # a third each: 100, 50 and 100


def test_rounding_is_half_up_on_the_shortest_decimal() -> None:
    results = [classified("a", "Pass", ("x",)), classified("b", "High", ("y",))]
    assert score(results, {"x": 2.675, "y": 97.325}).summary == 2.68  # as a double 2.675 lies below the half


# --- the judge


def test_verdicts_by_score_and_evidence() -> None:
    metrics = tuple(Metric(f"m{i}", groups=("g",), direction="increase") for i in range(5))
    ctl = tuple((m.name, ramp(1.0)) for m in metrics)
    for failing, verdict in ((0, "pass"), (1, "inconclusive"), (2, "fail")):
        exp = tuple((m.name, ramp(2.0 if i < failing else 1.0)) for i, m in enumerate(metrics))
        seen = Window(0, 3600, 0.05, Arm(10, 0, points=exp), Arm(10, 0, points=ctl))
        found = Kayenta(metrics=metrics).start(0, None).look(seen)
        assert found.verdict == verdict
        assert dict(found.evidence)["statistic"] == 100.0 - 20.0 * failing


def test_noise_depends_on_the_seed_and_the_look_only() -> None:
    judge = Kayenta(metrics=(Metric("m", groups=("g",)),))
    seen = window((2.0,) * 20, (1.0,) * 20)
    looks = [judge.start(seed, None) for seed in (1, 1, 2)]
    first, same, other = (dict(look.look(seen).evidence)["ratio m"] for look in looks)
    second = dict(looks[0].look(seen).evidence)["ratio m"]
    assert first == same != other
    assert second != first


def test_the_margin_judge_tolerates_what_version_1_flags() -> None:
    rng = np.random.default_rng(1)
    exp, ctl = tuple(rng.normal(101.0, 1.0, 200)), tuple(rng.normal(100.0, 1.0, 200))
    metric = Metric("m", groups=("g",))
    assert Kayenta(metrics=(metric,)).start(0, None).look(window(exp, ctl)).verdict == "fail"
    assert KayentaMargin(metrics=(metric,)).start(0, None).look(window(exp, ctl)).verdict == "pass"
    big = tuple(v + 40.0 for v in exp)
    assert KayentaMargin(metrics=(metric,)).start(0, None).look(window(big, ctl)).verdict == "fail"
    assert classify(metric, big, ctl, QUIET, margin_bound).label == "High"


@pytest.mark.parametrize(
    ("policy", "verdict"), [("ignore", "pass"), ("inconclusive", "inconclusive"), ("fail", "fail")]
)
def test_error_policy(policy: str, verdict: str) -> None:
    judge = Kayenta(metrics=(Metric("m", groups=("g",)),), error_policy=policy)  # type: ignore[arg-type]
    found = judge.start(0, None).look(window((2.0,), (1.0,)))
    assert found.verdict == verdict
    assert dict(found.evidence)["errors"] == 1


# --- 4.5 the run


def test_plan_grows_slides_and_drops_the_remainder() -> None:
    growing = plan(lifetime=190, interval=60, control_offset=10, warmup=5)
    assert [(j.due, j.start, j.end, j.control_start, j.control_end) for j in growing.judgements] == [
        (65, 5, 65, -5, 55), (125, 5, 125, -5, 115), (185, 5, 185, -5, 175),
    ]  # fmt: skip
    sliding = plan(lifetime=180, interval=60, lookback=30)
    assert [(j.start, j.end) for j in sliding.judgements] == [(30, 60), (90, 120), (150, 180)]
    past = plan(end=120.9, interval=60, warmup=5)
    assert [(j.due, j.start, j.end) for j in past.judgements] == [(5, 0, 60), (5, 0, 120)]
    assert plan(lifetime=60).judgements == plan(lifetime=60, interval=90).judgements
    assert len(plan(lifetime=60).judgements) == 1


def test_plan_needs_a_lifetime() -> None:
    from sim.policy.errors import PolicyError

    with pytest.raises(PolicyError, match="set lifetime"):
        plan()
    with pytest.raises(PolicyError, match="at least one whole minute"):
        plan(lifetime=0.5)


@pytest.mark.parametrize(
    ("scores", "limits", "end"),
    [
        ((10.0,), (None, None), "pass"),
        ((90.0, 75.0, 100.0), (95.0, 75.0), "fail"),  # stopped by the second
        ((80.0, 100.0), (95.0, 75.0), "pass"),  # only the last one counts
        ((100.0, 80.0), (95.0, 75.0), "fail"),
        ((80.0,), (None, 75.0), "pass"),
        ((None,), (95.0, None), "fail"),
        ((), (95.0, 75.0), "fail"),
    ],
)
def test_outcome(scores: tuple[float | None, ...], limits: tuple[float | None, float | None], end: str) -> None:
    assert outcome(scores, *limits) == end


def test_short_control_series_are_named() -> None:
    assert few_points(Arm(9, 0, points=(("a", ramp(1.0, 49)), ("b", ramp(1.0, 50))))) == ("a",)


# --- 4.6 quirks


def test_quirk_a_marginal_for_the_classifier_is_terminal_for_the_runner() -> None:
    assert grade(75.0, 95.0, 75.0) == "Marginal"
    assert stops(75.0, 75.0)
    assert not stops(75.01, 75.0)


def test_quirk_b_errors_are_ignored_even_critical_ones_and_an_all_error_group_counts_100() -> None:
    results = [Classified(Metric("e", groups=("x",), critical=True), "Error"), classified("p", "Pass", ("y",))]
    got = score(results, {})
    assert got.summary == 100.0
    assert got.groups[0].nodata and got.groups[0].score == 0.0


def test_quirk_c_arms_with_one_point_end_as_error() -> None:
    got = classify(Metric("m", critical=True), (2.0,), (1.0,), lambda arm, i: 0.3)
    assert (got.label, got.critical) == ("Error", False)
    assert "tied" in got.error


def test_quirk_d_absent_groups_forfeit_weight_and_excess_weights_go_negative() -> None:
    results = [classified("a", "Pass", ("x",))]
    assert score(results, {"x": 40.0, "ghost": 60.0}).summary == 40.0
    two = [classified("a", "Pass", ("x",)), classified("b", "Pass", ("free",))]
    assert score(two, {"x": 150.0}).summary == 100.0  # 150 - 50
    mixed = [classified("a", "Pass", ("x",)), classified("b", "High", ("free",))]
    assert score(mixed, {"x": 150.0}).summary == 150.0


def test_quirk_e_any_shift_is_flagged_as_n_grows() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(100.0, 1.0, (2, 2000))
    shift = 0.2  # two tenths of a percent of the mean
    few = label(Metric("m"), tuple(noise[0, :40] + shift), tuple(noise[1, :40]))
    many = label(Metric("m"), tuple(noise[0] + shift), tuple(noise[1]))
    assert (few, many) == ("Pass", "High")
    wide = Metric("m", allowed_increase=1.01)
    assert label(wide, tuple(noise[0] + shift), tuple(noise[1])) == "Pass"


def test_quirk_f_power_follows_the_formula() -> None:
    """150 seeded runs; a correct judge leaves the exact 99.9 % interval with chance at most 0.001."""
    rng, n, delta, runs = np.random.default_rng(5), 100, 0.5, 150
    found = sum(
        label(Metric("m"), tuple(rng.normal(50.0 + delta, 1.0, n)), tuple(rng.normal(50.0, 1.0, n))) != "Pass"
        for _ in range(runs)
    )
    z = delta / math.sqrt(math.pi / 3 * 2 / n)
    power = scipy.stats.norm.cdf(z - CRITICAL_VALUE) + scipy.stats.norm.cdf(-z - CRITICAL_VALUE)
    low, high = scipy.stats.binom.interval(0.999, runs, power)
    assert low <= found <= high


def test_quirk_g_many_metrics_multiply_false_failures() -> None:
    metrics = [classified(f"m{i}", "High" if i == 0 else "Pass") for i in range(10)]
    assert grade(score(metrics, {}).summary, 95.0, 95.0) == "Fail"  # one of ten is enough at pass 95
    q = 2 * scipy.stats.norm.sf(CRITICAL_VALUE)
    assert q == pytest.approx(0.00192, abs=1e-5)
    assert 1 - (1 - q) ** 10 == pytest.approx(10 * q, rel=0.01)
    tolerant = [classified(f"m{i}", "High" if i < 2 else "Pass") for i in range(10)]
    assert grade(score(tolerant, {}).summary, 75.0, 75.0) == "Pass"  # more than K (1 - P/100) must fail


def test_quirk_h_the_mean_ratio_hides_real_shifts() -> None:
    higher = (*ramp(2.0, 59), -1e4)  # the location is up, one point drags the mean down
    assert label(Metric("m", direction="increase"), higher, ramp(1.0)) == "Pass"
    assert label(Metric("m", direction="increase", effect="cles"), higher, ramp(1.0)) == "High"
    up, down = tuple(-v for v in ramp(1.0)), tuple(-v for v in ramp(2.0))
    assert label(Metric("m"), up, down) == "Pass"  # negative means: the ratio is inverted
    assert label(Metric("m"), down, up) == "Pass"


def test_quirk_i_replace_makes_an_empty_list_pass_and_a_padded_one_zeros() -> None:
    metric = Metric("m", nan="replace", direction="decrease")
    assert label(metric, (), ramp(1.0)) == "Pass"
    assert label(metric, (NAN,) * 60, ramp(1.0)) == "Low"
    padded = Kayenta(metrics=(Metric("m", groups=("g",), nan="replace", direction="decrease"),), expected_points=60)
    assert padded.start(0, None).look(window((), ramp(1.0))).verdict == "fail"


def test_quirk_j_growing_windows_are_peeking() -> None:
    """Autocorrelated but equal arms: looking at every hour flags more runs than looking once at the end."""
    rng, once, ever = np.random.default_rng(8), 0, 0
    ends = [i.end for i in plan(lifetime=180, interval=30).judgements]
    for _ in range(40):
        arms = rng.normal(0.0, 1.0, (2, 180))
        for t in range(1, 180):
            arms[:, t] += 0.8 * arms[:, t - 1]
        arms += 100.0
        flagged = [label(Metric("m"), tuple(arms[0, : int(e)]), tuple(arms[1, : int(e)])) != "Pass" for e in ends]
        once, ever = once + flagged[-1], ever + any(flagged)
    assert ever > once > 0
