"""label_replace and label_join: other labels, same values. Source: promql/functions.go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.promql import regex
from sim.promql.evaluate import Evaluation
from sim.promql.labels import Labels, get, put
from sim.promql.naming import is_label
from sim.promql.tree import Call, Text
from sim.promql.uniqueness import SAME, check
from sim.promql.values import Vector

__all__ = ["label_join", "label_replace"]


def _texts(node: Call) -> list[str]:
    return [one.value for one in node.args[1:] if isinstance(one, Text)]


def label_replace(evaluation: Evaluation, node: Call) -> Vector:
    target, template, source, text = _texts(node)
    found = evaluation.vector(node.args[0])
    try:
        pattern = regex.compile(text, evaluation.profile.modern)
    except ValueError:
        return _refused(evaluation, found, f"invalid regular expression in label_replace(): {text}")
    if not is_label(target, evaluation.profile.modern):
        return _refused(evaluation, found, f"invalid destination label name in label_replace(): {target}")

    def relabelled(labels: Labels) -> Labels:
        value = pattern.expand(get(labels, source), template)
        return labels if value is None else put(labels, target, value)

    return _with(evaluation, node, found, relabelled)


def label_join(evaluation: Evaluation, node: Call) -> Vector:
    target, separator, *sources = _texts(node)
    found = evaluation.vector(node.args[0])
    for source in sources:
        if not is_label(source, evaluation.profile.modern):
            return _refused(evaluation, found, f"invalid source label name in label_join(): {source}")
    if not is_label(target, evaluation.profile.modern):
        return _refused(evaluation, found, f"invalid destination label name in label_join(): {target}")
    return _with(
        evaluation,
        node,
        found,
        lambda labels: put(labels, target, separator.join(get(labels, name) for name in sources)),
    )


def _with(evaluation: Evaluation, node: Call, found: Vector, change: Callable[[Labels], Labels]) -> Vector:
    labels = evaluation.plan(node, (found.labels,), lambda: tuple(map(change, found.labels)))
    result = Vector(labels, found.values, found.present, found.order)
    check(evaluation, result, SAME, together=evaluation.inner and evaluation.profile.modern)
    return result


def _refused(evaluation: Evaluation, found: Vector, problem: str) -> Vector:
    evaluation.fail(problem, np.ones((1, 1), bool))
    return found
