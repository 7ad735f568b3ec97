"""`eprocess.counts`: errors of canary and baseline, watched all the time; its false-alarm rate holds at any stop.

Given an error, it is the canary's with chance theta; healthy means theta = rho, the canary's share of the requests. E
is a non-negative martingale (supermartingale on the composite null), so it ever reaches 1/alpha with chance at most
alpha. Exact when errors are independent; overdispersed errors break the guarantee. Source: judges.md section 8 (Lindon
and Malek, arXiv 2011.03567).

The functions depend on the cumulative bad counts of one step only and are monotone in both: `log_e_harm` rises with the
canary's errors and falls with the baseline's, `log_e_noninferior` the other way round, so the engine may tabulate them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log
from typing import ClassVar

from sim.policy.judges.base import (
    Arm,
    AtEnd,
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    require,
    require_one_of,
    require_ratio,
    require_rules,
)
from sim.policy.judges.split import MISMATCH, Split, mismatch, share
from sim.policy.special import bisect, log_beta, log_beta_tails

__all__ = [
    "EProcessCounts", "EProcessCountsLook", "log_e_harm", "log_e_multinomial", "log_e_noninferior", "theta_interval",
    "theta_margin",
]  # fmt: skip


def log_e_multinomial(counts: Sequence[int], shares: Sequence[float], k: float = 100.0) -> float:
    """log E of "the arms' errors are split as `shares`", against any other split.

    >>> log_e_multinomial((0, 0), (0.5, 0.5))
    0.0
    """
    n = sum(counts)
    arms = zip(counts, shares, strict=True)
    return lgamma(k) - lgamma(k + n) + sum(lgamma(k * r + c) - lgamma(k * r) - c * log(r) for c, r in arms)


def _log_e(canary_bad: int, baseline_bad: int, rho: float, k: float, null: float, side: int) -> float:
    """log E against theta = null, with the Beta(k rho, k (1 - rho)) prior cut to one side of it (0 below, 1 above)."""
    a, b = k * rho, k * (1.0 - rho)
    after = log_beta(a + canary_bad, b + baseline_bad) + log_beta_tails(null, a + canary_bad, b + baseline_bad)[side]
    return after - _log_prior(a, b, null, side) - canary_bad * log(null) - baseline_bad * log(1.0 - null)


@lru_cache(maxsize=512)
def _log_prior(a: float, b: float, null: float, side: int) -> float:
    """The same before any error; one number per step of a policy, so it is kept."""
    return log_beta(a, b) + log_beta_tails(null, a, b)[side]


def log_e_harm(canary_bad: int, baseline_bad: int, rho: float, k: float = 100.0) -> float:
    """log E of "the canary is not worse" (theta <= rho), valid for the whole composite null.

    >>> log_e_harm(12, 3, 0.5) > log_e_harm(0, 0, 0.5) == 0.0 > log_e_harm(3, 12, 0.5)
    True
    """
    return _log_e(canary_bad, baseline_bad, rho, k, rho, 1)


def theta_margin(rho: float, margin: float) -> float:
    """The theta of an error-rate ratio of `margin`."""
    return rho * margin / (rho * margin + 1.0 - rho)


def log_e_noninferior(canary_bad: int, baseline_bad: int, rho: float, k: float = 100.0, margin: float = 1.25) -> float:
    """log E of "the canary's error rate is at least `margin` times the baseline's"; large means it is not."""
    return _log_e(canary_bad, baseline_bad, rho, k, theta_margin(rho, margin), 0)


def theta_interval(
    canary_bad: int, baseline_bad: int, rho: float, k: float = 100.0, alpha: float = 0.05
) -> tuple[float, float]:
    """Confidence sequence for theta; logit(theta) - logit(rho) is the logarithm of the error-rate ratio."""
    a, b = k * rho, k * (1.0 - rho)
    base = log_beta(a + canary_bad, b + baseline_bad) - log_beta(a, b) - log(1.0 / alpha)

    def outside(theta: float) -> float:
        return base - canary_bad * log(theta) - baseline_bad * log(1.0 - theta)

    n, edge = canary_bad + baseline_bad, 1e-15
    middle = canary_bad / n if n else rho
    lower = 0.0 if canary_bad == 0 or outside(edge) < 0.0 else bisect(outside, edge, middle)
    upper = 1.0 if baseline_bad == 0 or outside(1.0 - edge) < 0.0 else bisect(outside, middle, 1.0 - edge)
    return lower, upper


@dataclass(frozen=True, slots=True)
class EProcessCounts:
    """Fails when the evidence of harm reaches 1/alpha, at any look; passes early when a `margin` is excluded as well.

    `k` is the weight of the prior, in errors. rho is fixed within a step: a new weight starts a new factor, and the
    product of the factors is the evidence. `split` says what the baseline arm is (see split.py). Without a `margin` it
    never passes by itself, and `at_end` says what no harm found by the last look means. A failure is final.

    >>> from sim.policy.judges import Arm, Window
    >>> look = EProcessCounts().start(seed=0, truth=None)
    >>> look.look(Window(0, 60, 0.5, Arm(1000, 12), Arm(1000, 10))).verdict
    'continue'
    >>> look.look(Window(60, 120, 0.5, Arm(1000, 60), Arm(1000, 10))).verdict
    'fail'
    """

    name: ClassVar[str] = "eprocess.counts"
    sequential: ClassVar[bool] = True

    alpha: float = 0.05
    k: float = 100.0
    margin: float | None = None
    split: Split = "rest"
    at_end: AtEnd = "inconclusive"
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require_ratio("alpha", self.alpha)
        require(self.k > 0, f"k must be positive, got {self.k}; 100 is the usual choice")
        require(
            self.margin is None or self.margin > 1,
            f"margin is an error-rate ratio above 1, got {self.margin}; 1.25 tolerates 25% more",
        )
        require_one_of("split", self.split, "rest", "equal", "requests")
        require_rules(self.on_nodata, self.at_end)

    def start(self, seed: int, truth: Truth | None) -> EProcessCountsLook:
        """Evidence 1 on both sides."""
        return EProcessCountsLook(self)


@dataclass(slots=True)
class _Step:
    """Counts of both arms since the weight became what it is."""

    weight: float
    canary: int = 0
    canary_bad: int = 0
    baseline: int = 0
    baseline_bad: int = 0


class EProcessCountsLook:
    """Cumulative counts of this step and the log evidence of the steps before."""

    __slots__ = ("decided", "done_harm", "done_margin", "highest", "judge", "step")

    def __init__(self, judge: EProcessCounts) -> None:
        self.judge = judge
        self.step = _Step(-1.0)
        self.done_harm = self.done_margin = 0.0
        self.highest = 0.0
        self.decided: Finding | None = None

    def look(self, window: Window) -> Finding:
        """continue, fail, pass (with a margin), or inconclusive where this window cannot be judged."""
        if self.decided is not None:
            return self.decided
        if isinstance(pair := arms(window, self.judge.on_nodata), Finding):
            return pair
        if window.weight != self.step.weight:
            self._turn(window.weight)
        self._count(*pair)
        step, j = self.step, self.judge
        rho = share(j.split, step.weight, step.canary, step.baseline)
        if not 0.0 < rho < 1.0:
            reason = f"canary share {rho:g} leaves nothing to compare with; a baseline needs traffic"
            return finding("inconclusive", reason, requests=step.canary)
        if (off := mismatch(step.canary, step.baseline, rho)) > MISMATCH:
            counted = step.canary / (step.canary + step.baseline)
            reason = (
                f"the canary should get {rho:g} of the requests and got {counted:g} "
                f"({off:.1f} standard deviations off); set split"
            )
            return finding("inconclusive", reason, statistic=off, threshold=MISMATCH, requests=step.canary)
        return self._decide(rho)

    def _turn(self, weight: float) -> None:
        """A new step: the evidence of the old one becomes a factor."""
        harm, margin = self._factors()
        self.done_harm += harm
        self.done_margin += margin
        self.step = _Step(weight)

    def _count(self, canary: Arm, baseline: Arm) -> None:
        step = self.step
        step.canary += canary.requests
        step.canary_bad += canary.bad
        step.baseline += baseline.requests
        step.baseline_bad += baseline.bad

    def _factors(self) -> tuple[float, float]:
        """log E of this step, harm and margin; a step without requests or a usable split contributes nothing."""
        step, j = self.step, self.judge
        if step.canary == 0:
            return 0.0, 0.0
        rho = share(j.split, step.weight, step.canary, step.baseline)
        if not 0.0 < rho < 1.0 or mismatch(step.canary, step.baseline, rho) > MISMATCH:
            return 0.0, 0.0
        harm = log_e_harm(step.canary_bad, step.baseline_bad, rho, j.k)
        margin = 0.0 if j.margin is None else log_e_noninferior(step.canary_bad, step.baseline_bad, rho, j.k, j.margin)
        return harm, margin

    def _decide(self, rho: float) -> Finding:
        j, step = self.judge, self.step
        harm, margin = self._factors()
        harm, margin, goal = harm + self.done_harm, margin + self.done_margin, log(1.0 / j.alpha)
        self.highest = max(self.highest, harm)
        numbers = {"statistic": harm, "threshold": goal, "p": exp(-self.highest), "requests": step.canary}
        seen = (
            f"{step.canary_bad} of {step.canary} canary and {step.baseline_bad} of {step.baseline} baseline requests "
            f"bad at share {rho:g}"
        )
        if harm >= goal:
            self.decided = finding("fail", f"evidence of harm e^{harm:.2f} >= 1/{j.alpha:g}: {seen}", **numbers)
            return self.decided
        if j.margin is None:
            return finding("continue", f"evidence of harm e^{harm:.2f} < 1/{j.alpha:g}: {seen}", **numbers)
        numbers["margin"] = margin
        excluded = margin >= goal
        reason = (
            f"evidence e^{margin:.2f} {'>=' if excluded else '<'} 1/{j.alpha:g} that the error rate is below "
            f"{j.margin:g} times the baseline's: {seen}"
        )
        return finding("pass" if excluded else "continue", reason, **numbers)
