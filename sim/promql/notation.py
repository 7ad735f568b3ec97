"""promtool's notation of input series: `1 2 _ 0+10x100 1x3 _x5 stale`, to arrays. Source: generated_parser.y, series_item."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.files.errors import Refused
from sim.promql.labels import NAME, Labels, labelset
from sim.promql.series import MISSING, SAMPLE, STALE

__all__ = ["MAX_POINTS", "metric", "sequence"]

MAX_POINTS = 1_000_000
_HELP = "write values like '1 2 _ 0+10x100 1x3 _x5 stale'"
_NUMBER = r"(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[iI][nN][fF]|[nN][aA][nN])"
_ITEM = re.compile(
    rf"(?P<blank>_)(?:x(?P<blanks>[0-9]+))?|(?P<stale>stale)"
    rf"|(?P<value>[-+]?{_NUMBER})(?P<step>[-+]{_NUMBER})?(?:x(?P<times>[0-9]+))?"
)


def sequence(text: str, modern: bool = False) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Values and marks, one per interval. Refused for anything else."""
    values: list[NDArray[np.float64]] = []
    marks: list[NDArray[np.uint8]] = []
    total = 0
    for item in text.split():
        if "{" in item:
            raise Refused("native histograms are not supported", "write classic _bucket, _sum and _count series")
        match = _ITEM.fullmatch(item)
        if match is None or (match["step"] and match["times"] is None):
            raise Refused(f"'{item}' is no series value", _HELP)
        total += (count := _count(match))
        if total > MAX_POINTS:
            raise Refused(f"more than {MAX_POINTS:,} values", "write a shorter series")
        values.append(_values(match, count))
        mark = MISSING if match["blank"] else STALE if match["stale"] else SAMPLE
        marks.append(np.full(count, mark, np.uint8))
    if not values:
        return np.empty(0), np.empty(0, np.uint8)
    return np.concatenate(values), np.concatenate(marks)


def _count(match: re.Match[str]) -> int:
    """`_x3` is three, `1x3` and `0+1x3` are four: the first and three more."""
    if match["blank"]:
        return min(int(match["blanks"] or 1), MAX_POINTS + 1) if len(match["blanks"] or "") < 12 else MAX_POINTS + 1
    times = match["times"]
    return 1 if times is None else (int(times) + 1 if len(times) < 12 else MAX_POINTS + 1)


def _values(match: re.Match[str], count: int) -> NDArray[np.float64]:
    if match["blank"] or match["stale"]:
        return np.zeros(count)
    out = np.full(count, float(match["value"]))
    if match["step"] and count > 1:
        out[1:] = float(match["step"])
        with np.errstate(all="ignore"):
            out = np.add.accumulate(out)  # one after the other, as promtool adds
    return out


def metric(text: str) -> Labels:
    """`up{job="a"}`, `up`, `{job="a"}` or `{}` as labels. Refused for anything else."""
    import promql_parser

    if text.strip() in ("", "{}"):
        return ()
    try:
        tree: Any = promql_parser.parse(text)
    except ValueError as error:
        raise Refused(f"'{text}' is no series: {error}", """write it like up{job="api"}""") from None
    plain = isinstance(tree, promql_parser.VectorSelector) and tree.at is None and tree.offset is None
    if not plain or any(str(one.op) != "MatchOp.Equal" for one in tree.matchers.matchers) or tree.matchers.or_matchers:
        raise Refused(f"'{text}' is no series", """write it like up{job="api"}""")
    found = {one.name: one.value for one in tree.matchers.matchers}
    if tree.name:
        found[NAME] = tree.name
    return labelset(found)
