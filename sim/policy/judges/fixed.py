"""`fixed.exact`: one test of canary errors against baseline errors, at a number of requests fixed in advance.

Its error rate alpha holds for that one look; looking again is `peeking_t`. Depends on cumulative counts alone;
`conditional_p` falls with canary_bad and rises with baseline_bad. Source: judges.md section 5, V20, V21, V22.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p, sqrt
from typing import ClassVar

from sim.policy.judges.base import (
    Finding,
    OnNodata,
    Truth,
    Window,
    arms,
    finding,
    require,
    require_ratio,
    require_rules,
)
from sim.policy.special import binomial_at_least, normal_quantile

__all__ = [
    "FixedExact", "FixedExactLook", "conditional_p", "one_sample_size", "sample_size", "seen_within",
    "two_proportion_z", "unseen",
]  # fmt: skip


def conditional_p(canary_bad: int, baseline_bad: int, rho: float) -> float:
    """Exact one-sided p-value: the chance of so many errors in the canary, given all errors; 1 without errors.

    >>> round(conditional_p(12, 3, 0.5), 9)
    0.017578125
    """
    return binomial_at_least(canary_bad, canary_bad + baseline_bad, rho)


def two_proportion_z(canary_bad: int, canary: int, baseline_bad: int, baseline: int) -> float:
    """Pooled z statistic of canary minus baseline; 0 when neither or every request is bad (no variance)."""
    pooled = (canary_bad + baseline_bad) / (canary + baseline)
    variance = pooled * (1.0 - pooled) * (1.0 / canary + 1.0 / baseline)
    return (canary_bad / canary - baseline_bad / baseline) / sqrt(variance) if variance > 0.0 else 0.0


def sample_size(p1: float, p2: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Requests per arm for a two-sided two-proportion test.

    >>> round(sample_size(0.01, 0.02), 3)
    2318.165
    """
    za, zb, mean = normal_quantile(1.0 - alpha / 2.0), normal_quantile(power), (p1 + p2) / 2.0
    spread = za * sqrt(2.0 * mean * (1.0 - mean)) + zb * sqrt(p1 * (1.0 - p1) + p2 * (1.0 - p2))
    return (spread / (p1 - p2)) ** 2


def one_sample_size(p0: float, p1: float, alpha: float = 0.05, power: float = 0.95) -> float:
    """Requests for a one-sided z-test of a known rate p0 against p1: what the sequential test is compared with."""
    spread = normal_quantile(1.0 - alpha) * sqrt(p0 * (1.0 - p0)) + normal_quantile(power) * sqrt(p1 * (1.0 - p1))
    return (spread / (p1 - p0)) ** 2


def unseen(p: float, n: int) -> float:
    """Chance that a fault which breaks a share p of requests shows in none of n."""
    return float((1.0 - p) ** n)


def seen_within(p: float, chance: float = 0.95) -> float:
    """Requests until a fault which breaks a share p has shown at least once with this chance."""
    return log1p(-chance) / log1p(-p)


@dataclass(frozen=True, slots=True)
class FixedExact:
    """Waits for `requests` canary requests, then tests once: fails when the exact conditional p-value is at most alpha.

    rho is the canary's share of the requests counted. After its one test it repeats its answer.

    >>> from sim.policy.judges import Arm, Window
    >>> look = FixedExact(requests=1000).start(seed=0, truth=None)
    >>> [look.look(Window(0, 60, 0.5, Arm(500, bad), Arm(500, 2))).verdict for bad in (6, 6)]
    ['continue', 'fail']
    """

    name: ClassVar[str] = "fixed.exact"
    sequential: ClassVar[bool] = True

    requests: int = 1000
    alpha: float = 0.05
    on_nodata: OnNodata = "inconclusive"

    def __post_init__(self) -> None:
        require(
            self.requests >= 1,
            f"requests must be at least 1, got {self.requests}; sample_size() tells how many are needed",
        )
        require_ratio("alpha", self.alpha)
        require_rules(self.on_nodata)

    def start(self, seed: int, truth: Truth | None) -> FixedExactLook:
        """No counts yet."""
        return FixedExactLook(self)


class FixedExactLook:
    """Cumulative counts until the one test."""

    __slots__ = ("bad", "decided", "judge", "requests")

    def __init__(self, judge: FixedExact) -> None:
        self.judge = judge
        self.requests, self.bad = [0, 0], [0, 0]
        self.decided: Finding | None = None

    def look(self, window: Window) -> Finding:
        """continue until there are enough requests, then pass or fail."""
        if self.decided is not None:
            return self.decided
        if isinstance(pair := arms(window, self.judge.on_nodata), Finding):
            return pair
        for i, arm in enumerate(pair):
            self.requests[i] += arm.requests
            self.bad[i] += arm.bad
        if self.requests[0] < self.judge.requests:
            return finding(
                "continue", f"{self.requests[0]} of {self.judge.requests} canary requests", requests=self.requests[0]
            )
        self.decided = self._test()
        return self.decided

    def _test(self) -> Finding:
        (canary, baseline), (c, b), alpha = self.requests, self.bad, self.judge.alpha
        rho = canary / (canary + baseline)
        p = conditional_p(c, b, rho)
        text = f"p = {p:.4g}, alpha {alpha:g}: {c} of {canary} canary and {b} of {baseline} baseline requests bad"
        return finding("fail" if p <= alpha else "pass", text, statistic=c, threshold=alpha, p=p, requests=canary)
