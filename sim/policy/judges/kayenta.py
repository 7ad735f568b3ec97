"""`kayenta.aca_seeded` and `kayenta.aca_margin`: Netflix's automated canary analysis, on the samples of one window.

`aca_seeded` is NetflixACAJudge-v1.0 step by step, with noise from the run's seed where upstream draws from an unseeded
global generator. It has no error guarantee: any shift is flagged once n is large enough (quirk e), and repeated
judgements on growing windows are peeking (quirk j). `aca_margin` compares the interval with a share of the control's
median instead. Source: judges.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import ClassVar, Literal

from sim.policy.chance import normal
from sim.policy.judges.base import (
    Arm,
    Finding,
    OnNodata,
    Truth,
    Verdict,
    Window,
    arms,
    finding,
    require,
    require_one_of,
    require_rules,
)
from sim.policy.judges.kayenta_classify import Bound, Classified, classify, estimate_bound, margin_bound
from sim.policy.judges.kayenta_metric import Metric, pair
from sim.policy.judges.kayenta_score import Score, grade, score

__all__ = ["ErrorPolicy", "Kayenta", "KayentaLook", "KayentaMargin"]

ErrorPolicy = Literal["ignore", "inconclusive", "fail"]
_VERDICTS: dict[str, Verdict] = {"Pass": "pass", "Marginal": "inconclusive", "Fail": "fail"}


@dataclass(frozen=True, slots=True)
class Kayenta:
    """Mann-Whitney on each metric, groups by weight, one score: `pass_score` passes, below `marginal_score` fails.

    `error_policy` says what a metric of class Error means: "ignore" is version 1 (quirk b). `expected_points` pads
    short series with NaN, as upstream does for the interval. Series that no metric names are not read. `on_nodata`
    answers a window without canary requests; a metric without samples is Kayenta's own business (Nodata).

    >>> from sim.policy.judges import Arm, Window
    >>> judge = Kayenta(metrics=(Metric("latency", groups=("slow",), direction="increase"),))
    >>> slow = tuple(0.2 + i / 1000 for i in range(50)); fast = tuple(v - 0.1 for v in slow)
    >>> window = Window(0, 3600, 0.05, Arm(9, 0, points=(("latency", slow),)), Arm(9, 0, points=(("latency", fast),)))
    >>> judge.start(seed=7, truth=None).look(window).verdict
    'fail'
    """

    name: ClassVar[str] = "kayenta.aca_seeded"
    sequential: ClassVar[bool] = False

    metrics: tuple[Metric, ...]
    weights: tuple[tuple[str, float], ...] = ()
    pass_score: float = 95.0
    marginal_score: float = 75.0
    error_policy: ErrorPolicy = "ignore"
    expected_points: int = 0
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require(bool(self.metrics), "kayenta has no metrics to judge; list at least one")
        names = [m.name for m in self.metrics]
        require(len(set(names)) == len(names), f"metric names must differ, got {names}")
        require(
            self.pass_score >= self.marginal_score,
            f"pass_score must not be below marginal_score, got {self.pass_score} and {self.marginal_score}; swap them",
        )
        require(self.expected_points >= 0, f"expected_points must be 0 or more, got {self.expected_points}")
        require_one_of("error_policy", self.error_policy, "ignore", "inconclusive", "fail")
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> KayentaLook:
        """A look that remembers only how many windows it has judged (the key of its noise)."""
        return KayentaLook(self, seed, estimate_bound)


@dataclass(frozen=True, slots=True)
class KayentaMargin(Kayenta):
    """As `Kayenta`, but the interval must clear 0.25 of the control's median, and a metric in error is not ignored.

    >>> KayentaMargin(metrics=(Metric("latency"),)).error_policy
    'inconclusive'
    """

    name: ClassVar[str] = "kayenta.aca_margin"
    error_policy: ErrorPolicy = "inconclusive"

    def start(self, seed: int, truth: Truth | None) -> KayentaLook:
        """As `Kayenta.start`."""
        return KayentaLook(self, seed, margin_bound)


class KayentaLook:
    """Judges each window alone; `judgement` gives the parts behind the verdict."""

    __slots__ = ("bound", "count", "judge", "seed")

    def __init__(self, judge: Kayenta, seed: int, bound: Bound) -> None:
        self.judge, self.seed, self.bound, self.count = judge, seed, bound, 0

    def look(self, window: Window) -> Finding:
        """pass, fail, inconclusive (marginal), or error when series cannot be paired."""
        if isinstance(pair := arms(window, self.judge.on_nodata), Finding):
            return pair
        try:
            results, total = self.judgement(*pair)
        except ArithmeticError as problem:
            return finding("error", str(problem), requests=window.canary.requests)
        return self._answer(results, total, window.canary.requests)

    def judgement(self, canary: Arm, baseline: Arm) -> tuple[tuple[Classified, ...], Score]:
        """Every classified metric and the score. Raises `ArithmeticError` when series cannot be paired."""
        j, results = self.judge, []
        for metric in j.metrics:
            pairs = pair(metric.name, canary.points, baseline.points, j.expected_points)
            for k, (exp, ctl) in enumerate(pairs):
                noise = partial(normal, self.seed, j.name, self.count, metric.name, k)
                results.append(classify(metric, exp, ctl, noise, self.bound))
        self.count += 1
        return tuple(results), score(results, dict(j.weights))

    def _answer(self, results: tuple[Classified, ...], total: Score, requests: int) -> Finding:
        j, kind = self.judge, grade(total.summary, self.judge.pass_score, self.judge.marginal_score)
        errors = [r for r in results if r.label == "Error" and not r.metric.muted]
        numbers = {"statistic": total.summary, "threshold": j.pass_score, "requests": requests, "errors": len(errors)}
        numbers |= {f"ratio {r.metric.name}": r.deviation for r in results if isfinite(r.deviation)}
        if errors and j.error_policy != "ignore" and kind != "Fail":
            first = errors[0]
            reason = f"metric {first.metric.name} is in error: {first.error} (error_policy: {j.error_policy})"
            return finding(j.error_policy, reason, **numbers)
        off = [f"{r.metric.name} {r.label}" for r in results if r.label != "Pass"]
        why = total.reason or (", ".join(off) if off else "all metrics pass")
        text = f"score {total.summary:g} is {kind} (pass {j.pass_score:g}, marginal {j.marginal_score:g}): {why}"
        return finding(_VERDICTS[kind], text, **numbers)
