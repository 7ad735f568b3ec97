"""Names for requests that are routed by what they carry: the segments of `Match`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sim.manifests.argo_metrics import canonical
from sim.manifests.fields import Reader

__all__ = ["SIGNS", "conditions", "segment", "segments"]

SIGNS = {"exact": "=", "regex": "~", "prefix": "^=", "suffix": "$="}


def segment(header: str, how: str, value: str) -> str:
    """The requests whose header is, matches, begins or ends with a value.

    >>> segment("agent", "regex", "firefox(.*)")
    'header:agent~firefox(.*)'
    """
    return f"header:{header}{SIGNS[how]}{value}"


def segments(matches: Iterable[Reader]) -> tuple[str, ...]:
    """One name for each entry of an Istio-style match list; several conditions of one entry are joined by ` & `."""
    return tuple(name for name in map(_entry, matches) if name)


def _entry(match: Reader) -> str:
    names = []
    headers = match.child("headers")
    for header in headers.value:
        condition = headers.child(header)
        names += [segment(header, how, condition.text(how)) for how in SIGNS if condition.has(how)]
    rest = {key: value for key, value in match.value.items() if key != "headers"}
    if rest:
        match.remark("approximated", "requests are told apart by this whole text, not by path or source")
        names.append(f"match:{canonical(rest)}")
    return " & ".join(names)


_SEGMENT = re.compile(r"header:(?P<name>[^=~^$]+)(?P<how>\^=|\$=|=|~)(?P<value>.*)", re.DOTALL)
_WAYS = {sign: how for how, sign in SIGNS.items()}


def conditions(segment: str) -> dict[str, Any] | None:
    """The entry of an Istio-style match list that a segment's name stands for; None for a name that was given otherwise.

    >>> conditions("header:agent~firefox(.*)")
    {'headers': {'agent': {'regex': 'firefox(.*)'}}}
    """
    headers: dict[str, dict[str, str]] = {}
    rest: dict[str, Any] = {}
    for part in segment.split(" & "):
        found = _SEGMENT.fullmatch(part)
        if found is not None:
            headers.setdefault(found["name"], {})[_WAYS[found["how"]]] = found["value"]
        elif part.startswith("match:"):
            rest |= json.loads(part.removeprefix("match:"))
        else:
            return None
    return ({"headers": headers} if headers else {}) | rest
