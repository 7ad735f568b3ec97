"""Plots: free functions `plot_x(result, ax=None)` that draw into an axes and return it. matplotlib is loaded when one is called.

Without `ax` a figure of its own is made, without pyplot, so nothing is kept behind the scenes: `plot_harm(result).figure`.
Bytes are deterministic: `drawing.svg` fixes the hash salt and writes no date. Colours: Okabe and Ito (2008), told apart by people with
any colour vision; markers and line styles say the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.engine.rows import OUTCOMES
from sim.results.drawing import INK, axes, legend_above, patch, point, reach, scale, share_at, style, times
from sim.results.front import OBJECTIVES, Front, front
from sim.results.measures import MEASURES, sample
from sim.results.result import Cell, Result, outcomes
from sim.results.survival import DETECTED, ESCAPED, Incidence, cumulative_incidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F", "#8C510A")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("solid", "dashed", "dashdot", "dotted", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
ENDS = ("#56B4E9", "#E69F00", "#8F8F8F")  # promoted, aborted, inconclusive
_ROW = 0.21  # inches of a row of text at 9 points


def plot_outcomes(result: Result, ax: Axes | None = None) -> Axes:
    """How rollouts ended, a bar per policy under each release; what is wrong for the release is solid and numbered."""
    from matplotlib.collections import PolyCollection

    rows = _rows(result, result.releases)
    ax = ax if ax is not None else _row_axes(result, rows, legend=1)
    # One collection a kind: it draws in half the time of single bars.
    bars: dict[tuple[int, bool], list[tuple[tuple[float, float], ...]]] = {}
    for y, cell in rows:
        left = 0.0
        for end, number in enumerate(outcomes(cell)):
            share, wrong = number / max(1, len(cell.rows)), end == (0 if cell.bad else 1)
            corners = ((left, y - 0.36), (left + share, y - 0.36), (left + share, y + 0.36), (left, y + 0.36))
            bars.setdefault((end, wrong), []).extend([corners] if number else [])
            if wrong and number:
                share_at(ax, left, share, y)
            left += share
    for (end, wrong), corners_of in bars.items():
        ax.add_collection(PolyCollection(corners_of, facecolors=ENDS[end], alpha=1.0 if wrong else 0.35, linewidths=0))
    _label_rows(ax, rows)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share of rollouts; solid: wrong for that release")
    legend_above(ax, [patch(color, name) for color, name in zip(ENDS, OUTCOMES, strict=True)])
    return ax


def plot_harm(result: Result, ax: Axes | None = None) -> Axes:
    """Blast radius under each bad release on a log scale: 5th to 95th percentile, the middle half, and the mean."""
    rows = [(y, cell) for y, cell in _rows(result, result.split(True)) if len(cell.rows)]
    ax = ax if ax is not None else _row_axes(result, rows)
    harms = [sample(cell, MEASURES["harm"]) for _, cell in rows]
    heights, colors = [y for y, _ in rows], [_look(result, cell.policy)[0] for _, cell in rows]
    marks = [np.quantile(harm, (0.05, 0.25, 0.75, 0.95), method="inverted_cdf") for harm in harms]
    ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
    ax.hlines(heights, [mark[0] for mark in marks], [mark[3] for mark in marks], colors=colors, linewidth=1.6)
    ax.hlines(heights, [mark[1] for mark in marks], [mark[2] for mark in marks], colors=colors, linewidth=6, alpha=0.55)
    ax.scatter([harm.mean() for harm in harms], heights, s=30, c=colors, edgecolors="white", linewidths=0.8, zorder=3)
    _label_rows(ax, rows)
    ax.set_xlim(0, 1.3 * max([1.0, *(max(mark[3], harm.mean()) for mark, harm in zip(marks, harms, strict=True))]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlabel("requests broken per rollout (log scale): 5-95%, 25-75%, dot: mean")
    return ax


def plot_detection(result: Result, ax: Axes | None = None, *, release: str | None = None, legend: bool = True) -> Axes:
    """Share of all rollouts of a bad release (default: the first) aborted within a time; escapes never come in."""
    ax = ax if ax is not None else axes(5.6, 2.4, legend=_lines(result))
    name = release if release is not None else next(iter(result.split(True)), "")
    cells = [
        cell
        for cell in (result.find(policy, name) for policy in result.policies)
        if cell is not None and len(cell.rows)
    ]
    curves = [(cell.policy, _incidence(cell)) for cell in cells]
    last = 1.05 * max([60.0, *(curve.times[-1] for _, curve in curves if curve.times)])
    for policy, curve in curves:
        end = curve.share[-1] if curve.share else 0.0
        dashes = DASHES[result.policies.index(policy) % len(DASHES)]
        ax.step((0.0, *curve.times, last), (0.0, *curve.share, end), where="post", color=_look(result, policy)[0],
                linestyle=dashes, linewidth=1.8, label=policy)  # fmt: skip
    ax.set_xlim(0, last)
    ax.set_ylim(-0.03, 1.03)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    minutes = last > 600
    ax.xaxis.set_major_locator(times(last))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value / 60:g}" if minutes else f"{value:g}")
    ax.set_xlabel(f"{'minutes' if minutes else 'seconds'} since the first harm")
    if legend:
        legend_above(ax, ax.get_legend_handles_labels()[0])
    else:
        ax.set_title(name, fontsize=10, loc="left", color=INK)
    return ax


def plot_front(
    result: Result, ax: Axes | None = None, *, cost: str = "median lead", places: Front | None = None
) -> Axes:
    """Mean blast radius over the bad releases against a cost, with intervals; filled: no other policy beats it on every count.

    `cost` is one of the objectives' names (`front.OBJECTIVES`); `places` saves working the front out again.
    """
    ax = ax if ax is not None else axes(5.6, 2.8, 0.85, legend=_lines(result))
    known = places if places is not None else front(result)
    if OBJECTIVES[0][0] not in known.objectives or cost not in known.objectives:
        ax.set_title("needs bad and good releases", fontsize=10, loc="left", color=INK)
        return ax
    first, second = known.objectives.index(cost), known.objectives.index(OBJECTIVES[0][0])
    shown = [
        (place, place.values[first], place.values[second])
        for place in known.places
        if np.isfinite(place.values[first].estimate)
    ]
    for place, x, y in shown:
        color, marker = _look(result, place.policy)
        ax.errorbar(
            x.estimate, y.estimate, xerr=reach(x), yerr=reach(y), color=color, marker=marker, markersize=8, capsize=3,
            markerfacecolor=color if place.member else "none", linestyle="none",
        )  # fmt: skip
    scale(ax, "x", [x for _, x, _ in shown])
    scale(ax, "y", [y for _, _, y in shown])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.set_ylabel("mean blast radius, requests")
    ax.set_xlabel({"median lead": "median lead of a good release, seconds"}.get(cost, cost))
    legend_above(ax, [point(*_look(result, place.policy), place.policy, place.member) for place, *_ in shown])
    return ax


def plot_weight(steps: Sequence[tuple[float, float]], ax: Axes | None = None, *, until: float | None = None) -> Axes:
    """Share of traffic on the new version over time, from (at, share) pairs, drawn up to `until` (s)."""
    ax = ax if ax is not None else axes(7.2, 1.8)
    last = max([until or 0.0, *(at for at, _ in steps)])
    at, share = [0.0, *(a for a, _ in steps), last], [0.0, *(s for _, s in steps), steps[-1][1] if steps else 0.0]
    ax.step(at, share, where="post", color=COLORS[0], linewidth=1.8)
    ax.set_ylim(-0.03, 1.03)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("seconds since the start")
    ax.set_ylabel("traffic on the new version")
    return ax


def detections(result: Result) -> Figure:
    """`plot_detection` for every bad release side by side, under one legend."""
    from matplotlib.figure import Figure

    releases = result.split(True)
    across, lines = min(3, max(1, len(releases))), _lines(result, 4)
    down = max(1, -(-len(releases) // across))
    wide, high, head = 2.3, 1.5, 0.2 + 0.2 * lines  # of a panel and of the legend, in inches
    width, height = 0.6 + across * (wide + 0.25), head + down * (high + 0.8)
    figure = Figure(figsize=(width, height))
    for index, release in enumerate(releases):
        left, bottom = (
            0.55 + index % across * (wide + 0.25),
            height - head - index // across * (high + 0.8) - high - 0.3,
        )
        ax = figure.add_axes((left / width, bottom / height, wide / width, high / height))
        style(ax)
        plot_detection(result, ax, release=release, legend=False)
        ax.set_yticks((0, 0.5, 1))
        ax.tick_params(labelleft=index % across == 0)
    handles = figure.axes[0].get_legend_handles_labels()[0] if releases else []
    figure.legend(handles=handles, loc="upper left", ncols=4, frameon=False, fontsize=9, labelcolor=INK, handlelength=3)
    return figure


def _lines(result: Result, across: int = 3) -> int:
    """Lines of a legend that names every policy."""
    return -(-len(result.policies) // across)


def _rows(result: Result, releases: Sequence[str]) -> list[tuple[float, Cell]]:
    """Heights of the bars, from the top down, a gap and a line for the name of each release."""
    rows, y = [], 0.0
    for release in releases:
        y -= 1.0
        for policy in result.policies:
            cell = result.find(policy, release)
            if cell is not None:
                rows.append((y, cell))
                y -= 1.0
        y -= 0.4
    return rows


def _row_axes(result: Result, rows: Sequence[tuple[float, Cell]], legend: int = 0) -> Axes:
    """Axes for rows: as high as they ask for, as far from the left as the longest name needs (9 points: 0.08 inches a letter)."""
    height = _ROW * (rows[0][0] - rows[-1][0] + 2.2) if rows else 1.0
    return axes(7.6, height, 0.15 + 0.08 * max((len(policy) for policy in result.policies), default=0), legend)


def _label_rows(ax: Axes, rows: Sequence[tuple[float, Cell]]) -> None:
    """Policies at the bars, the release above each group."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    tops: dict[str, tuple[float, Cell]] = {}
    for y, cell in rows:  # texts, for which matplotlib takes a tenth of the time of ticks
        ax.annotate(
            cell.policy, (0, y), (-5, 0), ("axes fraction", "data"), "offset points",
            fontsize=9, color=INK, va="center", ha="right",
        )  # fmt: skip
        tops.setdefault(cell.release, (y + 0.5, cell))
    for release, (y, cell) in tops.items():
        text = release if release in ("good", "bad") else f"{release} ({'bad' if cell.bad else 'good'})"
        place = ("axes fraction", "data")
        ax.annotate(text, (0, y), xycoords=place, fontsize=9, fontweight="bold", color=INK, va="bottom")
    if rows:
        ax.set_ylim(rows[-1][0] - 0.7, rows[0][0] + 1.5)


def _incidence(cell: Cell) -> Incidence:
    delays = sample(cell, MEASURES["detection_delay"])
    return cumulative_incidence(delays, np.where(np.isfinite(delays), DETECTED, ESCAPED))


def _look(result: Result, policy: str) -> tuple[str, str]:
    """Colour and marker, the same in every plot of a result."""
    index = result.policies.index(policy)
    return COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
