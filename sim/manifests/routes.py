"""Names for requests that are routed by what they carry: the segments of `Match`."""

from __future__ import annotations

from collections.abc import Iterable

from sim.manifests.argo_metrics import canonical
from sim.manifests.fields import Reader

__all__ = ["SIGNS", "segment", "segments"]

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
