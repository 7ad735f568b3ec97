"""Which series a query reads, and how far back: label matchers and the selectors made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.promql.labels import NAME, Labels, get
from sim.promql.regex import Pattern

__all__ = ["Matcher", "Selector"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: `=`, `!=`, `=~` or `!~`; a label that is not there has the value ''."""

    label: str
    op: str
    value: str
    pattern: Pattern | None = field(default=None, compare=False)  # of `=~` and `!~`

    def accepts(self, value: str) -> bool:
        if self.pattern is None:
            return (value == self.value) == (self.op == "=")
        return self.pattern.matches(value) == (self.op == "=~")

    def __str__(self) -> str:
        return f'{self.label}{self.op}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Selector:
    """What a query asks of the store.

    span: seconds relative to the time of an evaluation, (earliest, latest), in which its samples can lie; with look-back, range,
          offset and enclosing subqueries counted in. With `@ 123` it is relative to `fixed` = 123.
    column: where it stands in the query, from 1.
    """

    name: str  # '' when the metric is not given by an exact name
    matchers: tuple[Matcher, ...]  # all of them, that of `__name__` included
    span: tuple[float, float] = (0.0, 0.0)
    fixed: float | None = None  # seconds
    column: int = 1

    def matches(self, labels: Labels) -> bool:
        return all(matcher.accepts(get(labels, matcher.label)) for matcher in self.matchers)

    def __str__(self) -> str:
        inner = ", ".join(str(matcher) for matcher in self.matchers if not (matcher.label == NAME and self.name))
        return f"{self.name}{{{inner}}}" if inner or not self.name else self.name
