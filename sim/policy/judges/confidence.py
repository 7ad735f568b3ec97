"""Bounds that hold at every moment at once: mixture sequential tests and the confidence sequences they invert to.

S is the running sum of centred differences, V its intrinsic time (the sum of variances), rho > 0 the tuning of the
mixture. log M is the logarithm of a test martingale; it reaches ln(1/alpha) at any time with chance at most alpha when
the null is true. Source: judges.md section 7 (confseq 0.0.11, `uniform_boundaries.h`; Howard et al. 2021; gbstats
`frequentist/tests.py`).
"""

from __future__ import annotations

from math import inf, log, log1p, sqrt

from sim.policy.special import bisect, log_beta, log_beta_tails, log_normal_cdf, zeta

__all__ = [
    "asymptotic_half_width", "bernoulli_interval", "beta_binomial_bound", "beta_binomial_log_m",
    "one_sided_normal_bound", "one_sided_normal_log_m", "stitched_bound", "tune", "two_sided_normal_bound",
    "two_sided_normal_log_m",
]  # fmt: skip


def tune(v_opt: float, alpha: float, *, one_sided: bool = False) -> float:
    """The rho that makes the bound tightest near intrinsic time `v_opt`."""
    a = 2.0 * alpha if one_sided else alpha
    return v_opt / (2.0 * log(1.0 / a) + log1p(2.0 * log(1.0 / a)))


def two_sided_normal_log_m(s: float, v: float, rho: float) -> float:
    """log M of the two-sided normal mixture."""
    return 0.5 * log(rho / (v + rho)) + s * s / (2.0 * (v + rho))


def two_sided_normal_bound(v: float, alpha: float, rho: float) -> float:
    """The |S| at which the two-sided normal mixture rejects."""
    return sqrt((v + rho) * (log1p(v / rho) + 2.0 * log(1.0 / alpha)))


def one_sided_normal_log_m(s: float, v: float, rho: float) -> float:
    """log M of the one-sided normal mixture (harm is S > 0)."""
    z = s / sqrt(v + rho)
    return 0.5 * log(4.0 * rho / (v + rho)) + 0.5 * z * z + log_normal_cdf(z)


def one_sided_normal_bound(v: float, alpha: float, rho: float) -> float:
    """The S at which the one-sided normal mixture rejects, by bisection; below the two-sided bound at the same rho."""
    goal = log(1.0 / alpha)
    return bisect(lambda s: one_sided_normal_log_m(s, v, rho) - goal, 0.0, two_sided_normal_bound(v, alpha, rho))


def _log_partial_beta(a: float, b: float, x: float) -> float:
    """ln(I_x(a, b) B(a, b))."""
    return log_beta(a, b) if x >= 1.0 else log_beta_tails(x, a, b)[0] + log_beta(a, b)


def beta_binomial_log_m(s: float, v: float, rho: float, g: float, h: float, *, one_sided: bool = False) -> float:
    """log M of the beta-binomial mixture for increments in [-g, h]; S is at most V/g."""
    r, span = max(rho - g * h, 1e-3 * g * h), g + h
    x = h / span if one_sided else 1.0
    plain = v / (g * h) * log(span) - (v + h * s) / (h * span) * log(g) - (v - g * s) / (g * span) * log(h)
    seen = _log_partial_beta((r + v - g * s) / (g * span), (r + v + h * s) / (h * span), x)
    return plain + seen - _log_partial_beta(r / (g * span), r / (h * span), x)


def beta_binomial_bound(v: float, alpha: float, rho: float, g: float, h: float, *, one_sided: bool = False) -> float:
    """The S > 0 at which the beta-binomial mixture rejects; V/g (the most S can be) when it never does."""
    goal, most = log(1.0 / alpha), v / g

    def short(s: float) -> float:
        return beta_binomial_log_m(s, v, rho, g, h, one_sided=one_sided) - goal

    return most if short(most) < 0.0 else bisect(short, 0.0, most)


def bernoulli_interval(k: int, n: int, alpha: float, t_opt: float = 1000.0) -> tuple[float, float]:
    """Confidence sequence for a proportion: k of n seen; valid at every n at once, tightest near n = `t_opt`.

    >>> lower, upper = bernoulli_interval(5, 100, 0.05)
    >>> lower < 0.0215 and upper > 0.1118  # wider than Wilson's interval, which holds at one n only
    True
    """
    if not 0 <= k <= n:
        raise ValueError(f"a proportion needs 0 <= k <= n, got k={k}, n={n}")
    goal, mean = log(1.0 / alpha), (k / n if n else 0.5)

    def excess(p: float) -> float:
        g, h = p, 1.0 - p
        rho = tune(g * h * t_opt, alpha)
        return beta_binomial_log_m(k - p * n, g * h * n, rho, g, h) - goal

    edge = 1e-12
    middle = min(max(mean, edge), 1.0 - edge)
    lower = 0.0 if k == 0 or excess(edge) < 0.0 else bisect(excess, edge, middle, 60)
    upper = 1.0 if k == n or excess(1.0 - edge) < 0.0 else bisect(excess, middle, 1.0 - edge, 60)
    return lower, upper


def stitched_bound(v: float, v_min: float, c: float, alpha: float, s: float = 1.4, eta: float = 2.0) -> float:
    """The polynomial stitched bound: closed form, of the order of the law of the iterated logarithm."""
    k1, k2, u = (eta**0.25 + eta**-0.25) / sqrt(2.0), (sqrt(eta) + 1.0) / 2.0, max(v, v_min)
    length = s * log(log(eta * u / v_min)) + log(zeta(s) / log(eta) ** s) + log(1.0 / alpha)
    return sqrt(k1 * k1 * u * length + (k2 * c * length) ** 2) + k2 * c * length


def asymptotic_half_width(variance: float, n: int, alpha: float, n_opt: float = 5000.0, burn_in: int = 200) -> float:
    """Half-width of the asymptotic confidence sequence for a mean.

    `variance` is n times the variance of the estimate (for a plain mean the sample variance). Infinite before
    `burn_in`: the guarantee is asymptotic.
    """
    if n < burn_in:
        return inf
    square = (-2.0 * log(alpha) + log(1.0 - 2.0 * log(alpha))) / n_opt
    grown = n * square + 1.0
    return sqrt(variance) * sqrt(2.0 * grown * log(sqrt(grown) / alpha) / (n * n * square))
