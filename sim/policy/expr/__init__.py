"""The condition language of Argo Rollouts: parse a condition once, judge results with it."""

from __future__ import annotations

from sim.policy.expr.condition import Condition, measure_verdict, parse_condition
from sim.policy.expr.errors import ConditionError, EvaluationError
from sim.policy.expr.formats import json_value
from sim.policy.expr.profile import NEW, OLD, PROFILES
from sim.policy.expr.shapes import ANY, BOOL, INT, LIST, MAP, NIL, SCALAR, STRING, VECTOR, Shape, infer

__all__ = [
    "ANY",
    "BOOL",
    "INT",
    "LIST",
    "MAP",
    "NEW",
    "NIL",
    "OLD",
    "PROFILES",
    "SCALAR",
    "STRING",
    "VECTOR",
    "Condition",
    "ConditionError",
    "EvaluationError",
    "Shape",
    "infer",
    "json_value",
    "measure_verdict",
    "parse_condition",
]
