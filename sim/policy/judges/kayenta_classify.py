"""Kayenta's classification of one metric: Pass, High, Low, Nodata, NodataFailMetric or Error.

Depends on the samples of one window, not on counts. Source: judges.md section 4.3 (NetflixACAJudge-v1.0 and its
classifiers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isinf, isnan, nan, sqrt
from statistics import median
from typing import Literal

from sim.policy.judges.kayenta_metric import Metric
from sim.policy.judges.mann_whitney import Shift, cles, mean, shift_interval, trim

__all__ = [
    "CONFIDENCE", "TOLERANCE", "ArmReport", "Bound", "Classified", "Label", "Noise", "classify", "estimate_bound",
    "margin_bound", "report",
]  # fmt: skip

Label = Literal["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]
Noise = Callable[[str, int], float]  # (arm "exp" or "ctl", index) -> standard normal
Bound = Callable[[Shift, tuple[float, ...]], float]  # (shift, control values) -> how far the interval must clear zero

TOLERANCE = 0.25  # NetflixACAJudge.scala:146, a constant
CONFIDENCE = 0.98


@dataclass(frozen=True, slots=True)
class ArmReport:
    """Summary of one arm after NaN and outlier handling; zeros for an empty arm."""

    count: int = 0
    minimum: float = 0.0
    maximum: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Classified:
    """One classified metric. `deviation` is the mean ratio (NaN if undefined), `critical` zeroes the score."""

    metric: Metric
    label: Label
    critical: bool = False
    deviation: float = 1.0
    shift: Shift | None = None
    error: str = ""
    experiment: ArmReport = ArmReport()
    control: ArmReport = ArmReport()


def estimate_bound(shift: Shift, control: tuple[float, ...]) -> float:
    """The bound of version 1: it scales with the estimate itself, so even the smallest shift is flagged (quirk e)."""
    return TOLERANCE * abs(shift.estimate)


def margin_bound(shift: Shift, control: tuple[float, ...]) -> float:
    """The bound of `kayenta.aca_margin`: a share of the control's median."""
    return TOLERANCE * abs(median(control))


def report(values: tuple[float, ...]) -> ArmReport:
    """Count, extremes, mean and sample standard deviation (0 for one point)."""
    if not values:
        return ArmReport()
    m, n = mean(values), len(values)
    deviation = sqrt(sum((v - m) ** 2 for v in values) / (n - 1)) if n > 1 else 0.0
    return ArmReport(n, min(values), max(values), m, deviation)


def _prepare(metric: Metric, values: tuple[float, ...]) -> tuple[float, ...]:
    """Steps 1 and 2: NaN removed or set to 0, then outliers."""
    replace = metric.nan == "replace"
    known = tuple(0.0 if isnan(v) else v for v in values if replace or not isnan(v))
    return trim(known, metric.outlier_factor) if metric.outliers == "remove" else known


def classify(
    metric: Metric,
    experiment: tuple[float, ...],
    control: tuple[float, ...],
    noise: Noise,
    bound: Bound = estimate_bound,
) -> Classified:
    """Steps 1 to 11 for one pair of series. Infinite values are an Error (ours; upstream lets them through)."""
    if any(isinf(v) for v in (*experiment, *control)):
        return Classified(metric, "Error", error="a value is infinite")
    exp, ctl = _prepare(metric, experiment), _prepare(metric, control)
    arms = report(exp), report(ctl)
    if not exp or not ctl:
        return _empty(metric, *arms)
    if sorted(exp) == sorted(ctl) or len({*exp, *ctl}) == 1:
        return Classified(metric, "Pass", experiment=arms[0], control=arms[1])
    if len(set(exp)) == 1 and len(set(ctl)) == 1:
        exp = tuple(v + noise("exp", i) * (v * 1e-5) for i, v in enumerate(exp))
        ctl = tuple(v + noise("ctl", i) * (v * 1e-5) for i, v in enumerate(ctl))
    try:
        shift = shift_interval(exp, ctl, CONFIDENCE)
        return _decide(metric, exp, ctl, shift, bound, arms)
    except (ArithmeticError, ValueError) as problem:
        return Classified(metric, "Error", error=str(problem), experiment=arms[0], control=arms[1])


def _empty(metric: Metric, exp: ArmReport, ctl: ArmReport) -> Classified:
    """Step 3: at least one arm has no values left."""
    if metric.nan == "replace":
        return Classified(metric, "Pass", experiment=exp, control=ctl)
    if metric.must_have_data and not metric.critical:
        return Classified(metric, "NodataFailMetric", experiment=exp, control=ctl)
    return Classified(metric, "Nodata", critical=metric.critical, experiment=exp, control=ctl)


def _ratio(exp: tuple[float, ...], ctl: tuple[float, ...]) -> float:
    """Mean ratio; NaN when either mean is exactly 0."""
    a, b = mean(exp), mean(ctl)
    return nan if a == 0.0 or b == 0.0 else a / b


def _decide(
    metric: Metric,
    exp: tuple[float, ...],
    ctl: tuple[float, ...],
    shift: Shift,
    bound: Bound,
    arms: tuple[ArmReport, ArmReport],
) -> Classified:
    """Steps 9 and 10: the interval must clear the bound and the effect must be beyond its limit."""
    deviation = _ratio(exp, ctl)
    effect = cles(exp, ctl) if metric.effect == "cles" else deviation
    clear = bound(shift, ctl)

    def above(field: str) -> bool:
        return isnan(effect) or effect >= metric.limit(field)

    def below(field: str) -> bool:
        return isnan(effect) or effect <= metric.limit(field)

    label: Label = "Pass"
    critical = False
    if metric.direction != "decrease" and shift.lower > clear and above("allowed_increase"):
        label, critical = "High", above("critical_increase")
    elif metric.direction != "increase" and shift.upper < -clear and below("allowed_decrease"):
        label, critical = "Low", below("critical_decrease")
    return Classified(metric, label, metric.critical and critical, deviation, shift, "", *arms)
