"""How requests are split between canary and baseline: the `rho` of judges that compare error counts.

- "rest": the baseline arm is all traffic that is not the canary's, so rho is the planned weight;
- "equal": the baseline arm is as large as the canary, so rho is 1/2;
- "requests": rho is taken from the requests that were counted. For traffic whose real split is not the planned one
  (replica counts round weights). Errors are then conditionally hypergeometric; accurate while errors are rare, below
  about 5 % (judges.md section 8).

A wrong rho turns the healthy into the guilty, so a planned rho is held against the requests: beyond `MISMATCH` standard
deviations (two-sided chance 1.2e-15 when the plan is right) the judges say so instead of judging.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

__all__ = ["MISMATCH", "Split", "mismatch", "share"]

Split = Literal["rest", "equal", "requests"]
MISMATCH = 8.0


def share(split: Split, weight: float, canary: int, baseline: int) -> float:
    """rho: the canary's share of the requests of both arms, in [0, 1].

    >>> share("rest", 0.05, 48, 950), share("equal", 0.05, 48, 52), share("requests", 0.05, 25, 75)
    (0.05, 0.5, 0.25)
    """
    if split == "rest":
        return weight
    return 0.5 if split == "equal" else canary / (canary + baseline)


def mismatch(canary: int, baseline: int, rho: float) -> float:
    """How many standard deviations the counted split lies from rho."""
    n = canary + baseline
    return abs(canary - n * rho) / sqrt(n * rho * (1.0 - rho))
