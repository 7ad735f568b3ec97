"""Judges for many replications at once. The scalar judge is the meaning; a property test holds these equal to it, look by look.

Only judges that are asked a hundred thousand times are here; every other judge is asked one replication at a time. Codes are the
positions in `sim.engine.panel.WORDS`: pass 0, fail 1, inconclusive 2, error 3, continue 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import log
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.policy.judges.eprocess import EProcessCounts, log_e_harm, log_e_noninferior
from sim.policy.judges.split import MISMATCH
from sim.policy.judges.threshold import Threshold
from sim.service.monitoring import View

__all__ = ["ARRAY_LOOKS", "ArrayLook"]

Codes = NDArray[np.int8]
PASS, FAIL, INCONCLUSIVE, CONTINUE = 0, 1, 2, 4
_NODATA = {"pass": PASS, "fail": FAIL, "inconclusive": INCONCLUSIVE, "wait": CONTINUE}


class ArrayLook(Protocol):
    def look(self, view: View) -> Codes:
        """int8[n]: the verdict of every replication."""
        ...


class _Threshold:
    """As `Threshold`: the first check that does not pass is the answer; no data before everything."""

    def __init__(self, judge: Threshold, size: int) -> None:
        self._judge = judge

    def look(self, view: View) -> Codes:
        judge, canary = self._judge, view.canary
        codes = np.zeros(len(canary.requests), np.int8)
        for check in (self._ratio, self._latency, self._errors):  # the last written is the first asked
            found = check(view)
            if found is not None:
                codes = np.where(found != PASS, found, codes)
        empty = canary.requests < max(1, judge.min_requests)
        return np.where(empty, np.int8(_NODATA[judge.on_nodata]), codes)

    def _errors(self, view: View) -> Codes | None:
        if self._judge.max_error_rate is None:
            return None
        allowed = np.floor(self._judge.max_error_rate * view.canary.requests + 1e-9)
        return np.where(view.canary.bad > allowed, np.int8(FAIL), np.int8(PASS))

    def _latency(self, view: View) -> Codes | None:
        judge = self._judge
        if judge.max_latency is None:
            return None
        nodata = np.int8(_NODATA[judge.on_nodata])
        if not view.bounds:
            return np.full(len(view.canary.requests), nodata)
        counts = view.canary.latency
        total = counts.sum(axis=1)
        value = _quantiles(judge.quantile, counts, np.array(view.bounds))
        code = np.where(value > judge.max_latency, np.int8(FAIL), np.int8(PASS))
        if judge.max_latency >= view.bounds[-1]:
            code = np.where(total - counts[:, -1] < judge.quantile * total, np.int8(INCONCLUSIVE), code)
        return np.where(total == 0, nodata, code)

    def _ratio(self, view: View) -> Codes | None:
        judge, c, b = self._judge, view.canary, view.baseline
        if judge.max_ratio is None:
            return None
        failed = c.bad * b.requests > judge.max_ratio * b.bad * c.requests * (1 + 1e-12)
        code = np.where(failed, np.int8(FAIL), np.int8(PASS))
        return np.where(b.requests == 0, np.int8(INCONCLUSIVE), code)


def _quantiles(q: float, counts: NDArray[np.int64], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """`histogram.quantile` row by row, with the same operations in the same order."""
    total = counts.sum(axis=1)
    rank = q * total
    upto = np.cumsum(counts[:, :-1], axis=1)
    reached = upto >= rank[:, None]
    bucket = np.where(reached.any(axis=1), reached.argmax(axis=1), len(bounds) - 1)
    rows = np.arange(len(counts))
    count = counts[rows, bucket]
    before = upto[rows, bucket] - count
    lower = np.where(bucket > 0, bounds[bucket - 1], min(0.0, float(bounds[0])))
    inside = np.divide(rank - before, count, out=np.ones(len(counts)), where=count > 0)
    value: NDArray[np.float64] = lower + (bounds[bucket] - lower) * inside
    return np.where(reached.any(axis=1), value, bounds[-1])


class _EProcessCounts:
    """As `EProcessCountsLook`: counts of the step, log evidence of the steps before, and decisions that stay."""

    def __init__(self, judge: EProcessCounts, size: int) -> None:
        self._judge, self._weight = judge, -1.0
        self._counts = np.zeros((4, size), np.int64)  # canary, canary bad, baseline, baseline bad: of this step
        self._harm, self._margin = np.zeros(size), np.zeros(size)
        self._decided = np.full(size, -1, np.int8)

    def look(self, view: View) -> Codes:
        c, b = view.canary, view.baseline
        codes = np.full(len(c.requests), CONTINUE, np.int8)
        empty, alone = c.requests == 0, b.requests == 0
        codes[alone] = INCONCLUSIVE
        codes[empty] = _NODATA[self._judge.on_nodata]
        seen = ~(empty | alone) & (self._decided < 0)
        if seen.any():
            if view.weight != self._weight:
                self._turn(view.weight)
            self._counts[:, seen] += np.stack([c.requests, c.bad, b.requests, b.bad])[:, seen]
            codes[seen] = self._decide(seen)
        final = seen & (codes == FAIL)
        self._decided[final] = codes[final]
        return np.where(self._decided >= 0, self._decided, codes)

    def _turn(self, weight: float) -> None:
        everybody = np.ones(self._counts.shape[1], bool)
        rho, usable = self._share(everybody)
        harm, margin = self._factors(everybody, rho, usable)
        self._harm += harm
        self._margin += margin
        self._weight = weight
        self._counts[:] = 0

    def _decide(self, rows: NDArray[np.bool_]) -> Codes:
        goal = log(1.0 / self._judge.alpha)
        rho, usable = self._share(rows)
        harm, margin = self._factors(rows, rho, usable)
        codes = np.full(int(rows.sum()), CONTINUE, np.int8)
        if self._judge.margin is not None:
            codes[margin + self._margin[rows] >= goal] = PASS
        codes[harm + self._harm[rows] >= goal] = FAIL
        codes[~usable] = INCONCLUSIVE
        return codes

    def _share(self, rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        canary, baseline = self._counts[0, rows], self._counts[2, rows]
        n = canary + baseline
        if self._judge.split == "requests":
            rho = np.divide(canary, n, out=np.zeros(len(n)), where=n > 0)
        else:
            rho = np.full(len(n), self._weight if self._judge.split == "rest" else 0.5)
        inside = (rho > 0) & (rho < 1) & (n > 0)
        spread = np.sqrt(np.where(inside, n * rho * (1.0 - rho), 1.0))
        return rho, inside & (np.abs(canary - n * rho) / spread <= MISMATCH)

    def _factors(
        self, rows: NDArray[np.bool_], rho: NDArray[np.float64], usable: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        judge = self._judge
        counts = self._counts[:, rows]
        use = usable & (counts[0] > 0)
        harm, margin = np.zeros(len(rho)), np.zeros(len(rho))
        pairs = np.stack([counts[1, use], counts[3, use]]).astype(np.float64)
        distinct, which = np.unique(np.vstack([pairs, rho[use]]), axis=1, return_inverse=True)
        cases = [(int(bad), int(base), share) for bad, base, share in distinct.T.tolist()]
        harm[use] = np.array([_harm(*case, judge.k) for case in cases])[which.reshape(-1)] if cases else 0.0
        if judge.margin is not None and cases:
            margin[use] = np.array([_noninferior(*case, judge.k, judge.margin) for case in cases])[which.reshape(-1)]
        return harm, margin


_harm = lru_cache(1 << 17)(log_e_harm)
_noninferior = lru_cache(1 << 17)(log_e_noninferior)


ARRAY_LOOKS: Mapping[type, Callable[[Any, int], ArrayLook]] = {
    Threshold: _Threshold,
    EProcessCounts: _EProcessCounts,
}
