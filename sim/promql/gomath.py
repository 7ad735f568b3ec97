"""exp, logarithms and powers with the results of Go's `math` on amd64, which differ in the last bit from other libraries'.

Sources of the methods and constants: FreeBSD msun (e_log.c, s_log1p.c; Sun Microsystems), SLEEF (N. Shibata, 2010, public domain) for
exp, both as Go's math package (log_amd64.s, exp_amd64.s, log1p.go, pow.go) orders their operations. Go's exp uses fused
multiply-add where the processor has it, as every one since 2013 does; that is the form here.
"""

from __future__ import annotations

import numpy as np

from sim.promql.values import Floats

__all__ = ["exp", "horner", "log", "log1p", "log2", "log10", "maximum", "minimum", "power"]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip
_LN2_UPPER, _LN2_LOWER = (
    0.69314718055966295651160180568695068359375,
    0.28235290563031577122588448175013436025525412068e-12,
)
_TAYLOR = (1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0)


def horner(x: Floats, *coefficients: float) -> Floats:
    """((c0 x + c1) x + c2) ..., rounded at every step."""
    total = coefficients[0] * x + coefficients[1]
    for coefficient in coefficients[2:]:
        total = total * x + coefficient
    return total


def log(x: Floats) -> Floats:
    x = np.asarray(x, float)
    bits = np.abs(x).view(np.int64)
    k = ((bits >> 52) - 0x3FE).astype(float)
    part = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000).view(
        np.float64
    )  # in [1/2, 1), of a subnormal as Go has it
    low = part <= 7.07106781186547524401e-01
    k, f = np.where(low, k - 1, k), np.where(low, part * 2, part) - 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    odd = s2 * (_LOG[0] + s4 * (_LOG[2] + s4 * (_LOG[4] + s4 * _LOG[6])))
    even = s4 * (_LOG[1] + s4 * (_LOG[3] + s4 * _LOG[5]))
    half = 0.5 * f * f
    value = k * _LN2_HIGH - ((half - (s * (half + (odd + even)) + k * _LN2_LOW)) - f)
    value = np.where(x < 0, np.nan, np.where(x == 0, -np.inf, value))
    return np.where((x == np.inf) | np.isnan(x), x, value)


def log10(x: Floats) -> Floats:
    return log(x) * 0.43429448190325182765112891891660508229  # 1 / ln 10


def log2(x: Floats) -> Floats:
    part, power_of_two = np.frexp(x)
    value = log(part) * (1 / 0.693147180559945309417232121458176568) + power_of_two
    return np.where(part == 0.5, power_of_two - 1.0, value)


def log1p(x: Floats) -> Floats:
    """For x > -1."""
    size = np.abs(x)
    near = (size < 4.142135623730950488017e-01) & (x > -2.928932188134524755992e-01)
    u = np.where(size < 2.0**53, 1.0 + x, x)
    bits = u.view(np.int64)
    k = (bits >> 52) - 1023
    c = np.where(size < 2.0**53, np.where(k > 0, 1.0 - (u - x), x - (u - 1.0)) / u, 0.0)
    mantissa = bits & 0x000FFFFFFFFFFFFF
    high = mantissa >= 0x0006A09E667F3BCD  # of the square root of 2
    scaled = (mantissa | np.where(high, 0x3FE0000000000000, 0x3FF0000000000000)).view(np.float64)
    left = np.where(high, (0x0010000000000000 - mantissa) >> 2, mantissa)
    k, left = np.where(near, 0, k + high), np.where(near, 1, left)
    c, f = np.where(near, 0.0, c), np.where(near, x, scaled - 1.0)
    half, steps = 0.5 * f * f, k.astype(float)
    s = f / (2.0 + f)
    z = s * s
    r = z * horner(z, *reversed(_LOG))
    full = np.where(
        k == 0,
        f - (half - s * (half + r)),
        steps * _LN2_HIGH - ((half - (s * (half + r) + (steps * _LN2_LOW + c))) - f),
    )
    short = half * (1.0 - 0.66666666666666666 * f)
    tiny = np.where(k == 0, f - short, steps * _LN2_HIGH - ((short - (steps * _LN2_LOW + c)) - f))
    tiny = np.where(f == 0, steps * _LN2_HIGH + (c + steps * _LN2_LOW), tiny)
    value = np.where(left == 0, tiny, full)
    value = np.where(size < 2.0**-29, np.where(size < 2.0**-54, x, x - x * x * 0.5), value)
    return np.where((x == np.inf) | np.isnan(x), x, np.where(x == -1, -np.inf, np.where(x < -1, np.nan, value)))


def exp(x: Floats) -> Floats:
    safe = np.clip(np.where(np.isnan(x), 0.0, x), -800.0, 709.782712893384)
    k = np.rint(safe * 1.4426950408889634)
    r = _fused(-k, _LN2_LOWER, _fused(-k, _LN2_UPPER, safe)) * 0.0625
    total = np.full(r.shape, _TAYLOR[0])
    for coefficient in _TAYLOR[1:]:
        total = _fused(total, r, coefficient)
    r = r * total
    for _ in range(3):  # e^2r - 1 from e^r - 1
        r = r * (r + 2.0)
    value = np.ldexp(_fused(r + 2.0, r, 1.0), k.astype(np.int64))
    value = np.where(k < -1075, 0.0, np.where(k > 1023, np.inf, value))
    return np.where(np.isnan(x), x, np.where(x > 709.782712893384, np.inf, value))


def _sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The sum and what rounding left of it, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The product and what rounding left of it, exactly (Dekker, Veltkamp)."""
    total = a * b
    a1, b1 = a * 134217729.0, b * 134217729.0
    a1, b1 = a1 - (a1 - a), b1 - (b1 - b)
    a2, b2 = a - a1, b - b1
    return total, ((a1 * b1 - total) + a1 * b2 + a2 * b1) + a2 * b2


def _fused(a: Floats, b: Floats | float, c: Floats | float) -> Floats:
    """a b + c, rounded once. Source: Boldo, Melquiond: Emulation of FMA and correctly rounded sums, 2008 (rounding to odd)."""
    a, b, c = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float), np.asarray(c, float))
    high, low = _product(a, b)
    middle, rest = _sum(c, low)
    top, tail = _sum(high, middle)
    odd, left = _sum(rest, tail)
    bits = odd.view(np.int64)
    even = (left != 0) & (bits & 1 == 0)
    bits = np.where(even, bits + np.where((left > 0) == (odd > 0), 1, -1), bits)
    return top + bits.view(np.float64)


def power(base: Floats, exponent: Floats) -> Floats:
    """Repeated squaring, with what is left of the exponent through exp and log."""
    x, y = (np.array(one) for one in np.broadcast_arrays(np.asarray(base, float), np.asarray(exponent, float)))
    value = _power(x, y)
    plain = (x != 0) & np.isfinite(x) & np.isfinite(y) & (np.abs(y) < 2.0**63)
    value = np.where(plain, value, np.power(x, y))  # exact there, and the same by C's rules
    value = np.where((np.trunc(y) != y) & (x < 0) & np.isfinite(x) & np.isfinite(y), np.nan, value)
    value = np.where(
        plain & (x > 0) & (y == 0.5), np.sqrt(x), np.where(plain & (x > 0) & (y == -0.5), 1 / np.sqrt(x), value)
    )
    return np.where((y == 0) | (x == 1), 1.0, np.where(y == 1, x, value))


def _power(x: Floats, y: Floats) -> Floats:
    size = np.where(np.abs(y) < 2.0**63, np.abs(y), 0.0)
    whole, part = np.trunc(size), size - np.trunc(size)
    over = part > 0.5
    part, whole = np.where(over, part - 1, part), np.where(over, whole + 1, whole)
    value = np.where(part != 0, exp(part * log(x)), 1.0)
    power_of_two = np.zeros(x.shape, np.int64)
    square, square_power = np.frexp(x)
    square_power = square_power.astype(np.int64)
    left = whole.astype(np.int64)
    while (left != 0).any():
        far = (left != 0) & (np.abs(square_power) > 1 << 12)
        power_of_two = np.where(far, power_of_two + square_power, power_of_two)
        left = np.where(far, 0, left)
        bit = (left & 1) == 1
        value, power_of_two = (
            np.where(bit, value * square, value),
            np.where(bit, power_of_two + square_power, power_of_two),
        )
        square, square_power = square * square, square_power << 1
        small = square < 0.5
        square, square_power = np.where(small, square + square, square), np.where(small, square_power - 1, square_power)
        left = left >> 1
        square_power = np.where(left == 0, 0, square_power)
    value, power_of_two = np.where(y < 0, 1 / value, value), np.where(y < 0, -power_of_two, power_of_two)
    return np.ldexp(value, np.clip(power_of_two, -5000, 5000).astype(np.int32))


def minimum(a: Floats, b: Floats) -> Floats:
    """math.Min: -Inf wins over NaN."""
    return np.where((a == -np.inf) | (b == -np.inf), -np.inf, np.minimum(a, b))


def maximum(a: Floats, b: Floats) -> Floats:
    """math.Max: +Inf wins over NaN."""
    return np.where((a == np.inf) | (b == np.inf), np.inf, np.maximum(a, b))
