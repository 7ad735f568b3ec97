"""The answer of a query in the shape that the asking system gives it, for all replications of a path.

Argo (metricproviders/prometheus): a vector is the list of its values, labels dropped, and an empty one the empty list; a scalar is a
number; anything else is an error. Flagger (pkg/metrics/providers/prometheus.go): the last series of a vector; nothing, NaN or a scalar
(whose JSON it cannot read) fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.policy.events import Absent, Answer, Failed, NotANumber, Value
from sim.promql.values import Answer as Found
from sim.service.monitoring import Looks

__all__ = ["Readings", "System"]

System = Literal["argo", "flagger", ""]

_NOTHING = Absent("the query answered with nothing")


@dataclass(frozen=True)
class Readings(Looks):
    """`found`: the answers over the times of a range query, or one. `ranged`: all samples of all series, flattened (Argo)."""

    found: Sequence[Found]
    system: System
    ranged: bool = False

    def of(self, row: int) -> Answer:
        return self._answer(row)

    def each(self, rows: NDArray[np.intp]) -> list[Answer]:
        if self.single is None:
            return [self._answer(row) for row in rows.tolist()]
        values, present = (column.take(rows).tolist() for column in self.single)
        if self.system == "flagger":
            return [_last(value) if there else _NOTHING for value, there in zip(values, present, strict=True)]
        return [Value([value]) if there else _NOTHING for value, there in zip(values, present, strict=True)]

    @property
    def size(self) -> int:
        return int(self.found[0].values.shape[1])

    @cached_property
    def single(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
        """(values, present) [R] of a vector of one series that failed nowhere; None for everything else."""
        first = self.found[0]
        if self.ranged or first.kind != "vector" or len(first.values) != 1 or first.failures:
            return None
        return first.values[0], first.present[0]

    def _answer(self, row: int) -> Answer:
        for found in self.found:
            for failure in found.failures:
                if failure.where[row]:
                    return Failed(failure.problem)
        kind = self.found[0].kind
        if kind == "scalar" and not self.ranged:
            number = float(self.found[0].values[0, row])
            return Failed("Flagger cannot read a scalar") if self.system == "flagger" else Value(number)
        if kind not in ("vector", "scalar"):
            return Failed(f"the answer is a {kind}, not a vector")
        values = self._values(row)
        if not values:
            return _NOTHING
        return _last(values[-1]) if self.system == "flagger" else Value(values)

    def _values(self, row: int) -> list[float]:
        if not self.ranged:
            return [value for _, value in self.found[0].samples(row)]
        series: dict[object, list[float]] = {}
        for found in self.found:
            if found.kind == "scalar":
                series.setdefault((), []).append(float(found.values[0, row]))
                continue
            for labels, value in found.samples(row):
                series.setdefault(labels, []).append(value)
        return [value for key in sorted(series) for value in series[key]]  # type: ignore[type-var]


def _last(value: float) -> Answer:
    """Flagger's number: NaN is no value to it."""
    return NotANumber() if math.isnan(value) else Value(value)
