"""A Prometheus metric's `rangeQuery` (Argo 1.10): when it begins and ends, in seconds from now, and its step.

Argo evaluates start and end as expressions with `now()`, `duration("1h")` and `date(...)`. Virtual time has no date, so what is read are
sums and differences of durations from now.
"""

from __future__ import annotations

import json
import re

from sim.files import Refused, parse_duration
from sim.manifests.fields import Reader
from sim.policy.commands import Text

__all__ = ["range_query"]

_TERM = re.compile(r"""\s*([+-])\s*duration\(\s*(["'])([^"']*)\2\s*\)""")
_MOST = 11_000  # points of a series that Prometheus answers (web/api/v1: exceeded maximum resolution of 11,000 points)


def range_query(block: Reader) -> Text | None:
    """The question of a block with `query` and `rangeQuery`; None with a remark that says what is not read."""
    spec = block.child("rangeQuery")
    start, end = (_moment(spec, name) for name in ("start", "end"))
    try:
        step = parse_duration(spec.text("step"), days=False)
    except Refused:
        step = 0.0
    if start is None or end is None:
        return None
    if step <= 0 or end < start or (end - start) / step > _MOST:
        spec.block(
            "a range without a step above 0, that ends before it starts, or with more than 11,000 steps: Error", "step"
        )
        return None
    asked = {"end": end, "query": block.text("query"), "start": start, "step": step}
    return Text("prometheus-range", json.dumps(asked, sort_keys=True, ensure_ascii=False))


def _moment(spec: Reader, name: str) -> float | None:
    text = spec.text(name)
    seconds = _seconds(text)
    if seconds is None:
        spec.block(f"{name} {text!r}: only now() with durations added or taken away is read", name)
    return seconds


def _seconds(text: str) -> float | None:
    """
    >>> _seconds('now() - duration("1h") + duration("5m")')
    -3300.0
    """
    rest = text.strip()
    if not rest.startswith("now()"):
        return None
    rest, total = rest[len("now()") :], 0.0
    while rest.strip():
        term = _TERM.match(rest)
        if term is None:
            return None
        try:
            seconds = parse_duration(term[3], days=False)
        except Refused:
            return None
        total += seconds if term[1] == "+" else -seconds
        rest = rest[term.end() :]
    return total
