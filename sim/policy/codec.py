"""The stable JSON form of events and commands: `{"type": "SetWeight", "weight": 5}`. Text that is not a number comes as such."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, get_args

from sim.policy.commands import Command, Counts, Query
from sim.policy.errors import HistoryError
from sim.policy.events import Answer, Event
from sim.policy.judges.base import Arm, Truth, Window

__all__ = ["decode", "encode"]

_TYPES: Mapping[str, type] = MappingProxyType(
    {kind.__name__: kind for kind in (*get_args(Event), *get_args(Answer), *get_args(Command), *get_args(Query), Arm, Truth, Window)}
)


def encode(value: object) -> Any:
    """JSON for an event, a command, or anything inside one.

    >>> encode(Counts(60.0))
    {'type': 'Counts', 'window': 60.0, 'points': []}
    """
    if is_dataclass(value) and not isinstance(value, type):
        body = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **body}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"type": "map", "items": [[key, encode(item)] for key, item in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        return {"type": "float", "value": repr(value)}
    if value is None or isinstance(value, str | int | float):
        return value
    raise HistoryError(f"{value!r} has no JSON form; events and commands hold plain values")


def decode(document: Any) -> Any:
    """The value of a JSON form; lists become tuples inside events and commands, and stay lists inside answers."""
    if isinstance(document, list):
        return tuple(decode(item) for item in document)
    if not isinstance(document, dict):
        return document
    name = document.get("type")
    if name == "float":
        return float(document["value"])
    if name == "map":
        return {key: decode(item) for key, item in document["items"]}
    kind = _TYPES.get(str(name))
    if kind is None:
        raise HistoryError(f"{name!r} is no event and no command; this journal is from another version or damaged")
    body = {key: decode(item) for key, item in document.items() if key != "type"}
    try:
        return kind(**body)
    except TypeError as error:
        raise HistoryError(f"{name}: {error}; this journal is from another version or damaged") from error
