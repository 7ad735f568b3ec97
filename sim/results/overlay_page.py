"""An overlay as a table in words, as a plot, and as one HTML page. matplotlib is loaded when it is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from sim.results.drawing import FAINT, INK, axes, legend_above, point, style, svg, times
from sim.results.outside import told
from sim.results.overlay import Check, Overlay
from sim.results.page import PAGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLUMNS", "html", "plot_overlay", "plot_values", "rows", "verdict"]

COLUMNS = ("check", "recorded", "predicted", "middle", "p", "")
_BINS = 40
_BAND, _SEEN = "#56B4E9", "#D55E00"


def rows(found: Overlay) -> Iterator[tuple[str, ...]]:
    """One row of text per check, in the order of COLUMNS."""
    for check in found.checks:
        yield (
            check.name,
            _shown(check.observed, check),
            _span(check),
            _shown(check.middle, check),
            f"{check.p:.3g}",
            "inside" if check.inside else "OUTSIDE",
        )


def verdict(found: Overlay) -> str:
    """One sentence."""
    outside = [check.name for check in found.checks if not check.inside]
    if not outside:
        return f"inside: the recorded run looks like one of {found.count:,} simulated ones"
    return f"outside: {', '.join(outside)} of the recorded run is not what the model predicts"


def _shown(value: float | str, check: Check) -> str:
    return value if isinstance(value, str) else f"{_number(value)} {check.unit}" if math.isfinite(value) else "never"


def _span(check: Check) -> str:
    if isinstance(check.low, str) or isinstance(check.high, str):
        return ""
    return f"{_number(check.low)} to {_shown(check.high, check)}"


def _number(value: float) -> str:
    return f"{value:,.6g}" if math.isfinite(value) else "never"


def plot_overlay(found: Overlay, ax: Axes | None = None) -> Axes:
    """The share of the new version over time: the predicted band, the half of it that is in the middle, the recorded share, and what
    requests measured."""
    ax = ax if ax is not None else axes(7.6, 2.6, legend=1)
    band = found.band
    ax.fill_between(band.times, band.low, band.high, step="mid", color=_BAND, alpha=0.35, linewidth=0)
    ax.fill_between(band.times, band.lower, band.upper, step="mid", color=_BAND, alpha=0.6, linewidth=0)
    ax.step(band.times, band.middle, where="mid", color=INK, linewidth=1.0, linestyle="dashed")
    ax.step(band.times, band.observed, where="mid", color=_SEEN, linewidth=1.6)
    if found.measured:
        at, share, _ = zip(*found.measured, strict=True)
        ax.scatter(at, share, s=9, color=FAINT, zorder=3, linewidths=0)
    last = band.times[-1] + band.times[0]
    ax.set_xlim(0, last)
    ax.set_ylim(-0.03, 1.03)
    ax.xaxis.set_major_locator(times(last))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("seconds since the start")
    ax.set_ylabel("new version")
    style(ax)
    handles = [point(_BAND, "s", "predicted", True), point(_SEEN, "_", "recorded", True)]
    legend_above(ax, handles + ([point(FAINT, ".", "measured by requests", True)] if found.measured else []))
    return ax


def plot_values(found: Overlay) -> Figure:
    """What was predicted of single numbers (time to the decision, failed requests): how often, the band, and the recorded one."""
    from matplotlib.figure import Figure

    shown = [check for check in found.checks if check.values]
    figure = Figure(figsize=(7.6, 1.9))
    for place, check in enumerate(shown):
        ax = figure.add_axes((0.05 + place / len(shown), 0.27, 0.93 / len(shown) - 0.05, 0.6))
        kept = [value for value in check.values if math.isfinite(value)]
        ax.hist(kept, bins=_BINS, color=_BAND, alpha=0.6, linewidth=0)
        if not isinstance(check.low, str) and not isinstance(check.high, str):
            ax.axvspan(check.low, min(check.high, max(kept, default=check.low)), color=_BAND, alpha=0.2, linewidth=0)
        if not isinstance(check.observed, str) and math.isfinite(check.observed):
            ax.axvline(check.observed, color=_SEEN, linewidth=1.6)
        ax.set_yticks([])
        ax.set_xlabel(check.name if check.name.endswith(check.unit) else f"{check.name} ({check.unit})")
        style(ax)
    return figure


def html(found: Overlay, title: str, names: dict[str, str], *, figure: bool = True) -> str:
    """The page."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in COLUMNS)
    body = "".join(
        f"<tr class='{'pass' if check.inside else 'alarm'}'><th scope='row'>{escape(cells[0])}</th>"
        f"{''.join(f'<td><b>{escape(cell)}</b></td>' for cell in cells[1:])}</tr>"
        for check, cells in zip(found.checks, rows(found), strict=True)
    )
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in names.items())
    drawn = (
        f"<figure>{svg(plot_overlay(found), 'overlay')}<figcaption>{_CAPTION}</figcaption></figure>"
        f"<figure>{svg(plot_values(found), 'values')}<figcaption>{_VALUES}</figcaption></figure>"
        if figure
        else ""
    )
    outside = "".join(f"<li>{escape(sentence)}</li>" for sentence in told(found))
    where = f"<ul>{outside}</ul>" if outside else ""
    level = found.checks[0].level
    note = (
        f"{len(found.checks)} checks, together at a false-alarm rate of {found.alarm:.2g}: each lies inside but for {level:.2g}. "
        f"Times closer than {found.grain:g} s to a simulated one count as equal. {' '.join(f'{note}.' for note in found.notes)}"
    )
    parts = [
        f"<header><h1>{escape(title)}</h1><dl class='names'>{pairs}</dl></header>",
        f"<section><h2>{escape(verdict(found))}</h2>{where}<p>{escape(note)}</p>"
        f"<div class='wide'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{drawn}</section>",
    ]
    return PAGE.replace("{title}", escape(title)).replace("{body}", "\n".join(parts))


_CAPTION = "Share of the traffic that the new version gets: band and middle half of the simulated rollouts, and the recorded one."
_VALUES = "How the simulated rollouts came out, the band of each check, and the recorded one."
