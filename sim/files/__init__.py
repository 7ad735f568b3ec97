"""Text files of people: YAML 1.2 with positions, units, errors that come all at once, digests. See README.md.

pydantic (some 100 ms) is loaded when the first name that needs it is used, so that `--help` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.files.digest import canonical, digest
from sim.files.document import Document, read_document, read_documents
from sim.files.errors import FileErrors, Problem, Refused, render
from sim.files.kinds import kind_of
from sim.files.units import (
    format_duration,
    format_rate,
    parse_bytes,
    parse_duration,
    parse_prom_duration,
    parse_rate,
    parse_ratio,
)

if TYPE_CHECKING:
    from sim.files.fields import (
        Bytes,
        Duration,
        Name,
        NonNegativeInt,
        NonNegativeNumber,
        Number,
        Percent,
        PositiveInt,
        PositiveNumber,
        Rate,
        Ratio,
        Seconds,
        Strict,
    )
    from sim.files.schema import json_schema
    from sim.files.unions import branch, by_field, by_key
    from sim.files.validation import validate

_LAZY = {
    **dict.fromkeys(("Bytes", "Duration", "Name", "NonNegativeInt", "NonNegativeNumber", "Number"), "fields"),
    **dict.fromkeys(("Percent", "PositiveInt", "PositiveNumber", "Rate", "Ratio", "Seconds", "Strict"), "fields"),
    **dict.fromkeys(("branch", "by_field", "by_key"), "unions"),
    "json_schema": "schema",
    "validate": "validation",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = [
    "Bytes",
    "Document",
    "Duration",
    "FileErrors",
    "Name",
    "NonNegativeInt",
    "NonNegativeNumber",
    "Number",
    "Percent",
    "PositiveInt",
    "PositiveNumber",
    "Problem",
    "Rate",
    "Ratio",
    "Refused",
    "Seconds",
    "Strict",
    "branch",
    "by_field",
    "by_key",
    "canonical",
    "digest",
    "format_duration",
    "format_rate",
    "json_schema",
    "kind_of",
    "parse_bytes",
    "parse_duration",
    "parse_prom_duration",
    "parse_rate",
    "parse_ratio",
    "read_document",
    "read_documents",
    "render",
    "validate",
]
