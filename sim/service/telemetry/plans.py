"""What a query needs of a service, worked out once: which series, whether pods must be told apart, how far back.

Pods are kept together where telling them apart changes nothing that a query can see: `sum` over `rate`, `increase`, `irate`, `delta` or
`idelta` of a range, by labels that pods share. Then a version is one target whose counters are the sums over its pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.promql.labels import NAME, Labels, labelset
from sim.promql.query import Query, children, compile
from sim.promql.selectors import Matcher, Selector
from sim.promql.tree import Aggregate, Call, Node, Range, Select
from sim.service.telemetry.emitted import Emission, Exposition
from sim.service.telemetry.names import Version
from sim.service.telemetry.pods import filled, names_of

__all__ = ["Group", "Plan", "Reading", "shown"]

Floats = NDArray[np.float64]

_LINEAR = ("rate", "increase", "irate", "delta", "idelta")


class _Sum:
    """A weighted sum of counts float64[columns, R]; added in a fixed order, where a matrix product would leave it to the machine."""

    def __init__(self, weights: tuple[float, ...]) -> None:
        self.weights = weights
        columns = [column for column, weight in enumerate(weights) if weight]
        run = bool(columns) and columns == [*range(columns[0], columns[-1] + 1)]
        self._columns = slice(columns[0], columns[-1] + 1) if run else np.array(columns, np.intp)
        even = all(weight in (0.0, 1.0) for weight in weights)
        self._factors = None if even else np.array([weights[column] for column in columns])[:, None]

    def of(self, counts: Floats) -> Floats:
        """float64[R]."""
        picked = counts[self._columns]
        total: Floats = np.add.reduce(picked if self._factors is None else picked * self._factors, axis=0)
        return total


class Group:
    """Series of one version that a selector reads in the same way: they share their times.

    `values` are sums of the counts; `lasting`: the series are there from the start, else from their first request.
    """

    def __init__(self, emissions: tuple[Emission, ...], apart: bool, exposition: Exposition) -> None:
        first = emissions[0]
        self.version, self.proxy, self.switched, self.apart = first.version, first.proxy, first.switched, apart
        self.constant = not first.weights  # `up`
        self._emissions, self._exposition = emissions, exposition
        self.labels: tuple[Labels, ...] = tuple(emission.labels for emission in emissions)
        self.values = tuple(_Sum(emission.weights) for emission in emissions)
        self.lasting = exposition.telemetry.initialized or self.constant
        self._born = tuple(_Sum(emission.born) for emission in emissions)
        self._counts = all(emission.born == emission.weights for emission in emissions)
        self._named: dict[int, tuple[tuple[Labels, ...], tuple[int, ...]]] = {}

    def present(self, rows: Sequence[int], counts: Floats, values: Floats) -> NDArray[np.bool_]:
        """bool[rows, R]: whether some of the series have had a request; `values` are theirs."""
        if self._counts:
            return values > 0
        first = self._born[rows[0]]
        if all(self._born[row].weights == first.weights for row in rows):
            return np.broadcast_to(first.of(counts) > 0, values.shape)
        return np.stack([self._born[row].of(counts) > 0 for row in rows])

    def of_pod(self, number: int, matchers: tuple[Matcher, ...]) -> tuple[tuple[Labels, ...], tuple[int, ...]]:
        """The label sets of one pod that match, and which of the group's series they are."""
        if number not in self._named:
            sets, rows = [], []
            for row, emission in enumerate(self._emissions):
                own = {label: filled(text, self.version, number, self._exposition) for label, text in emission.pod}
                if all(matcher.accepts(own[matcher.label]) for matcher in matchers if matcher.label in own):
                    sets.append(labelset(dict(emission.labels) | own))
                    rows.append(row)
            self._named[number] = tuple(sets), tuple(rows)
        return self._named[number]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one selector reads: groups of series, and the conditions on labels that differ from pod to pod."""

    groups: tuple[Group, ...]
    matchers: tuple[Matcher, ...] = ()


class Plan:
    """A query over what a service shows. Raises PromqlError for a text that is no query."""

    def __init__(self, text: str, exposition: Exposition) -> None:
        self.query: Query = compile(text, exposition.telemetry.profile)
        self.exposition = exposition

    @cached_property
    def readings(self) -> Mapping[Selector, Reading]:
        together = set(_together(self.query.tree, (), self.exposition.apart))
        return {selector: self._reading(selector, selector in together) for selector in self.query.selectors}

    @property
    def back(self) -> float:
        """How many seconds before its evaluation the query reads."""
        return max((-selector.span[0] for selector in self.query.selectors), default=0.0)

    @property
    def apart(self) -> bool:
        """Whether pods are told apart."""
        return any(group.apart for reading in self.readings.values() for group in reading.groups)

    def _reading(self, selector: Selector, summed: bool) -> Reading:
        found: dict[tuple[Version, bool, bool | None, bool], list[Emission]] = {}
        wanted = [emission for emission in shown(selector, self.exposition) if self._may(selector, emission)]
        telemetry = self.exposition.telemetry
        apart = telemetry.pods == "apart" or telemetry.phases > 1 or not summed
        apart = apart or any(self._mixed(selector, emission) for emission in wanted)
        for emission in wanted:
            key = (emission.version, emission.proxy, emission.switched, not emission.weights)
            found.setdefault(key, []).append(emission)
        groups = tuple(Group(tuple(some), apart and not some[0].proxy, self.exposition) for some in found.values())
        open_ = {label for emission in wanted for label, _ in emission.pod}
        return Reading(groups, tuple(matcher for matcher in selector.matchers if matcher.label in open_))

    def _may(self, selector: Selector, emission: Emission) -> bool:
        """Whether some pod's series of this emission matches."""
        open_ = dict(emission.pod)
        closed = [matcher for matcher in selector.matchers if matcher.label not in open_]
        if not all(matcher.accepts(dict(emission.labels).get(matcher.label, "")) for matcher in closed):
            return False
        return all(
            any(matcher.accepts(value) for value in names_of(open_[matcher.label], emission.version, self.exposition))
            for matcher in selector.matchers if matcher.label in open_
        )  # fmt: skip

    def _mixed(self, selector: Selector, emission: Emission) -> bool:
        """Whether a condition on a pod's own labels is met by some pods of the version only."""
        open_ = dict(emission.pod)
        return any(
            not all(matcher.accepts(value) for value in names_of(open_[matcher.label], emission.version, self.exposition))
            for matcher in selector.matchers if matcher.label in open_
        )  # fmt: skip


def shown(selector: Selector, exposition: Exposition) -> list[Emission]:
    """The series whose name a selector accepts."""
    names = [matcher for matcher in selector.matchers if matcher.label == NAME]
    known = (selector.name,) if selector.name else exposition.names
    fitting = (name for name in known if all(matcher.accepts(name) for matcher in names))
    return [emission for name in fitting for emission in exposition.of(name)]


def _together(node: Node, above: tuple[Node, ...], apart: frozenset[str]) -> Iterator[Selector]:
    """The selectors whose pods may be kept together; `apart` are the labels that differ from pod to pod."""
    if isinstance(node, Select) and _summed(above[-3:], apart):
        yield node.selector
    for child in children(node):
        yield from _together(child, (*above, node), apart)


def _summed(above: tuple[Node, ...], apart: frozenset[str]) -> bool:
    """sum(rate(x[5m])), by labels that all pods of a version share."""
    match above:
        case Aggregate(op="sum", names=names, without=without), Call(name=name), Range() if name in _LINEAR:
            return apart <= set(names) if without else apart.isdisjoint(names)
    return False
