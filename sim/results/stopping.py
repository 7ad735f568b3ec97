"""When to stop simulating, and what a budget says: pass, fail or undecided (judges.md section 17.2).

    look at 200, 300, 400, ... runs up to 20 000
      -> all budgets decided and every interval narrow enough?   stop
      -> the maximum is reached?                                 stop; what is undecided stays undecided

Looks depend on the replication index only, never on time or workers, so a resumed run stops where an uninterrupted one
does. The intervals must be confidence sequences (`sequences.py`): then stopping at the first decision is valid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sim.results.interval import Interval

Sense = Literal["<=", ">="]
Decision = Literal["pass", "pass-within", "fail", "undecided"]


def decide(interval: Interval, limit: float, sense: Sense = "<=", band: float = 0.0) -> Decision:
    """What the interval says of `metric <= limit` (or `>=`), with the ends as judges.md section 17.2 has them.

    `<=`: pass when high <= limit, fail when low > limit. `band` is an indifference zone: an interval that
    misses the limit by at most that much is "pass-within", its own result, before "fail" is asked.
    """
    if sense not in ("<=", ">="):
        raise ValueError(f"a budget's sense must be '<=' or '>=', got {sense!r}")
    if band < 0 or math.isnan(limit):
        raise ValueError(f"a budget needs a limit and a band of at least 0, got {limit} and {band}")
    low, high = (interval.low, interval.high) if sense == "<=" else (-interval.high, -interval.low)
    bound = limit if sense == "<=" else -limit
    if high <= bound:
        return "pass"
    if high <= bound + band:
        return "pass-within"
    return "fail" if low > bound else "undecided"


@dataclass(frozen=True, slots=True)
class Budget:
    """A requirement on one metric, in that metric's unit: `Budget("blast_radius", 500)` means at most 500."""

    metric: str
    limit: float
    sense: Sense = "<="
    band: float = 0.0

    def decide(self, interval: Interval) -> Decision:
        """What the interval says of this budget."""
        return decide(interval, self.limit, self.sense, self.band)


@dataclass(frozen=True, slots=True)
class Stop:
    """The rule: looks at `minimum`, then every `batch` runs, to `maximum`.

    `half_width` is wanted of every interval handed to `more`, in their common unit: hand over those it is meant for.

        done = 0
        while stop.more(done, intervals, decisions):
            done = stop.next(done)  # run up to `done` replications, then make new intervals and decisions
    """

    minimum: int = 200
    batch: int = 100
    maximum: int = 20_000
    half_width: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum or self.batch < 1:
            raise ValueError(
                f"looks need 1 <= minimum <= maximum and a batch, got {self.minimum}, {self.maximum}, {self.batch}"
            )

    def next(self, done: int) -> int:
        """The number of runs at the next look after `done`; at the end, the maximum."""
        if done < self.minimum:
            return self.minimum
        batches = (done - self.minimum) // self.batch + 1
        return min(self.maximum, self.minimum + batches * self.batch)

    def more(self, done: int, intervals: Sequence[Interval], decisions: Sequence[Decision] = ()) -> bool:
        """Whether to go on after a look at `done` runs; with nothing to reach, the minimum is enough."""
        if done < self.minimum:
            return True
        if done >= self.maximum:
            return False
        wide = self.half_width is not None and any(not i.half_width <= self.half_width for i in intervals)
        return wide or "undecided" in decisions
