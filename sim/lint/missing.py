"""What a condition says of missing data, by asking the language itself (L2, L3, L39): no data, nil, 0/0, and a failed query."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.lint.finding import Finding
from sim.lint.metrics import Use, parsed
from sim.policy.expr import VECTOR, Condition, ConditionError, measure_verdict
from sim.policy.expr import nodes as tree

__all__ = ["answer", "missing", "verdict"]

_NEVER_NIL = ("web", "plugin", "prometheus")  # web: what is not found is an Error already
_EFFECTS = {
    "Failed": "counts as a failed look", "Successful": "passes", "Inconclusive": "is inconclusive", "Error": "is an Error",
}  # fmt: skip


def verdict(use: Use, result: object) -> str:
    """What one measurement with this result would be."""
    success, failure = parsed(use.success, use.engine), parsed(use.failure, use.engine)
    if isinstance(success, ConditionError) or isinstance(failure, ConditionError):
        return "Error"
    shape = VECTOR if use.provider == "prometheus" and isinstance(result, list) else None
    return measure_verdict(result, success, failure, shape)[0]


def answer(use: Use, number: float) -> object:
    """A number in the shape in which the provider gives it."""
    return number if use.facts.scalar or use.provider != "prometheus" else [number]


def missing(use: Use) -> Iterator[Finding]:
    """Findings about a metric whose conditions can be judged."""
    field, text = ("successCondition", use.success) if use.success else ("failureCondition", use.failure)
    table = _table(use)
    words = "; ".join(f"{what}: {outcome}" for what, outcome in table.items())
    empty, nan, nil = (table.get(what, "") for what in ("no data", "0/0 (NaN)", "nil"))
    counted = "len(" in use.success + use.failure
    decided = f"decide it: `len(result) > 0 && ({text})` {_then(use, False)}, `len(result) == 0 || ({text})` {_then(use, True)}"
    if empty == "Error" and _indexes(use):
        yield use.spot.found("L2", f"no data makes {text!r} an Error ({words})", field, remedy=decided)
    elif empty == "Error" or (empty == "Successful" and not counted):
        yield use.spot.found("L3", f"no data {_EFFECTS[empty]}: {text!r} ({words})", field, remedy=decided)
    if nil == "Error":
        yield use.spot.found(
            "L3",
            f"no value (nil) is an Error: {text!r} ({words})",
            field,
            remedy="decide it: default(result, 0) in place of result",
        )
    if nan and "isNaN(" not in use.success + use.failure:
        number = "result" if use.facts.scalar else "result[0]"
        remedy = f"decide it: `isNaN({number}) || ({text})` {_then(use, True)}, `isNaN({number}) == false && ({text})` {_then(use, False)}"
        yield use.spot.found(
            "L3", f"a window without requests is 0/0, and NaN {_EFFECTS[nan]} ({words})", field, remedy=remedy
        )
    yield from _fallback(use, field)


def _then(use: Use, holds: bool) -> str:
    """What a condition that holds, or does not, makes of the look."""
    return "passes it" if holds == bool(use.success) else "fails it"


def _fallback(use: Use, field: str) -> Iterator[Finding]:
    value = use.facts.fallback
    if value is not None and verdict(use, [value]) == "Successful":
        yield use.spot.found("L39", f"`or vector({value:g})` makes no data a {value:g}, which passes", field)


def _table(use: Use) -> dict[str, str]:
    """What each kind of missing data that can occur would be."""
    known, table = use.facts, {}
    if use.provider == "prometheus":
        if not known.never_empty:
            table["no data"] = verdict(use, [])
        if known.may_nan:
            table["0/0 (NaN)"] = verdict(use, answer(use, math.nan))
    elif use.provider not in _NEVER_NIL:
        table["nil"] = verdict(use, None)
    return table | {"a failed query": "Error"}


def _indexes(use: Use) -> bool:
    """Whether a condition takes an element of the result by its number."""
    conditions = [parsed(text, use.engine) for _, text in use.conditions()]
    return any(
        isinstance(node, tree.Member) and isinstance(node.base, tree.Result) and _is_index(node.key)
        for condition in conditions
        if isinstance(condition, Condition)
        for node in tree.walk(condition.root)
    )


def _is_index(key: tree.Node) -> bool:
    return isinstance(key, tree.Literal) and isinstance(key.value, int)
