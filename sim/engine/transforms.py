"""Single random quantities from a uniform number by inverse transform, in pure `math`.

For what is drawn once per replication (a build time, a person's response): one uniform gives one value, and a larger
uniform never a smaller value, so two policies that differ in a parameter still meet the same chance. `u` is a
multiple of 2^-53 in [0, 1), as `Stream.uniforms` gives it.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)
_LEAST = 2.0**-54  # stands for u = 0: the middle of the lowest half step, where the normal quantile is finite (-8.3)


def lognormal(u: float, median: float, *, p99: float | None = None, sigma: float | None = None) -> float:
    """The u-quantile of a lognormal, in the units of `median`, given its 99th percentile or the sigma of its logarithm.

    ValueError if the median is not positive, if p99 is below it, or if both or none of p99 and sigma are given.

    >>> lognormal(0.5, 15.0, sigma=1.0)
    15.0
    """
    _unit(u)
    if not 0.0 < median < math.inf:
        raise ValueError(f"the median of a lognormal must be positive, got {median}; use a constant for 0")
    if (p99 is None) == (sigma is None):
        raise ValueError(f"give either p99 or sigma of a lognormal, got p99={p99} and sigma={sigma}")
    if sigma is None:
        assert p99 is not None
        if not median <= p99 < math.inf:
            raise ValueError(f"p99 of a lognormal must be at least its median {median}, got {p99}")
        sigma = math.log(p99 / median) / _Z99
    elif not 0.0 <= sigma < math.inf:
        raise ValueError(f"sigma of a lognormal must be at least 0, got {sigma}")
    return median * math.exp(sigma * normal(u))


def exponential(u: float, mean: float) -> float:
    """The u-quantile of an exponential distribution with this mean; 0 for u = 0."""
    _unit(u)
    if not 0.0 <= mean < math.inf:
        raise ValueError(f"the mean of an exponential must be at least 0, got {mean}")
    return -mean * math.log1p(-u)


def normal(u: float) -> float:
    """The u-quantile of the standard normal distribution; -8.3 for u = 0."""
    _unit(u)
    return _NORMAL.inv_cdf(u if u > 0.0 else _LEAST)


def _unit(u: float) -> None:
    if not 0.0 <= u < 1.0:
        raise ValueError(f"a uniform number must lie in [0, 1), got {u}; draw it with Stream.uniforms")
