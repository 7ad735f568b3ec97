"""What a PromQL query can answer, read from its syntax: whether there may be no data or a 0/0, and how far it looks back.

Parsing is the package's `promql-parser`. `{{ }}` that nobody has filled in yet stand for any word, or in a range for any duration; where
that does not parse, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["Facts", "Look", "facts"]

COUNTING = ("rate", "irate", "increase")
_LAST_TWO = ("irate", "idelta")  # these look at two samples only, whatever the range
_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
_NAN_FUNCTIONS = ("histogram_quantile", "quantile_over_time")
_OPEN_RANGE, _TAG = re.compile(r"\[[^\]]*\{\{[^}]*\}\}"), re.compile(r"\{\{[^}]*\}\}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ELEMENTWISE = (
    "abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sgn",
    "sqrt", "exp", "ln", "log2", "log10", "sort", "sort_desc",
)  # fmt: skip


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

    @property
    def window(self) -> float:
        """Seconds that the longest range looks back; 0 without any."""
        return max((look.range for look in self.looks), default=0.0)


@lru_cache(maxsize=4096)
def facts(text: str) -> Facts:
    """What the syntax of a query says."""
    import promql_parser

    if not text.strip():
        return Facts(known=False)
    open_range = _OPEN_RANGE.search(text) is not None
    try:
        root = promql_parser.parse(_TAG.sub("x", _OPEN_RANGE.sub("[1m", text)))
    except ValueError as error:
        unsure = "{{" in _QUOTED.sub("", _OPEN_RANGE.sub("", text))
        return Facts(known=False, error="" if unsure else str(error).strip().split("\n")[0])
    bare, scale = _scaled(_open(root))
    return Facts(
        scalar=_is_scalar(_open(root)),
        never_empty=_never_empty(root),
        may_nan=any(_may_nan(node) for node in _walk(root)),
        fallback=_fallback(root),
        ratio=_is_ratio(bare),
        scale=scale,
        looks=() if open_range else tuple(_looks(root, "")),
    )


def _name(node: Any) -> str:
    return type(node).__name__


def _open(node: Any) -> Any:
    while _name(node) == "ParenExpr":
        node = node.expr
    return node


def _children(node: Any) -> list[Any]:
    below = [getattr(node, part) for part in ("lhs", "rhs", "expr", "vector_selector") if hasattr(node, part)]
    return [*below, *(getattr(node, "args", ()) or ())]


def _walk(root: Any) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _operator(node: Any) -> str:
    return str(node.op) if _name(node) == "BinaryExpr" else ""


def _number(node: Any) -> float | None:
    node = _open(node)
    return float(node.val) if _name(node) == "NumberLiteral" else None


def _call(node: Any) -> str:
    return str(node.func.name) if _name(node) == "Call" else ""


def _is_scalar(node: Any) -> bool:
    node = _open(node)
    if _name(node) in ("NumberLiteral", "UnaryExpr") or _call(node) in ("scalar", "time", "pi"):
        return _name(node) != "UnaryExpr" or _is_scalar(node.expr)
    return bool(_operator(node)) and _is_scalar(node.lhs) and _is_scalar(node.rhs)


def _never_empty(node: Any) -> bool:
    node = _open(node)
    if _is_scalar(node) or _call(node) == "vector":
        return True
    if (operator := _operator(node)) == "or":
        return _never_empty(node.rhs)
    if operator in _ARITHMETIC:
        return _never_empty(node.lhs) and _never_empty(node.rhs)
    if _call(node) in _ELEMENTWISE:
        return _never_empty(node.args[0])
    return _name(node) in ("UnaryExpr", "AggregateExpr") and _never_empty(node.expr)


def _may_nan(node: Any) -> bool:
    """0/0, or a quantile of nothing. A divisor that is a number, or filtered by a comparison, is never 0."""
    if _call(node) in _NAN_FUNCTIONS:
        return True
    if _operator(node) != "/":
        return False
    divisor = _open(node.rhs)
    return _number(divisor) is None and _operator(divisor) not in (">", "!=", ">=", "<", "<=", "==", "or")


def _fallback(node: Any) -> float | None:
    node = _open(node)
    if _operator(node) != "or":
        return None
    right = _open(node.rhs)
    return _number(right.args[0]) if _call(right) == "vector" else None


def _scaled(node: Any) -> tuple[Any, float]:
    """A ratio without what it is multiplied by or taken from (`1 - ratio` keeps its scale)."""
    operator = _operator(node)
    if operator == "or":
        return _scaled(_open(node.lhs))
    if operator not in ("*", "-"):
        return node, 1.0
    for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
        factor = _number(side)
        if factor is not None:
            bare, scale = _scaled(_open(other))
            return bare, (scale * factor if operator == "*" else scale)
    return node, 1.0


def _is_ratio(node: Any) -> bool:
    """Requests that are counted over all requests: rates of counters, neither of them a sum or a bucket of a histogram."""
    if _operator(node) != "/":
        return False
    for side in (node.lhs, node.rhs):
        looks = list(_looks(side, ""))
        if not looks or any(
            look.function not in COUNTING or look.metric.endswith(("_sum", "_bucket")) for look in looks
        ):
            return False
    return True


def _looks(node: Any, function: str) -> Iterator[Look]:
    kind = _name(node)
    if kind == "MatrixSelector":
        yield Look(function, node.vector_selector.name or "", node.range.total_seconds())
        return
    if kind == "SubqueryExpr":
        yield Look(function, "", node.range.total_seconds())
    function = _call(node)
    for below in _children(node):
        yield from _looks(below, function)
