"""The parser's tree to ours, with the checks that it leaves out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from sim.promql.errors import PromqlError
from sim.promql.labels import NAME
from sim.promql.lexer import LONGEST, Token, selectors
from sim.promql.profiles import LOOKBACK, Profile
from sim.promql.refusals import refusal
from sim.promql.selectors import Matcher, Selector
from sim.promql.standins import Aside
from sim.promql.tree import Aggregate, At, Binary, Call, Matching, Negate, Node, Number, Range, Select, Subquery, Text

__all__ = ["Reader"]

MAX_NESTING = 150
_OPS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_FARTHEST = 9_007_199_254_740_992  # ms either side of 1970 for `@`: whole numbers of a float64
_PLAIN = Matching()


@dataclass(frozen=True, slots=True)
class _When:
    """When a node is evaluated, ms: between `first` and `last` from the time of the query, or from a fixed time."""

    first: int = 0
    last: int = 0
    fixed: int | None = None
    depth: int = 0

    def back(self, offset: int, range: int, at: At | None) -> _When:
        if at is None:
            return _When(self.first - offset - range, self.last - offset, self.fixed, self.depth)
        return _When(-offset - range, -offset, at.time, self.depth)

    def deeper(self) -> _When:
        return _When(self.first, self.last, self.fixed, self.depth + 1)


class Reader:
    """One reading of one text."""

    def __init__(self, text: str, found: tuple[Token, ...], aside: Aside, profile: Profile, step: int) -> None:
        self._text, self._found, self._aside, self._profile, self._step = text, found, aside, profile, step
        self._places = iter([token.column for token in selectors(found)])

    def read(self, tree: Any) -> Node:
        return self._node(tree, _When())

    def _node(self, tree: Any, when: _When) -> Node:
        if when.depth > MAX_NESTING:
            self._refuse(self._found[0], f"query is nested deeper than {MAX_NESTING}")
        return _READERS[type(tree).__name__](self, tree, when.deeper())

    def _refuse(self, where: Token | int | str, problem: str) -> NoReturn:
        if isinstance(where, str):
            where = next((token.column for token in self._found if token.text.lower() == where.lower()), 1)
        raise PromqlError(self._text, where if isinstance(where, int) else where.column, problem)

    # ---- leaves ----

    def _paren(self, tree: Any, when: _When) -> Node:
        return self._node(tree.expr, when)

    def _number(self, tree: Any, when: _When) -> Node:
        return Number(tree.val)

    def _string(self, tree: Any, when: _When) -> Node:
        return Text(tree.val)

    def _vector(self, tree: Any, when: _When) -> Node:
        offset, at = self._offset(tree), self._at(tree)
        return Select(self._selector(tree, when.back(offset, LOOKBACK, at)), offset, at)

    def _matrix(self, tree: Any, when: _When) -> Node:
        inner, range = tree.vector_selector, self._range(tree)
        offset, at = self._offset(inner), self._at(inner)
        return Range(Select(self._selector(inner, when.back(offset, range, at)), offset, at), range)

    def _selector(self, tree: Any, when: _When) -> Selector:
        column = next(self._places, 1)
        matchers = [self._matcher(one) for one in tree.matchers.matchers]
        if tree.name and not any(one.label == NAME for one in matchers):
            matchers.insert(0, Matcher(NAME, "=", tree.name))
        name = next((one.value for one in matchers if one.label == NAME and one.op == "="), "")
        fixed = None if when.fixed is None else when.fixed / 1000
        return Selector(name, tuple(matchers), (when.first / 1000, when.last / 1000), fixed, column)

    def _matcher(self, tree: Any) -> Matcher:
        op = _OPS[str(tree.op).removeprefix("MatchOp.")]
        if op in ("=", "!="):
            return Matcher(tree.name, op, tree.value)
        text, pattern = self._aside.patterns[int(tree.value.rstrip("|"))]
        return Matcher(tree.name, op, text, pattern)

    # ---- times ----

    def _ms(self, tree: Any, name: str) -> int | None:
        """A duration of a node in ms; reading it fails where Python's timedelta ends, far beyond Go's."""
        try:
            span: timedelta | None = getattr(tree, name)
        except (OverflowError, ValueError):
            span = timedelta.max
        if span is None:
            return None
        milliseconds = (span.days * 86_400 + span.seconds) * 1000 + span.microseconds // 1000
        if abs(milliseconds) > LONGEST:
            self._refuse(1, "duration out of range")
        return milliseconds

    def _range(self, tree: Any) -> int:
        return self._ms(tree, "range") or 1

    def _offset(self, tree: Any) -> int:
        return self._ms(tree, "offset") or 0

    def _at(self, tree: Any) -> At | None:
        at = tree.at
        if at is None:
            return None
        if not str(at.type).endswith(".At"):
            return At(None)
        seconds = self._aside.stamps[round(at.at.timestamp())]
        milliseconds = seconds * 1000
        if not math.isfinite(milliseconds) or abs(milliseconds) >= _FARTHEST:
            self._refuse("@", f"timestamp out of bounds for @ modifier: {seconds:f}")
        return At(math.floor(abs(milliseconds) + 0.5) * (1 if milliseconds >= 0 else -1))

    def _subquery(self, tree: Any, when: _When) -> Node:
        offset, at, range = self._offset(tree), self._at(tree), self._range(tree)
        step = self._ms(tree, "step") or self._step
        return Subquery(self._node(tree.expr, when.back(offset, range, at)), range, step, offset, at)

    # ---- operations ----

    def _call(self, tree: Any, when: _When) -> Node:
        name = tree.func.name
        if problem := refusal(name, self._profile):
            self._refuse(name, problem)
        return Call(name, tuple(self._node(one, when) for one in tree.args))

    def _aggregate(self, tree: Any, when: _When) -> Node:
        op = str(tree.op)
        if op not in _AGGREGATIONS:
            self._refuse(op, refusal(op, self._profile))
        param = None if tree.param is None else self._node(tree.param, when)
        by = tree.modifier
        names = tuple(sorted(set(by.labels))) if by is not None else ()
        without = by is not None and str(by.type).endswith("Without")
        return Aggregate(op, self._node(tree.expr, when), param, names, without)

    def _unary(self, tree: Any, when: _When) -> Node:
        return Negate(self._node(tree.expr, when))

    def _binary(self, tree: Any, when: _When) -> Node:
        left, right = self._node(tree.lhs, when), self._node(tree.rhs, when)
        how = tree.modifier
        if how is None:
            return Binary(str(tree.op), left, right, False, _PLAIN)
        labels = how.matching
        many = {"ManyToOne": "left", "OneToMany": "right"}.get(str(how.card).rpartition(".")[2], "")
        matching = Matching(
            on=labels is not None and str(labels.type).endswith("Include"),
            names=tuple(labels.labels) if labels is not None else (),
            many=many,
            include=tuple(how.group_labels or ()),
        )
        return Binary(str(tree.op), left, right, bool(how.return_bool), matching)


_AGGREGATIONS = frozenset(
    ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group", "topk", "bottomk", "quantile", "count_values")
)

_READERS = {
    "ParenExpr": Reader._paren,
    "NumberLiteral": Reader._number,
    "StringLiteral": Reader._string,
    "VectorSelector": Reader._vector,
    "MatrixSelector": Reader._matrix,
    "SubqueryExpr": Reader._subquery,
    "Call": Reader._call,
    "AggregateExpr": Reader._aggregate,
    "UnaryExpr": Reader._unary,
    "BinaryExpr": Reader._binary,
}
