"""Conditions and queries of Argo's metrics: whether they can be judged, and say what they seem to (L1, L4 to L6, L36 to L38)."""

from __future__ import annotations

from collections.abc import Iterator

from sim.lint.files import Files, Question
from sim.lint.finding import Finding
from sim.lint.metrics import Use, parsed, uses
from sim.lint.missing import answer, missing, verdict
from sim.policy.expr import ANY, SCALAR, VECTOR, Condition, ConditionError, Shape
from sim.policy.expr import nodes as tree

__all__ = ["check"]

_JUDGED_ELSEWHERE = ("job", "kayenta")  # these answer with a verdict of their own
_NUMBERS = ("datadog", "wavefront")  # one number, or nil
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
        and all(verdict(use, answer(use, number)) == "Error" for number in _NUMBERS_SEEN)
    ):
        words = f"{(use.success or use.failure)!r} is an Error for every value: Prometheus answers with a list"
        yield use.spot.found(
            "L1",
            words,
            "successCondition" if use.success else "failureCondition",
            remedy="compare an element: result[0]",
        )
    elif usable:
        yield from missing(use)


def _shape(use: Use) -> Shape:
    if use.provider == "prometheus":
        return SCALAR if use.facts.scalar else VECTOR
    return SCALAR if use.provider in _NUMBERS else ANY


# ---- grammar ----


def _grammar(use: Use, name: str, text: str, condition: Condition) -> Iterator[Finding]:
    for node in tree.walk(condition.root):
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


# ---- queries ----


def _query(use: Use, question: Question) -> Iterator[Finding]:
    known, spot = use.facts, use.spot.child("provider", "prometheus")
    if known.error:
        yield spot.found("L38", f"the query does not parse: {known.error}", "query")
    elif use.provider == "prometheus" and not use.query.strip():
        yield spot.found("L38", "there is no query: Prometheus answers with an error", "query", remedy="add query: ...")
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
