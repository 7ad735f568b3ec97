"""Brent's root finder exactly as Kayenta runs it: R's `zeroin` with an absolute tolerance.

On a step function the answer depends on this very path, which is why it is here and not a library's; a different root
finder agrees only to about the tolerance. Source: judges.md section 4.3, step 8 (Kayenta's BrentSolver; R. Brent,
1973).
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["zeroin"]

_EPS = 2.220446049250313e-16


def zeroin(
    f: Callable[[float], float],
    a: float,
    b: float,
    fa: float,
    fb: float,
    tolerance: float = 1e-4,
    iterations: int = 1000,
) -> float:
    """A root of `f` between a and b; `fa`, `fb` are its values there. Ends silently after `iterations` + 1 rounds.

    >>> round(zeroin(lambda x: x * x - 2, 0, 2, -2, 2, tolerance=1e-12), 9)
    1.414213562
    """
    if fa == 0.0:
        return a
    if fb == 0.0:
        return b
    c, fc = a, fa
    for _ in range(iterations + 1):
        previous = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        tol = 2.0 * _EPS * abs(b) + 0.5 * tolerance
        new = (c - b) / 2.0
        if abs(new) <= tol or fb == 0.0:
            return b
        if abs(previous) >= tol and abs(fa) > abs(fb):
            p, q = _interpolate(a, b, c, fa, fb, fc)
            if p < 0.75 * (c - b) * q - abs(tol * q) / 2.0 and p < abs(previous * q / 2.0):
                new = p / q
        if abs(new) < tol:
            new = tol if new > 0.0 else -tol
        a, fa = b, fb
        b += new
        fb = f(b)
        if (fb > 0.0 and fc > 0.0) or (fb < 0.0 and fc < 0.0):
            c, fc = a, fa
    return b


def _interpolate(a: float, b: float, c: float, fa: float, fb: float, fc: float) -> tuple[float, float]:
    """The step p/q with p >= 0: a secant when a is c, else inverse quadratic."""
    cb = c - b
    if a == c:
        t1 = fb / fa
        p, q = cb * t1, 1.0 - t1
    else:
        q, t1, t2 = fa / fc, fb / fc, fb / fa
        p = t2 * (cb * q * (q - t1) - (b - a) * (t1 - 1.0))
        q = (q - 1.0) * (t1 - 1.0) * (t2 - 1.0)
    return (p, -q) if p > 0.0 else (-p, q)
