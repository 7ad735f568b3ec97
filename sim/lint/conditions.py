"""Conditions of Argo's metrics: what they say of missing data, by asking the language itself (L1 to L6, L36 to L39)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.lint.files import Files, Question
from sim.lint.finding import Finding
from sim.lint.metrics import Use, parsed, uses
from sim.policy.expr import ANY, SCALAR, VECTOR, Condition, ConditionError, Shape, measure_verdict
from sim.policy.expr import nodes as tree

__all__ = ["check", "verdict"]

_JUDGED_ELSEWHERE = ("job", "kayenta")  # these answer with a verdict of their own
_NUMBERS = ("datadog", "wavefront")  # one number, or nil
_NEVER_NIL = ("web", "plugin", "prometheus")  # web: what is not found is an Error already
_LEFT_FIRST = frozenset(("==", "!=", "in", "matches", "contains", "startsWith", "endsWith"))
_NUMBERS_SEEN = (0.0, 0.5, 1.0, 100.0, 1e6)  # what a metric may well show
_GUARDS = ("isNil", "default")
_COUNTERS_END = ("_total", "_count", "_sum", "_bucket")
_GAUGES_END = ("_bytes", "_seconds", "_ratio", "_percent", "_celsius", "_in_flight", "_inflight", "_current")


def check(files: Files) -> Iterator[Finding]:
    """All findings about metrics of templates; the same words about several uses are said once."""
    for use in uses(files):
        if use.provider in _JUDGED_ELSEWHERE or not use.provider:
            continue
        yield from _query(use, files.question)
        if not use.success and not use.failure:
            if not _is_dry(use):
                yield use.spot.found("L6", f"metric {use.spot.text('name')} has no condition")
        elif not use.open:
            yield from _conditions(use)


def verdict(use: Use, result: object) -> str:
    """What one measurement with this result would be."""
    success, failure = parsed(use.success, use.engine), parsed(use.failure, use.engine)
    if isinstance(success, ConditionError) or isinstance(failure, ConditionError):
        return "Error"
    shape = VECTOR if use.provider == "prometheus" and isinstance(result, list) else None
    return measure_verdict(result, success, failure, shape)[0]


def _conditions(use: Use) -> Iterator[Finding]:
    usable = all(parsed(text, use.engine) is not None for _, text in use.conditions())
    for name, text in use.conditions():
        condition = parsed(text, use.engine)
        problem = condition if isinstance(condition, ConditionError) else condition and condition.check(_shape(use))
        if isinstance(problem, ConditionError):
            usable = False
            words = f"column {problem.column} of {text!r}: {problem.problem}"
            yield use.spot.found("L1", words, name, remedy=problem.remedy)
        if isinstance(condition, Condition):
            yield from _grammar(use, name, text, condition)
    if (
        usable
        and use.provider == "prometheus"
        and all(verdict(use, _answer(use, number)) == "Error" for number in _NUMBERS_SEEN)
    ):
        words = f"{(use.success or use.failure)!r} is an Error for every value: Prometheus answers with a list"
        yield use.spot.found(
            "L1",
            words,
            "successCondition" if use.success else "failureCondition",
            remedy="compare an element: result[0]",
        )
    elif usable:
        yield from _missing(use)


def _answer(use: Use, number: float) -> object:
    return number if use.facts.scalar else [number]


def _shape(use: Use) -> Shape:
    if use.provider == "prometheus":
        return SCALAR if use.facts.scalar else VECTOR
    return SCALAR if use.provider in _NUMBERS else ANY


# ---- missing data ----


def _missing(use: Use) -> Iterator[Finding]:
    text, known = f"{use.success} {use.failure}", use.facts
    field = "successCondition" if use.success else "failureCondition"
    table = _table(use)
    words = "; ".join(f"{what}: {outcome}" for what, outcome in table.items())
    empty, nan, nil = (table.get(what, "") for what in ("no data", "0/0 (NaN)", "nil"))
    if empty == "Error" and _indexes(use):
        yield use.spot.found("L2", f"no data makes {(use.success or use.failure)!r} an Error ({words})", field)
    elif empty == "Error":
        yield use.spot.found("L3", f"no data is an Error ({words})", field)
    elif empty == "Successful" and "len(" not in text:
        yield use.spot.found(
            "L3", f"no data passes: {(use.success or use.failure)!r} holds for an empty list ({words})", field
        )
    if nil == "Error":
        yield use.spot.found("L3", f"no value (nil) is an Error ({words})", field)
    if nan and "isNaN(" not in text:
        effect = {
            "Failed": "counts as a failed look",
            "Successful": "passes",
            "Inconclusive": "is inconclusive",
            "Error": "is an Error",
        }
        yield use.spot.found("L3", f"a window without requests is 0/0, and NaN {effect[nan]} ({words})", field)
    if known.fallback is not None and verdict(use, [known.fallback]) == "Successful":
        yield use.spot.found(
            "L39", f"`or vector({known.fallback:g})` makes no data a {known.fallback:g}, which passes", field
        )


def _table(use: Use) -> dict[str, str]:
    """What each kind of missing data that can occur would be."""
    known, table = use.facts, {}
    if use.provider == "prometheus":
        if not known.never_empty:
            table["no data"] = verdict(use, [])
        if known.may_nan:
            table["0/0 (NaN)"] = verdict(use, math.nan if known.scalar else [math.nan])
    elif use.provider not in _NEVER_NIL:
        table["nil"] = verdict(use, None)
    return table | {"a failed query": "Error"}


def _indexes(use: Use) -> bool:
    for _, text in use.conditions():
        condition = parsed(text, use.engine)
        if isinstance(condition, Condition) and any(
            isinstance(node, tree.Member) and isinstance(node.base, tree.Result) and isinstance(node.key, tree.Literal)
            and isinstance(node.key.value, int)
            for node in _walk(condition.root)
        ):  # fmt: skip
            return True
    return False


# ---- grammar ----


def _grammar(use: Use, name: str, text: str, condition: Condition) -> Iterator[Finding]:
    for node in _walk(condition.root):
        if (
            isinstance(node, tree.Call)
            and node.name in _GUARDS
            and not isinstance((*node.arguments, None)[0], tree.Result)
        ):
            yield use.spot.found("L4", f"{node.name} in {text!r} is not about result", name)
        if _negates_left(text, node):
            yield use.spot.found("L5", f"{text!r} negates the left side only", name)


def _negates_left(text: str, node: tree.Node) -> bool:
    left, right = _operands(node)
    if right is None or not isinstance(left, tree.Unary) or left.operator not in ("not", "!"):
        return False
    return not _in_parentheses(text, left.at, right.at)


def _operands(node: tree.Node) -> tuple[tree.Node | None, tree.Node | None]:
    if isinstance(node, tree.Binary) and node.operator in _LEFT_FIRST:
        return node.left, node.right
    if isinstance(node, tree.Comparison):
        return node.operands[0], node.operands[1]
    return None, None


def _in_parentheses(text: str, start: int, end: int) -> bool:
    """Whether a parenthesis opens right before `start` and closes before `end`: the author means it."""
    return text[:start].rstrip().endswith("(") and text[start:end].count(")") > text[start:end].count("(")


def _walk(root: tree.Node) -> Iterator[tree.Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(tree.children(node))


# ---- queries ----


def _query(use: Use, question: Question) -> Iterator[Finding]:
    known, spot = use.facts, use.spot.child("provider", "prometheus")
    if known.error:
        yield spot.found("L38", f"the query does not parse: {known.error}", "query")
    scrape = question.service.monitoring.scrape
    for look in dict.fromkeys(known.looks):
        if look.function and look.range < 2 * scrape and look.function != "last_over_time":
            words = f"{look.function} over {look.range:g}s, with a scrape every {scrape:g}s"
            yield spot.found("L36", words, "query", severity=question.grave)
        if (
            look.function in ("rate", "irate", "increase")
            and look.metric.endswith(_GAUGES_END)
            and not look.metric.endswith(_COUNTERS_END)
        ):
            yield spot.found("L37", f"{look.function} of {look.metric}, whose name is that of a gauge", "query")


def _is_dry(use: Use) -> bool:
    from sim.manifests.argo_analysis import matches

    spec = use.spot.document.value.get("spec", {})
    rules = spec.get("dryRun") or [] if isinstance(spec, dict) else []
    return any(matches(str(rule.get("metricName")), use.spot.text("name")) for rule in rules if isinstance(rule, dict))
