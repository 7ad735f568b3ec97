"""Label sets: tuples of (name, value) in the order of names; an empty value is the same as no label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.promql.naming import is_label

__all__ = ["BUCKET", "EMPTY", "NAME", "Labels", "get", "labelset", "only", "put", "quoted", "shown", "without"]

Labels = tuple[tuple[str, str], ...]

EMPTY: Labels = ()
NAME = "__name__"
BUCKET = "le"


def labelset(pairs: Mapping[str, str]) -> Labels:
    """
    >>> labelset({"job": "api", "__name__": "up", "zone": ""})
    (('__name__', 'up'), ('job', 'api'))
    """
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def get(of: Labels, name: str) -> str:
    """The value of a label, '' where there is none."""
    for key, value in of:
        if key == name:
            return value
    return ""


def without(of: Labels, names: Iterable[str]) -> Labels:
    dropped = frozenset(names)
    return tuple(pair for pair in of if pair[0] not in dropped)


def only(of: Labels, names: Iterable[str]) -> Labels:
    kept = frozenset(names)
    return tuple(pair for pair in of if pair[0] in kept)


def put(of: Labels, name: str, value: str) -> Labels:
    """With the label set; removed when the value is empty."""
    return labelset({**dict(of), name: value})


def shown(of: Labels) -> str:
    """As Prometheus writes it in messages: `{__name__="up", job="a"}`; 3.x quotes names that 2.x would not take."""
    return "{" + ", ".join(f"{name if is_label(name) else quoted(name)}={quoted(value)}" for name, value in of) + "}"


def quoted(value: str) -> str:
    """A label's value as Prometheus writes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
