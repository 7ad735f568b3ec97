"""The timeline of one run of a delivery system. matplotlib is loaded when it is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.pipeline.dora import DAY
from sim.pipeline.rows import DeploymentRow
from sim.results.delivery import DeliveryCell
from sim.results.drawing import FAINT, INK, axes, legend_above, point
from sim.results.plots import ENDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_timeline"]

_ENDED = {
    "promoted": ENDS[0],
    "aborted": ENDS[1],
    "inconclusive": ENDS[2],
    "superseded": "#CC79A7",
    "missing": "#000000",
}
_MARKS = {"change": "o", "fix": "s", "rollback": "v"}
_INCIDENT = "#D55E00"


def plot_timeline(cell: DeliveryCell, ax: Axes | None = None, *, run: int = 0) -> Axes:
    """One run: every deployment at its end, as high as it took from its oldest commit, coloured by its outcome.

    Shapes are reasons; a dark edge marks a bad release. The strip below shows how long something bad was live.
    """
    rows = cell.runs[run]
    ax = ax if ax is not None else axes(7.6, 2.6, legend=3)
    ended = [row for row in rows.deployments if row.outcome in _ENDED]
    for outcome, color in _ENDED.items():
        for reason, mark in _MARKS.items():
            own = [row for row in ended if (row.outcome, row.reason) == (outcome, reason)]
            if own:
                own.sort(key=lambda row: row.bad)  # the bad ones on top
                x, y = zip(*map(_place, own), strict=True)
                edges = [INK if row.bad else color for row in own]
                ax.scatter(x, y, s=26, marker=mark, c=color, edgecolors=edges, linewidths=1.2, zorder=3)
    for row in rows.deployments:
        if row.bad_since is not None:
            end = rows.span if row.restored is None else row.restored
            ax.axvspan(
                row.bad_since / DAY,
                max(end / DAY, row.bad_since / DAY + 0.003 * rows.span / DAY),
                0.0,
                0.04,
                color=_INCIDENT,
            )
    if 7 * DAY < rows.span < 80 * DAY:
        ax.set_xticks(range(0, math.ceil(rows.span / DAY) + 1, 7))
    ax.set_yscale("log")
    ax.set_xlim(0, rows.span / DAY)
    low, high = ax.get_ylim()
    ax.set_ylim(low / 2, high)  # room for the strip
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("days since the start; orange strip: something bad is live")
    ax.set_ylabel("hours from the oldest commit")
    ax.set_title(cell.policy, fontsize=10, loc="right", color=INK)
    _legend(ax, ended)
    return ax


def _place(row: DeploymentRow) -> tuple[float, float]:
    """(days since the start, hours since the oldest commit, or since it was asked for)."""
    end = row.rollout_ended if row.rollout_ended is not None else row.started
    since = row.committed if row.committed is not None else row.noticed
    return end / DAY, max(end - since, 1.0) / 3600.0


def _legend(ax: Axes, rows: Sequence[DeploymentRow]) -> None:
    outcomes, reasons = {row.outcome for row in rows}, {row.reason for row in rows}
    handles = [point(color, "o", name, True) for name, color in _ENDED.items() if name in outcomes]
    handles += [point(FAINT, mark, name, True) for name, mark in _MARKS.items() if name in reasons and name != "change"]
    handles += [point(INK, "o", "bad", False)] if any(row.bad for row in rows) else []
    legend_above(ax, handles)
