"""The stable JSON form of events and commands: `{"type": "SetWeight", "weight": 5}`. What JSON has no word for comes as an object.

A JSON array is a tuple inside events and commands, and a list inside answers (a vector of Prometheus, say); the other kind of sequence
comes as `{"type": "tuple"}`. So every value comes back equal, and a replay judges exactly what was judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, get_args

from sim.policy.commands import Command, Query
from sim.policy.errors import HistoryError, SeatrialError
from sim.policy.events import Answer, Event, Value
from sim.policy.judges.base import Arm, Truth, Window

__all__ = ["decode", "encode"]

_TYPES: Mapping[str, type] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (*get_args(Event), *get_args(Answer), *get_args(Command), *get_args(Query), Arm, Truth, Window)
    }
)


def encode(value: object) -> Any:
    """JSON for an event, a command, or anything inside one. Raises HistoryError for what has no such form.

    >>> from sim.policy.commands import Counts
    >>> encode(Counts(60.0))
    {'type': 'Counts', 'window': 60.0, 'points': []}
    """
    return _encode(value, answer=False)


def decode(document: Any) -> Any:
    """The value of a JSON form. Raises HistoryError where there is none."""
    try:
        return _decode(document, answer=False)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HistoryError(f"not a JSON form of ours ({error!r}); {_REMEDY}") from error


_REMEDY = "this journal is from another version or damaged"


def _encode(value: object, answer: bool) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    if type(value).__name__ in _TYPES and is_dataclass(value) and not isinstance(value, type):
        inside = isinstance(value, Value)
        body = {field.name: _encode(getattr(value, field.name), inside) for field in fields(value)}
        return {"type": type(value).__name__, **body}
    if isinstance(value, list | tuple):
        items = [_encode(item, answer) for item in value]
        return {"type": "tuple", "items": items} if answer and isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {"type": "map", "items": [[_encode(key, answer), _encode(item, answer)] for key, item in value.items()]}
    raise HistoryError(f"{value!r} has no JSON form; events and commands hold plain values")


def _decode(document: Any, answer: bool) -> Any:
    if isinstance(document, list):
        items = [_decode(item, answer) for item in document]
        return items if answer else tuple(items)
    if not isinstance(document, dict):
        return document
    name = document["type"]
    if name == "float":
        return float(document["value"])
    if name == "tuple":
        return tuple(_decode(item, answer) for item in document["items"])
    if name == "map":
        return {_decode(key, answer): _decode(item, answer) for key, item in document["items"]}
    kind = _TYPES.get(name)
    if kind is None:
        raise HistoryError(f"{name!r} is no event and no command; {_REMEDY}")
    body = {key: _decode(item, kind is Value) for key, item in document.items() if key != "type"}
    try:
        return kind(**body)
    except (TypeError, SeatrialError) as error:
        raise HistoryError(f"{name}: {error}; {_REMEDY}") from error
