"""Running the tests of a file: expressions over input series against expected samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.promql.errors import EvaluationError
from sim.promql.floats import decimal
from sim.promql.labels import Labels, shown
from sim.promql.query import Query
from sim.promql.series import MISSING, SAMPLE, Block, Memory

__all__ = ["Case", "Group", "Outcome", "Suite", "number", "run", "store", "told"]

Samples = tuple[tuple[Labels, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    query: Query
    at: float
    expected: Samples
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """interval: seconds between the values of a series; series: labels, values, marks."""

    name: str
    interval: float
    series: tuple[tuple[Labels, NDArray[np.float64], NDArray[np.uint8]], ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Suite:
    file: str
    step: float  # evaluation_interval, seconds
    groups: tuple[Group, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One expression: what came of it. `error` is Prometheus's, '' if it evaluated."""

    group: str
    case: Case
    got: Samples
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.error and _alike(_sorted(self.case.expected), _sorted(self.got))


def run(suite: Suite) -> Iterator[Outcome]:
    for group in suite.groups:
        samples = store(group, suite.step)
        for case in group.cases:
            yield _outcome(group.name, case, samples)


def _outcome(group: str, case: Case, samples: Memory) -> Outcome:
    answer = case.query.at(samples, case.at)
    if answer.kind in ("string", "matrix"):
        return Outcome(group, case, (), "rule result is not a vector or scalar")
    try:
        return Outcome(group, case, tuple(answer.samples()))
    except EvaluationError as error:
        return Outcome(group, case, (), str(error))


def store(group: Group, step: float) -> Memory:
    """The input as promtool loads it: up to the last multiple of the evaluation interval before the latest test."""
    latest = max((case.at for case in group.cases), default=0.0)
    horizon = round(latest * 1000) // max(round(step * 1000), 1) * max(round(step * 1000), 1)
    gap = round(group.interval * 1000)
    blocks = []
    for labels, values, marks in group.series:
        times = np.arange(len(values), dtype=np.int64) * gap
        kept = (times <= horizon) & (marks != MISSING)
        if kept.any():
            there = marks[kept]
            block_marks = None if (there == SAMPLE).all() else there[None, :, None]
            blocks.append(Block((labels,), times[kept], values[kept][None, :, None], block_marks))
    return Memory(blocks)


def _sorted(samples: Samples) -> list[tuple[Labels, float]]:
    return sorted(samples, key=lambda sample: sample[0])


def _alike(expected: list[tuple[Labels, float]], got: list[tuple[Labels, float]]) -> bool:
    """To the last bit; NaN is alike NaN (promtool 2.42 lets no test expect it)."""
    return len(expected) == len(got) and all(
        a[0] == b[0] and (a[1] == b[1] or (a[1] != a[1] and b[1] != b[1])) for a, b in zip(expected, got, strict=True)
    )


def told(samples: Samples) -> str:
    """Samples as promtool prints them, in the order of labels; `nil` for none."""
    return ", ".join(f"{shown(labels)} {number(value)}" for labels, value in _sorted(samples)) or "nil"


def number(value: float) -> str:
    """A float as promtool prints it: strconv.FormatFloat(v, 'E', -1, 64).

    >>> number(0.25), number(float("inf"))
    ('2.5E-01', '+Inf')
    """
    if not math.isfinite(value):
        return decimal(value)
    return np.format_float_scientific(value, unique=True, trim="-", exp_digits=2).replace("e", "E")
