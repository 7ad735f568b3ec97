"""Circular and hyperbolic functions with the results of Go's `math`. Methods and constants: Cephes (S. L. Moshier, 1984-2000), Hart &
Cheney #2029 (sinh), FreeBSD msun (asinh, acosh, atanh), in the order of operations of Go's math package.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.promql.gomath import exp, horner, log, log1p
from sim.promql.values import Floats

__all__ = ["acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh"]

_SIN = (
    1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4,
    8.33333333332211858878e-3, -1.66666666666666307295e-1,
)  # fmt: skip
_COS = (
    -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5,
    -1.38888888888730564116e-3, 4.16666666666665929218e-2,
)  # fmt: skip
_TAN = (-1.30936939181383777646e4, 1.15351664838587416140e6, -1.79565251976484877988e7)
_COT = (1.0, 1.36812963470692954678e4, -1.32089234440210967447e6, 2.50083801823357915839e7, -5.38695755929454629881e7)
_QUARTER = (7.85398125648498535156e-1, 3.77489470793079817668e-8, 2.69515142907905952645e-15)  # pi/4 in three parts
_LARGE = 2.0**29  # from here on pi/4 needs more digits (Payne, Hanek)
_ATAN = (
    -8.750608600031904122785e-01, -1.615753718733365076637e01, -7.500855792314704667340e01, -1.228866684490136173410e02,
    -6.485021904942025371773e01,
)  # fmt: skip
_ATAN_BELOW = (
    1.0, 2.485846490142306297962e01, 1.650270098316988542046e02, 4.328810604912902668951e02, 4.853903996359136964868e02,
    1.945506571482613964425e02,
)  # fmt: skip
_REST = 6.123233995736765886130e-17  # of pi/2
_TANH = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
_TANH_BELOW = (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)
_SINH = (
    -26.30563213397497062819489,
    -2894.211355989563807284660366,
    -89912.72022039509355398013511,
    -630767.3640497716991184787251,
)
_SINH_BELOW = (1.0, -173.678953558233699533450911, 15215.17378790019070696485176, -630767.3640497716991212077277)


def _odd(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """f(-x) = -f(x), and f(0) = 0 with its sign."""

    def run(x: Floats) -> Floats:
        value = function(np.abs(x))
        return np.where(x == 0, x, np.where(x < 0, -value, value))

    return run


def _reduced(x: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Octant (even) and what is left, for x >= 0."""
    plain = np.where(np.isfinite(x) & (x < _LARGE), x, 0.0)
    octant = (plain * (4 / math.pi)).astype(np.int64)
    octant += octant & 1
    y = octant.astype(float)
    left = ((plain - y * _QUARTER[0]) - y * _QUARTER[1]) - y * _QUARTER[2]
    for index in np.argwhere(np.isfinite(x) & (x >= _LARGE)):
        octant[tuple(index)], left[tuple(index)] = _reduced_exactly(float(x[tuple(index)]))
    return octant & 7, left


@lru_cache(maxsize=1)
def _four_over_pi() -> int:
    """4/pi times 2**1216, cut off: by Machin's formula in whole numbers."""
    scale = 1 << 1400

    def arccot(n: int) -> int:
        total = term = scale // n
        sign, k = -1, 3
        while term := term // (n * n):
            total += sign * (term // k)
            sign, k = -sign, k + 2
        return total

    return (scale << 1216) // (4 * arccot(5) - arccot(239))


def _reduced_exactly(x: float) -> tuple[int, float]:
    """Octant and rest of a large number, with the digits and the cuts of Go's trigReduce."""
    mantissa, exponent = math.frexp(x)
    whole, exponent = int(mantissa * 2**53), exponent - 53
    digit, shift = divmod(exponent + 61, 64)
    table = [(_four_over_pi() >> (1216 - 64 * i)) & (2**64 - 1) for i in range(20)]
    z = [
        ((table[digit + i] << shift) | (table[digit + i + 1] >> (64 - shift) if shift else 0)) & (2**64 - 1)
        for i in range(3)
    ]
    low = (z[1] * whole & (2**64 - 1)) + (z[2] * whole >> 64)
    high = (z[0] * whole + (z[1] * whole >> 64) + (low >> 64)) & (2**64 - 1)
    low &= 2**64 - 1
    octant = high >> 61
    high = (high << 3 | low >> 61) & (2**64 - 1)
    zeros = 64 - high.bit_length()
    bits = (high << (zeros + 1) | low >> (64 - (zeros + 1))) & (2**64 - 1)
    rest = math.ldexp(1 + (bits >> 12) / 2**52, -(zeros + 1))
    if octant & 1:
        octant, rest = (octant + 1) & 7, rest - 1
    return octant, rest * (math.pi / 4)


def _sine(z: Floats) -> Floats:
    zz = z * z
    return z + z * zz * horner(zz, *_SIN)


def _cosine(z: Floats) -> Floats:
    zz = z * z
    return 1.0 - 0.5 * zz + zz * zz * horner(zz, *_COS)


@_odd
def sin(x: Floats) -> Floats:
    octant, z = _reduced(x)
    value = np.where((octant & 3) == 2, _cosine(z), _sine(z))
    return np.where(np.isfinite(x), np.where(octant > 3, -value, value), np.nan)


def cos(x: Floats) -> Floats:
    octant, z = _reduced(np.abs(x))
    value = np.where((octant & 3) == 2, _sine(z), _cosine(z))
    return np.where(np.isfinite(x), np.where((octant > 3) != ((octant & 3) > 1), -value, value), np.nan)


@_odd
def tan(x: Floats) -> Floats:
    octant, z = _reduced(x)
    zz = z * z
    value = np.where(zz > 1e-14, z + z * (zz * horner(zz, *_TAN) / horner(zz, *_COT)), z)
    return np.where(np.isfinite(x), np.where(octant & 2 == 2, -1 / value, value), np.nan)


def _atan_near(x: Floats) -> Floats:
    z = x * x
    return x * (z * horner(z, *_ATAN) / horner(z, *_ATAN_BELOW)) + x


def _atan(x: Floats) -> Floats:
    """For x > 0."""
    far = np.pi / 2 - _atan_near(1 / x) + _REST
    middle = np.pi / 4 + _atan_near((x - 1) / (x + 1)) + 0.5 * _REST
    return np.where(x <= 0.66, _atan_near(x), np.where(x > 2.41421356237309504880, far, middle))


atan = _odd(_atan)


@_odd
def asin(x: Floats) -> Floats:
    other = np.sqrt(1 - x * x)
    return np.where(x > 1, np.nan, np.where(x > 0.7, np.pi / 2 - _atan(other / x), _atan(x / other)))


def acos(x: Floats) -> Floats:
    return np.pi / 2 - asin(x)


def atan2(y: Floats, x: Floats) -> Floats:
    y, x = np.broadcast_arrays(np.asarray(y, float), np.asarray(x, float))
    angle = atan(y / x)
    value = np.where(x < 0, np.where(angle <= 0, angle + np.pi, angle - np.pi), angle)
    plain = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
    return np.where(plain, value, np.arctan2(y, x))  # quadrants and their edges, by C's rules the same


@_odd
def sinh(x: Floats) -> Floats:
    grown, square = exp(x), x * x
    near = horner(square, *_SINH) * x / horner(square, *_SINH_BELOW)
    return np.where(x > 21, grown * 0.5, np.where(x > 0.5, (grown - 1 / grown) * 0.5, near))


def cosh(x: Floats) -> Floats:
    grown = exp(np.abs(x))
    return np.where(np.abs(x) > 21, grown * 0.5, (grown + 1 / grown) * 0.5)


@_odd
def tanh(x: Floats) -> Floats:
    square = x * x
    near = x + x * square * horner(square, *_TANH) / horner(square, *_TANH_BELOW)
    far = np.where(x > 0.5 * 8.8029691931113054295988e01, 1.0, 1 - 2 / (exp(2 * x) + 1))
    return np.where(x >= 0.625, far, near)


@_odd
def asinh(x: Floats) -> Floats:
    far = np.where(x > 2.0**28, log(x) + math.log(2), log(2 * x + 1 / (np.sqrt(x * x + 1) + x)))
    near = np.where(x < 2.0**-28, x, log1p(x + x * x / (1 + np.sqrt(1 + x * x))))
    return np.where(np.isfinite(x), np.where(x > 2, far, near), x)


def acosh(x: Floats) -> Floats:
    t = x - 1
    value = np.where(x > 2, log(2 * x - 1 / (x + np.sqrt(x * x - 1))), log1p(t + np.sqrt(2 * t + t * t)))
    return np.where(x < 1, np.nan, np.where(x == 1, 0.0, np.where(x >= 2.0**28, log(x) + math.log(2), value)))


@_odd
def atanh(x: Floats) -> Floats:
    twice = x + x
    near = np.where(x < 2.0**-28, x, 0.5 * log1p(twice + twice * x / (1 - x)))
    value = np.where(x < 0.5, near, 0.5 * log1p(twice / (1 - x)))
    return np.where(x > 1, np.nan, np.where(x == 1, np.inf, value))
