"""PromQL over arrays: many replications at once, equal to Prometheus. See README.md."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.promql.errors import EvaluationError, PromqlError
    from sim.promql.labels import Labels, labelset
    from sim.promql.query import Query, compile
    from sim.promql.selectors import Matcher, Selector
    from sim.promql.series import MISSING, SAMPLE, STALE, Block, Memory, Store
    from sim.promql.values import Answer, Failure

_LAZY = {
    **dict.fromkeys(("EvaluationError", "PromqlError"), "errors"),
    **dict.fromkeys(("Labels", "labelset"), "labels"),
    **dict.fromkeys(("Query", "compile"), "query"),
    **dict.fromkeys(("Matcher", "Selector"), "selectors"),
    **dict.fromkeys(("MISSING", "SAMPLE", "STALE", "Block", "Memory", "Store"), "series"),
    **dict.fromkeys(("Answer", "Failure"), "values"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = [
    "MISSING",
    "SAMPLE",
    "STALE",
    "Answer",
    "Block",
    "EvaluationError",
    "Failure",
    "Labels",
    "Matcher",
    "Memory",
    "PromqlError",
    "Query",
    "Selector",
    "Store",
    "compile",
    "labelset",
]
