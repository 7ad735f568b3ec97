"""What a PromQL query can answer, read from its tree (`sim.promql`): whether there may be no data or a 0/0, how far it looks back.

`{{ }}` that nobody has filled in yet stand for any word, or in a range for any duration; where that does not parse, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sim.promql.tree import Aggregate, Binary, Call, Negate, Node, Number, Range, Select, Subquery

if TYPE_CHECKING:
    pass

__all__ = ["COUNTING", "Facts", "Look", "facts"]

COUNTING = ("rate", "irate", "increase")
_LAST_TWO = ("irate", "idelta")  # these look at two samples only, whatever the range
_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
_FILTERS = (">", "!=", ">=", "<", "<=", "==", "or")  # a divisor that went through one of these is not 0
_NAN_FUNCTIONS = ("histogram_quantile", "quantile_over_time")
_ELEMENTWISE = (
    "abs",
    "ceil",
    "floor",
    "round",
    "clamp",
    "clamp_min",
    "clamp_max",
    "sgn",
    "sqrt",
    "exp",
    "ln",
    "log2",
    "log10",
)
_OPEN_RANGE, _TAG = re.compile(r"\[[^\]]*\{\{[^}]*\}\}"), re.compile(r"\{\{[^}]*\}\}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


@dataclass(frozen=True, slots=True)
class Look:
    """A range of the query: the function over it ('' for none), the metric, and how far back in seconds."""

    function: str
    metric: str
    range: float

    @property
    def mixes(self) -> bool:
        """Whether old samples inside the range change the answer."""
        return self.function not in _LAST_TWO


@dataclass(frozen=True, slots=True)
class Facts:
    """`known` False: nothing can be said. `fallback`: the number of an `or vector(n)` at the top. `ratio`: one counter over another.

    `scale` is what a ratio is multiplied by (100 for percent).
    """

    known: bool = True
    error: str = ""
    scalar: bool = False
    never_empty: bool = False
    may_nan: bool = False
    fallback: float | None = None
    ratio: bool = False
    scale: float = 1.0
    looks: tuple[Look, ...] = ()


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """What a query says about its answers."""
    from sim.promql.errors import PromqlError
    from sim.promql.query import compile, nodes

    if not text.strip():
        return Facts(known=False)
    open_range = _OPEN_RANGE.search(text) is not None
    filled = _TAG.sub("x", _OPEN_RANGE.sub("[1m", text))
    try:
        query = compile(filled)
    except PromqlError as error:
        return Facts(known=False, error="" if _ours(text, filled) else str(error))
    bare, scale = _scaled(query.tree)
    return Facts(
        scalar=query.kind == "scalar",
        never_empty=_never_empty(query.tree),
        may_nan=any(_may_nan(node) for node in nodes(query.tree)),
        fallback=_fallback(query.tree),
        ratio=_is_ratio(bare),
        scale=scale,
        looks=() if open_range else tuple(_looks(query.tree, "")),
    )


def _ours(text: str, filled: str) -> bool:
    """Whether the error is not the author's: a tag outside of quotes and ranges, or a form that only `sim.promql` refuses."""
    import promql_parser

    if "{{" in _QUOTED.sub("", _OPEN_RANGE.sub("", text)):
        return True
    try:
        promql_parser.parse(filled)
    except ValueError:
        return False
    return True


def _is_scalar(node: Node) -> bool:
    match node:
        case Number() | Call("scalar" | "time" | "pi"):
            return True
        case Negate(of):
            return _is_scalar(of)
        case Binary(left=left, right=right):
            return _is_scalar(left) and _is_scalar(right)
    return False


def _never_empty(node: Node) -> bool:
    match node:
        case Call("vector"):
            return True
        case Binary("or", right=right):
            return _never_empty(right)
        case Binary(op, left, right) if op in _ARITHMETIC:
            return _never_empty(left) and _never_empty(right)
        case Call(name, args) if name in _ELEMENTWISE:
            return _never_empty(args[0])
        case Negate(of) | Aggregate(of=of):
            return _never_empty(of)
    return _is_scalar(node)


def _may_nan(node: Node) -> bool:
    """0/0, or a quantile of nothing. A divisor that is a number, or filtered by a comparison, is never 0."""
    match node:
        case Call(name):
            return name in _NAN_FUNCTIONS
        case Binary("/", right=Binary(op)):
            return op not in _FILTERS
        case Binary("/", right=right):
            return not isinstance(right, Number)
    return False


def _fallback(node: Node) -> float | None:
    match node:
        case Binary("or", right=Call("vector", (Number(value),))):
            return value
    return None


def _scaled(node: Node) -> tuple[Node, float]:
    """A ratio without what it is multiplied by or taken from (`1 - ratio` keeps its scale)."""
    match node:
        case Binary("or", left=left):
            return _scaled(left)
        case Binary("*", Number(factor), other) | Binary("*", other, Number(factor)):
            bare, scale = _scaled(other)
            return bare, scale * factor
        case Binary("-", Number(), other) | Binary("-", other, Number()):
            return _scaled(other)
    return node, 1.0


def _is_ratio(node: Node) -> bool:
    """Requests that are counted over all requests: rates of counters, neither of them a sum or a bucket of a histogram."""
    match node:
        case Binary("/", left, right):
            sides = [list(_looks(side, "")) for side in (left, right)]
            return all(sides) and all(map(_counts, (look for side in sides for look in side)))
    return False


def _counts(look: Look) -> bool:
    return look.function in COUNTING and not look.metric.endswith(("_sum", "_bucket"))


def _looks(node: Node, function: str) -> Iterator[Look]:
    from sim.promql.query import children

    match node:
        case Range(Select(selector), range):
            yield Look(function, selector.name, range / 1000)
            return
        case Subquery(range=range):
            yield Look(function, "", range / 1000)
    for below in children(node):
        yield from _looks(below, node.name if isinstance(node, Call) else "")
