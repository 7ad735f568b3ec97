"""Mathematical functions with the results of Go's `math` package, which differ in the last bit from other libraries'."""

from __future__ import annotations

import numpy as np

from sim.promql.values import Floats

__all__ = ["atan2", "power"]


def power(base: Floats, exponent: Floats) -> Floats:
    return np.power(base, exponent)


def atan2(y: Floats, x: Floats) -> Floats:
    return np.arctan2(y, x)


acos, acosh, asin, asinh, atan, atanh = np.arccos, np.arccosh, np.arcsin, np.arcsinh, np.arctan, np.arctanh
cos, cosh, sin, sinh, tan, tanh = np.cos, np.cosh, np.sin, np.sinh, np.tan, np.tanh
exp, log, log10, log2 = np.exp, np.log, np.log10, np.log2


def minimum(a: Floats, b: Floats) -> Floats:
    """math.Min: -Inf wins over NaN."""
    return np.where((a == -np.inf) | (b == -np.inf), -np.inf, np.minimum(a, b))


def maximum(a: Floats, b: Floats) -> Floats:
    """math.Max: +Inf wins over NaN."""
    return np.where((a == np.inf) | (b == np.inf), np.inf, np.maximum(a, b))
