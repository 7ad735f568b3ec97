"""Literal patterns are looked at when a condition is parsed, whatever the result will be."""

from __future__ import annotations

from sim.policy.expr import nodes as tree
from sim.policy.expr.errors import ConditionError
from sim.policy.expr.nodes import Node
from sim.policy.expr.regex import Pattern
from sim.policy.expr.regex_syntax import PatternError


def check_patterns(text: str, root: Node) -> None:
    """ConditionError for the first literal after `matches` that is not a pattern."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(tree.children(node))
        if isinstance(node, tree.Binary) and node.operator == "matches":
            compile_literal(text, node)


def compile_literal(text: str, node: tree.Binary) -> Pattern | None:
    """The pattern of `x matches "literal"`; None if it is not a literal."""
    if not isinstance(node.right, tree.Literal) or not isinstance(node.right.value, str):
        return None
    try:
        return Pattern(node.right.value)
    except PatternError as error:
        problem, _, remedy = str(error).rpartition("; ")
        raise ConditionError(text, node.right.at + 1, problem, remedy) from None
