"""Walks through a policy's fields: which metrics it asks, and all of it as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from sim.policy.analysis import Metric
from sim.policy.commands import Query
from sim.policy.expr import Condition
from sim.policy.flagger import Check

__all__ = ["asked", "plain"]


def asked(value: object) -> Iterator[tuple[str, str, Query]]:
    """(template, metric, query) of everything that a policy measures, in the order of its fields."""
    if isinstance(value, Metric | Check):
        if value.query is not None:
            yield value.template, value.name, value.query
    elif isinstance(value, tuple | list):
        for item in value:
            yield from asked(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from asked(getattr(value, field.name))


def plain(value: object) -> Any:
    """A value of ours as JSON data: dataclasses become mappings that name their class."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Condition):
        return {"is": "Condition", "text": value.text, "profile": value.profile}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"is": type(value).__name__} | {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    # A class of a workshop that is no dataclass, or a function: its source is in the digest anyway.
    own = sorted(getattr(value, "__dict__", {}).items())
    simple = {name: plain(item) for name, item in own if isinstance(item, bool | int | float | str)}
    return {"is": getattr(value, "__qualname__", type(value).__qualname__)} | simple
