"""Values under way, and the answer of a query.

Inside, every number has axes [series, evaluation times, replications]; an axis of length 1 stands for all. What is not there is
told by a mask, never by a value, because NaN is an ordinary sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.promql.errors import EvaluationError
from sim.promql.labels import Labels

__all__ = ["Answer", "Bools", "Failure", "Floats", "Scalar", "String", "Value", "Vector", "both"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    values: Floats  # [K or 1, R or 1]


@dataclass(frozen=True, slots=True, eq=False)
class String:
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """An instant vector. `order`, set where lanes may differ (after topk, say): per lane, the place of each series in the answer."""

    labels: tuple[Labels, ...]
    values: Floats  # [S, K, R or 1]
    present: Bools | None = None  # [S, K, R or 1]; None: all there
    order: NDArray[np.intp] | None = None  # [S, K, R or 1]


Value = Scalar | String | Vector


def both(one: Bools | None, other: Bools | None) -> Bools | None:
    """Present in both."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """Prometheus would answer some replications with this error."""

    problem: str
    where: Bools  # [R]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a query gives at one time. `kind`: 'scalar', 'string', 'vector' or 'matrix' (of a bare `x[5m]`)."""

    kind: str
    labels: tuple[Labels, ...] = ()
    values: Floats = field(default_factory=lambda: np.empty((0, 1)))  # [S, R]; of a scalar [1, R]
    present: Bools = field(default_factory=lambda: np.empty((0, 1), bool))  # [S, R]
    text: str = ""
    failures: tuple[Failure, ...] = ()
    order: NDArray[np.intp] | None = None  # [S, R], see Vector

    def samples(self, replication: int = 0) -> list[tuple[Labels, float]]:
        """What one replication sees, in Prometheus's order: (labels, value) of those present. EvaluationError if it failed."""
        self.check(replication)
        rows = np.flatnonzero(self.present[:, replication])
        if self.order is not None:
            rows = rows[np.argsort(self.order[rows, replication], kind="stable")]
        return [(self.labels[row], float(self.values[row, replication])) for row in rows]

    def value(self, replication: int = 0) -> float:
        """The number of a scalar answer."""
        self.check(replication)
        if self.kind != "scalar":
            raise EvaluationError(f"expected a scalar, got a {self.kind}")
        return float(self.values[0, replication])

    def check(self, replication: int = 0) -> None:
        """EvaluationError if this replication's evaluation failed."""
        for failure in self.failures:
            if failure.where[replication]:
                raise EvaluationError(failure.problem)

    def failed(self) -> Bools | Any:
        """[R]: replications whose evaluation Prometheus would answer with an error."""
        out = np.zeros(self.values.shape[1], bool)
        for failure in self.failures:
            out |= failure.where
        return out
